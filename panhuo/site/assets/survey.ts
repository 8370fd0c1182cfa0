// The survey page: parcels taken along, forms filled with no network, and what waits to be sent.
import { Filling, h, metres, said, today } from "./survey/form";
import { distance, here } from "./survey/place";
import { sendAll } from "./survey/send";
import * as store from "./survey/store";
import type { Along, Entry, Fix, Setting, Taken } from "./survey/types";

const setting: Setting = JSON.parse(document.querySelector("#setting")!.textContent!);
const { words } = setting;
const main = document.querySelector<HTMLElement>("#main")!;
const net = document.querySelector<HTMLElement>("#net")!;
const names = Object.keys(setting.forms);
let form = names.includes(localStorage.getItem("survey-form") ?? "") ? localStorage.getItem("survey-form")! : names[0];
let at: Fix | null = null;
let search = "";
let note = "";
let signedOut = false;
let open: Entry | null = null;

function tell(text: string): void {
  document.querySelector("#said")!.textContent = note = text;
}

function connection(): void {
  net.textContent = navigator.onLine ? words.online : words.offline;
  net.classList.toggle("away", !navigator.onLine);
}

/** Shows the list anew, and puts the focus on `focus`, where it was asked for. */
async function list(focus = ""): Promise<void> {
  open = null;
  const [taken, all] = await Promise.all([store.taken(form), store.entries()]);
  const mine = all.filter((entry) => entry.person === setting.person).sort((a, b) => b.at - a.at);
  const others = all.filter((entry) => entry.person !== setting.person && entry.state !== "sent").length;
  const own = taken?.person === setting.person ? taken : undefined;
  const section = h("section", { "aria-labelledby": "list" }, h("h2", { id: "list", tabindex: -1 }, words.list), ...tools(own), cards(own, mine));
  main.replaceChildren(
    h("h1", { class: "off" }, words.list),
    h("div", { id: "note" }, !window.isSecureContext && h("p", { class: "note" }, words.no_secure), note !== "" && h("p", { class: "note" }, note),
      signedOut && h("p", { class: "note" }, words.signin, " ", h("a", { href: setting.links.login }, words.signin_link)),
      others > 0 && h("p", { class: "note" }, said(words.others, { n: others }))),
    outbox(mine), section);
  if (focus) main.querySelector<HTMLElement>(focus)?.focus();
}

function tools(taken: Taken | undefined): HTMLElement[] {
  const choose = h("select", { id: "form", onchange: (e: Event) => { form = (e.target as HTMLSelectElement).value; localStorage.setItem("survey-form", form); void list("#form"); } },
    ...names.map((name) => h("option", { value: name, selected: name === form }, setting.forms[name].label)));
  const filter = h("input", { id: "find", type: "search", value: search, oninput: (e: Event) => { search = (e.target as HTMLInputElement).value; narrow(); } });
  const when = taken && new Date(taken.at).toLocaleString(document.documentElement.lang, { dateStyle: "short", timeStyle: "short" });
  return [
    h("p", {}, h("label", { for: "form" }, words.form), choose),
    h("p", { class: "bar" }, h("button", { type: "button", class: "primary", id: "take", onclick: takeAlong }, words.take),
      h("button", { type: "button", id: "near", onclick: nearest }, words.nearest),
      setting.forms[form].may_add && h("button", { type: "button", id: "add", onclick: () => void fill(blank(null)) }, words.add)),
    h("p", { class: "quiet" }, taken ? said(words.taken, { n: taken.visits.length, at: when! }) : words.none_taken),
    h("p", { hidden: !taken?.visits.length }, h("label", { for: "find" }, words.find), filter),
  ];
}

