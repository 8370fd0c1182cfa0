// What the page is given (panhuo/site/survey/field.py) and what it keeps.
export interface Question {
  name: string; label: string; type: "text" | "number" | "date" | "bool" | "code"; required: boolean; long: boolean; only_new: boolean;
  when: Record<string, string[]>; hint: string; min: number | null; max: number | null; past: boolean; choices: [string, string][];
}
export interface Group { dataset: string; label: string; key: string; whole: boolean; makes: boolean; questions: Question[] }
export interface Form {
  label: string; far_m: number; photos_least: number; photos_most: number; may_add: boolean; groups: Group[];
}
export interface Setting {
  person: string; forms: Record<string, Form>; words: Record<string, string>; day: string; remark: string;
  links: { list: string; send: string; worker: string; login: string };
}
export type Texts = Record<string, string>;
export interface Along {
  parcel_id: string; name: string; place: string; holder: string; area: string; lon: number | null; lat: number | null;
  findings: string[]; more: number; facts: string[]; outline: [number, number][][]; held: Texts;
  rows: Record<string, { key: string; held: Texts }[]>;
}
export interface Taken { form: string; person: string; at: string; visits: Along[] }
export interface Fix { lon: number; lat: number; accuracy_m: number }
export interface Entry {
  visit_id: string; person: string; form: string; parcel: Along | null; visited_on: string; fix: Fix | null; answers: Texts;
  rows: Texts; remark: string; photos: Blob[]; state: "draft" | "waiting" | "sent" | "refused"; fault: string; told: string[]; link: string; at: number;
}
