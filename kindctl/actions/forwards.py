"""`forward`: ports of this machine forwarded to Services of an environment, by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kindctl.actions.environments import open_environment, provider_of
from kindctl.errors import ToolError, UsageError
from kindctl.forward.client import FROM_COMMAND, add_forward, refusal, target
from kindctl.kube_objects import is_tcp
from kindctl.models import Forward, Object
from kindctl.steps.forward import access_to
from kindctl.tools.protocols import Cluster, ForwardState, Tools

BESIDE = (8000, 10000)
"""Added to a Service's port where that is taken here, or not ours to bind: 80 -> 8080 is habit."""


@dataclass(frozen=True)
class ForwardRow:
    """One row of `kindctl forward list`. `seen`: what is missing, or how many use it."""

    local: str
    service: str
    by: str
    ready: bool
    seen: str


def forward_list(name: str, tools: Tools) -> list[ForwardRow]:
    return [row(state) for state in tools.forwards.list(name)]


def row(state: ForwardState) -> ForwardRow:
    of = state.forward
    pods, users = len(state.pods), state.connections
    seen = state.fault or f"{pods} ready pod{'s' * (pods != 1)}, {users} open"
    if state.last_failure and not state.fault:
        seen += f"; last failure: {state.last_failure}"
    return ForwardRow(f"{of.address}:{of.local}", target(of), state.origin, not state.fault, seen)


def wanted_forward(
    name: str,
    tools: Tools,
    service: str,
    local: int | None,
    *,
    namespace: str | None = None,
    address: str = "127.0.0.1",
) -> Forward:
    """`service`: SERVICE[:PORT], NAMESPACE/SERVICE[:PORT]; without a namespace the only one that has it.
    Raises UsageError for a Service or port that is not there, or is not the only one, and for what is no
    address; MachineError for an address that this machine does not have."""
    _check(address)
    path, _, port = service.removeprefix("svc/").removeprefix("service/").partition(":")
    space, _, called = path.rpartition("/")
    with open_environment(tools, name) as cluster:
        found = _service(cluster, called, space or namespace)
    number = _port(found, port)
    at = found["metadata"]
    there = tools.forwards.list(name)
    same = [
        s.forward
        for s in there
        if (s.forward.namespace, s.forward.service) == (at["namespace"], at["name"])
        and s.forward.port in (number, port)
    ]
    if local is None and same:
        return same[0]
    if local is None:
        candidates = [number, *(number + more for more in BESIDE)]
        if number >= 1024:
            candidates = [number, *range(number + 1, number + 20)]
        local = tools.net.free_port(address, candidates)
    return Forward(at["namespace"], at["name"], number, local, address)


def forward(name: str, tools: Tools, wanted: Forward) -> str:
    """Hand it to the environment's supervisor. Why a connection does not get through yet; empty: one
    did. Raises UsageError, MachineError."""
    access = access_to(provider_of(tools, name))
    add_forward(tools.forwards, tools.net, name, access, wanted, origin=FROM_COMMAND)
    return tools.forwards.probe(name, wanted)


def forward_held(name: str, tools: Tools, wanted: Forward) -> Iterator[str]:
    """Forwarded as long as it is iterated, by words on what fails. Raises UsageError, MachineError."""
    access = access_to(provider_of(tools, name))
    try:
        yield from tools.forwards.hold(name, access, wanted)
    except ToolError as error:
        raise refusal(error, tools.forwards, tools.net, name, wanted) from error


def forward_stop(name: str, tools: Tools, which: str | None) -> Sequence[Forward]:
    """`which`: a local port or a Service; None: all. Raises UsageError where none is meant."""
    there = [state.forward for state in tools.forwards.list(name)]
    going = [f for f in there if which is None or _is_meant(f, which)]
    if which is not None and not going:
        known = ", ".join(f"{f.local} ({target(f)})" for f in there)
        raise UsageError(
            f"{which!r} is not forwarded", why=f"forwarded: {known or 'nothing'}", code="forwarded"
        )
    if going:
        tools.forwards.stop(name, going)
    return going


def _is_meant(of: Forward, which: str) -> bool:
    services = (of.service, f"{of.namespace}/{of.service}", f"{of.service}:{of.port}", target(of))
    return which in (str(of.local), f"{of.address}:{of.local}", *services)


def _check(address: str) -> None:
    import ipaddress

    try:
        ipaddress.ip_address(address)
    except ValueError as error:
        raise UsageError(
            f"{address!r} is not an IP address",
            fix="127.0.0.1: this machine only; 0.0.0.0: everyone who reaches it",
        ) from error


def _service(cluster: Cluster, name: str, namespace: str | None) -> Object:
    known = cluster.list("v1", "Service", namespace=namespace)
    found = [s for s in known if s["metadata"]["name"] == name]
    if len(found) == 1:
        return found[0]
    if found:
        spaces = ", ".join(s["metadata"]["namespace"] for s in found)
        raise UsageError(
            f"which Service {name!r}?", why=f"there is one in {spaces}", fix="name one with -n"
        )
    names = sorted(f"{s['metadata']['namespace']}/{s['metadata']['name']}" for s in known)
    where = f" in namespace {namespace}" if namespace else ""
    raise UsageError(
        f"there is no Service {name!r}{where}", why=f"there are: {', '.join(names) or 'none'}"
    )


def _port(service: Object, port: str) -> int:
    """Its number: `port` is a number, a name, or empty for the only one. TCP alone is forwarded."""
    ports = [p for p in (service.get("spec") or {}).get("ports") or () if is_tcp(p)]
    fitting = [p for p in ports if port in ("", str(p["port"]), p.get("name"))]
    if len(fitting) == 1:
        return int(fitting[0]["port"])
    name = service["metadata"]["name"]
    has = ", ".join(
        f"{p['port']} ({p['name']})" if p.get("name") else str(p["port"]) for p in ports
    )
    raise UsageError(
        f"which port of Service {name}?" if not port else f"Service {name} has no port {port}",
        why=f"it has {has}" if has else "it has no TCP port, and nothing else is forwarded",
        fix=f"kindctl forward {name}:{ports[0]['port']}" if ports else "",
    )
