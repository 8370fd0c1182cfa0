// What the server says of the map, and what the address keeps of its state so that a link shows the same map again.
export type Box = [west: number, south: number, east: number, north: number];
export type Value = [value: string, label: string, colour: string, parcels: number, link: string];
export interface Scheme { label: string; values: Value[] }
export interface Setup {
  archives: string[]; conflicts: string[]; conflictKinds: Record<string, string>; layers: { kind: string; label: string; url: string }[];
  imagery: { name: string; bounds: Box; url: string }[]; bounds: Box | null;
  places: { label: string; n: number; at: [number, number]; bounds: Box }[];
  schemes: Record<string, Scheme>; otherColour: string; near: number; worker: string;
  online: { tiles: Record<string, string[]>; attribution: string } | null;
  find: string; selected: string; words: Record<string, string>;
}
export const setup = JSON.parse(document.getElementById("map-setup")!.textContent!) as Setup;
export const words = setup.words;

export const at = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K, text = "", more: Partial<HTMLElementTagNameMap[K]> = {}, ...inside: Node[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), more);
  element.append(text, ...inside);
  return element;
}

const query = new URLSearchParams(location.search);
export const state = {
  get: (name: string): string => query.get(name) ?? "",
  all: (name: string): string[] => query.getAll(name),
  set(name: string, ...values: string[]): void {
    query.delete(name);
    for (const value of values) if (value) query.append(name, value);
    history.replaceState(history.state, "", `${location.pathname}${query.size ? `?${query}` : ""}${location.hash}`);
  },
};

const line = at("map-says");
let fading = 0;
/** One line to the reader, on screen and to a screen reader; it goes after a while unless it `stays`. */
export function say(text: string, stays = false): void {
  clearTimeout(fading);
  line.textContent = text;
  line.hidden = !text;
  if (text && !stays) fading = window.setTimeout(() => (line.hidden = true), 4000);
}

/** Takes a line back that stayed, unless another has come since. */
export function hush(text: string): void {
  if (line.textContent === text) say("");
}

export async function ask<T>(path: string): Promise<T | null> {
  try {
    const answer = await fetch(path, { headers: { Accept: "application/json" } });
    const body = (await answer.json()) as T & { fault?: string };
    if (!answer.ok) throw new Error(body.fault ?? answer.statusText);
    return body;
  } catch (fault) {
    say(fault instanceof Error && fault.message ? `${words.failed} (${fault.message})` : words.failed);
    return null;
  }
}
