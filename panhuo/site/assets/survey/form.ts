// One form being filled: draws the questions, keeps every change, says what is missing.
import { smaller } from "./photo";
import { distance, here, sketch } from "./place";
import type { Entry, Form, Group, Question, Setting } from "./types";

type Child = Node | string | null | false;
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, set: Record<string, unknown> = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(set)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value as EventListener);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, String(value));
  }
  made.append(...children.filter((c): c is Node | string => c !== null && c !== false && c !== ""));
  return made;
}
export const said = (text: string, values: Record<string, string | number>): string => text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
export const metres = (value: number): string => Math.round(value).toLocaleString();
/** The day it is here, whatever it is in Greenwich. */
export const today = (): string => new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 10);

export class Filling {
  private readonly words: Record<string, string>;
  private readonly faults = new Map<string, HTMLElement>();
  readonly view: HTMLElement;

  constructor(private readonly setting: Setting, private readonly form: Form, private readonly entry: Entry, private readonly changed: () => void) {
    this.words = setting.words;
    this.view = h("form", { class: "filling", novalidate: true });
    this.draw();
  }

  private draw(): void {
    const { entry, form } = this;
    const place = h("section", { class: "panel" });
    this.position(place);
    const groups = form.groups.map((group) => this.group(group)).filter((g): g is HTMLElement => g !== null);
    const photos = h("section", { class: "panel" });
    this.photographs(photos);
    const day = this.asked("visited_on", this.setting.day, true, h("input", { id: "visited_on", type: "date", max: today(), value: entry.visited_on, oninput: (e: Event) => { entry.visited_on = (e.target as HTMLInputElement).value; this.changed(); } }));
    const remark = h("textarea", { id: "remark", rows: 3, oninput: (e: Event) => { entry.remark = (e.target as HTMLTextAreaElement).value; this.changed(); } }, entry.remark);
    this.view.replaceChildren(place, ...groups, photos, h("section", { class: "panel" }, day, this.asked("remark", this.setting.remark, false, remark)));
    this.relevant();
  }

  private asked(name: string, label: string, required: boolean, ...control: Child[]): HTMLElement {
    const fault = h("span", { class: "error", role: "alert", id: `${name}-fault`, hidden: true });
    this.faults.set(name, fault);
    return h("p", { "data-question": name }, h("label", { for: name }, label, required && h("b", { "aria-hidden": "true" }, " *")), ...control, fault);
  }

  private position(place: HTMLElement): void {
    const { entry, words } = this;
    const told = h("p", { role: "status" });
    const tell = (text = ""): void => {
      const fix = entry.fix;
      const away = fix && entry.parcel && distance(fix, entry.parcel);
      const parts = fix ? [`${fix.lat.toFixed(6)}, ${fix.lon.toFixed(6)}`, said(words.accuracy, { n: metres(fix.accuracy_m) })] : [];
      if (typeof away === "number") parts.push(away === 0 ? words.inside : said(words.away, { n: metres(away) }));
      const far = typeof away === "number" && away - fix!.accuracy_m > this.form.far_m;
      told.replaceChildren(text || parts.join(" · "), ...(far && !text ? [h("span", { class: "error" }, words.far)] : []));
      const picture = entry.parcel && sketch(entry.parcel, fix);
      place.querySelector(".sketch")?.remove();
      if (picture) place.append(picture);
    };
    const measure = async (): Promise<void> => {
      tell(words.measuring);
      try {
        entry.fix = await here();
        this.fault("position", "");
        this.changed();
        tell();
      } catch {
        tell(words.no_position);
      }
    };
    const fault = h("span", { class: "error", role: "alert", id: "position-fault", hidden: true });
    this.faults.set("position", fault);
    place.replaceChildren(h("h2", {}, words.position), h("button", { type: "button", id: "position", onclick: measure }, words.measure), told, fault);
    tell();
  }

  private group(group: Group): HTMLElement | null {
    const { entry, words } = this;
    const rows = entry.parcel?.rows[group.dataset] ?? [];
    if (!group.whole && !rows.length && !group.makes) return null;
    if (!group.whole && entry.parcel === null) return null;
    const section = h("section", { class: "panel", "data-group": group.dataset }, h("h2", {}, group.label));
    if (rows.length === 1) section.append(h("p", { class: "quiet" }, `${group.key} ${rows[0].key}`));
    if (rows.length > 1) {
      const id = `row-${group.dataset}`;
      const select = h("select", { id, onchange: (e: Event) => { entry.rows[group.dataset] = (e.target as HTMLSelectElement).value; this.changed(); } },
        h("option", { value: "" }, words.which), ...rows.map((row) => h("option", { value: row.key, selected: entry.rows[group.dataset] === row.key }, row.key)));
      section.append(this.asked(id, group.key, false, select));
    }
    const held = group.whole ? entry.parcel?.held : rows.length === 1 ? rows[0].held : undefined;
    section.append(...group.questions.filter((q) => !q.only_new || entry.parcel === null).map((q) => this.question(q, held?.[q.name] ?? "")));
    return section;
  }

