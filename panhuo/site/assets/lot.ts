// The outline of a part of a parcel, drawn over the parcel; what is drawn lies in the form's own field, as one may type it.
import * as maplibregl from "maplibre-gl";
import type { TerraDraw } from "terra-draw";
import { at, say, setup, words } from "./map/setup";
import { DRAWN, lay, style } from "./map/style";

const { parcel, part } = setup as unknown as { parcel: GeoJSON.Geometry; part: GeoJSON.Geometry | null };
const EARTH_M = 6371008.8;
maplibregl.setWorkerUrl(setup.worker);
const field = at<HTMLTextAreaElement>("id_part");
const button = at<HTMLButtonElement>("draw-part");
let map: maplibregl.Map | undefined;

/** About how many m² a ring holds, on a sphere: a hint beside the figure that is surveyed. */
function about(ring: number[][]): number {
  const rad = (degrees: number): number => (degrees * Math.PI) / 180;
  const twice = ring.reduce((sum, [x, y], i) => {
    const [next, above] = ring[(i + 1) % ring.length];
    return sum + rad(next - x) * (2 + Math.sin(rad(y)) + Math.sin(rad(above)));
  }, 0);
  return Math.abs((twice * EARTH_M * EARTH_M) / 2);
}

const shown = (ring: number[][]): string => words.about.replace("{mu}", ((about(ring) * 3) / 2000).toFixed(2)).replace("{m2}", about(ring).toFixed(0));

function open(): Promise<maplibregl.Map> {
  at("draw-map").hidden = false;
  const opened = new maplibregl.Map({
    container: "map", ...DRAWN, style: style({ by: "", hidden: [], ground: "", on: () => true }), attributionControl: { compact: true },
    bounds: setup.bounds!, fitBoundsOptions: { padding: 30, maxZoom: 19 },
  });
  opened.addControl(new maplibregl.NavigationControl(), "bottom-right");
  opened.addControl(new maplibregl.ScaleControl(), "bottom-left");
  const online = document.querySelector<HTMLButtonElement>("#online");
  online?.addEventListener("click", () => {
    const on = online.getAttribute("aria-pressed") !== "true";
    online.setAttribute("aria-pressed", String(on));
    lay(opened, on ? "online" : "");
  });
  return new Promise((done) => opened.once("load", () => {
    for (const [id, data, colour] of [["parcel", parcel, "#0b5563"], ["part", part, "#117733"]] as const) {
      if (!data) continue;
      opened.addSource(id, { type: "geojson", data });
      opened.addLayer({ id: `${id}-fill`, type: "fill", source: id, paint: { "fill-color": colour, "fill-opacity": 0.12 } });
      opened.addLayer({ id: `${id}-line`, type: "line", source: id, paint: { "line-color": colour, "line-width": 2 } });
    }
    done(opened);
  }));
}

let drawing: TerraDraw | undefined;
button.addEventListener("click", async () => {
  button.disabled = true; // one map, one pen
  try {
    map ??= await open();
    if (drawing) { drawing.stop(); field.value = ""; }
    const { pen } = await import("./map/pen");
    const draw = (drawing = pen(map, (ring) => {
      const closed = [...ring, ring[0]].map((corner) => corner.map((c) => Number(c.toFixed(7))));
      field.value = JSON.stringify({ type: "Polygon", coordinates: [closed] });
      say(shown(ring), true);
      setTimeout(() => { draw.setMode("static"); }); // the click that ends it is still under way
    }));
    draw.setMode("polygon");
    say(words.polygon, true);
    button.textContent = words.again;
    at("draw-map").setAttribute("data-ready", "1");
    at("draw-map").scrollIntoView({ block: "nearest" });
  } catch {
    say(words.webgl, true);
  }
  button.disabled = false;
});
