"""`status`: is it there, and does it work? Asked of the engine, the cluster and the URLs themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kindctl.actions.environments import nodes_by_environment, open_environment, registry_of
from kindctl.actions.forwards import row as forward_row
from kindctl.errors import KindctlError, UsageError
from kindctl.live.addresses import urls_of
from kindctl.live.readiness import find_live, is_waited_for, unready_reason
from kindctl.live.record import Record, read_record
from kindctl.models import REGISTRY_LABEL, NotReady, Ready
from kindctl.runner.polling import poll
from kindctl.steps.url import UrlAnswers
from kindctl.tools.protocols import Cluster, Tools
from kindctl.trust.authority import Authority


@dataclass(frozen=True)
class StatusRow:
    """`seen`: what is missing, or what answered."""

    kind: str
    name: str
    ready: bool
    seen: str


def status(name: str, tools: Tools, *, wait: float | None = None) -> list[StatusRow]:
    """Nodes, workloads and URLs. With `wait`, looked at again until all is ready, at most so many
    seconds. Raises UsageError (no-environment)."""
    if wait is None:
        return _look(name, tools)
    return poll(
        lambda: _look(name, tools),
        lambda rows: all(row.ready for row in rows),
        seconds=wait,
        pause=(0.3, 0.6),
    )


def urls(name: str, tools: Tools) -> list[str]:
    """The URLs that the last `up` verified. Raises UsageError where there are none."""
    with open_environment(tools, name) as cluster:
        record = read_record(cluster)
        found = urls_of(cluster, record.routes) if record else []
    if not found:
        raise UsageError(f"{name!r} has no URLs", fix="kindctl up", code="no-urls")
    return found


def page(name: str, tools: Tools) -> str:
    """The first of them that a browser can open. Raises UsageError where there is none."""
    found = urls(name, tools)
    pages = [url for url in found if url.startswith("http") and " " not in url]
    if not pages:
        raise UsageError(
            f"{name!r} has no URL that a browser can open as it is",
            why="; ".join(found),
            fix="a name leads to the address before it once /etc/hosts has a line for both",
            code="no-urls",
        )
    return pages[0]


def _look(name: str, tools: Tools) -> list[StatusRow]:
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
                return [*rows, StatusRow("record", name, False, "`kindctl up` has not finished")]
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
        seen = unready_reason(found[ref], pods) if ref in found else "not there"
        rows.append(StatusRow(ref.kind, f"{ref.namespace}/{ref.name}", not seen, seen or "ready"))
    return rows


def _urls(cluster: Cluster, record: Record, tools: Tools) -> Sequence[StatusRow]:
    rows, ca = [], Authority(tools.host)
    for route, url in zip(record.routes, urls_of(cluster, record.routes), strict=True):
        step = UrlAnswers(
            route=route,
            net=tools.net,
            cluster=lambda: cluster,
            environment=record.environment,
            ca=ca.pem,
            needs=frozenset(),
        )
        match step.observe():
            case Ready(note):
                rows.append(StatusRow("url", url, True, note))
            case NotReady(seen):
                rows.append(StatusRow("url", url, False, seen))
            case _:
                rows.append(StatusRow("url", url, False, "no cluster"))
    return rows
