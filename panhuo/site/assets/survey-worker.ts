// Keeps the survey page for when there is no network. Data is kept by the page itself, in IndexedDB.
const KEPT = "panhuo-survey";
const PATIENCE_MS = 4000;
interface Extendable extends Event { waitUntil(done: Promise<unknown>): void }
interface Fetching extends Extendable { request: Request; respondWith(answer: Promise<Response>): void }
interface Told extends Extendable { data: { keep?: string[] } }
const worker = self as unknown as {
  skipWaiting(): Promise<void>; clients: { claim(): Promise<void> }; location: Location;
  addEventListener<E extends Event>(name: string, act: (event: E) => void): void;
};

worker.addEventListener<Extendable>("install", (event) => event.waitUntil(worker.skipWaiting()));
worker.addEventListener<Extendable>("activate", (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener<Told>("message", (event) => {
  const urls = event.data.keep ?? [];
  event.waitUntil(caches.open(KEPT).then((cache) => Promise.all(urls.map(async (url) => {
    const answer = await fetch(url, { cache: "no-cache" });
    if (answer.ok && !answer.redirected) await cache.put(url, answer);
  }))));
});

/** The network's answer, kept for later; what was kept where the network fails or dawdles. */
async function freshest(request: Request): Promise<Response> {
  const cache = await caches.open(KEPT);
  const kept = await cache.match(request, { ignoreSearch: request.mode === "navigate" });
  const fetched = fetch(request).then(async (answer) => {
    if (answer.ok && !answer.redirected && (kept || request.mode === "navigate")) await cache.put(request, answer.clone());
    return answer;
  });
  if (!kept) return fetched;
  const late = new Promise<Response>((resolve) => setTimeout(() => resolve(kept.clone()), PATIENCE_MS));
  return Promise.race([fetched.catch(() => kept), late]);
}

worker.addEventListener<Fetching>("fetch", (event) => {
  const url = new URL(event.request.url);
  const page = event.request.mode === "navigate" && url.pathname.endsWith("/survey/field/");
  const part = event.request.mode !== "navigate" && url.pathname.includes("/static/");
  if (event.request.method === "GET" && url.origin === worker.location.origin && (page || part)) event.respondWith(freshest(event.request));
});
