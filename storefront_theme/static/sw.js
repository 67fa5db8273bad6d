// RELEASE and KEPT are written above this by storefront_theme/pwa.py.

addEventListener("install", (event) => {
  // Without cookies: what is kept belongs to nobody.
  const requests = KEPT.map((url) => new Request(url, { credentials: "omit", cache: "reload" }));
  event.waitUntil(caches.open(RELEASE).then((kept) => kept.addAll(requests)).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  const gone = (names) => Promise.all(names.filter((name) => name !== RELEASE).map((name) => caches.delete(name)));
  event.waitUntil(caches.keys().then(gone).then(() => clients.claim()));
});

addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const url = new URL(request.url);
  if (url.origin !== location.origin) return;
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => caches.match("/offline/")));
  } else if (KEPT.includes(url.pathname)) {
    event.respondWith(caches.match(url.pathname).then((kept) => kept ?? fetch(request)));
  }
});