function cards(taken: Taken | undefined, mine: Entry[]): HTMLElement {
  const busy = new Set(mine.filter((e) => e.form === form).map((e) => e.parcel?.parcel_id));
  const away = (parcel: Along): number => (at && distance(at, parcel)) ?? Infinity;
  const left = (taken?.visits ?? []).filter((parcel) => !busy.has(parcel.parcel_id));
  if (at) left.sort((a, b) => away(a) - away(b));
  if (taken && !left.length) return h("p", { class: "empty" }, words.nothing_due);
  return h("ul", { class: "cards" }, ...left.map((parcel) => {
    const far = away(parcel);
    const found = [...parcel.findings, ...(parcel.more ? [said(words.more, { n: parcel.more })] : [])];
    return h("li", { class: "panel", "data-words": `${parcel.name} ${parcel.parcel_id} ${parcel.place} ${parcel.holder}`.toLowerCase() },
      h("h3", {}, parcel.name), h("p", { class: "quiet" }, h("code", {}, parcel.parcel_id), ` ${parcel.place}`),
      h("p", { class: "quiet" }, [parcel.holder, parcel.area, Number.isFinite(far) && `${metres(far)} m`].filter(Boolean).join(" · ")),
      found.length > 0 && h("p", {}, ...found.map((text) => h("span", { class: "tag" }, text))),
      parcel.facts.length > 0 && h("p", { class: "quiet" }, words.facts + parcel.facts.join(document.documentElement.lang.startsWith("zh") ? "、" : ", ")),
      h("button", { type: "button", class: "primary", "aria-label": `${words.fill} ${parcel.name}`, onclick: () => void fill(blank(parcel)) }, words.fill));
  }));
}

function narrow(): void {
  for (const card of main.querySelectorAll<HTMLElement>(".cards > li")) card.hidden = !card.dataset.words!.includes(search.trim().toLowerCase());
}

function outbox(mine: Entry[]): HTMLElement | string {
  if (!mine.length) return "";
  const waiting = mine.filter((entry) => entry.state === "waiting").length;
  const kinds = { draft: "check", waiting: "unknown", sent: "good", refused: "bad" };
  return h("section", { "aria-labelledby": "outbox" }, h("h2", { id: "outbox", tabindex: -1 }, words.outbox),
    waiting > 0 && h("p", {}, h("button", { type: "button", class: "primary", id: "send", onclick: () => void sync(true) }, `${words.send} (${waiting})`)),
    h("ul", { class: "mine" }, ...mine.map((entry) => {
      const name = entry.parcel?.name ?? entry.answers.name ?? words.add;
      return h("li", { class: "panel", "data-state": entry.state }, h("h3", {}, name, " ", h("span", { class: `tag ${kinds[entry.state]}` }, words[entry.state])),
        h("p", { class: "quiet" }, [setting.forms[entry.form]?.label, entry.visited_on].filter(Boolean).join(" · ")),
        entry.fault !== "" && h("p", { class: "error" }, entry.fault), ...entry.told.map((text) => h("p", { class: "note" }, text)),
        h("p", { class: "bar" }, entry.state !== "sent" && h("button", { type: "button", "aria-label": `${words.resume} ${name}`, onclick: () => void fill(entry) }, words.resume),
          entry.state === "sent" && h("a", { class: "button", href: entry.link }, words.open),
          h("button", { type: "button", "aria-label": `${words.drop} ${name}`, onclick: () => void remove(entry) }, words.drop)));
    })));
}

async function remove(entry: Entry): Promise<void> {
  if (entry.state !== "sent" && !confirm(words.drop_sure)) return;
  await store.drop(entry.visit_id);
  await list("#list");
}

const blank = (parcel: Along | null): Entry => ({
  visit_id: crypto.randomUUID(), person: setting.person, form, parcel, visited_on: today(), fix: null, answers: {}, rows: {}, remark: "", photos: [],
  state: "draft", fault: "", told: [], link: "", at: Date.now(),
});

