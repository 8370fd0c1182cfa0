// Every page: htmx, printing, what pops up, and export links that follow the list as it is now filtered.
import htmx from "htmx.org";

htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;

const POPPED = "details.menu[open], details.condition[open]";
document.addEventListener("click", (event) => {
  const at = event.target as Element;
  if (at.closest("[data-print]")) window.print();
  for (const open of document.querySelectorAll<HTMLDetailsElement>(POPPED)) if (!open.contains(at)) open.open = false;
});
document.addEventListener("keydown", (event) => {
  const open = event.key === "Escape" && (event.target as Element).closest<HTMLDetailsElement>(POPPED);
  if (!open) return;
  open.open = false;
  open.querySelector("summary")!.focus();
});

// Signing out leaves no survey page of one person for the next on the same phone; what waits to be sent stays.
document.addEventListener("submit", (event) => {
  if ((event.target as Element).matches('form[action$="/account/logout/"]')) void window.caches?.delete("panhuo-survey");
});

// A condition that asks for something is marked.
document.addEventListener("change", (event) => {
  const condition = (event.target as Element).closest(".condition");
  if (!condition) return;
  const asks = (field: HTMLInputElement | HTMLSelectElement): boolean => (field instanceof HTMLInputElement && field.type === "checkbox" ? field.checked : field.value !== "");
  condition.classList.toggle("active", [...condition.querySelectorAll<HTMLInputElement | HTMLSelectElement>("input, select")].some(asks));
});

document.addEventListener("htmx:pushedIntoHistory", () => {
  for (const link of document.querySelectorAll<HTMLAnchorElement>("a[data-export]")) link.search = location.search;
  for (const field of document.querySelectorAll<HTMLInputElement>("input[data-query]")) field.value = location.search.slice(1);
});

// Rows ticked for an act on several: all of the page at once, and how many; without any the acts are out of the way.
const ticks = (): HTMLInputElement[] => [...document.querySelectorAll<HTMLInputElement>("#rows input[name=id]")];
function count(): void {
  const bar = document.querySelector<HTMLFormElement>("#bulk");
  if (!bar) return;
  const ticked = ticks().filter((tick) => tick.checked).length;
  bar.querySelector("[data-ticked]")!.textContent = String(ticked);
  bar.hidden = ticked === 0 && !bar.querySelector<HTMLInputElement>("[name=all]")!.checked;
}
document.addEventListener("change", (event) => {
  const at = event.target as HTMLInputElement;
  if (at.matches("[data-tick-all]")) for (const tick of ticks()) tick.checked = at.checked;
  if (at.closest("#rows, #bulk")) count();
});
document.addEventListener("htmx:afterSettle", count);

// What a swapped part says of itself (how many rows, how far a job is) is repeated where a screen reader listens: a
// status that comes with its own part is new, and new ones are not read out.
document.addEventListener("htmx:afterSettle", (event) => {
  const told = (event.target as Element).querySelector("[role=status]")?.textContent?.trim();
  const said = document.querySelector("#said")!;
  if (told && said.textContent !== told) said.textContent = told;
});
count();
