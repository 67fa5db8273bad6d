// Extras of the desk: typed counts outlive a closed tab, and the button says how many there are.

const DAY = 18 * 3600 * 1000;
const name = (slug) => `desk-draft:${slug}`;

const store = {
  read(slug) {
    try {
      const draft = JSON.parse(localStorage.getItem(name(slug)));
      return draft && Date.now() - draft.at < DAY ? draft.values : {};
    } catch {
      return {};
    }
  },
  write(slug, values) {
    try {
      if (Object.keys(values).length) localStorage.setItem(name(slug), JSON.stringify({ at: Date.now(), values }));
      else localStorage.removeItem(name(slug));
    } catch {
      // A full or forbidden store: the form works all the same.
    }
  },
};

function say(form, text, kind) {
  const note = form.parentElement.querySelector(`.note.${kind}`) ?? document.createElement("p");
  note.className = `note ${kind}${kind === "offline" ? " warn" : ""}`;
  note.setAttribute("role", kind === "offline" ? "alert" : "status");
  note.textContent = text;
  const bar = form.querySelector(".save");
  if (kind === "offline") bar.prepend(note);
  else form.before(note);
}

// A page out of the browser's memory has figures, a key and sleeping buttons of before. What was typed is in the store.
addEventListener("pageshow", (event) => event.persisted && location.reload());

for (const done of document.querySelectorAll("[data-clear-draft]")) store.write(done.dataset.clearDraft, {});

for (const form of document.querySelectorAll("form.counting")) {
  const slug = form.dataset.draft;
  const inputs = [...form.querySelectorAll("input[data-now]")];
  const button = form.querySelector(".save .button");
  const unitOf = (input) => form.elements[input.name.replace("quantity-", "unit-")];
  const soldOf = (input) => form.elements[input.name.replace("quantity-", "sold-")];
  // In the unit that is chosen first; in another one the figure of today says nothing.
  const nowOf = (input) => ((unitOf(input)?.selectedIndex ?? 0) === 0 ? Number(input.dataset.now) : 0);
  const stepOf = (now) => (now >= 100 ? 10 : now >= 20 ? 5 : 1);

  if (slug) {
    const kept = store.read(slug);
    let restored = false;
    for (const input of inputs) {
      if (input.value || !kept[input.name]) continue;
      [input.value] = kept[input.name];
      const unit = unitOf(input);
      if (unit && kept[input.name][1]) unit.value = kept[input.name][1];
      restored = true;
    }
    if (restored) say(form, form.dataset.draftNote, "restored");
  }

  const look = () => {
    const values = {};
    for (const input of inputs) {
      const filled = input.value.trim() !== "";
      const sold = soldOf(input);
      if (sold) sold.checked = input.value.trim() === "0";
      input.closest(".count-row").classList.toggle("filled", filled);
      if (filled) values[input.name] = [input.value, unitOf(input)?.value ?? ""];
    }
    if (slug) store.write(slug, values);
    const count = Object.keys(values).length;
    if (button.dataset.filled) button.textContent = count ? button.dataset.filled.replace("#", count) : button.dataset.empty;
  };
  for (const input of inputs) {
    // One tap for what is sold out; a second one takes it back.
    soldOf(input)?.addEventListener("input", (event) => {
      input.value = event.target.checked ? "0" : "";
      event.stopPropagation();
      look();
    });
    for (const button of input.closest(".count-row").querySelectorAll(".step")) {
      button.hidden = false;
      button.addEventListener("click", () => {
        const now = nowOf(input);
        const from = input.value.trim() === "" ? now : Number(input.value);
        if (Number.isNaN(from)) return;
        const next = Math.max(0, from + Number(button.dataset.countStep) * stepOf(now));
        input.value = String(Math.round(next * 100) / 100);
        look();
      });
    }
  }
  form.addEventListener("input", look);
  form.addEventListener("submit", (event) => {
    if (navigator.onLine || !form.dataset.offlineNote) {
      setTimeout(() => (button.textContent = button.dataset.busy));
      return;
    }
    // The page would be gone, and the shop none the wiser: what was typed stays where it is.
    event.preventDefault();
    say(form, form.dataset.offlineNote, "offline");
  });
  addEventListener("online", () => form.parentElement.querySelector(".offline")?.remove());
  addEventListener("pageshow", (event) => event.persisted || look());
  look();

  // The phone's “next” key goes to the next good instead of sending the form.
  form.addEventListener("keydown", (event) => {
    const place = inputs.indexOf(event.target);
    if (event.key !== "Enter" || place < 0) return;
    event.preventDefault();
    (inputs[place + 1] ?? button).focus();
  });
}

// A tap that takes a while says so, and is not taken twice.
for (const form of document.querySelectorAll("form[data-busy-form]")) {
  form.addEventListener("submit", (event) => {
    const pressed = event.submitter;
    if (!pressed) return;
    setTimeout(() => {
      pressed.textContent = form.dataset.busyForm;
      for (const button of form.querySelectorAll("button")) button.disabled = true;
    });
  });
}

for (const print of document.querySelectorAll("[data-print]")) {
  print.hidden = false;
  print.addEventListener("click", () => window.print());
}
