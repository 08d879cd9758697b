"""`status`: show whether an environment works, according to the engine, the cluster and the URLs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kindctl.actions.environments import nodes_by_environment, open_environment, registry_of
from kindctl.actions.forwards import row as forward_row
from kindctl.errors import KindctlError, UsageError
from kindctl.live.addresses import urls_of
from kindctl.live.readiness import find_live, is_waited_for, unready_reason
from kindctl.live.record import Record, read_record
from kindctl.models import REGISTRY_LABEL, Ready
from kindctl.runner.polling import poll
from kindctl.runner.stopped import describe
from kindctl.steps.url import UrlAnswers
from kindctl.tools.protocols import Cluster, Tools
from kindctl.trust.authority import Authority


@dataclass(frozen=True)
class StatusRow:
    """One row of `kindctl status`. `seen` says what is missing or what answered."""

    kind: str
    name: str
    ready: bool
    seen: str


def status(name: str, tools: Tools, *, wait: float | None = None) -> list[StatusRow]:
    """Return the state of the nodes, workloads, forwards and URLs. `wait` is the maximum number of seconds
    to wait until all of them are ready. Raises UsageError (code no-environment)."""
    if wait is None:
        return _rows(name, tools)
    return poll(
        lambda: _rows(name, tools),
        lambda rows: all(row.ready for row in rows),
        seconds=wait,
        pause=(0.3, 0.6),
    )


def urls(name: str, tools: Tools) -> list[str]:
    """Return the URLs that the last `up` verified. Raises UsageError if there are none."""
    with open_environment(tools, name) as cluster:
        record = read_record(cluster)
        found = urls_of(cluster, record.routes) if record else []
    if not found:
        raise UsageError(f"{name!r} has no URLs", fix="run `kindctl up`", code="no-urls")
    return found


def page(name: str, tools: Tools) -> str:
    """Return the first URL that a browser can open. Raises UsageError if there is none."""
    found = urls(name, tools)
    pages = [url for url in found if url.startswith("http") and " " not in url]
    if not pages:
        raise UsageError(
            f"{name!r} has no URL that a browser can open directly",
            why="; ".join(found),
            fix="add a line with the address and the host name to /etc/hosts",
            code="no-urls",
        )
    return pages[0]


def _rows(name: str, tools: Tools) -> list[StatusRow]:
    nodes = nodes_by_environment(tools).get(name, [])
    rows = [StatusRow("node", n.name, n.state == "running", n.state) for n in nodes]
    if registry := registry_of(tools, name):
        host, state = registry.labels[REGISTRY_LABEL], registry.state
        rows.append(StatusRow("registry", host, state == "running", state))
    if nodes and not any(node.state == "running" for node in nodes):
        return rows
    with open_environment(tools, name) as cluster:
        try:
            record = read_record(cluster)
            if record is None:
                return [
                    *rows,
                    StatusRow("record", name, False, "`kindctl up` has not finished yet"),
                ]
            rows += _workloads(cluster, record)
            return [*rows, *_forwards(name, tools), *_urls(cluster, record, tools)]
        except KindctlError as error:
            return [*rows, StatusRow("api", name, False, error.why or error.what)]


def _forwards(name: str, tools: Tools) -> list[StatusRow]:
    rows = [forward_row(state) for state in tools.forwards.list(name)]
    return [StatusRow("forward", f"{r.local} to {r.service}", r.ready, r.seen) for r in rows]


def _workloads(cluster: Cluster, record: Record) -> list[StatusRow]:
    wanted = [ref for ref in record.inventory if is_waited_for(ref)]
    found, pods = find_live(cluster, wanted)
    rows = []
    for ref in wanted:
        seen = unready_reason(found[ref], pods) if ref in found else "not found"
        rows.append(StatusRow(ref.kind, f"{ref.namespace}/{ref.name}", not seen, seen or "ready"))
    return rows


def _urls(cluster: Cluster, record: Record, tools: Tools) -> Sequence[StatusRow]:
    rows, ca = [], Authority(tools.host).pem
    for route, url in zip(record.routes, urls_of(cluster, record.routes), strict=True):
        step = UrlAnswers(
            route=route,
            net=tools.net,
            cluster=lambda: cluster,
            environment=record.environment,
            needs=frozenset(),
            ca=ca,
        )
        state = step.observe()
        rows.append(StatusRow("url", url, isinstance(state, Ready), describe(state)))
    return rows
