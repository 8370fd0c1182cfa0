// What was filled goes to the office: once, whatever the network does meanwhile.
import * as store from "./store";
import type { Entry, Setting } from "./types";

export type Outcome = "idle" | "offline" | "signin" | "failed" | "done";
let running: Promise<Outcome> | null = null;

/** Sends what waits, oldest first; a second call joins the one under way. changed: told after each. */
export function sendAll(setting: Setting, changed: () => void): Promise<Outcome> {
  return (running ??= run(setting, changed).finally(() => (running = null)));
}

async function run(setting: Setting, changed: () => void): Promise<Outcome> {
  const waiting = (await store.entries()).filter((e) => e.state === "waiting" && e.person === setting.person);
  let outcome: Outcome = "idle";
  for (const entry of waiting.sort((a, b) => a.at - b.at)) {
    const one = await send(setting, entry);
    if (one === "offline" || one === "signin") return one;
    if (one === "done") changed();
    // One that the server fails on waits; it does not hold up the others.
    if (outcome !== "failed") outcome = one;
  }
  return outcome;
}

async function send(setting: Setting, entry: Entry): Promise<Outcome> {
  const seen = { ...entry.parcel?.held };
  for (const [dataset, rows] of Object.entries(entry.parcel?.rows ?? {}))
    Object.assign(seen, (rows.find((row) => row.key === entry.rows[dataset]) ?? (rows.length === 1 ? rows[0] : undefined))?.held);
  const body = new FormData();
  body.set("visit", JSON.stringify({
    person: entry.person, visit_id: entry.visit_id, form: entry.form, parcel_id: entry.parcel?.parcel_id ?? "", visited_on: entry.visited_on,
    ...entry.fix, answers: entry.answers, rows: entry.rows, remark: entry.remark, held: seen,
  }));
  entry.photos.forEach((photo, i) => body.append("photo", photo, `${i + 1}.jpg`));
  const token = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";
  let answer: Response;
  try {
    answer = await fetch(setting.links.send, { method: "POST", body, redirect: "manual", headers: { "X-CSRFToken": token } });
  } catch {
    return "offline";
  }
  if (answer.type === "opaqueredirect" || answer.status === 403) return "signin";
  if (answer.status >= 500) return "failed";
  const told = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : {};
  if (answer.ok) Object.assign(entry, { state: "sent", photos: [], fault: "", told: told.told, link: told.visit });
  else Object.assign(entry, { state: "refused", fault: told.fault ?? setting.words.form_gone });
  await store.keep(entry);
  return "done";
}
