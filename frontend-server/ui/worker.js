// Keeps a copy of the page, so that a reload works while the frontend it came
// from is down; the page then finds another one by itself. The network always
// comes first: the copy is used only when nobody answers.

const worker = /** @type {any} */ (self);
const COPY = "hangraft";

/** How long (ms) the network may take before the copy is used: a paused frontend never answers. */
const PATIENCE = 3000;

/** What the page is made of; nothing else is touched. */
const KINDS = ["document", "script", "style", "image"];

worker.addEventListener("install", (/** @type {any} */ event) => event.waitUntil(copyAll().then(() => worker.skipWaiting())));
worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const { request } = event;
  const ours = new URL(request.url).origin === location.origin && request.method === "GET" && KINDS.includes(request.destination);
  if (ours) event.respondWith(networkFirst(request));
});

/** The page names everything it needs, so there is no second list to keep. */
async function copyAll() {
  const page = await (await fetch("/")).text();
  const parts = [...page.matchAll(/(?:href|src)="(\/[^"]+)"/g)].map(([, path]) => String(path));
  await (await caches.open(COPY)).addAll(["/", ...new Set(parts)]);
}

/** @param {Request} request */
async function networkFirst(request) {
  const copy = await caches.open(COPY);
  try {
    const response = await fetch(request, { signal: AbortSignal.timeout(PATIENCE) });
    if (response.ok) await copy.put(request, response.clone());
    return response;
  } catch (error) {
    // Every address is the same page.
    const kept = await copy.match(request.destination === "document" ? "/" : request);
    if (kept) return kept;
    throw error;
  }
}
