// The panel: what parcels are coloured by, which of them and which layers are shown, the ground, the curtain's switch.
import type { ErrorEvent, Map } from "maplibre-gl";
import { at, hush, make, say, setup, state, words } from "./setup";
import { lay, look, paint, turn, type View } from "./style";

export const scheme = (name = "by"): string => {
  const asked = state.get(name);
  return setup.schemes[asked] ? asked : (Object.keys(setup.schemes)[0] ?? "");
};

const hidden = (): string[] => state.all("hide").map((v) => (v === "-" ? "" : v));
const boxes = (): HTMLInputElement[] => [...document.querySelectorAll<HTMLInputElement>("input[data-layer]")];
const ground = (name: string): string => (grounds().some(([value]) => value === state.get(name)) ? state.get(name) : "");

/** Whether the address, or else the page, has a switch on. */
function on(name: string): boolean {
  const box = boxes().find((b) => b.dataset.layer === name);
  return !!box && (box.defaultChecked || state.all("on").includes(name)) && !state.all("off").includes(name);
}

/** What the address says the map shows, and the map right of the curtain. */
export const view = (): View => ({ by: scheme(), hidden: hidden(), ground: ground("ground"), on });
export const rightView = (): View => ({ by: scheme("rby"), hidden: [], ground: ground("right"), on });

/** The legend of the scheme chosen; `changed` when an entry is hidden or shown again. */
function legend(changed: () => void): void {
  const off = state.all("hide");
  const entries = [...(setup.schemes[scheme()]?.values ?? []), ["", words.other, setup.otherColour, -1, ""] as const];
  at("legend").replaceChildren(...entries.map(([value, label, shade, n]) => {
    const name = value || "-";
    const button = make("button", "", { type: "button", className: "entry" }, make("i"), make("span", label));
    button.firstElementChild!.setAttribute("style", `background:${shade}`);
    if (n >= 0) button.append(make("small", n.toLocaleString()));
    button.setAttribute("aria-pressed", String(!off.includes(name)));
    button.addEventListener("click", () => {
      const now = state.all("hide");
      const shown = now.includes(name);
      state.set("hide", ...(shown ? now.filter((v) => v !== name) : [...now, name]));
      button.setAttribute("aria-pressed", String(shown));
      changed();
    });
    return make("li", "", {}, button);
  }));
}

function layers(map: Map): void {
  const all = boxes();
  for (const box of all) {
    const name = box.dataset.layer!;
    box.checked = on(name);
    box.addEventListener("change", () => {
      turn(map, name, box.checked);
      if (name === "tall") map.easeTo({ pitch: box.checked ? 55 : 0 });
      state.set("on", ...all.filter((b) => b.checked && !b.defaultChecked).map((b) => b.dataset.layer!));
      state.set("off", ...all.filter((b) => !b.checked && b.defaultChecked).map((b) => b.dataset.layer!));
    });
  }
  for (const swatch of document.querySelectorAll<HTMLElement>(".swatch[data-kind]")) {
    const { fill, line, dash } = look(swatch.dataset.kind!);
    swatch.style.background = fill ?? "#fff";
    swatch.style.border = `2px ${dash ? "dashed" : "solid"} ${line}`;
  }
}

export const grounds = (): [name: string, label: string][] => [
  ["", words.offline], ...(setup.online ? [["online", words.online] as [string, string]] : []),
  ...setup.imagery.map((p) => [p.name, p.name] as [string, string]),
];

/** A choice among the grounds, kept in the address under `name`. */
export function choose(id: string, name: string, map: Map): void {
  const select = at<HTMLSelectElement>(id);
  select.replaceChildren(...grounds().map(([value, label]) => make("option", label, { value })));
  select.value = ground(name);
  select.onchange = () => { hush(words.offlineNow); state.set(name, select.value); lay(map, select.value); };
  unanswered(map, () => { select.value = ""; lay(map, ""); say(words.offlineNow, true); });
}

/** A basemap that refuses (a key run out) or cannot be reached: `gone` at its third tile lost before any came. */
function unanswered(map: Map, gone: () => void): void {
  let lost = 0;
  let came = false;
  const online = (source: string | undefined): boolean => !!source?.startsWith("online-");
  map.on("sourcedata", (event) => { came ||= online(event.sourceId) && event.tile?.state === "loaded"; });
  map.on("error", (event: ErrorEvent & { sourceId?: string }) => {
    if (online(event.sourceId)) { if (!came && ++lost === 3) gone(); } else console.error(event.error);
  });
}

/** The panel over a map whose style already shows what the address says. */
export function panel(map: Map): void {
  const select = at<HTMLSelectElement>("scheme");
  if (select) {
    const colours = (): void => paint(map, scheme(), hidden());
    select.value = scheme();
    select.addEventListener("change", () => { state.set("by", select.value); state.set("hide"); legend(colours); colours(); });
    legend(colours);
  }
  layers(map);
  choose("ground", "ground", map);
  unfold(!matchMedia("(max-width: 48rem)").matches);
  at("panel-toggle").addEventListener("click", () => unfold(at("mapside").hidden));
}

/** Opens or closes the panel. */
export function unfold(open = true): void {
  at("mapside").hidden = !open;
  at("panel-toggle").setAttribute("aria-expanded", String(open));
}
