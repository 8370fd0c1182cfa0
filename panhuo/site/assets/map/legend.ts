// The panel: what parcels are coloured by, which of them and which layers are shown, the ground, the curtain's switch.
import type { Map } from "maplibre-gl";
import { at, make, setup, state, words } from "./setup";
import { lay, LOOKS, paint } from "./style";

export const scheme = (name = "by"): string => {
  const asked = state.get(name);
  return setup.schemes[asked] ? asked : (Object.keys(setup.schemes)[0] ?? "");
};

function legend(map: Map): void {
  const by = scheme();
  const hidden = state.all("hide");
  const entries = [...(setup.schemes[by]?.values ?? []), ["", words.other, setup.otherColour, -1, ""] as const];
  at("legend").replaceChildren(...entries.map(([value, label, shade, n]) => {
    const name = value || "-";
    const button = make("button", "", { type: "button", className: "entry" }, make("i"), make("span", label));
    button.firstElementChild!.setAttribute("style", `background:${shade}`);
    if (n >= 0) button.append(make("small", n.toLocaleString()));
    button.setAttribute("aria-pressed", String(!hidden.includes(name)));
    button.addEventListener("click", () => {
      const now = state.all("hide");
      state.set("hide", ...(now.includes(name) ? now.filter((v) => v !== name) : [...now, name]));
      legend(map);
    });
    return make("li", "", {}, button);
  }));
  paint(map, by, hidden.map((v) => (v === "-" ? "" : v)));
}

/** The layers of the style that a box of the panel switches. */
function switched(map: Map, name: string): string[] {
  const test = name === "tall" ? /^tall\d/ : name === "names" ? /^(names$|name\d)/ : new RegExp(`^${name}(\\d*-|-)(fill|line)$`);
  return map.getStyle().layers.map((l) => l.id).filter((id) => test.test(id));
}

function layers(map: Map): void {
  const on = state.all("on");
  const off = state.all("off");
  const boxes = [...document.querySelectorAll<HTMLInputElement>("input[data-layer]")];
  for (const box of boxes) {
    const name = box.dataset.layer!;
    box.checked = (box.defaultChecked || on.includes(name)) && !off.includes(name);
    const apply = (): void => {
      for (const id of switched(map, name)) map.setLayoutProperty(id, "visibility", box.checked ? "visible" : "none");
    };
    apply();
    box.addEventListener("change", () => {
      apply();
      if (name === "tall") map.easeTo({ pitch: box.checked ? 55 : 0 });
      state.set("on", ...boxes.filter((b) => b.checked && !b.defaultChecked).map((b) => b.dataset.layer!));
      state.set("off", ...boxes.filter((b) => !b.checked && b.defaultChecked).map((b) => b.dataset.layer!));
    });
  }
  for (const swatch of document.querySelectorAll<HTMLElement>(".swatch[data-kind]")) {
    const { fill, line, dash } = LOOKS[swatch.dataset.kind!] ?? { line: "#8fa39b" };
    swatch.style.background = fill ?? "#fff";
    swatch.style.border = `2px ${dash ? "dashed" : "solid"} ${line}`;
  }
}

export const grounds = (): [name: string, label: string][] => [
  ["", words.offline], ...(setup.online ? [["online", words.online] as [string, string]] : []),
  ...setup.imagery.map((p) => [p.name, p.name] as [string, string]),
];

export function choose(id: string, name: string, change: (value: string) => void): void {
  const select = at<HTMLSelectElement>(id);
  select.replaceChildren(...grounds().map(([value, label]) => make("option", label, { value })));
  if ([...select.options].some((o) => o.value === state.get(name))) select.value = state.get(name);
  change(select.value);
  select.addEventListener("change", () => { state.set(name, select.value); change(select.value); });
}

export function panel(map: Map): void {
  const select = at<HTMLSelectElement>("scheme");
  if (select) {
    select.value = scheme();
    select.addEventListener("change", () => { state.set("by", select.value); state.set("hide"); legend(map); });
    legend(map);
  }
  layers(map);
  choose("ground", "ground", (name) => lay(map, name));
  const side = at("mapside");
  const toggle = at<HTMLButtonElement>("panel-toggle");
  const show = (open: boolean): void => { side.hidden = !open; toggle.setAttribute("aria-expanded", String(open)); };
  show(!matchMedia("(max-width: 48rem)").matches);
  toggle.addEventListener("click", () => show(side.hidden));
}
