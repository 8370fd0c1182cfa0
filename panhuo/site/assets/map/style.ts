// How the map is drawn: ground, the workspace's layers, parcels by a scheme, rights in the air, names.
import type { ExpressionSpecification, FilterSpecification, LayerSpecification, Map, StyleSpecification } from "maplibre-gl";
import { type Box, setup } from "./setup";

const absolute = (path: string) => `pmtiles://${location.origin}${path}`;
export const FONT = ["Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "sans-serif"];

interface Look { fill?: string; line: string; dash?: number[]; width?: number }
/** Layers in the colours planners know: farmland yellow, the ecological line green, the growth boundary red and dashed. */
export const LOOKS: Record<string, Look> = {
  zoning: { fill: "#ece7f4", line: "#b9a9cf" }, population: { fill: "#f3e9df", line: "#d8c3ad" },
  water: { fill: "#c4e1ef", line: "#7db6d4" }, permanent_farmland: { fill: "#f4eaa0", line: "#b39b00", width: 1.5 },
  geohazard: { fill: "#f6cdbd", line: "#c0705a" }, facilities: { fill: "#e5d8c0", line: "#a98b5b" },
  roads: { fill: "#ffffff", line: "#cbbf9f" }, red_line: { fill: "#b8dcb6", line: "#1b7837", width: 2 },
  growth_boundary: { line: "#c51b4b", dash: [4, 2], width: 2 }, boundaries: { line: "#6d7f84", dash: [5, 2, 1, 2], width: 1.2 },
  heritage: { line: "#762a83", width: 2 }, easements: { line: "#444444", dash: [2, 2] },
};
const PLAIN: Look = { fill: "#e2e6e0", line: "#8fa39b" };
const look = (kind: string): Look => LOOKS[kind] ?? PLAIN;

/** Meridians and parallels every degree over the land, every tenth when near: something to stand on with no basemap. */
function graticule(box: Box, step: number): GeoJSON.FeatureCollection {
  const more = step * 10;
  const [w, s, e, n] = [Math.floor(box[0] - more), Math.floor(box[1] - more), Math.ceil(box[2] + more), Math.ceil(box[3] + more)];
  const features: GeoJSON.Feature[] = [];
  const add = (label: string, coordinates: number[][]) =>
    features.push({ type: "Feature", properties: { label }, geometry: { type: "LineString", coordinates } });
  const count = (from: number, to: number) => Math.min(400, Math.round((to - from) / step));
  for (let i = 0; i <= count(w, e); i++) { const x = +(w + i * step).toFixed(2); add(`${x}°E`, [[x, s], [x, n]]); }
  for (let i = 0; i <= count(s, n); i++) { const y = +(s + i * step).toFixed(2); add(`${y}°N`, [[w, y], [e, y]]); }
  return { type: "FeatureCollection", features };
}

function ground(): StyleSpecification {
  const box = setup.bounds ?? [73, 18, 135, 54];
  const style: StyleSpecification = {
    version: 8, sources: {}, layers: [{ id: "ground", type: "background", paint: { "background-color": "#f4f6f3" } }],
  };
  for (const [id, step, minzoom, maxzoom] of [["degrees", 1, 0, 9.5], ["tenths", 0.1, 9.5, 15]] as const) {
    if (step === 0.1 && (box[2] - box[0] > 12 || box[3] - box[1] > 12)) continue;
    style.sources[id] = { type: "geojson", data: graticule(box, step) };
    style.layers.push(
      { id: `${id}-line`, type: "line", source: id, minzoom, maxzoom, paint: { "line-color": "#dde3e0", "line-width": 1 } },
      { id: `${id}-label`, type: "symbol", source: id, minzoom, maxzoom, layout: { "symbol-placement": "line", "symbol-spacing": 500, "text-field": ["get", "label"], "text-font": FONT, "text-size": 11 }, paint: { "text-color": "#7d8d8a", "text-halo-color": "#f4f6f3", "text-halo-width": 2 } },
    );
  }
  if (setup.online) {
    style.sources.online = { type: "raster", tiles: [setup.online], tileSize: 256, attribution: "天地图" };
    style.layers.push({ id: "ground:online", type: "raster", source: "online", layout: { visibility: "none" } });
  }
  for (const picture of setup.imagery) {
    const id = `ground:${picture.name}`;
    style.sources[id] = { type: "raster", tiles: [`${location.origin}${picture.url}{z}/{x}/{y}.png`], tileSize: 256, bounds: picture.bounds, maxzoom: 22 };
    style.layers.push({ id, type: "raster", source: id, layout: { visibility: "none" } });
  }
  return style;
}

/** Whether a parcel has a value of a scheme: a field holds one word, or several parted by spaces. */
const has = (scheme: string, value: string): ExpressionSpecification =>
  ["in", ` ${value} `, ["concat", " ", ["coalesce", ["get", scheme], ""], " "]];

/** The colour of a parcel under a scheme: of the first entry of the legend, not hidden, that it has. */
export function colour(scheme: string, hidden: string[] = []): ExpressionSpecification {
  const cases = (setup.schemes[scheme]?.values ?? []).filter(([v]) => !hidden.includes(v)).flatMap(([v, , shade]) => [has(scheme, v), shade]);
  return (cases.length ? ["case", ...cases, setup.otherColour] : ["to-color", setup.otherColour]) as ExpressionSpecification;
}

/** Which parcels are drawn when some entries of the legend are hidden; "" stands for all that have no entry. */
export function shown(scheme: string, hidden: string[]): FilterSpecification {
  const listed = (setup.schemes[scheme]?.values ?? []).map(([v]) => v);
  const any = listed.filter((v) => !hidden.includes(v)).map((v) => has(scheme, v));
  const listedAtAll = listed.map((v) => has(scheme, v));
  return (hidden.includes("") ? ["any", false, ...any] : ["any", ["!", ["any", false, ...listedAtAll]], ...any]) as FilterSpecification;
}

const POINTS: ExpressionSpecification = ["==", ["geometry-type"], "Point"];
const TALL: FilterSpecification = ["has", "z_max_m"];

function parcels(path: string, i: number): LayerSpecification[] {
  const from = { source: `parcels${i}`, "source-layer": "parcels" };
  const paint = colour(Object.keys(setup.schemes)[0] ?? "");
  const radius: ExpressionSpecification = ["interpolate", ["linear"], ["zoom"], 4, 2.8, 7, 5, 12, 7];
  const dot = { "circle-radius": radius, "circle-color": paint, "circle-stroke-color": "#ffffff", "circle-stroke-width": 1 };
  return [
    { id: `fill${i}`, type: "fill", ...from, paint: { "fill-color": paint, "fill-opacity": 0.78 } },
    { id: `line${i}`, type: "line", ...from, minzoom: 11, paint: { "line-color": "#23474f", "line-width": ["interpolate", ["linear"], ["zoom"], 11, 0.4, 16, 1.4] } },
    { id: `dot${i}`, type: "circle", ...from, filter: POINTS, paint: dot },
    { id: `tall${i}`, type: "fill-extrusion", ...from, filter: TALL, layout: { visibility: "none" }, paint: { "fill-extrusion-color": paint, "fill-extrusion-base": ["coalesce", ["get", "z_min_m"], 0], "fill-extrusion-height": ["get", "z_max_m"], "fill-extrusion-opacity": 0.85 } },
    { id: `mark${i}`, type: "line", ...from, filter: ["in", ["get", "parcel_id"], ["literal", []]], paint: { "line-color": "#000000", "line-width": 3 } },
    { id: `markdot${i}`, type: "circle", ...from, filter: ["in", ["get", "parcel_id"], ["literal", []]], paint: { "circle-radius": 7, "circle-color": "transparent", "circle-stroke-color": "#000000", "circle-stroke-width": 2 } },
    { id: `name${i}`, type: "symbol", ...from, minzoom: 15, layout: { "text-field": ["coalesce", ["get", "name"], ""], "text-font": FONT, "text-size": 12, "text-max-width": 8 }, paint: { "text-color": "#15262b", "text-halo-color": "#ffffffd9", "text-halo-width": 1.6 } },
  ];
}

/** The whole style, made anew for each of the two maps. */
export function style(): StyleSpecification {
  const made = ground();
  const order = Object.keys(LOOKS);
  const layers = [...setup.layers].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
  for (const { kind, url } of layers) {
    made.sources[`base-${kind}`] = { type: "vector", url: absolute(url) };
    const { fill } = look(kind);
    if (fill) made.layers.push({ id: `base-${kind}-fill`, type: "fill", source: `base-${kind}`, "source-layer": kind, paint: { "fill-color": fill, "fill-opacity": 0.75 } });
  }
  setup.archives.forEach((path, i) => { made.sources[`parcels${i}`] = { type: "vector", url: absolute(path) }; });
  const drawn = setup.archives.flatMap(parcels);
  made.layers.push(...drawn.filter((l) => /^(fill|line)/.test(l.id)));
  for (const { kind } of layers) {
    const { line, dash, width } = look(kind);
    const near = width ?? 0.8; // from afar thousands of outlines would cover the parcels they are drawn over
    made.layers.push({ id: `base-${kind}-line`, type: "line", source: `base-${kind}`, "source-layer": kind, paint: { "line-color": line, "line-width": ["interpolate", ["linear"], ["zoom"], 8, near / 8, 12, near], ...(dash ? { "line-dasharray": dash } : {}) } });
  }
  (setup.conflicts ?? []).forEach((path, i) => {
    made.sources[`conflicts${i}`] = { type: "vector", url: absolute(path) };
    made.layers.push(
      { id: `conflicts${i}-fill`, type: "fill", source: `conflicts${i}`, "source-layer": "conflicts", paint: { "fill-color": "#d7191c", "fill-opacity": 0.55 } },
      { id: `conflicts${i}-line`, type: "line", source: `conflicts${i}`, "source-layer": "conflicts", paint: { "line-color": "#7f0000", "line-width": 1.6 } },
    );
  });
  made.layers.push(...drawn.filter((l) => !/^(fill|line|name)/.test(l.id)));
  made.sources.area = { type: "geojson", data: { type: "FeatureCollection", features: [] } };
  made.layers.push(
    { id: "area-fill", type: "fill", source: "area", paint: { "fill-color": "#0b5563", "fill-opacity": 0.08 } },
    { id: "area-line", type: "line", source: "area", paint: { "line-color": "#0b5563", "line-width": 2.5, "line-dasharray": [3, 1.5] } },
    ...drawn.filter((l) => l.id.startsWith("name")),
  );
  made.sources.places = { type: "geojson", data: { type: "FeatureCollection", features: setup.places.map((p) => ({ type: "Feature", properties: { label: p.label, n: p.n }, geometry: { type: "Point", coordinates: p.at } })) } };
  made.layers.push({ id: "names", type: "symbol", source: "places", maxzoom: 13, layout: { "text-field": ["concat", ["get", "label"], " ", ["to-string", ["get", "n"]]], "text-font": FONT, "text-size": 13, "text-anchor": "top", "text-offset": [0, 0.6], "symbol-sort-key": ["-", 0, ["get", "n"]] }, paint: { "text-color": "#15262b", "text-halo-color": "#ffffffe6", "text-halo-width": 2 } });
  return made;
}

const FILTERS: [prefix: string, also: FilterSpecification | null][] = [["fill", null], ["line", null], ["dot", POINTS], ["tall", TALL], ["name", null]];
const PAINTS = [["fill", "fill-color"], ["dot", "circle-color"], ["tall", "fill-extrusion-color"]] as const;

/** Colours the parcels of a map by a scheme, some entries hidden. */
export function paint(map: Map, scheme: string, hidden: string[]): void {
  setup.archives.forEach((_, i) => {
    for (const [prefix, property] of PAINTS) map.setPaintProperty(`${prefix}${i}`, property, colour(scheme, hidden));
    for (const [prefix, also] of FILTERS) {
      const filter = shown(scheme, hidden);
      map.setFilter(`${prefix}${i}`, (also ? ["all", also, filter] : filter) as FilterSpecification);
    }
  });
}

/** Lays one ground under a map: "" for the offline one, "online", or a picture's name. */
export function lay(map: Map, name: string): void {
  for (const other of ["online", ...setup.imagery.map((p) => p.name)])
    if (map.getLayer(`ground:${other}`)) map.setLayoutProperty(`ground:${other}`, "visibility", other === name ? "visible" : "none");
  setup.archives.forEach((_, i) => map.setPaintProperty(`fill${i}`, "fill-opacity", name ? 0.45 : 0.78));
  for (const { kind } of setup.layers)
    if (map.getLayer(`base-${kind}-fill`)) map.setPaintProperty(`base-${kind}-fill`, "fill-opacity", name ? 0.15 : 0.75);
}
