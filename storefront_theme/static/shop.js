// Everything here is an extra: each page works without it.

const root = document.documentElement;
root.classList.add("js");

// Suggestions come once somebody turns to a search field.
document.addEventListener("focusin", async (event) => {
  const form = event.target.closest("form.find[data-script]");
  if (!form || form.dataset.ready) return;
  form.dataset.ready = "1";
  (await import(form.dataset.script)).suggest(form);
});

// A second tap while the first is under way sends nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  // A file that comes down leaves the page where it is.
  if (form.method !== "post" || form.matches("[data-stay], [data-download]")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  const button = event.submitter;
  // After this turn, so that the button's own value is still sent.
  if (button) setTimeout(() => button.setAttribute("aria-disabled", "true"));
});

// Back from the next page by the browser's cache: forms may be sent again.
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
  for (const button of document.querySelectorAll("[aria-disabled]")) button.removeAttribute("aria-disabled");
});

// A page that came from the browser's memory was drawn before the last tap: ask what the basket holds by now.
addEventListener("pageshow", async (event) => {
  const [visit] = performance.getEntriesByType("navigation");
  if (!event.persisted && visit?.type !== "back_forward") return;
  try {
    const state = await (await fetch("/me/state", { cache: "no-store" })).json();
    for (const count of document.querySelectorAll("[data-basket-count]")) count.textContent = state.count || "";
  } catch {
    // The page stands as it was.
  }
});

// Steppers: minus and plus beside a number.
document.addEventListener("click", (event) => {
  const step = event.target.closest("[data-step]");
  if (!step) return;
  const input = step.parentElement.querySelector("input");
  const low = Number(input.min || 0);
  const high = Number(input.max || 50);
  const next = Math.min(high, Math.max(low, Number(input.value || 0) + Number(step.dataset.step)));
  if (String(next) === input.value) return;
  input.value = next;
  input.dispatchEvent(new Event("change", { bubbles: true }));
});

// A changed number in the basket is saved when the hand rests.
let resting;
document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-save-on-change]");
  if (!form) return;
  clearTimeout(resting);
  resting = setTimeout(() => form.requestSubmit(), 450);
});

// Checkout: the total follows the delivery, and a pick-up needs no address.
const checkout = document.querySelector(".checkout");
if (checkout) {
  const yuan = (figure) => `¥${figure.toFixed(2)}`;
  const follow = () => {
    const chosen = checkout.querySelector("[name=shipping_method]:checked");
    if (!chosen) return;
    const freight = Number(chosen.dataset.freight);
    checkout.querySelector("[data-freight-shown]").textContent = yuan(freight);
    const total = checkout.querySelector("[data-total]");
    total.textContent = yuan(Math.max(0, Number(checkout.dataset.due) + freight));
    total.className = "price";
    checkout.querySelector(".where").hidden = chosen.dataset.kind === "PICK_UP";
  };
  checkout.addEventListener("change", (event) => {
    if (event.target.name === "shipping_method") follow();
  });
  follow();
}

// Enter in the field of a code uses the code; elsewhere in the checkout it places the order.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.target.name !== "code") return;
  event.preventDefault();
  event.target.form.requestSubmit(event.target.form.elements.use_code);
});

// An address: the lists below what was chosen follow it.
for (const place of document.querySelectorAll("[data-divisions]")) {
  const part = (name) => place.querySelector(`[name=${name}]`);
  const fill = (select, names) => {
    const kept = select.value;
    select.replaceChildren(select.options[0], ...names.map((name) => new Option(name, name)));
    select.value = names.includes(kept) ? kept : names.length === 1 ? names[0] : "";
    return select.value === kept;
  };
  let asked = 0;
  const renew = async () => {
    const number = ++asked;
    const chosen = new URLSearchParams(["province", "city", "district"].map((name) => [name, part(name).value]));
    let below;
    try {
      below = await (await fetch(`${place.dataset.divisions}?${chosen}`)).json();
    } catch {
      return; // The lists stay as they are; the shop looks at what is chosen anyway.
    }
    if (number !== asked) return;
    if (!fill(part("city"), below.city)) return renew();
    if (!fill(part("district"), below.district)) return renew();
    part("postcode").value = below.postcode;
    document.getElementById("towns").replaceChildren(...below.town.map((name) => new Option("", name)));
  };
  place.addEventListener("change", (event) => {
    if (!["province", "city", "district"].includes(event.target.name)) return;
    part("town").value = "";
    renew();
  });
}

// Putting a good into the basket keeps the page where it is.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-stay]")) return;
  event.preventDefault();
  if (form.dataset.sent) return;
  form.dataset.sent = "1";
  const body = new FormData(form, event.submitter);
  try {
    const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
    const answer = await response.json();
    if ("count" in answer) {
      for (const count of document.querySelectorAll("[data-basket-count]")) count.textContent = answer.count || "";
    }
    say(answer.message, response.ok);
  } catch {
    form.removeAttribute("data-stay");
    delete form.dataset.sent;
    form.requestSubmit(event.submitter);
    return;
  }
  delete form.dataset.sent;
});

let silence;
function say(message, good) {
  let toast = document.querySelector(".toast");
  if (!toast) {
    toast = document.createElement("p");
    toast.className = "toast";
    toast.setAttribute("role", "status");
    document.body.append(toast);
  }
  toast.classList.toggle("bad", !good);
  toast.textContent = message;
  toast.classList.add("on");
  clearTimeout(silence);
  silence = setTimeout(() => toast.classList.remove("on"), good ? 2600 : 6000);
}

// The picture that was tapped grows into the product's: only where the browser can.
const sameGood = (url) => new URL(url, location.href).pathname;
addEventListener("pageswap", (event) => {
  if (!event.viewTransition || !event.activation) return;
  name(sameGood(event.activation.entry.url), event.viewTransition);
});
addEventListener("pagereveal", (event) => {
  const from = globalThis.navigation?.activation?.from;
  if (!event.viewTransition || !from) return;
  name(sameGood(from.url), event.viewTransition);
});
function name(path, transition) {
  if (!path.startsWith("/p/")) return;
  const plate = document.querySelector(`.card a[href="${CSS.escape(path)}"]`)?.closest(".card")?.querySelector(".plate");
  if (!plate) return;
  plate.style.viewTransitionName = "good";
  transition.finished.finally(() => (plate.style.viewTransitionName = ""));
}

// Keeps the page that says there is no network, and nothing that could be out of date: see sw.js.
if ("serviceWorker" in navigator) addEventListener("load", () => navigator.serviceWorker.register("/sw.js").catch(() => {}));
