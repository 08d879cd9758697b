// What went over the wire: the last requests, and how often each pod answered.

const KEPT = 6;
const times = new Map();
const pods = document.getElementById("pods");
const log = document.getElementById("log");

/** Adds one answer to both lists. */
export function record(answer) {
  if (answer.pod) {
    times.set(answer.pod, (times.get(answer.pod) ?? 0) + 1);
    showPods();
  }
  log.querySelector(".skeleton")?.remove();
  log.prepend(line(answer));
  while (log.children.length > KEPT) log.lastElementChild.remove();
}

function showPods() {
  const most = Math.max(...times.values());
  const template = document.getElementById("pod");
  const lines = [...times].sort().map(([name, number]) => {
    const item = template.content.firstElementChild.cloneNode(true);
    item.querySelector(".name").textContent = name;
    item.querySelector(".times").textContent = number === 1 ? "once" : `${number} times`;
    const bar = item.querySelector("progress");
    bar.value = number / most;
    bar.setAttribute("aria-label", `Answers by ${name}`);
    return item;
  });
  pods.replaceChildren(...lines);
}

function line(answer) {
  const item = document.getElementById("request").content.firstElementChild.cloneNode(true);
  item.dataset.state = answer.ok ? "on" : answer.broken === null ? "refused" : "broken";
  item.querySelector(".status").textContent = answer.status || "—";
  item.querySelector(".what").textContent = `${answer.method} ${answer.path}`;
  item.querySelector(".took").textContent = `${answer.milliseconds} ms`;
  item.title = answer.pod ? `answered by ${answer.pod}` : answer.message;
  return item;
}
