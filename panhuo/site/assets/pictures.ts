// Photographs of a parcel: two of them under a curtain, and each enlarged.
for (const place of document.querySelectorAll<HTMLElement>("[data-curtain]")) {
  const range = place.querySelector<HTMLInputElement>("input[type=range]")!;
  const cut = (): void => place.style.setProperty("--at", `${range.value}%`);
  range.addEventListener("input", cut);
  cut();
  for (const select of place.querySelectorAll<HTMLSelectElement>("select[data-pick]"))
    select.addEventListener("change", () => {
      const image = place.querySelector<HTMLImageElement>(`img[data-side=${select.dataset.pick}]`)!;
      image.src = select.value;
      image.alt = select.selectedOptions[0].text;
    });
}

const dialog = document.querySelector<HTMLDialogElement>("dialog.preview");
const links = [...document.querySelectorAll<HTMLAnchorElement>("a[data-preview]")];
let shown = 0;
function show(at: number): void {
  shown = (at + links.length) % links.length;
  const image = dialog!.querySelector("img")!;
  image.src = links[shown].href;
  image.alt = dialog!.querySelector("span")!.textContent = links[shown].dataset.preview!;
  if (!dialog!.open) dialog!.showModal();
}
if (dialog) {
  links.forEach((link, i) => link.addEventListener("click", (event) => { event.preventDefault(); show(i); }));
  dialog.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLButtonElement>("button");
    if (button?.dataset.step) show(shown + Number(button.dataset.step));
    else if (button || event.target === dialog) dialog.close();
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowRight" || event.key === "ArrowLeft") show(shown + (event.key === "ArrowRight" ? 1 : -1));
  });
}
