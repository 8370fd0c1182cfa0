// The map page: parcels of the reader's own land from PMTiles; works offline, and its address shows the same map again.
import * as maplibregl from "maplibre-gl";
import type { MapMouseEvent } from "maplibre-gl";
import { Protocol } from "pmtiles";
import { curtain } from "./map/curtain";
import { finding } from "./map/find";
import { panel, view } from "./map/legend";
import { pick, selecting } from "./map/select";
import { at, hush, make, say, setup, words } from "./map/setup";
import { CONFLICT, DRAWN, FONT, style, turn } from "./map/style";

maplibregl.setWorkerUrl(setup.worker);
const archives = new Protocol();
maplibregl.addProtocol("pmtiles", archives.tile);

/** Layers that wait until the parcels are on the screen, which is what people come for. */
const LATER = [...setup.layers.map((l) => `base-${l.kind}`), "conflicts"];

function open(): maplibregl.Map | null {
  const asked = view();
  try {
    return new maplibregl.Map({
      container: "map", ...DRAWN, style: style({ ...asked, on: (name) => !LATER.includes(name) && asked.on(name) }), hash: "at", attributionControl: { compact: true }, localIdeographFontFamily: FONT.join(","),
      bounds: setup.bounds ?? [73, 18, 135, 54], fitBoundsOptions: { padding: matchMedia("(max-width: 48rem)").matches ? { top: 120, left: 40, right: 40, bottom: 60 } : { top: 80, left: 380, right: 80, bottom: 60 }, maxZoom: 16 }, maxPitch: 75,
    });
  } catch {
    say(words.webgl, true);
    return null;
  }
}

/** The sources whose archive is still being made, as after an assessment. */
const late = new Set<string>();

/** Waits for such an archive (503, or the one of the data before) and gives the map its source anew. */
async function whenMade(map: maplibregl.Map, id: string, url: string): Promise<void> {
  if (late.has(id)) return;
  late.add(id);
  const path = url.replace("pmtiles://", "");
  const busy = async (): Promise<string> => {
    const answer = await fetch(path, { headers: { Range: "bytes=0-0" }, cache: "no-store" });
    return answer.status === 503 ? words.making : answer.headers.get("X-Older") ? words.older : "";
  };
  let waited = false;
  for (let why = await busy(); why; why = await busy(), waited = true) {
    say(why, true);
    await new Promise((later) => { setTimeout(later, 2000); });
  }
  late.delete(id);
  if (!waited) return;
  archives.tiles.delete(path); // what it remembers is the refusal
  map.getSource<maplibregl.VectorTileSource>(id)?.setUrl(url);
  if (!late.size) for (const told of [words.making, words.older]) hush(told);
  map.once("idle", ready);
}

function ready(): void {
  if (!late.size) at("map").setAttribute("data-ready", "1");
}

/** Says that the map is being drawn until its parcels are on the screen; then come the other layers. */
function progress(map: maplibregl.Map): void {
  say(words.drawing, true);
  map.on("error", (event: maplibregl.ErrorEvent & { sourceId?: string; source?: { url?: string } }) => {
    if (event.sourceId && event.source?.url?.startsWith("pmtiles:")) void whenMade(map, event.sourceId, event.source.url);
  });
  map.once("idle", () => {
    hush(words.drawing);
    for (const name of LATER) turn(map, name, view().on(name));
    map.once("idle", () => void Promise.all(baked(map).map(([id, url]) => whenMade(map, id, url))).then(ready));
    map.triggerRepaint();
  });
}

/** The sources that are read from archives, with their addresses. */
function baked(map: maplibregl.Map): [string, string][] {
  return Object.entries(map.getStyle().sources).flatMap(([id, source]) =>
    "url" in source && source.url?.startsWith("pmtiles:") ? [[id, source.url] as [string, string]] : []);
}

/** What a click on a parcel tells; `conflicts`: those drawn where it was clicked. */
function popup(map: maplibregl.Map, at: maplibregl.LngLatLike, p: Record<string, string>, conflicts: Record<string, string | number>[] = []): void {
  const link = make("a", words.open, { className: "button primary", href: `/parcel/${encodeURIComponent(p.parcel_id)}/` });
  const add = make("button", words.add, { type: "button" });
  const says = Object.entries(setup.schemes).flatMap(([field, scheme]) => scheme.values.filter(([v]) => (p[field] ?? "").split(" ").includes(v)).map(([, label, shade]) => [scheme.label, label, shade]));
  const rows = says.map(([by, label, shade]) => {
    const mark = make("i");
    mark.style.background = shade;
    return make("li", "", {}, mark, make("small", by), make("span", label));
  });
  rows.push(...conflicts.map((c) => {
    const mark = make("i");
    mark.style.background = CONFLICT;
    return make("li", "", {}, mark, make("small", words.conflict), make("span", `${setup.conflictKinds[c.kind] ?? c.kind} ${Number(c.area_m2).toFixed(1)} m²`));
  }));
  const box = make("div", "", { className: "about" }, make("h3", p.name || words.unnamed), make("p", [p.parcel_id, p.holder].filter(Boolean).join(" · ")), make("ul", "", {}, ...rows), make("p", "", { className: "acts" }, link, add));
  const shown = new maplibregl.Popup({ focusAfterOpen: true, maxWidth: "20rem" }).setLngLat(at).setDOMContent(box).addTo(map);
  add.addEventListener("click", () => { pick(map, p.parcel_id); shown.remove(); });
}

const placed = location.hash.includes("at=");
const map = open();
if (map) {
  map.addControl(new maplibregl.NavigationControl({ visualizePitch: true }), "bottom-right");
  map.addControl(new maplibregl.ScaleControl(), "bottom-right");
  const clicked = setup.archives.flatMap((_, i) => [`fill${i}`, `dot${i}`, `tall${i}`]);
  const disputed = setup.conflicts.map((_, i) => `conflicts${i}-fill`);
  progress(map);
  map.once("style.load", () => {
    panel(map);
    const drawing = selecting(map, !placed);
    curtain(map);
    finding(map, (found) => { if (found.id) popup(map, [(found.bounds[0] + found.bounds[2]) / 2, (found.bounds[1] + found.bounds[3]) / 2], { parcel_id: found.id, name: found.label, holder: found.note }); });
    map.on("click", (event: MapMouseEvent) => {
      if (drawing()) return;
      const { x, y } = event.point;
      const hit = map.queryRenderedFeatures([[x - 4, y - 4], [x + 4, y + 4]], { layers: clicked })[0];
      const conflicts = map.queryRenderedFeatures(event.point, { layers: disputed }).map((f) => f.properties as Record<string, string | number>);
      if (hit) popup(map, event.lngLat, hit.properties as Record<string, string>, conflicts);
    });
    map.on("mousemove", (event: MapMouseEvent) => {
      if (!drawing()) map.getCanvas().style.cursor = map.queryRenderedFeatures(event.point, { layers: clicked }).length ? "pointer" : "";
    });
  });
  at("share").addEventListener("click", async () => {
    await navigator.clipboard?.writeText(location.href).catch(() => undefined);
    say(words.copied);
  });
}
