// The pen for boxes and polygons, loaded when first taken up: most who open the map never draw.
import type { Map } from "maplibre-gl";
import { TerraDraw, TerraDrawPolygonMode, TerraDrawRectangleMode } from "terra-draw";
import { TerraDrawMapLibreGLAdapter } from "terra-draw-maplibre-gl-adapter";

/** A pen over the map; `drawn` is told each ring that is finished, its first corner once. */
export function pen(map: Map, drawn: (ring: number[][]) => void): TerraDraw {
  const draw = new TerraDraw({
    adapter: new TerraDrawMapLibreGLAdapter({ map }),
    modes: [new TerraDrawRectangleMode({ drawInteraction: "click-move-or-drag" }), new TerraDrawPolygonMode()],
  });
  draw.start();
  draw.on("finish", (id) => {
    const shape = draw.getSnapshotFeature(id)?.geometry;
    if (shape?.type === "Polygon") drawn(shape.coordinates[0].slice(0, -1));
  });
  return draw;
}