async function fill(entry: Entry): Promise<void> {
  const asked = setting.forms[entry.form];
  if (entry.state !== "draft") Object.assign(entry, { state: "draft", fault: "" });
  open = entry;
  tell("");
  let saving = Promise.resolve<unknown>(null);
  let soon = 0;
  const save = (): Promise<unknown> => {
    clearTimeout(soon);
    soon = 0;
    return (saving = saving.then(() => store.keep(entry)).catch(() => tell(words.full)));
  };
  const filling = new Filling(setting, asked, entry, () => {
    clearTimeout(soon);
    soon = window.setTimeout(save, 300);
  });
  const done = async (): Promise<void> => {
    if (!filling.check()) return;
    filling.settle();
    Object.assign(entry, { state: "waiting", at: Date.now() });
    await save();
    await list("#outbox, #list");
    await sync(true);
  };
  const later = async (): Promise<void> => { await save(); await list("#list"); };
  const back = async (): Promise<void> => { if (soon) await save(); await list("#list"); };
  const title = h("h1", { tabindex: -1 }, entry.parcel?.name ?? words.add);
  filling.view.append(h("p", { class: "bar" }, h("button", { class: "primary" }, words.done), h("button", { type: "button", onclick: () => void later() }, words.later)));
  filling.view.addEventListener("submit", (event) => { event.preventDefault(); void done(); });
  main.replaceChildren(h("p", {}, h("button", { type: "button", class: "plain", onclick: () => void back() }, `← ${words.back}`)), title,
    h("p", { class: "quiet" }, asked.label, entry.parcel !== null && ` · ${[entry.parcel.parcel_id, entry.parcel.place].filter(Boolean).join(" · ")}`), filling.view);
  scrollTo(0, 0);
  title.focus();
}

async function nearest(): Promise<void> {
  tell(words.measuring);
  try {
    at = await here();
    tell("");
  } catch {
    tell(words.no_position);
  }
  await list("#near");
}

/** Keeps the page, the list and the outlines for when there is no network. */
async function takeAlong(): Promise<void> {
  const query = at ? `?lon=${at.lon}&lat=${at.lat}` : "";
  try {
    const answer = await fetch(setting.links.list.replace("FORM", form) + query, { redirect: "manual" });
    signedOut = answer.type === "opaqueredirect";
    if (answer.ok) {
      const { visits } = (await answer.json()) as { visits: Along[] };
      await store.keepTaken({ form, person: setting.person, at: new Date().toISOString(), visits });
      await navigator.storage?.persist?.();
      await keepPage();
      tell("");
    }
  } catch {
    tell(words.offline);
  }
  await list("#take");
}

async function keepPage(): Promise<void> {
  const worker = (await navigator.serviceWorker?.ready)?.active;
  const parts = performance.getEntriesByType("resource").map((entry) => entry.name).filter((url) => url.includes("/static/"));
  worker?.postMessage({ keep: [location.pathname, ...new Set(parts)] });
}

async function sync(asked: boolean): Promise<void> {
  if (asked) tell(words.sending);
  const outcome = await sendAll(setting, () => { if (!open) void list(); });
  signedOut = outcome === "signin";
  if (asked || outcome !== "idle") tell(outcome !== "offline" && outcome !== "failed" ? "" : navigator.onLine ? words.failed : words.offline);
  if (!open && (asked || outcome !== "idle")) await list(asked ? "#outbox, #list" : "");
}

addEventListener("online", () => { connection(); void sync(false); });
addEventListener("offline", connection);
document.addEventListener("visibilitychange", () => { if (!document.hidden) void sync(false); });
setInterval(() => { if (navigator.onLine) void sync(false); }, 20_000);
connection();
void navigator.serviceWorker?.register(setting.links.worker, { scope: "/survey/" });
void list().then(() => sync(false)).then(named);

/** Opens the form of the parcel that the address names, taken along for the purpose. */
async function named(): Promise<void> {
  const parcel = new URLSearchParams(location.search).get("parcel");
  if (!parcel) return;
  history.replaceState(null, "", location.pathname);
  const query = `?parcel=${encodeURIComponent(parcel)}`;
  const answer = await fetch(setting.links.list.replace("FORM", form) + query, { redirect: "manual" }).catch(() => null);
  if (answer?.ok) await fill(blank(((await answer.json()) as { visits: Along[] }).visits[0]));
}