  private question(question: Question, held: string): HTMLElement {
    const { words } = this;
    const { name } = question;
    const given = this.entry.answers[name] ?? "";
    const set = (value: string): void => {
      if (value.trim()) this.entry.answers[name] = value.trim();
      else delete this.entry.answers[name];
      this.fault(name, "");
      this.relevant();
      this.changed();
    };
    // While typing, not on leaving: a page that moves as a field is left swallows the tap that left it.
    const oninput = (e: Event): void => set((e.target as HTMLInputElement).value);
    const choices: [string, string][] = question.type === "bool" ? [["true", words.yes], ["false", words.no]] : question.choices;
    const onRecord = choices.find(([code]) => code === held)?.[1] ?? held;
    const notes = [question.hint, held && words.record + onRecord].filter(Boolean).map((text) => h("small", {}, text));
    if (choices.length && choices.length <= 8) {
      const fault = h("span", { class: "error", role: "alert", id: `${name}-fault`, hidden: true });
      this.faults.set(name, fault);
      const options = question.required ? choices : [...choices, ["", words.unknown] as [string, string]];
      return h("fieldset", { "data-question": name }, h("legend", {}, question.label, question.required && h("b", { "aria-hidden": "true" }, " *")), ...notes,
        h("div", { class: "picks" }, ...options.map(([code, label], i) =>
          h("label", {}, h("input", { type: "radio", name, value: code, id: i ? false : name, checked: code === given && (given !== "" || !question.required), oninput }), label))), fault);
    }
    const control = choices.length
      ? h("select", { id: name, oninput }, h("option", { value: "" }, "—"), ...choices.map(([code, label]) => h("option", { value: code, selected: code === given }, label)))
      : question.long ? h("textarea", { id: name, rows: 3, oninput }, given)
        : h("input", { id: name, value: given, oninput, autocomplete: "off", type: question.type === "date" ? "date" : "text", inputmode: question.type === "number" ? "decimal" : false, max: question.past ? today() : false });
    return this.asked(name, question.label, question.required, control, ...notes);
  }

  private photographs(section: HTMLElement): void {
    const { entry, form, words } = this;
    const shown = h("ul", { class: "shots" });
    const draw = (): void => {
      for (const old of shown.querySelectorAll("img")) URL.revokeObjectURL(old.src);
      shown.replaceChildren(...entry.photos.map((photo, i) => h("li", {}, h("img", { src: URL.createObjectURL(photo), alt: `${words.photos} ${i + 1}` }),
        h("button", { type: "button", "aria-label": said(words.photo_remove, { n: i + 1 }), onclick: () => { entry.photos.splice(i, 1); this.changed(); draw(); } }, "×"))));
    };
    const add = async (event: Event): Promise<void> => {
      const input = event.target as HTMLInputElement;
      this.fault("photos", "");
      for (const file of [...(input.files ?? [])].slice(0, form.photos_most - entry.photos.length)) {
        try {
          entry.photos.push(await smaller(file));
        } catch {
          this.fault("photos", `${file.name}${words.photo_bad}`);
        }
      }
      input.value = "";
      this.changed();
      draw();
    };
    section.replaceChildren(h("h2", {}, words.photos), this.asked("photos", words.photo_add, form.photos_least > 0,
      h("input", { id: "photos", type: "file", accept: "image/*", multiple: true, onchange: add }), h("small", {}, said(words.photos_least, { n: form.photos_least, m: form.photos_most }))), shown);
    draw();
  }

  private everyQuestion(): Question[] {
    return this.form.groups.flatMap((group) => group.questions);
  }

  /** Whether a question is asked now, under the other answers. */
  private isAsked(question: Question): boolean {
    return Object.entries(question.when).every(([name, values]) => values.includes(this.entry.answers[name] ?? ""));
  }

  private relevant(): void {
    for (const question of this.everyQuestion()) {
      const shown = this.view.querySelector<HTMLElement>(`[data-question="${question.name}"]`);
      if (shown) shown.hidden = !this.isAsked(question);
    }
  }

  private fault(name: string, text: string): void {
    const place = this.faults.get(name);
    if (!place) return;
    place.hidden = !text;
    place.textContent = text;
    const control = this.view.querySelector(`#${name}`);
    control?.toggleAttribute("aria-invalid", false);
    if (text) for (const [attribute, value] of [["aria-invalid", "true"], ["aria-describedby", `${name}-fault`]]) control?.setAttribute(attribute, value);
  }

  /** Whether it can be sent; what is missing is marked, and the first of it takes the focus. */
  check(): boolean {
    const { entry, form, words } = this;
    const wrong: string[] = [];
    const mark = (name: string, text: string): void => {
      this.fault(name, text);
      if (text) wrong.push(name);
    };
    mark("position", !entry.parcel && !entry.fix ? words.needed : "");
    for (const question of this.everyQuestion()) {
      if (!this.view.querySelector(`[data-question="${question.name}"]:not([hidden])`)) continue;
      const value = entry.answers[question.name] ?? "";
      const number = Number(value.replaceAll(",", ""));
      const bad = question.type === "number" && value !== "" && (!Number.isFinite(number) || (question.min !== null && number < question.min) || (question.max !== null && number > question.max));
      const ahead = question.past && value > today();
      mark(question.name, !value && question.required ? words.needed : bad || ahead ? words.not_value : "");
    }
    for (const group of form.groups) {
      const several = (entry.parcel?.rows[group.dataset] ?? []).length > 1;
      const given = group.questions.some((q) => this.isAsked(q) && entry.answers[q.name]);
      mark(`row-${group.dataset}`, several && given && !entry.rows[group.dataset] ? words.needed : "");
    }
    mark("photos", entry.photos.length < form.photos_least ? said(words.photos_least, { n: form.photos_least, m: form.photos_most }) : "");
    mark("visited_on", !entry.visited_on ? words.needed : entry.visited_on > today() ? words.not_value : "");
    if (wrong.length) this.view.querySelector<HTMLElement>(`#${wrong[0]}`)?.focus();
    return !wrong.length;
  }

  /** Answers to questions that are no longer asked are let go. */
  settle(): void {
    for (const question of this.everyQuestion()) if (!this.isAsked(question)) delete this.entry.answers[question.name];
  }
}
