// IndexedDB: the lists taken along, and what was filled, photographs included, until it has arrived.
import type { Entry, Taken } from "./types";

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

let opened: Promise<IDBDatabase> | null = null;
function database(): Promise<IDBDatabase> {
  const request = indexedDB.open("panhuo-survey", 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("taken", { keyPath: "form" });
    request.result.createObjectStore("entries", { keyPath: "visit_id" });
  };
  return (opened ??= answer(request));
}

async function within<T>(name: "taken" | "entries", mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const transaction = (await database()).transaction(name, mode);
  const done = new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
  const result = await answer(act(transaction.objectStore(name)));
  await done;
  return result;
}

export const taken = (form: string): Promise<Taken | undefined> => within("taken", "readonly", (s) => s.get(form));
export const keepTaken = (list: Taken): Promise<unknown> => within("taken", "readwrite", (s) => s.put(list));
export const entries = (): Promise<Entry[]> => within("entries", "readonly", (s) => s.getAll());
export const keep = (entry: Entry): Promise<unknown> => within("entries", "readwrite", (s) => s.put(entry));
export const drop = (visitId: string): Promise<unknown> => within("entries", "readwrite", (s) => s.delete(visitId));
