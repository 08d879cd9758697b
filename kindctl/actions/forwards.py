"""`forward`: local ports that the user forwards to Services of an environment."""

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

PORT_OFFSETS = (8000, 10000)
"""Numbers to add to a privileged Service port that is taken or must not be bound. 80 becomes the
common 8080."""


@dataclass(frozen=True)
class ForwardRow:
    """One row of `kindctl forward list`. `seen` says what is missing, or how many pods and connections
    belong to the forward."""

    local: str
    service: str
    by: str
    ready: bool
    seen: str


def forward_list(name: str, tools: Tools) -> list[ForwardRow]:
    return [row(state) for state in tools.forwards.list(name)]


def row(state: ForwardState) -> ForwardRow:
    forward = state.forward
    pods, users = len(state.pods), state.connections
    seen = state.fault or f"{pods} ready pod{'s' * (pods != 1)}, {users} open"
    if state.last_failure and not state.fault:
        seen += f"; last failure: {state.last_failure}"
    local = f"{forward.address}:{forward.local}"
    return ForwardRow(local, target(forward), state.origin, not state.fault, seen)


def wanted_forward(
    name: str,
    tools: Tools,
    service: str,
    local: int | None,
    *,
    namespace: str | None = None,
    address: str = "127.0.0.1",
) -> Forward:
    """Return the forward that the user asks for. If no local port is given and the Service's port is
    forwarded already, return the existing forward.

    `service` is [NAMESPACE/]SERVICE[:PORT]. Without NAMESPACE, only one namespace may contain the Service.
    Raises UsageError for an unknown or ambiguous Service or port and for an invalid address, MachineError
    for an address that this machine does not have.
    """
    _check_address(address)
    path, _, port = service.removeprefix("svc/").removeprefix("service/").partition(":")
    prefix, _, service_name = path.rpartition("/")
    with open_environment(tools, name) as cluster:
        found = _service(cluster, service_name, prefix or namespace)
    number = _port(found, port)
    meta = found["metadata"]
    if local is None:
        for forward in (state.forward for state in tools.forwards.list(name)):
            same_service = (forward.namespace, forward.service) == (meta["namespace"], meta["name"])
            if same_service and forward.port in (number, port):
                return forward
        candidates = [number, *(number + offset for offset in PORT_OFFSETS)]
        if number >= 1024:
            candidates = [number, *range(number + 1, number + 20)]
        local = tools.net.free_port(address, candidates)
    return Forward(meta["namespace"], meta["name"], number, local, address)


def forward(name: str, tools: Tools, wanted: Forward) -> str:
    """Start a forward in the environment's forwarding process. Return why connections do not succeed
    yet, or an empty string if a test connection succeeded. Raises UsageError, MachineError."""
    access = access_to(provider_of(tools, name))
    add_forward(tools.forwards, tools.net, name, access, wanted, origin=FROM_COMMAND)
    return tools.forwards.probe(name, wanted)


def forward_held(name: str, tools: Tools, wanted: Forward) -> Iterator[str]:
    """Forward a port for as long as the result is iterated. Yield a line for each failed connection. Raises
    UsageError, MachineError."""
    access = access_to(provider_of(tools, name))
    try:
        yield from tools.forwards.hold(name, access, wanted)
    except ToolError as error:
        raise refusal(error, tools.forwards, tools.net, name, wanted) from error


def forward_stop(name: str, tools: Tools, which: str | None) -> Sequence[Forward]:
    """Stop the forwards of a local port or a Service (or all forwards if `which` is None), and return them.
    Raises UsageError if `which` is not forwarded."""
    active = [state.forward for state in tools.forwards.list(name)]
    stopped = [f for f in active if which is None or _matches(f, which)]
    if which is not None and not stopped:
        known = ", ".join(f"{f.local} ({target(f)})" for f in active)
        raise UsageError(
            f"{which!r} is not forwarded", why=f"forwarded: {known or 'nothing'}", code="forwarded"
        )
    if stopped:
        tools.forwards.stop(name, stopped)
    return stopped


def _matches(f: Forward, which: str) -> bool:
    services = (f.service, f"{f.namespace}/{f.service}", f"{f.service}:{f.port}", target(f))
    return which in (str(f.local), f"{f.address}:{f.local}", *services)


def _check_address(address: str) -> None:
    import ipaddress

    try:
        ipaddress.ip_address(address)
    except ValueError as error:
        raise UsageError(
            f"{address!r} is not an IP address",
            fix="use 127.0.0.1 for this machine only, or 0.0.0.0 to let other machines connect",
        ) from error


def _service(cluster: Cluster, name: str, namespace: str | None) -> Object:
    known = cluster.list("v1", "Service", namespace=namespace)
    found = [s for s in known if s["metadata"]["name"] == name]
    if len(found) == 1:
        return found[0]
    if found:
        namespaces = ", ".join(s["metadata"]["namespace"] for s in found)
        raise UsageError(
            f"several Services are named {name!r}",
            why=f"they are in the namespaces {namespaces}",
            fix="choose the namespace with -n",
        )
    names = sorted(f"{s['metadata']['namespace']}/{s['metadata']['name']}" for s in known)
    where = f" in namespace {namespace}" if namespace else ""
    raise UsageError(
        f"no Service {name!r}{where}", why=f"existing Services: {', '.join(names) or 'none'}"
    )


def _port(service: Object, port: str) -> int:
    """Return the number of a TCP port of the Service. `port` is the port's number or name, or empty if the
    Service has only one port."""
    ports = [p for p in (service.get("spec") or {}).get("ports") or () if is_tcp(p)]
    fitting = [p for p in ports if port in ("", str(p["port"]), p.get("name"))]
    if len(fitting) == 1:
        return int(fitting[0]["port"])
    name = service["metadata"]["name"]
    has = ", ".join(
        f"{p['port']} ({p['name']})" if p.get("name") else str(p["port"]) for p in ports
    )
    raise UsageError(
        f"Service {name} has no port {port}" if port else f"choose a port of Service {name}",
        why=f"it has {has}" if has else "it has no TCP port, and only TCP can be forwarded",
        fix=f"kindctl forward {name}:{ports[0]['port']}" if ports else "",
    )
