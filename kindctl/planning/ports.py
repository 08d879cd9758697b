"""Collects which ports of the nodes and of this machine are used, and by whom. Two users of the
same port are rejected; a node port that nobody names is chosen.

All of it is known from the file and the manifests, so nothing has been changed when a clash is
found.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from kindctl.components.app import AppComponent
from kindctl.components.base import Controller
from kindctl.config.load import Loaded
from kindctl.diagnose.base import WantedPort
from kindctl.errors import Problem
from kindctl.kube_objects import entries, is_tcp
from kindctl.manifests.lint import NODE_PORTS, STATIC_NODE_PORTS
from kindctl.manifests.manifest import Manifest
from kindctl.models import ExposedPort, Exposure
from kindctl.problems import FieldPath, dotted, refuse

ANY = "0.0.0.0"  # noqa: S104 - what kind binds where nothing is said
PORTS, UNPRIVILEGED = range(1, 65536), range(1024, 65536)

ServicePort = tuple[str, str, int | str]
"""Namespace and name of a Service, and the number or name of its port."""


@dataclass(frozen=True)
class NamedNodePort:
    """A node port that a manifest names."""

    number: int
    service: Manifest
    port: int  # of the Service
    tcp: bool

    def is_for(self, wanted: ServicePort | None) -> bool:
        """Return whether `wanted` may use this node port. It may if `wanted` is this same port, or another
        protocol's port of the same Service."""
        if wanted is None or wanted[:2] != (self.service.namespace, self.service.name):
            return False
        return not self.tcp or self.port == wanted[2]


@dataclass
class NodePorts:
    """The node ports that the file and the manifests name, and those that are chosen for other Services."""

    used: dict[int, str] = field(default_factory=dict)  # node port -> what uses it
    named: list[NamedNodePort] = field(default_factory=list)

    @classmethod
    def of(
        cls, loaded: Loaded, controller: Controller | None, apps: Sequence[AppComponent]
    ) -> NodePorts:
        """Collect the node ports that the file and the manifests name."""
        found = cls()
        expose = loaded.config.ingress.expose
        if controller and expose.via == "node-port":
            for number in (expose.nodePorts.http, expose.nodePorts.https):
                found.used[number] = "the ingress controller"
        for app in loaded.config.apps:
            for entry in app.expose:
                if entry.nodePort:
                    found.used[entry.nodePort] = f"{app.name}'s {entry.service}"
        brought = controller.parsed if controller else ()
        for manifest in (*brought, *(m for app in apps for m in app.parsed)):
            for port in _named_node_ports(manifest):
                found.used.setdefault(port.number, str(manifest))
                found.named.append(port)
        return found

    def choose(self, service: Manifest, port: int) -> int:
        """Choose a node port for a Service whose manifest names none.

        The choice depends on the Service alone unless that port is in use. So a cluster that already maps
        the port need not be created again.
        """
        digest = hashlib.sha256(f"{service.namespace}/{service.name}:{port}".encode()).digest()
        first = int.from_bytes(digest[:4], "big") % len(STATIC_NODE_PORTS)
        candidates: Sequence[int] = (
            *STATIC_NODE_PORTS[first:],
            *STATIC_NODE_PORTS[:first],
            *NODE_PORTS,
        )
        number = next(number for number in candidates if number not in self.used)
        self.used[number] = str(service)
        return number


def _named_node_ports(manifest: Manifest) -> Iterator[NamedNodePort]:
    """Yield the node ports that a Service names. Other manifests name none."""
    if manifest.kind != "Service":
        return
    for port in entries(manifest.obj, "spec", "ports"):
        if isinstance(number := port.get("nodePort"), int) and isinstance(port.get("port"), int):
            yield NamedNodePort(number, manifest, port["port"], is_tcp(port))


@dataclass(frozen=True)
class Claim:
    """A port of the nodes (`address` is "") or of this machine that something wants to use."""

    port: int
    address: str
    who: str
    loc: FieldPath  # in kindctl.yaml
    service_port: ServicePort | None = None  # which a node port leads to


def claims_of(
    loaded: Loaded, controller: Controller | None, apps: Sequence[AppComponent]
) -> Sequence[Claim]:
    """Return all claims: first the controller's, last the apps'. If two clash, the later one is
    rejected."""
    mapped = loaded.config.cluster.provider == "kind"
    return [*_controllers(controller, mapped), *_clusters(loaded), *_apps(apps, mapped)]


def on_this_machine(claims: Iterable[Claim]) -> tuple[WantedPort, ...]:
    return tuple(
        WantedPort(claim.address, claim.port, "" if claim.loc[-1] == "via" else dotted(claim.loc))
        for claim in claims
        if claim.address
    )


def refuse_port_clashes(loaded: Loaded, claims: Sequence[Claim], node_ports: NodePorts) -> None:
    """Raise ConfigError if two claims want the same port, with the place of the later claim."""
    of_nodes = [claim for claim in claims if not claim.address]
    of_host = [claim for claim in claims if claim.address]
    used = {*node_ports.used, *(claim.port for claim in claims)}
    refuse(
        [
            *_wanted_twice(loaded, "node port", of_nodes, used),
            *_wanted_twice(loaded, "port", of_host, used),
            *_named_elsewhere(loaded, of_nodes, node_ports, used),
        ]
    )


