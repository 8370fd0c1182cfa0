// The curtain: a second map over the first, cut at a line that mouse, finger or arrow keys draw across.
import { Map } from "maplibre-gl";
import { choose, scheme } from "./legend";
import { at, state } from "./setup";
import { lay, paint, style } from "./style";

export function curtain(map: Map): void {
  const button = at<HTMLButtonElement>("compare");
  const place = at("right-map");
  const line = at<HTMLInputElement>("curtain");
  let right: Map | null = null;

  const cut = (): void => {
    place.style.clipPath = `inset(0 0 0 ${line.value}%)`;
    line.style.setProperty("--at", `${line.value}%`);
  };
  const follow = (): void => { right?.jumpTo({ center: map.getCenter(), zoom: map.getZoom(), bearing: map.getBearing(), pitch: map.getPitch() }); };
  const dress = (other: Map): void => {
    const select = at<HTMLSelectElement>("right-scheme");
    const colours = (): void => { if (select.value) paint(other, select.value, []); };
    select.value = scheme("rby");
    colours();
    select.onchange = () => { state.set("rby", select.value); colours(); };
    choose("right-ground", "right", (name) => lay(other, name));
    other.getContainer().setAttribute("data-ready", "1");
  };
  const show = (open: boolean): void => {
    button.setAttribute("aria-pressed", String(open));
    for (const part of [place, line, at("other-side")]) part.hidden = !open;
    state.set("curtain", open ? "1" : "");
    if (open && !right) {
      right = new Map({ container: place, style: style(), interactive: false, attributionControl: false, center: map.getCenter(), zoom: map.getZoom(), bearing: map.getBearing(), pitch: map.getPitch() });
      const made = right;
      made.on("load", () => dress(made));
      map.on("move", follow);
    } else if (!open && right) {
      map.off("move", follow);
      right.remove();
      right = null;
    }
    cut();
  };
  line.addEventListener("input", cut);
  button.addEventListener("click", () => show(!right));
  if (state.get("curtain")) show(true);
}
