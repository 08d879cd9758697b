// The line of six stops: which of them did their part, and the ride of a request along them.

import { STOPS } from "./client.js";

const route = document.getElementById("route");
const stops = [...route.children];
const health = document.getElementById("health");
const SAYS = {
  [STOPS.port]: "No connection",
  [STOPS.service]: "No backend is ready",
  [STOPS.pod]: "The backend failed",
  [STOPS.database]: "No database",
};

document.getElementById("stop-host").textContent = location.host;

/**
 * Shows how far the answer came; a stop that it did not need keeps what is known of it.
 *
 * @returns {boolean} whether all stops are well, as far as is known
 */
export function show(answer) {
  stops.forEach((stop, index) => {
    if (index === answer.broken) stop.dataset.state = "broken";
    else if (index <= answer.reached) stop.dataset.state = "on";
    else if (answer.broken !== null) stop.dataset.state = "unknown";
  });
  if (answer.pod) document.getElementById("stop-pod").textContent = answer.pod;

  const first = stops.findIndex((stop) => stop.dataset.state === "broken");
  const well = first === -1;
  health.dataset.state = well ? "on" : "broken";
  // Said only when it changes: the element is read out.
  const place = document.getElementById("health-text");
  const text = well ? "All stops answer" : SAYS[first];
  if (place.textContent !== text) place.textContent = text;
  return well;
}

/** Lets a light run along the line, as far as the answer came. */
export function ride(answer) {
  stops.forEach((stop, index) => {
    stop.classList.remove("ride");
    if (index === 0 || index > answer.reached) return;
    stop.style.setProperty("--leg", index - 1);
    void stop.offsetWidth; // starts the animation anew
    stop.classList.add("ride");
  });
}
