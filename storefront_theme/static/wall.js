// The board renews itself. When nobody answers, the last figures stay, and it says so.
const every = Number(document.querySelector("main").dataset.every) * 1000;

async function renew() {
  const stale = document.querySelector(".stale");
  try {
    const response = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(20000) });
    if (!response.ok) throw new Error(String(response.status));
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("main.wall");
    if (!fresh) throw new Error("not the board");
    document.querySelector("main").replaceWith(document.adoptNode(fresh));
  } catch {
    stale.hidden = false;
  }
}

setInterval(renew, every);
