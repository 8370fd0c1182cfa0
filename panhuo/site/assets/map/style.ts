// How the map is drawn: ground, the workspace's layers, parcels by a scheme, rights in the air, names.
import type { ExpressionSpecification, FilterSpecification, LayerSpecification, Map, StyleSpecification } from "maplibre-gl";
import { type Box, setup } from "./setup";

/** What a map is to show: the scheme of its colours, the legend's entries hidden ("" all that have none), its ground,
 * and whether a switch of the panel is on. */
export interface View { by: string; hidden: string[]; ground: string; on: (name: string) => boolean }
const drawn = (shown: boolean): "visible" | "none" => (shown ? "visible" : "none");

const absolute = (path: string) => `pmtiles://${location.origin}${path}`;
export const FONT = ["Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "sans-serif"];

interface Look { fill?: string; line: string; dash?: number[]; width?: number }
/** Layers in the colours planners know: farmland yellow, the ecological line green, the growth boundary red and dashed. */
const LOOKS: Record<string, Look> = {
  zoning: { fill: "#ece7f4", line: "#b9a9cf" }, population: { fill: "#f3e9df", line: "#d8c3ad" },
  water: { fill: "#c4e1ef", line: "#7db6d4" }, permanent_farmland: { fill: "#f4eaa0", line: "#b39b00", width: 1.5 },
  geohazard: { fill: "#f6cdbd", line: "#c0705a" }, facilities: { fill: "#e5d8c0", line: "#a98b5b" },
  roads: { fill: "#ffffff", line: "#cbbf9f" }, red_line: { fill: "#b8dcb6", line: "#1b7837", width: 2 },
  growth_boundary: { line: "#c51b4b", dash: [4, 2], width: 2 }, boundaries: { line: "#6d7f84", dash: [5, 2, 1, 2], width: 1.2 },
  heritage: { line: "#762a83", width: 2 }, easements: { line: "#444444", dash: [2, 2] },
};
const PLAIN: Look = { fill: "#e2e6e0", line: "#8fa39b" };
export const look = (kind: string): Look => LOOKS[kind] ?? PLAIN;

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

function ground(view: View): StyleSpecification {
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
  for (const [kind, tiles] of Object.entries(setup.online?.tiles ?? {})) {
    style.sources[`online-${kind}`] = { type: "raster", tiles, tileSize: 256, minzoom: 1, maxzoom: 18, attribution: setup.online!.attribution };
    style.layers.push({ id: `ground-${kind}`, type: "raster", source: `online-${kind}`, metadata: { ground: "online" }, layout: { visibility: drawn(view.ground === "online") } });
  }
  for (const picture of setup.imagery) {
    const id = `ground:${picture.name}`;
    style.sources[id] = { type: "raster", tiles: [`${location.origin}${picture.url}{z}/{x}/{y}.png`], tileSize: 256, bounds: picture.bounds, maxzoom: 22 };
    style.layers.push({ id, type: "raster", source: id, metadata: { ground: picture.name }, layout: { visibility: drawn(view.ground === picture.name) } });
  }
  return style;
}

/** Whether a parcel has a value of a scheme: `finding` holds several words parted by spaces, every other field one. */
const has = (scheme: string, value: string): ExpressionSpecification =>
  scheme === "finding" ? ["in", ` ${value} `, ["concat", " ", ["coalesce", ["get", scheme], ""], " "]] : ["==", ["get", scheme], value];

/** The colour of a parcel under a scheme: of the first entry of the legend, not hidden, that it has. */
function colour(scheme: string, hidden: string[] = []): ExpressionSpecification {
  const cases = (setup.schemes[scheme]?.values ?? []).filter(([v]) => !hidden.includes(v)).flatMap(([v, , shade]) => [has(scheme, v), shade]);
  return (cases.length ? ["case", ...cases, setup.otherColour] : ["to-color", setup.otherColour]) as ExpressionSpecification;
}

/** Which parcels are drawn when some entries of the legend are hidden; none left out, none asked. */
function shown(scheme: string, hidden: string[]): FilterSpecification | undefined {
  if (!hidden.length) return undefined;
  const listed = (setup.schemes[scheme]?.values ?? []).map(([v]) => v);
  const any = listed.filter((v) => !hidden.includes(v)).map((v) => has(scheme, v));
  const listedAtAll = listed.map((v) => has(scheme, v));
  return (hidden.includes("") ? ["any", false, ...any] : ["any", ["!", ["any", false, ...listedAtAll]], ...any]) as FilterSpecification;
}

const POINT: FilterSpecification = ["==", ["geometry-type"], "Point"];
/** The layers of parcels by their place in the style, with what each draws alone. */
const KINDS = { fill: undefined, line: undefined, dot: POINT, tall: ["has", "z_max_m"] as FilterSpecification, name: undefined };
const COLOURED = { fill: "fill-color", dot: "circle-color", tall: "fill-extrusion-color" } as const;

const both = (one?: FilterSpecification, other?: FilterSpecification): FilterSpecification | undefined =>
  one && other ? (["all", one, other] as FilterSpecification) : (one ?? other);

/** Parcels are whole from `setup.near`; farther out they are cells of a grid, which need no outline and hold no point. */
function parcels(path: string, i: number, view: View): LayerSpecification[] {
  const from = { source: `parcels${i}`, "source-layer": "parcels" };
  const paint = colour(view.by, view.hidden);
  const only = (kind: keyof typeof KINDS): { filter?: FilterSpecification } => {
    const filter = both(KINDS[kind], shown(view.by, view.hidden));
    return filter ? { filter } : {};
  };
  const near = setup.near;
  const none: FilterSpecification = ["literal", false];
  return [
    { id: `fill${i}`, type: "fill", ...from, ...only("fill"), paint: { "fill-color": paint, "fill-opacity": opacity(view.ground), "fill-antialias": ["step", ["zoom"], false, near, true] } },
    { id: `line${i}`, type: "line", ...from, ...only("line"), minzoom: near + 1, paint: { "line-color": "#23474f", "line-width": ["interpolate", ["linear"], ["zoom"], near + 1, 0.4, 16, 1.4] } },
    { id: `dot${i}`, type: "circle", ...from, ...only("dot"), minzoom: near, paint: { "circle-radius": 7, "circle-color": paint, "circle-stroke-color": "#ffffff", "circle-stroke-width": 1 } },
    { id: `tall${i}`, type: "fill-extrusion", ...from, ...only("tall"), metadata: { switch: "tall" }, layout: { visibility: drawn(view.on("tall")) }, paint: { "fill-extrusion-color": paint, "fill-extrusion-base": ["coalesce", ["get", "z_min_m"], 0], "fill-extrusion-height": ["get", "z_max_m"], "fill-extrusion-opacity": 0.85 } },
    { id: `mark${i}`, type: "line", ...from, filter: none, layout: { visibility: "none" }, paint: { "line-color": "#000000", "line-width": 3 } },
    { id: `markdot${i}`, type: "circle", ...from, filter: none, layout: { visibility: "none" }, paint: { "circle-radius": 7, "circle-color": "transparent", "circle-stroke-color": "#000000", "circle-stroke-width": 2 } },
    { id: `name${i}`, type: "symbol", ...from, "source-layer": "names", ...only("name"), minzoom: 15, metadata: { switch: "names" }, layout: { visibility: drawn(view.on("names")), "text-field": ["coalesce", ["get", "name"], ""], "text-font": FONT, "text-size": 12, "text-max-width": 8 }, paint: { "text-color": "#15262b", "text-halo-color": "#ffffffd9", "text-halo-width": 1.6 } },
  ];
}

/** How thick parcels and the layers under them lie on a ground. */
const opacity = (ground: string): number => (ground ? 0.45 : 0.78);
const underOpacity = (ground: string): number => (ground ? 0.15 : 0.75);

/** A layer of the workspace: its fill under the parcels and its line over them. Fills as such are enough from afar. */
function base(kind: string, view: View): LayerSpecification[] {
  const { fill, line, dash, width } = look(kind);
  const near = width ?? 0.8; // from afar thousands of outlines would cover the parcels they are drawn over
  const from = { source: `base-${kind}`, "source-layer": kind, metadata: { switch: `base-${kind}` }, layout: { visibility: drawn(view.on(`base-${kind}`)) } };
  const outline: LayerSpecification = { id: `base-${kind}-line`, type: "line", ...from, minzoom: fill ? setup.near : 0, paint: { "line-color": line, "line-width": ["interpolate", ["linear"], ["zoom"], 8, near / 8, 12, near], ...(dash ? { "line-dasharray": dash } : {}) } };
  return fill ? [{ id: `base-${kind}-fill`, type: "fill", ...from, paint: { "fill-color": fill, "fill-opacity": underOpacity(view.ground), "fill-antialias": false } }, outline] : [outline];
}

export const CONFLICT = "#d7191c";

function conflicts(i: number, view: View): LayerSpecification[] {
  const from = { source: `conflicts${i}`, "source-layer": "conflicts", metadata: { switch: "conflicts" }, layout: { visibility: drawn(view.on("conflicts")) } };
  return [
    { id: `conflicts${i}-fill`, type: "fill", ...from, paint: { "fill-color": CONFLICT, "fill-opacity": 0.55 } },
    { id: `conflicts${i}-line`, type: "line", ...from, paint: { "line-color": "#7f0000", "line-width": 1.6 } },
  ];
}

/** How both maps draw: no label fades in, which on a machine without a graphics card means frames drawn for nothing. */
export const DRAWN = { fadeDuration: 0, renderWorldCopies: false, validateStyle: false } as const;

/** The whole style, made anew for each of the two maps. */
export function style(view: View): StyleSpecification {
  const made = ground(view);
  const order = Object.keys(LOOKS);
  const kinds = [...setup.layers].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
  for (const { kind, url } of kinds) made.sources[`base-${kind}`] = { type: "vector", url: absolute(url) };
  setup.archives.forEach((path, i) => { made.sources[`parcels${i}`] = { type: "vector", url: absolute(path) }; });
  setup.conflicts.forEach((path, i) => { made.sources[`conflicts${i}`] = { type: "vector", url: absolute(path) }; });
  made.sources.area = { type: "geojson", data: { type: "FeatureCollection", features: [] } };
  made.sources.places = { type: "geojson", data: { type: "FeatureCollection", features: setup.places.map((p) => ({ type: "Feature", properties: { label: p.label, n: p.n }, geometry: { type: "Point", coordinates: p.at } })) } };
  const under = kinds.flatMap(({ kind }) => base(kind, view));
  const land = setup.archives.flatMap((path, i) => parcels(path, i, view));
  made.layers.push(
    ...under.filter((l) => l.type === "fill"), ...land.filter((l) => /^(fill|line)/.test(l.id)), ...under.filter((l) => l.type === "line"),
    ...setup.conflicts.flatMap((_, i) => conflicts(i, view)), ...land.filter((l) => !/^(fill|line|name)/.test(l.id)),
    { id: "area-fill", type: "fill", source: "area", paint: { "fill-color": "#0b5563", "fill-opacity": 0.08 } },
    { id: "area-line", type: "line", source: "area", paint: { "line-color": "#0b5563", "line-width": 2.5, "line-dasharray": [3, 1.5] } },
    ...land.filter((l) => l.id.startsWith("name")),
    { id: "names", type: "symbol", source: "places", maxzoom: 13, metadata: { switch: "names" }, layout: { visibility: drawn(view.on("names")), "text-field": ["concat", ["get", "label"], " ", ["to-string", ["get", "n"]]], "text-font": FONT, "text-size": 13, "text-anchor": "top", "text-offset": [0, 0.6], "symbol-sort-key": ["-", 0, ["get", "n"]] }, paint: { "text-color": "#15262b", "text-halo-color": "#ffffffe6", "text-halo-width": 2 } },
  );
  return made;
}

const layersOf = (map: Map, key: "switch" | "ground"): [id: string, value: string][] =>
  map.getLayersOrder().flatMap((id) => {
    const value = (map.getLayer(id)?.metadata as Record<string, string> | undefined)?.[key];
    return value ? [[id, value] as [string, string]] : [];
  });

/** Shows or hides what one switch of the panel stands for. */
export function turn(map: Map, name: string, on: boolean): void {
  for (const [id, value] of layersOf(map, "switch")) if (value === name) map.setLayoutProperty(id, "visibility", drawn(on));
}

/** Colours the parcels of a map by a scheme, some entries hidden. */
export function paint(map: Map, by: string, hidden: string[]): void {
  setup.archives.forEach((_, i) => {
    for (const [kind, property] of Object.entries(COLOURED)) map.setPaintProperty(`${kind}${i}`, property, colour(by, hidden));
    for (const [kind, alone] of Object.entries(KINDS)) map.setFilter(`${kind}${i}`, both(alone, shown(by, hidden)) ?? null);
  });
}

/** Lays one ground under a map: "" for the offline one, "online", or a picture's name. */
export function lay(map: Map, name: string): void {
  for (const [id, ground] of layersOf(map, "ground")) map.setLayoutProperty(id, "visibility", drawn(ground === name));
  setup.archives.forEach((_, i) => map.setPaintProperty(`fill${i}`, "fill-opacity", opacity(name)));
  for (const { kind } of setup.layers)
    if (map.getLayer(`base-${kind}-fill`)) map.setPaintProperty(`base-${kind}-fill`, "fill-opacity", underOpacity(name));
}
