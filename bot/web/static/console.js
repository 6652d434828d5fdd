// Client-only state: what needs no round trip. Everything else is a fragment from the server.
// Words come from data attributes, so the catalogs stay on the server.
const near = (event, selector) => (event.target instanceof Element ? event.target.closest(selector) : null);
const byId = (id) => document.getElementById(id);

// A morph keeps what the reader has open and what she is typing.
Idiomorph.defaults.ignoreActiveValue = true;
Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => !(name === "open" && node.matches("details, dialog"));

function showToast({ text, tone, undo }) {
  const made = byId(tone === "bad" ? "toast-bad" : "toast-good").content.firstElementChild.cloneNode(true);
  made.querySelector("[data-text]").textContent = text;
  made.querySelector("[data-undo]").dataset.undo = undo || "";
  // A modal dialog makes everything outside it unreachable, so the toasts stand in the one that is open.
  const home = [...document.querySelectorAll("dialog[open]")].pop() ?? document.body;
  home.append(byId("toasts"));
  byId("toasts").append(made);
}
document.addEventListener("close", () => document.body.append(byId("toasts")), true);

document.addEventListener("alpine:init", () => {
  Alpine.data("toast", () => ({
    init() {
      if (this.$root.dataset.tone !== "bad") setTimeout(() => this.close(), 5000);
    },
    get undoable() { return this.$root.querySelector("[data-undo]").dataset.undo !== ""; },
    undo() { htmx.ajax("POST", this.$el.dataset.undo, { source: document.body, swap: "none" }); this.close(); },
    close() { this.$root.remove(); },
  }));
  Alpine.data("copy", () => ({
    done: false,
    get label() { return this.done ? this.$root.dataset.done : this.$root.dataset.copy; },
    async copy() { await navigator.clipboard.writeText(this.$root.querySelector("[data-text]").textContent); this.done = true; },
  }));
  Alpine.data("selection", () => ({
    count: 0,
    get any() { return this.count > 0; },
    get label() { return this.$root.dataset.chosen.replace("{}", this.count); },
    refresh() { this.count = this.boxes().filter((box) => box.checked).length; },
    all() { const on = this.$el.checked; this.boxes().forEach((box) => { box.checked = on; }); this.refresh(); },
    boxes() { return [...this.$root.querySelectorAll("tbody .tick [type=checkbox]")]; },
  }));
  Alpine.data("upload", () => ({
    done: 0,
    words: "",
    get busy() { return this.done > 0; },
    get wrong() { return this.words !== ""; },
    hold(event) { event.stopPropagation(); },  // a form around it may listen for changes of its fields
    check(event) {
      const { most, names, over } = this.$root.dataset;
      const of = (file) => ({ "image/jpeg": "image", "image/png": "image", "video/mp4": "video" })[file.type] ?? "file";
      const large = [...event.target.files].find((file) => file.size > JSON.parse(most)[of(file)]);
      if (!large) { this.words = ""; this.done = 1; return; }
      const mib = (bytes) => Math.ceil((bytes * 10) / 1048576) / 10;
      const said = { name: large.name, kind: JSON.parse(names)[of(large)], most: mib(JSON.parse(most)[of(large)]), found: mib(large.size) };
      this.words = over.replace(/\{(\w+)\}/g, (_, name) => said[name]);
      event.target.value = "";
      event.preventDefault();
    },
    move(event) { if (event.detail.lengthComputable) this.done = Math.max(1, Math.round((100 * event.detail.loaded) / event.detail.total)); },
  }));
  Alpine.data("tagPicker", () => ({
    filter() {
      const words = this.$el.value.trim().toLowerCase();
      this.$root.querySelectorAll("[data-find]").forEach((tag) => { tag.hidden = !tag.dataset.find.includes(words); });
      this.$root.querySelectorAll("[role=group]").forEach((group) => { group.hidden = !group.querySelector("[data-find]:not([hidden])"); });
    },
    single() {
      const box = this.$el;
      if (box.checked) box.closest("[role=group]").querySelectorAll("input").forEach((other) => { other.checked = other === box; });
    },
  }));
});

