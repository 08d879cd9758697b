"""`status`: is it there, and does it work? Asked of the engine, the cluster and the URLs themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kindctl.actions.environments import nodes_by_environment, open_environment, registry_of
from kindctl.actions.forwards import row as forward_row
from kindctl.diagnose.snapshot import WORKLOADS, snapshot
from kindctl.errors import KindctlError, UsageError
from kindctl.live.addresses import urls_of
from kindctl.live.gateway_readiness import gateway_kinds
from kindctl.live.readiness import fault, is_waited_for
from kindctl.live.record import Record, read_record
from kindctl.models import REGISTRY_LABEL, NotReady, ObjectRef, Ready
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
    from tenacity import Retrying, retry_if_result, stop_after_delay, wait_random

    if wait is None:
        return _look(name, tools)
    retrying = Retrying(
        retry=retry_if_result(lambda rows: not all(row.ready for row in rows)),
        wait=wait_random(0.3, 0.6),
        stop=stop_after_delay(wait),
        retry_error_callback=lambda state: state.outcome and state.outcome.result(),
    )
    rows: list[StatusRow] = retrying(_look, name, tools)
    return rows


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
    evidence = snapshot(
        cluster,
        dict.fromkeys(ref.namespace or "default" for ref in wanted),
        workloads=[*WORKLOADS, *gateway_kinds(wanted)],
    )
    there = {
        ObjectRef.of(obj): obj for obj in [*evidence.workloads, *evidence.pods, *evidence.claims]
    }
    rows = []
    for ref in wanted:
        seen = fault(there[ref], evidence.pods) if ref in there else "not there"
        rows.append(StatusRow(ref.kind, f"{ref.namespace}/{ref.name}", not seen, seen or "ready"))
    return rows


def _urls(cluster: Cluster, record: Record, tools: Tools) -> Sequence[StatusRow]:
    rows, ca = [], Authority(tools.host)
    for route, url in zip(record.routes, urls_of(cluster, record.routes), strict=True):
        step = UrlAnswers(
            route, tools.net, lambda: cluster, record.environment, frozenset(), ca=ca.pem
        )
        match step.observe():
            case Ready(note):
                rows.append(StatusRow("url", url, True, note))
            case NotReady(seen):
                rows.append(StatusRow("url", url, False, seen))
            case _:
                rows.append(StatusRow("url", url, False, "no cluster"))
    return rows
