// Selecting parcels by box, polygon, view or one by one: the selection is an address of the ledger, kept in the link.
import type { GeoJSONSource, LngLatBounds, Map } from "maplibre-gl";
import type { TerraDraw } from "terra-draw";
import { unfold } from "./legend";
import { ask, at, type Box, make, say, setup, state, words } from "./setup";

interface Held {
  n: number; area: string; bounds: Box | null; ids: string[]; list: string; files: Record<string, string>;
  findings: { label: string; n: number; link: string }[];
}
const PICKED = 200;
let ids: string[] = [];

const areaOf = (ring: number[][]): string => ring.map(([x, y]) => `${x.toFixed(6)},${y.toFixed(6)}`).join(";");

function outline(map: Map): void {
  const ring = state.get("area").split(";").filter(Boolean).map((c) => c.split(",").map(Number));
  const features: GeoJSON.Feature[] = ring.length
    ? [{ type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [[...ring, ring[0]]] } }] : [];
  map.getSource<GeoJSONSource>("area")?.setData({ type: "FeatureCollection", features });
  setup.archives.forEach((_, i) => {
    for (const layer of [`mark${i}`, `markdot${i}`]) {
      const picked: ["in", ["get", string], ["literal", string[]]] = ["in", ["get", "parcel_id"], ["literal", ids]];
      map.setFilter(layer, layer.startsWith("markdot") ? ["all", ["==", ["geometry-type"], "Point"], picked] : picked);
      map.setLayoutProperty(layer, "visibility", ids.length ? "visible" : "none");
    }
  });
}

/** The ledger's query of what is selected, or "". */
function asked(): string {
  const query = new URLSearchParams(state.get("list"));
  if (state.get("area")) query.set("area", state.get("area"));
  return query.toString();
}

function card(map: Map, held: Held): Node[] {
  const head = make("h2", held.n ? `${held.n.toLocaleString()} ${words.parcels} · ${held.area}` : words.empty);
  const found = make("ul", "", { className: "found" }, ...held.findings.map((f) =>
    make("li", "", {}, make("a", f.label, { href: f.link }), make("small", f.n.toLocaleString()))));
  const buttons = make("p", "", { className: "acts" });
  if (held.n) {
    buttons.append(make("a", words.list, { className: "button primary", href: held.list }));
    for (const [kind, label] of [["xlsx", "Excel"], ["gpkg", "GeoPackage"]]) buttons.append(make("a", label, { className: "button", href: held.files[kind] }));
  }
  const clear = make("button", words.clear, { type: "button" });
  clear.addEventListener("click", () => { state.set("area"); state.set("list"); void show(map); });
  buttons.append(clear);
  return [head, found, buttons];
}

/** Shows what the address says is selected; `fit` brings it into view. */
export async function show(map: Map, fit = false): Promise<void> {
  const place = at("selection");
  const query = asked();
  ids = [];
  place.hidden = !query;
  if (query) { unfold(); at("mapside").scrollTop = 0; }
  if (!query) { outline(map); return; }
  outline(map);
  place.replaceChildren(make("p", words.busy));
  const held = await ask<Held>(`${setup.selected}?${query}`);
  if (!held || query !== asked()) return;
  ids = held.ids;
  outline(map);
  place.replaceChildren(...card(map, held));
  if (fit && held.bounds) map.fitBounds(held.bounds, { padding: 60, maxZoom: 17, animate: false });
}

/** Adds one parcel to what is selected, or takes it out again. */
export function pick(map: Map, id: string): void {
  const now = new Set(state.get("area") || state.get("list") ? ids : []);
  if (now.size > PICKED) now.clear();
  if (!now.delete(id)) now.add(id);
  state.set("area");
  state.set("list", new URLSearchParams([...now].map((v) => ["parcel_id", v])).toString());
  void show(map);
}

function take(map: Map, ring: number[][]): void {
  state.set("list");
  state.set("area", areaOf(ring));
  void show(map);
}

/** `fit`: whether what the link names is brought into view, since the link says no place of its own. */
export function selecting(map: Map, fit: boolean): () => boolean {
  const buttons = [...document.querySelectorAll<HTMLButtonElement>("button[data-draw]")];
  let taken: Promise<TerraDraw> | undefined;
  let drawing = "";
  const mode = async (name: string): Promise<void> => {
    drawing = name;
    try {
      const draw = await (taken ??= import("./pen").then(({ pen }) => pen(map, (ring) => { setTimeout(() => void mode("")); take(map, ring); })));
      draw.clear();
      draw.setMode(drawing || "static");
      // Only now: a line drawn before the pen is here would move the map instead.
      for (const b of buttons) b.setAttribute("aria-pressed", String(b.dataset.draw === drawing));
      say(drawing === "rectangle" ? words.box : drawing === "polygon" ? words.polygon : "", !!drawing);
    } catch {
      taken = undefined;
      drawing = "";
      say(words.failed);
    }
  };
  for (const b of buttons) b.addEventListener("click", () => void mode(drawing === b.dataset.draw ? "" : b.dataset.draw!));
  document.addEventListener("keydown", (e) => { if (e.key === "Escape" && drawing) void mode(""); });
  at("in-view").addEventListener("click", () => {
    const b: LngLatBounds = map.getBounds();
    take(map, [[b.getWest(), b.getSouth()], [b.getEast(), b.getSouth()], [b.getEast(), b.getNorth()], [b.getWest(), b.getNorth()]]);
  });
  const given = new URLSearchParams(state.get("list"));
  if (given.has("area")) {
    state.set("area", given.get("area")!);
    given.delete("area");
    state.set("list", given.toString());
  }
  if (asked()) void show(map, fit);
  return () => !!drawing;
}