def _controllers(controller: Controller | None, mapped: bool) -> Iterator[Claim]:
    """Yield the claims of the controller. `mapped` says whether node ports are mapped to this machine."""
    if controller is None:
        return
    at: FieldPath = ("ingress", "expose")
    who, exposure = "the ingress controller", controller.exposure
    if not exposure.on_node:
        for port in _with_node_ports(exposure):
            yield Claim(port.node_port, "", who, (*at, "nodePorts", port.scheme), _leads_to(port))
    for address, local in _local(exposure, mapped):
        scheme = next((port.scheme for port in exposure.ports if port.local == local), "via")
        yield Claim(local, address, who, (*at, scheme))


def _clusters(loaded: Loaded) -> Iterator[Claim]:
    """Yield the claims of the image registry, and of `cluster.kind`."""
    cluster = loaded.config.cluster
    if cluster.registry:
        at: FieldPath = ("cluster", "registry", "port")
        yield Claim(cluster.registry.port, "127.0.0.1", "the registry", at)
    for index, mapping in enumerate(cluster.kind.get("extraPortMappings") or ()):
        at = ("cluster", "kind", "extraPortMappings", index, "hostPort")
        port, protocol = mapping.get("hostPort", 0), mapping.get("protocol", "TCP")
        if port > 0 and protocol == "TCP":  # else kind or the engine chooses one
            yield Claim(port, mapping.get("listenAddress") or ANY, "cluster.kind", at)


def _apps(apps: Sequence[AppComponent], mapped: bool) -> Iterator[Claim]:
    for index, app in enumerate(apps):
        for place, exposed in enumerate(app.exposed):
            at: FieldPath = ("apps", index, "expose", place)
            who = f"Service {exposed.exposure.ports[0].service!r} of app {app.name!r}"
            for port in _with_node_ports(exposed.exposure):
                yield Claim(port.node_port, "", who, (*at, "nodePort"), _leads_to(port))
            for address, local in _local(exposed.exposure, mapped):
                yield Claim(local, address, who, (*at, "local"))


def _with_node_ports(exposure: Exposure) -> Sequence[ExposedPort]:
    return exposure.ports if exposure.mappings() else ()


def _leads_to(port: ExposedPort) -> ServicePort:
    return port.namespace, port.service, port.port


def _local(exposure: Exposure, mapped: bool) -> Iterator[tuple[str, int]]:
    """Yield each (address, port) of this machine that an exposure uses."""
    for mapping in exposure.mappings() if mapped else ():
        yield mapping.address, mapping.host_port
    for forward in exposure.forwards():
        yield forward.address, forward.local


def _wanted_twice(
    loaded: Loaded, what: str, claims: Iterable[Claim], used: Collection[int]
) -> Iterator[Problem]:
    seen: list[Claim] = []
    for claim in claims:
        other = next((other for other in seen if _clash(other, claim)), None)
        seen.append(claim)
        if other is None:
            continue
        message = f"{what} {claim.port} is already used by {other.who}"
        hint = _instead(claim, used)
        if claim.service_port and claim.service_port == other.service_port:
            message = f"port {claim.service_port[2]} of {claim.who} already has a node port"
            hint = "remove one of the two entries"
        yield loaded.problem(claim.loc, message, hint)


def _instead(claim: Claim, used: Collection[int]) -> str:
    """Return a hint: the key, with the next free port as its value."""
    key = dotted(claim.loc[-2:] if claim.loc[-2] == "nodePorts" else claim.loc[-1:])
    choices = (UNPRIVILEGED if claim.port >= 1024 else PORTS) if claim.address else NODE_PORTS
    later = [port for port in choices if port > claim.port]
    free = next(port for port in (*later, *choices) if port not in used)
    return f"{key}: {free}" + (", or leave it out" if key == "nodePort" else "")


def _clash(one: Claim, other: Claim) -> bool:
    """Return whether both claim the same port. 0.0.0.0 and :: include every address of their family."""
    if one.service_port and one.service_port == other.service_port:
        return True
    if one.port != other.port or not (one.address and other.address):
        return one.port == other.port and one.address == other.address
    first, second = ipaddress.ip_address(one.address), ipaddress.ip_address(other.address)
    everywhere = first.is_unspecified or second.is_unspecified
    return first == second or (everywhere and first.version == second.version)


def _named_elsewhere(
    loaded: Loaded, claims: Iterable[Claim], node_ports: NodePorts, used: Collection[int]
) -> Iterator[Problem]:
    """Yield a problem for each claim of a node port that is also named in the manifest of another
    Service."""
    for claim in claims:
        for named in node_ports.named:
            if named.number == claim.port and not named.is_for(claim.service_port):
                message = (
                    f"node port {claim.port} is already used by the manifest of {named.service}"
                )
                yield loaded.problem(claim.loc, message, _instead(claim, used))
