// Every page: htmx, printing, and export links that follow the list as it is now filtered.
import htmx from "htmx.org";

htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;

document.addEventListener("click", (event) => {
  if ((event.target as Element).closest("[data-print]")) window.print();
});

document.addEventListener("htmx:pushedIntoHistory", () => {
  for (const link of document.querySelectorAll<HTMLAnchorElement>("a[data-export]")) link.search = location.search;
  for (const field of document.querySelectorAll<HTMLInputElement>("input[data-query]")) field.value = location.search.slice(1);
});
