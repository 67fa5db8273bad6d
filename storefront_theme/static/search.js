// Suggestions below a search field: a combobox with a list, as ARIA's authoring practices have it. Without this the
// form is sent as it is.

const WAIT_MS = 160;
let lists = 0;

export function suggest(form) {
  const input = form.querySelector("input[type=search]");
  const list = document.createElement("ul");
  list.id = `suggestions-${++lists}`;
  list.className = "suggestions";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", form.dataset.said);
  const said = document.createElement("p");
  said.className = "visually-hidden";
  said.setAttribute("role", "status");
  form.append(list, said);
  if (!document.querySelector(`link[href="${CSS.escape(form.dataset.style)}"]`)) {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = form.dataset.style;
    document.head.append(style);
  }
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", list.id);
  input.setAttribute("aria-expanded", "false");

  let waiting;
  let asking;
  let at = -1;

  const close = () => {
    clearTimeout(waiting);
    asking?.abort();
    list.hidden = true;
    at = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };

  const move = (to) => {
    const options = [...list.children];
    if (!options.length) return;
    options[at]?.setAttribute("aria-selected", "false");
    // One step beyond either end is the field itself.
    at = to < -1 ? options.length - 1 : to >= options.length ? -1 : to;
    if (at < 0) {
      input.removeAttribute("aria-activedescendant");
      return;
    }
    options[at].setAttribute("aria-selected", "true");
    options[at].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", options[at].id);
  };

  const show = (found) => {
    list.replaceChildren(
      ...found.map((one, index) => {
        const option = document.createElement("li");
        option.id = `${list.id}-${index}`;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.dataset.url = one.url;
        option.append(one.title);
        const aside = [one.also, one.kind].filter(Boolean).join(" · ");
        if (aside) {
          const small = document.createElement("small");
          small.textContent = aside;
          option.append(" ", small);
        }
        return option;
      }),
    );
    at = -1;
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(!!found.length));
    input.removeAttribute("aria-activedescendant");
    said.textContent = found.length ? `${found.length} ${form.dataset.said}` : "";
  };

  const ask = async () => {
    const q = input.value.trim();
    asking?.abort();
    if (!q) return close();
    asking = new AbortController();
    const { signal } = asking;
    try {
      const url = `${form.dataset.suggest}?${new URLSearchParams({ q })}`;
      const answer = await fetch(url, { signal, headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const { suggestions } = await answer.json();
      if (!signal.aborted && document.activeElement === input) show(suggestions);
    } catch {
      // Aborted by the next letter, or no connection: the field still searches.
    }
  };

  const soon = (event) => {
    // While a syllable is being put together, what stands in the field is nobody's word yet.
    if (event?.isComposing) return;
    clearTimeout(waiting);
    waiting = setTimeout(ask, WAIT_MS);
  };

  input.addEventListener("input", soon);
  input.addEventListener("compositionend", () => soon());
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const open = !list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (open) move(event.key === "ArrowDown" ? at + 1 : at - 1);
      else soon();
    } else if (event.key === "Escape" && open) {
      event.preventDefault();
      close();
    } else if (event.key === "Enter" && open && at >= 0) {
      event.preventDefault();
      location.assign(list.children[at].dataset.url);
    }
  });
  // Before the field loses the focus, which closes the list.
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) location.assign(option.dataset.url);
  });
  input.addEventListener("blur", close);
  addEventListener("pagehide", close);
  if (input.value) soon();
}
