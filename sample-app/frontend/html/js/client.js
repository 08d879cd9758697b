// Talks to the API, and reads from an answer how far the request came.

export const STOPS = { browser: 0, port: 1, ingress: 2, service: 3, pod: 4, database: 5 };

const PATIENCE = 8000; // milliseconds
const WITHOUT_DATABASE = ["/ab", "/host_name"];

/**
 * Sends one request. Never throws: what went wrong is in the answer.
 *
 * @returns {Promise<{method: string, path: string, status: number, body: any, ok: boolean,
 *   pod: string, milliseconds: number, reached: number, broken: number | null, message: string}>}
 *   `reached` is the last stop that did its part, `broken` the one that did not, or null.
 */
export async function ask(method, path, body) {
  const started = performance.now();
  const answer = { method, path: `/api${path}`, status: 0, body: null, ok: false, pod: "" };
  try {
    const response = await fetch(answer.path, {
      method,
      cache: "no-store",
      headers: body ? { "Content-Type": "application/json" } : {},
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE),
    });
    answer.status = response.status;
    answer.ok = response.ok;
    answer.pod = response.headers.get("X-Served-By") ?? "";
    answer.body = await response.json().catch(() => null);
  } catch {
    // Nothing came back: status stays 0.
  }
  answer.milliseconds = Math.round(performance.now() - started);
  return { ...answer, ...place(answer, path) };
}

function place({ status, ok, pod, body }, path) {
  if (status === 0) {
    return broken(STOPS.port, `Nothing answers at ${location.host}. Is the cluster running?`);
  }
  if (!pod) {
    return broken(STOPS.service, `The ingress answered ${status}: no backend pod is ready behind the Service.`);
  }
  if (body?.error === "database-unavailable") {
    return broken(STOPS.database, body.message);
  }
  if (!ok && status >= 500) {
    return broken(STOPS.pod, body?.message ?? `The backend answered ${status}.`);
  }
  const reached = WITHOUT_DATABASE.includes(path) ? STOPS.pod : STOPS.database;
  return { reached, broken: null, message: body?.message ?? "" };
}

function broken(stop, message) {
  return { reached: stop - 1, broken: stop, message };
}
