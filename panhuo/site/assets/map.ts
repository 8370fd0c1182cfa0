// The map: parcels of the reader's own land from PMTiles, coloured by finding, tier, plan or severity; works offline.
import * as maplibregl from "maplibre-gl";
import type { ExpressionSpecification, LngLatLike, MapMouseEvent, StyleSpecification } from "maplibre-gl";
import { Protocol } from "pmtiles";

interface Setup {
  archives: string[]; layers: Record<string, string>; bounds: [number, number, number, number] | null;
  schemes: Record<string, { label: string; values: [string, string, string][] }>; other: string; online: string; worker: string;
}
const setup = JSON.parse(document.getElementById("map-setup")!.textContent!) as Setup;
maplibregl.setWorkerUrl(setup.worker);
maplibregl.addProtocol("pmtiles", new Protocol().tile);
const absolute = (path: string) => `pmtiles://${location.origin}${path}`;

function colour(scheme: string): ExpressionSpecification {
  const pairs = setup.schemes[scheme].values.flatMap(([value, , shade]) => [value, shade]);
  return ["match", ["coalesce", ["get", scheme], ""], ...pairs, "#b9c6c9"] as unknown as ExpressionSpecification;
}

const style: StyleSpecification = { version: 8, sources: {}, layers: [{ id: "ground", type: "background", paint: { "background-color": "#eef3f1" } }] };
if (setup.online) {
  style.sources.online = { type: "raster", tiles: [setup.online], tileSize: 256, attribution: "天地图" };
  style.layers.push({ id: "online", type: "raster", source: "online" });
}
Object.entries(setup.layers).forEach(([name, path], i) => {
  const shade = ["#e3dccb", "#dfe9dc", "#cfe3ea", "#e5cfd5", "#d8d8e6"][i % 5];
  style.sources[`base-${name}`] = { type: "vector", url: absolute(path) };
  style.layers.push({ id: `base-${name}`, type: "fill", source: `base-${name}`, "source-layer": name, paint: { "fill-color": shade, "fill-opacity": 0.8, "fill-outline-color": "#8fa39b" } });
});
setup.archives.forEach((path, i) => {
  const source = `parcels${i}`;
  style.sources[source] = { type: "vector", url: absolute(path) };
  style.layers.push(
    { id: `fill${i}`, type: "fill", source, "source-layer": "parcels", paint: { "fill-color": colour("finding"), "fill-opacity": 0.75 } },
    { id: `dot${i}`, type: "circle", source, "source-layer": "parcels", maxzoom: 11, paint: { "circle-radius": 2.5, "circle-color": colour("finding") } },
    { id: `line${i}`, type: "line", source, "source-layer": "parcels", minzoom: 11, paint: { "line-color": "#23474f", "line-width": 0.8 } },
    { id: `tall${i}`, type: "fill-extrusion", source, "source-layer": "parcels", filter: ["has", "z_max_m"], layout: { visibility: "none" }, paint: { "fill-extrusion-color": colour("finding"), "fill-extrusion-base": ["coalesce", ["get", "z_min_m"], 0], "fill-extrusion-height": ["get", "z_max_m"], "fill-extrusion-opacity": 0.85 } },
  );
});

const hash = new URLSearchParams(location.search);
const map = new maplibregl.Map({ container: "map", style, hash: "at", attributionControl: { compact: true }, bounds: setup.bounds ?? [108, 24, 115, 31], fitBoundsOptions: { padding: 40 } });
map.addControl(new maplibregl.NavigationControl(), "top-right");
map.addControl(new maplibregl.ScaleControl(), "bottom-right");
const fills = setup.archives.map((_, i) => `fill${i}`);

map.on("click", (event: MapMouseEvent) => {
  const hit = map.queryRenderedFeatures(event.point, { layers: [...fills, ...setup.archives.map((_, i) => `dot${i}`)] })[0];
  if (!hit) return;
  const box = document.createElement("div");
  const link = document.createElement("a");
  link.href = `/parcel/${encodeURIComponent(hit.properties.parcel_id)}/`;
  link.textContent = hit.properties.name || hit.properties.parcel_id;
  const text = document.createElement("p");
  text.textContent = hit.properties.holder ?? "";
  box.append(link, text);
  new maplibregl.Popup({ focusAfterOpen: true }).setLngLat(event.lngLat as LngLatLike).setDOMContent(box).addTo(map);
});
fills.forEach((id) => {
  map.on("mouseenter", id, () => (map.getCanvas().style.cursor = "pointer"));
  map.on("mouseleave", id, () => (map.getCanvas().style.cursor = ""));
});

const scheme = document.getElementById("scheme") as HTMLSelectElement;
const legend = document.getElementById("legend")!;
function paint(): void {
  fills.forEach((id, i) => {
    map.setPaintProperty(id, "fill-color", colour(scheme.value));
    map.setPaintProperty(`dot${i}`, "circle-color", colour(scheme.value));
    map.setPaintProperty(`tall${i}`, "fill-extrusion-color", colour(scheme.value));
  });
  legend.replaceChildren(...[...setup.schemes[scheme.value].values, ["", setup.other, "#b9c6c9"]].map(([, label, shade]) => {
    const item = document.createElement("li");
    const patch = document.createElement("i");
    patch.style.background = shade;
    item.append(patch, label);
    return item;
  }));
  hash.set("by", scheme.value);
  history.replaceState(null, "", `?${hash}${location.hash}`);
}
if (hash.get("by") && setup.schemes[hash.get("by")!]) scheme.value = hash.get("by")!;
map.on("load", () => { paint(); scheme.addEventListener("change", paint); });
map.on("idle", () => document.getElementById("map")!.setAttribute("data-ready", "1"));

document.querySelectorAll<HTMLInputElement>("input[data-layer]").forEach((box) => box.addEventListener("change", () => {
  const visibility = box.checked ? "visible" : "none";
  if (box.dataset.layer === "tall") {
    setup.archives.forEach((_, i) => map.setLayoutProperty(`tall${i}`, "visibility", visibility));
    map.easeTo({ pitch: box.checked ? 50 : 0 });
  } else map.setLayoutProperty(`base-${box.dataset.layer}`, "visibility", visibility);
}));
document.getElementById("to-list")!.addEventListener("click", () => {
  const b = map.getBounds();
  location.href = `/ledger/parcels/?box=${[b.getWest(), b.getSouth(), b.getEast(), b.getNorth()].map((v) => v.toFixed(6)).join(",")}`;
});
