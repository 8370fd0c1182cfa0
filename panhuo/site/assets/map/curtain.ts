// The curtain: a second map over the first, cut at a line that mouse, finger or arrow keys draw across.
import { Map } from "maplibre-gl";
import { choose, rightView, scheme } from "./legend";
import { at, state } from "./setup";
import { DRAWN, paint, style } from "./style";

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
    select.value = scheme("rby");
    select.onchange = () => { state.set("rby", select.value); paint(other, select.value, []); };
    choose("right-ground", "right", other);
    other.once("idle", () => other.getContainer().setAttribute("data-ready", "1"));
  };
  const show = (open: boolean): void => {
    button.setAttribute("aria-pressed", String(open));
    for (const part of [place, line, at("other-side")]) part.hidden = !open;
    state.set("curtain", open ? "1" : "");
    if (open && !right) {
      right = new Map({ container: place, ...DRAWN, style: style(rightView()), interactive: false, attributionControl: false, center: map.getCenter(), zoom: map.getZoom(), bearing: map.getBearing(), pitch: map.getPitch() });
      const made = right;
      made.once("style.load", () => dress(made));
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
