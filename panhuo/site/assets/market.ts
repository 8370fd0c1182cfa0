// The land market's map: the lots of the list, nothing else of the ledger, over the same ground as the map page.
import * as maplibregl from "maplibre-gl";
import type { GeoJSONSource, MapLayerMouseEvent } from "maplibre-gl";
import { ask, at, make, say, setup, words } from "./map/setup";
import { DRAWN, FONT, lay, style } from "./map/style";

const { lots } = setup as unknown as { lots: string };
interface Lot { id: number; title: string; url: string; kind: string }
const COLOUR: maplibregl.ExpressionSpecification = ["match", ["get", "kind"], "plant", "#4b4fa8", "#117733"];
maplibregl.setWorkerUrl(setup.worker);

const cards = new Map([...document.querySelectorAll<HTMLElement>("[data-lot]")].map((card) => [card.dataset.lot!, card]));

/** A point to stand for each lot, so that one too small to be seen as a shape is still found. */
function points(all: GeoJSON.FeatureCollection): GeoJSON.FeatureCollection {
  const middle = (shape: GeoJSON.Geometry): GeoJSON.Position => {
    if (shape.type === "Point") return shape.coordinates;
    const ring = shape.type === "Polygon" ? shape.coordinates[0] : (shape as GeoJSON.MultiPolygon).coordinates[0][0];
    const sides = [0, 1].map((i) => ring.map((corner) => corner[i]));
    return sides.map((side) => (Math.min(...side) + Math.max(...side)) / 2);
  };
  return { ...all, features: all.features.filter((f) => f.geometry).map((f) => ({ ...f, geometry: { type: "Point", coordinates: middle(f.geometry) } })) };
}

function popup(map: maplibregl.Map, where: maplibregl.LngLatLike, lot: Lot): void {
  const box = make("div", "", {}, make("h3", lot.title), make("a", words.open, { className: "button primary", href: lot.url }));
  new maplibregl.Popup({ focusAfterOpen: true, maxWidth: "18rem" }).setLngLat(where).setDOMContent(box).addTo(map);
}

async function draw(map: maplibregl.Map): Promise<void> {
  const all = await ask<GeoJSON.FeatureCollection>(lots);
  if (!all) return;
  map.addSource("lots", { type: "geojson", data: all });
  map.addSource("points", { type: "geojson", data: points(all), cluster: true, clusterRadius: 34, clusterMaxZoom: 13 });
  map.addSource("here", { type: "geojson", data: points(all) });
  map.addLayer({ id: "lot-fill", type: "fill", source: "lots", filter: ["!=", ["geometry-type"], "Point"], paint: { "fill-color": COLOUR, "fill-opacity": 0.35 } });
  map.addLayer({ id: "lot-line", type: "line", source: "lots", paint: { "line-color": COLOUR, "line-width": 2 } });
  map.addLayer({ id: "lot-dot", type: "circle", source: "points", maxzoom: 15.5, filter: ["!", ["has", "point_count"]], paint: { "circle-radius": 8, "circle-color": COLOUR, "circle-stroke-color": "#ffffff", "circle-stroke-width": 2 } });
  map.addLayer({ id: "lot-many", type: "circle", source: "points", filter: ["has", "point_count"], paint: { "circle-radius": ["step", ["get", "point_count"], 13, 10, 17, 100, 22], "circle-color": "#0b5563", "circle-stroke-color": "#ffffff", "circle-stroke-width": 2 } });
  map.addLayer({ id: "lot-count", type: "symbol", source: "points", filter: ["has", "point_count"], layout: { "text-field": ["to-string", ["get", "point_count"]], "text-font": FONT, "text-size": 13, "text-allow-overlap": true }, paint: { "text-color": "#ffffff" } });
  map.addLayer({ id: "lot-here", type: "circle", source: "here", filter: ["==", ["id"], -1], paint: { "circle-radius": 13, "circle-color": "transparent", "circle-stroke-color": "#e0942e", "circle-stroke-width": 4 } });
  map.addLayer({ id: "lot-name", type: "symbol", source: "points", filter: ["!", ["has", "point_count"]], layout: { "text-field": ["get", "title"], "text-font": FONT, "text-size": 12, "text-anchor": "top", "text-offset": [0, 0.9], "text-max-width": 9 }, paint: { "text-color": "#15262b", "text-halo-color": "#ffffffe6", "text-halo-width": 1.8 } });
  map.setLayoutProperty("names", "text-offset", [0, 1.4]); // below the count of the lots there
  const mark = (id: number): void => {
    map.setFilter("lot-here", ["==", ["id"], id]);
    for (const [key, card] of cards) card.classList.toggle("here", key === String(id));
  };
  for (const [key, card] of cards) for (const what of ["mouseenter", "focusin"]) card.addEventListener(what, () => { mark(Number(key)); });
  map.on("click", "lot-many", async (event: MapLayerMouseEvent) => {
    const many = event.features![0];
    const zoom = await map.getSource<GeoJSONSource>("points")!.getClusterExpansionZoom(Number(many.properties.cluster_id));
    map.easeTo({ center: (many.geometry as GeoJSON.Point).coordinates as [number, number], zoom });
  });
  for (const layer of ["lot-fill", "lot-dot"]) {
    map.on("click", layer, (event: MapLayerMouseEvent) => {
      const lot = event.features![0].properties as Lot;
      mark(lot.id);
      cards.get(String(lot.id))?.scrollIntoView({ block: "nearest" });
      if (cards.size) popup(map, event.lngLat, lot);
    });
  }
  for (const layer of ["lot-fill", "lot-dot", "lot-many"]) {
    map.on("mouseenter", layer, () => { map.getCanvas().style.cursor = "pointer"; });
    map.on("mouseleave", layer, () => { map.getCanvas().style.cursor = ""; });
  }
  map.once("idle", () => { at("map").setAttribute("data-ready", "1"); });
}

try {
  const map = new maplibregl.Map({
    container: "map", ...DRAWN, style: style({ by: "", hidden: [], ground: "", on: () => true }), attributionControl: { compact: true }, localIdeographFontFamily: FONT.join(","),
    bounds: setup.bounds ?? [73, 18, 135, 54], fitBoundsOptions: { padding: 30, maxZoom: 16 }, cooperativeGestures: matchMedia("(max-width: 48rem)").matches,
  });
  map.addControl(new maplibregl.NavigationControl(), "bottom-right");
  map.addControl(new maplibregl.ScaleControl(), "bottom-left");
  map.once("load", () => void draw(map));
  const online = document.querySelector<HTMLButtonElement>("#online"); // asked only when chosen, as on the map page
  online?.addEventListener("click", () => {
    const on = online.getAttribute("aria-pressed") !== "true";
    online.setAttribute("aria-pressed", String(on));
    lay(map, on ? "online" : "");
  });
} catch {
  say(words.webgl, true);
}
