// Ties the parts together: every answer of the API is shown on the line and in the traffic.

import { ask } from "./client.js";
import * as route from "./route.js";
import * as texts from "./texts.js";
import * as traffic from "./traffic.js";

const CALM = 5000; // milliseconds between two looks while everything answers
const ANXIOUS = 2000; // and while something does not
const down = document.getElementById("down");
let watch;

/** One request that a person caused: it rides along the line and is listed. */
async function request(method, path, body) {
  const answer = await ask(method, path, body);
  traffic.record(answer);
  route.ride(answer);
  take(answer);
  return answer;
}

/** What every answer tells, asked for or not: how far one gets at the moment. */
function take(answer) {
  const well = route.show(answer);
  down.hidden = well;
  if (answer.broken === null) return;
  texts.showStale();
  write("down-title", answer.status === 0 ? "The API cannot be reached" : "The API cannot do its work");
  write("down-text", `${answer.message} Trying again every ${ANXIOUS / 1000} seconds.`);
}

/** Only what changes is written: the banner is read out whenever it is. */
function write(id, text) {
  const element = document.getElementById(id);
  if (element.textContent !== text) element.textContent = text;
}

async function load() {
  const answer = await request("GET", "/fetch");
  if (answer.ok) texts.showAll(answer.body);
}

async function add(text) {
  texts.showError();
  const answer = await request("POST", "/add", { text });
  if (answer.ok) {
    texts.showAdded(answer.body);
    texts.say(`Added as row #${answer.body.id}.`);
    return true;
  }
  texts.showError(answer.broken === null ? answer.message : "Not added: see below. Your text stays here.");
  if (answer.status === 409) texts.pointAt(text.trim());
  return false;
}

async function remove(id, text) {
  const answer = await request("DELETE", "/delete", { id });
  if (answer.ok) {
    texts.say(`Deleted “${text}”.`, () => add(text));
  } else if (answer.status === 404) {
    texts.say(`“${text}” was already gone.`);
  } else {
    texts.say(`“${text}” was not deleted.`);
    return;
  }
  texts.showDeleted(id);
}

async function askTenTimes(event) {
  const button = event.currentTarget;
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  for (let time = 0; time < 10; time += 1) {
    const answer = await request("GET", "/host_name");
    if (!answer.ok) break;
  }
  button.removeAttribute("aria-disabled");
}

/** Looks at the API's health for as long as the page is seen; loads anew when it is well again. */
async function look() {
  clearTimeout(watch);
  if (document.hidden) return;
  const wasDown = !down.hidden;
  const answer = await ask("GET", "/healthy");
  take(answer);
  if (wasDown && answer.ok) await load();
  clearTimeout(watch);
  watch = setTimeout(look, down.hidden ? CALM : ANXIOUS);
}

texts.connect({ add, remove });
document.getElementById("ask").addEventListener("click", askTenTimes);
document.getElementById("retry").addEventListener("click", load);
document.addEventListener("visibilitychange", look);

await load();
await request("GET", "/host_name");
watch = setTimeout(look, CALM);