// Dialogs are the browser's: opened by data-dialog, closed by data-close; focus trap, Esc and return of focus are its own.
document.addEventListener("click", (event) => {
  const opener = near(event, "[data-dialog]");
  if (opener) byId(opener.dataset.dialog).showModal();
  const closer = near(event, "[data-close]");
  if (closer?.closest("dialog")) closer.closest("dialog").close();
  else if (closer) history.back();
  if (event.target instanceof HTMLDialogElement && event.target.matches("dialog")) event.target.close();
  document.querySelectorAll("details.drop[open]").forEach((drop) => { if (!drop.contains(event.target)) drop.open = false; });
  const row = near(event, "tr[data-open]");
  if (row && !near(event, "a, button, input, label, summary") && !getSelection().toString()) location.assign(row.dataset.open);
});

document.addEventListener("keydown", (event) => {
  const command = event.ctrlKey || event.metaKey;
  const typing = near(event, "input, textarea, select, [contenteditable]");
  const find = byId("find");
  if (command && event.key.toLowerCase() === "k" && find) {
    event.preventDefault();
    if (!find.open) find.showModal();
  } else if (event.key === "Enter" && near(event, ".finder .input")) {
    byId("found").querySelector("a")?.click();
  } else if (command && event.key === "Enter" && typing?.form) {
    event.preventDefault();  // or the browser presses the form's first button as well
    const save = typing.form.querySelector("[data-save]");
    if (save) save.click();
    else typing.form.requestSubmit();
  } else if (event.key === "/" && !typing && !command) {
    const search = document.querySelector("#main [type=search]");
    if (search) { event.preventDefault(); search.focus(); }
  } else if (event.key === "Escape") {
    document.querySelectorAll("details.drop[open]").forEach((drop) => { drop.open = false; drop.firstElementChild.focus(); });
  } else if (event.key.startsWith("Arrow")) {
    moveFocus(event);
  }
});

// Arrows walk tabs, segments and the answers of the find box; everything there is also reached by Tab.
function moveFocus(event) {
  const down = event.key === "ArrowDown" || event.key === "ArrowRight";
  const box = near(event, ".finder") || near(event, ".tabs, .seg");
  const sideways = event.key === "ArrowLeft" || event.key === "ArrowRight";
  if (!box || sideways !== !box.matches(".finder")) return;
  const stops = [...box.querySelectorAll(".finder .input, a, button")];
  const next = stops[stops.indexOf(document.activeElement) + (down ? 1 : -1)];
  if (next) { event.preventDefault(); next.focus(); }
}

// The chosen theme shows at once; the server keeps it in a cookie for the next page.
document.addEventListener("htmx:afterRequest", (event) => {
  event.target.closest("dialog.confirm")?.close();
  const button = event.detail.requestConfig.triggeringEvent?.submitter;
  if (!event.detail.successful || button?.name !== "theme") return;
  document.documentElement.dataset.theme = button.value;
  byId("dark").media = button.dataset.dark;
  button.parentElement.querySelectorAll("button").forEach((each) => { each.setAttribute("aria-pressed", String(each === button)); });
});

// What is typed is sent a moment later and would take the place of a button pressed meanwhile: it waits for its answer.
document.addEventListener("htmx:confirm", (event) => {
  const form = event.target;
  if (event.detail.triggeringEvent?.type !== "input" || form.dataset.pressed !== "true") return;
  event.preventDefault();
  form.addEventListener("htmx:afterRequest", () => htmx.trigger(form, "input"), { once: true });
});
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.matches("[data-builder]")) event.target.dataset.pressed = String(event.detail.requestConfig.triggeringEvent?.type === "submit");
});
document.addEventListener("htmx:afterRequest", (event) => { delete event.target.dataset.pressed; });

document.addEventListener("toast", (event) => event.detail.value.forEach(showToast));
document.addEventListener("close-dialog", () => document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close()));
document.addEventListener("htmx:sendError", () => showToast({ text: byId("toasts").dataset.failed, tone: "bad" }));
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.elt.id === "drawer-content" && !byId("drawer").open) byId("drawer").showModal();
  // Where the answer is to what is being typed, the focus stays there.
  const typed = event.detail.requestConfig?.triggeringEvent?.type === "input";
  (event.detail.elt.querySelector?.("[data-focus]") ?? (typed ? null : event.detail.elt.querySelector?.("[aria-invalid=true]")))?.focus();
});
document.querySelector("[aria-invalid=true]:not(.builder *)")?.focus();

// Leaving a search box that was typed in would ask once more, and the answer's address would stop the link being followed.
document.addEventListener("change", (event) => { if (near(event, ".filters [type=search]")) event.stopPropagation(); }, true);

const tellOffline = () => { byId("offline").hidden = navigator.onLine; };
addEventListener("online", tellOffline);
addEventListener("offline", tellOffline);
