// The form and the list of rows.

const MOST = 100;
const rows = document.getElementById("rows");
const form = document.getElementById("form");
const input = document.getElementById("text");
const error = document.getElementById("text-error");
const toast = document.getElementById("toast");
const template = document.getElementById("row");
let toastTimer;

/** Shows all rows, newest first; `texts` come oldest first. */
export function showAll(texts) {
  rows.replaceChildren(...texts.map(element).reverse());
  rows.removeAttribute("aria-busy");
  rows.classList.remove("stale");
  count();
}

/** Marks what is shown as possibly old: the API does not answer. */
export function showStale() {
  rows.classList.add("stale");
}

/** Puts a new row on top. */
export function showAdded(row) {
  rows.querySelector(`[data-id="${row.id}"]`)?.remove();
  const added = element(row);
  added.classList.add("fresh");
  rows.prepend(added);
  rows.scrollTop = 0;
  count();
}

/** Takes a row out and moves the focus to its neighbour, or to the input after the last. */
export function showDeleted(id) {
  const gone = rows.querySelector(`[data-id="${id}"]`);
  if (!gone) return;
  const next = gone.nextElementSibling ?? gone.previousElementSibling;
  const hadFocus = gone.contains(document.activeElement);
  gone.remove();
  if (hadFocus) (next?.querySelector("button") ?? input).focus();
  count();
}

/** Says under the input why a text was not taken; nothing clears it. */
export function showError(message = "") {
  error.textContent = message;
  input.setAttribute("aria-invalid", Boolean(message));
  if (message) input.focus();
}

/** Points at the row that already has this text. */
export function pointAt(text) {
  const row = [...rows.children].find((row) => row.querySelector(".text")?.textContent === text);
  if (!row) return;
  row.classList.remove("pointed");
  void row.offsetWidth;
  row.classList.add("pointed");
  row.scrollIntoView({ block: "nearest" });
}

/** A sentence at the foot of the page for a while, with a way back where one is given. */
export function say(message, undo) {
  clearTimeout(toastTimer);
  document.getElementById("toast-text").textContent = message;
  const button = document.getElementById("undo");
  button.hidden = !undo;
  button.onclick = undo ? () => { hideToast(); undo(); } : null;
  toast.hidden = false;
  toastTimer = setTimeout(hideToast, 7000);
}

/** Calls `add(text)` on submit and `remove(id, text)` on a row's button; both are awaited. */
export function connect({ add, remove }) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = document.getElementById("add");
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true"); // keeps the focus, unlike `disabled`
    const added = await add(input.value);
    button.removeAttribute("aria-disabled");
    if (added) {
      input.value = "";
      measure();
      input.focus();
    }
  });
  input.addEventListener("input", () => {
    measure();
    showError();
  });
  rows.addEventListener("click", async (event) => {
    const button = event.target.closest(".delete");
    const row = button?.closest(".row");
    if (!row || row.classList.contains("leaving")) return;
    row.classList.add("leaving");
    await remove(Number(row.dataset.id), row.querySelector(".text").textContent);
    row.classList.remove("leaving");
  });
  measure();
}

function element({ id, text }) {
  const row = template.content.firstElementChild.cloneNode(true);
  row.dataset.id = id;
  row.querySelector(".text").textContent = text;
  row.querySelector(".id").textContent = `#${id}`;
  row.querySelector("button").setAttribute("aria-label", `Delete “${text}”`);
  return row;
}

function count() {
  const number = rows.querySelectorAll("[data-id]").length;
  const badge = document.getElementById("count");
  badge.textContent = number === 1 ? "1 row" : `${number} rows`;
  badge.hidden = false;
  rows.hidden = number === 0;
  document.getElementById("empty").hidden = number > 0;
}

function measure() {
  const length = [...input.value.trim()].length; // characters, as Postgres counts them
  document.getElementById("length").textContent = length;
  form.classList.toggle("over", length > MOST);
}

function hideToast() {
  toast.hidden = true;
}
