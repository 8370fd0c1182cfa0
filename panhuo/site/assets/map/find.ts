// The search box: a combobox over divisions, coordinates and parcels; arrows and Enter, or a click.
import type { Map } from "maplibre-gl";
import { ask, at, type Box, make, setup, words } from "./setup";

interface Found { label: string; note: string; id?: string; bounds: Box }

export function finding(map: Map, opened: (found: Found) => void): void {
  const field = at<HTMLInputElement>("find");
  const list = at<HTMLUListElement>("found");
  let results: Found[] = [];
  let active = -1;
  let waiting = 0;

  const close = (): void => { list.hidden = true; active = -1; field.setAttribute("aria-expanded", "false"); field.removeAttribute("aria-activedescendant"); };
  const go = (found: Found | undefined): void => {
    if (!found) return;
    close();
    field.value = found.label;
    map.fitBounds(found.bounds, { padding: 80, maxZoom: 17, duration: 600 });
    opened(found);
  };
  const move = (step: number): void => {
    if (!results.length) return;
    active = (active + step + results.length) % results.length;
    [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === active)));
    field.setAttribute("aria-activedescendant", `found-${active}`);
  };
  const search = async (): Promise<void> => {
    const text = field.value.trim();
    if (!text) { results = []; close(); return; }
    const answer = await ask<{ found: Found[] }>(`${setup.find}?${new URLSearchParams({ q: text })}`);
    if (!answer || text !== field.value.trim()) return;
    results = answer.found;
    active = -1;
    list.replaceChildren(...results.map((found, i) => {
      const item = make("li", "", { id: `found-${i}` }, make("b", found.label), make("small", found.note));
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", "false");
      item.addEventListener("pointerdown", (event) => { event.preventDefault(); go(found); });
      return item;
    }));
    if (!results.length) { const none = make("li", words.none); none.setAttribute("role", "option"); none.setAttribute("aria-disabled", "true"); none.setAttribute("aria-selected", "false"); list.append(none); }
    list.hidden = false;
    field.setAttribute("aria-expanded", "true");
  };

  field.addEventListener("input", () => { clearTimeout(waiting); waiting = window.setTimeout(() => void search(), 200); });
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); move(event.key === "ArrowDown" ? 1 : -1); }
    else if (event.key === "Enter") go(results[Math.max(active, 0)]);
    else if (event.key === "Escape") close();
  });
}
