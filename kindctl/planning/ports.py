"""Who has which port of the nodes and of this machine: two that want one are refused, one is chosen
where nobody says.

Everything is known from the file and the manifests, so that nothing is touched before.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from kindctl.components.app import AppComponent
from kindctl.components.base import Controller
from kindctl.config.load import Loaded
from kindctl.config.places import Loc, dotted
from kindctl.diagnose.base import WantedPort
from kindctl.errors import ConfigError, Problem
from kindctl.kube_objects import is_tcp
from kindctl.manifests.lint import NODE_PORTS, STATIC_NODE_PORTS
from kindctl.manifests.manifest import Manifest
from kindctl.models import Exposure

ANY = "0.0.0.0"  # noqa: S104 - what kind binds where nothing is said
PORTS, UNPRIVILEGED = range(1, 65536), range(1024, 65536)

ServicePort = tuple[str, str, int | str]
"""Namespace and name of a Service, and the number or name of its port."""


@dataclass(frozen=True)
class Given:
    """A node port that a manifest names."""

    number: int
    service: Manifest
    port: int  # of the Service
    tcp: bool

    def is_for(self, of: ServicePort | None) -> bool:
        """Whether that port of a Service may have it, too: it is the same, or the same Service's for
        another protocol."""
        if of is None or of[:2] != (self.service.namespace, self.service.name):
            return False
        return not self.tcp or self.port == of[2]


@dataclass
class NodePorts:
    """The node ports that the file and the manifests name, and those that are chosen beside them."""

    taken: dict[int, str] = field(default_factory=dict)  # node port -> for what
    given: list[Given] = field(default_factory=list)

    @classmethod
    def of(
        cls, loaded: Loaded, controller: Controller | None, apps: Sequence[AppComponent]
    ) -> NodePorts:
        found = cls()
        expose = loaded.config.ingress.expose
        if loaded.config.ingress.controller != "none" and expose.via == "node-port":
            for number in (expose.nodePorts.http, expose.nodePorts.https):
                found.taken[number] = "the ingress controller"
        for app in loaded.config.apps:
            for way in app.expose:
                if way.nodePort:
                    found.taken[way.nodePort] = f"{app.name}'s {way.service}"
        brought = controller.parsed if controller else ()
        for manifest in (*brought, *(m for app in apps for m in app.parsed)):
            for given in _given(manifest):
                found.taken.setdefault(given.number, str(manifest))
                found.given.append(given)
        return found

    def choose(self, service: Manifest, port: int) -> int:
        """For a Service that names none: always the same, so that a cluster that has it mapped keeps it,
        as long as nobody else takes it."""
        digest = hashlib.sha256(f"{service.namespace}/{service.name}:{port}".encode()).digest()
        first = int.from_bytes(digest[:4], "big") % len(STATIC_NODE_PORTS)
        turned: Sequence[int] = (
            *STATIC_NODE_PORTS[first:],
            *STATIC_NODE_PORTS[:first],
            *NODE_PORTS,
        )
        number = next(number for number in turned if number not in self.taken)
        self.taken[number] = str(service)
        return number


def _given(service: Manifest) -> Iterator[Given]:
    """Of a Service that names node ports."""
    if service.kind != "Service":
        return
    for port in (service.obj.get("spec") or {}).get("ports") or ():
        if isinstance(number := port.get("nodePort"), int) and isinstance(port.get("port"), int):
            yield Given(number, service, port["port"], is_tcp(port))


@dataclass(frozen=True)
class Claim:
    """Somebody wants a port: of the nodes (address "") or of this machine."""

    port: int
    address: str
    who: str
    loc: Loc
    of: ServicePort | None = None  # the port of a Service that the node port is for


def claims_of(
    loaded: Loaded, controller: Controller | None, apps: Sequence[AppComponent]
) -> Sequence[Claim]:
    """Of the controller first, of the apps last."""
    mapped = loaded.config.cluster.provider == "kind"
    return [*_controllers(controller, mapped), *_clusters(loaded), *_apps(apps, mapped)]


def on_this_machine(claims: Iterable[Claim]) -> tuple[WantedPort, ...]:
    return tuple(
        WantedPort(claim.address, claim.port, "" if claim.loc[-1] == "via" else dotted(claim.loc))
        for claim in claims
        if claim.address
    )


def refuse_port_clashes(loaded: Loaded, claims: Sequence[Claim], ports: NodePorts) -> None:
    """Raises ConfigError, with the place of the later one, where two want the same port."""
    of_nodes = [claim for claim in claims if not claim.address]
    of_host = [claim for claim in claims if claim.address]
    free = _free({*ports.taken, *(claim.port for claim in claims)})
    problems = [
        *_twice(loaded, "node port", of_nodes, free),
        *_twice(loaded, "port", of_host, free),
        *_of_others(loaded, of_nodes, ports, free),
    ]
    if problems:
        raise ConfigError(problems)


def _controllers(controller: Controller | None, mapped: bool) -> Iterator[Claim]:
    if controller is None:
        return
    at: Loc = ("ingress", "expose")
    named = "the ingress controller"
    exposure = controller.exposure
    for port in exposure.ports:
        if not exposure.on_node and exposure.mappings():
            of = (port.namespace, port.service, port.port)
            yield Claim(port.node_port, "", named, (*at, "nodePorts", port.scheme), of)
    for address, local in _local(exposure, mapped):
        scheme = next((port.scheme for port in exposure.ports if port.local == local), "via")
        yield Claim(local, address, named, (*at, scheme))


def _clusters(loaded: Loaded) -> Iterator[Claim]:
    """Of what is beside the nodes, and of kind's own configuration."""
    cluster = loaded.config.cluster
    if cluster.registry:
        at: Loc = ("cluster", "registry", "port")
        yield Claim(cluster.registry.port, "127.0.0.1", "the registry", at)
    for index, mapping in enumerate(cluster.kind.get("extraPortMappings") or ()):
        at = ("cluster", "kind", "extraPortMappings", index, "hostPort")
        port, protocol = mapping.get("hostPort", 0), mapping.get("protocol", "TCP")
        if port > 0 and protocol == "TCP":  # else kind or the engine chooses one
            yield Claim(port, mapping.get("listenAddress") or ANY, "cluster.kind", at)


def _apps(apps: Sequence[AppComponent], mapped: bool) -> Iterator[Claim]:
    for index, app in enumerate(apps):
        for place, way in enumerate(app.exposed):
            at: Loc = ("apps", index, "expose", place)
            for port in way.exposure.ports:
                who = f"{app.name}'s {port.service}"
                if way.exposure.mappings():
                    of = (port.namespace, port.service, port.port)
                    yield Claim(port.node_port, "", who, (*at, "nodePort"), of)
                for address, local in _local(way.exposure, mapped):
                    yield Claim(local, address, who, (*at, "local"))


def _local(exposure: Exposure, mapped: bool) -> Iterator[tuple[str, int]]:
    """(address, port) of this machine that a way needs. `mapped`: whether node ports are, here."""
    for mapping in exposure.mappings() if mapped else ():
        yield mapping.address, mapping.host_port
    for forward in exposure.forwards():
        yield forward.address, forward.local


def _twice(loaded: Loaded, what: str, claims: Iterable[Claim], free: _Free) -> Iterator[Problem]:
    seen: list[Claim] = []
    for claim in claims:
        other = next((other for other in seen if _clash(other, claim)), None)
        seen.append(claim)
        if other is None:
            continue
        message = f"{what} {claim.port} is {_whose(other)} already"
        hint = _instead(claim, free)
        if claim.of and claim.of == other.of:
            message = f"{claim.who} port {claim.of[2]} has a node port already"
            hint = "one node port serves everybody: take one of the two out"
        yield loaded.problem(claim.loc, message, hint)


_Free = Callable[[int, Sequence[int]], int]
"""(port, those that it could be) -> the next one of these that nobody wants."""


def _free(taken: Collection[int]) -> _Free:
    def find(port: int, among: Sequence[int]) -> int:
        later = [p for p in among if p > port]
        return next(p for p in (*later, *among) if p not in taken)

    return find


def _instead(claim: Claim, free: _Free) -> str:
    key = dotted(claim.loc[-2:] if claim.loc[-2] == "nodePorts" else claim.loc[-1:])
    if claim.address:
        return f"{key}: {free(claim.port, UNPRIVILEGED if claim.port >= 1024 else PORTS)}"
    hint = f"{key}: {free(claim.port, NODE_PORTS)}"
    return hint + (", or leave it out" if key == "nodePort" else "")


def _whose(claim: Claim) -> str:
    return claim.who if "'s " in claim.who else f"{claim.who}'s"


def _clash(one: Claim, other: Claim) -> bool:
    """A port of all addresses is one of each of that family, too."""
    if one.of and one.of == other.of:
        return True
    if one.port != other.port or not (one.address and other.address):
        return one.port == other.port and one.address == other.address
    first, second = ipaddress.ip_address(one.address), ipaddress.ip_address(other.address)
    everywhere = first.is_unspecified or second.is_unspecified
    return first == second or (everywhere and first.version == second.version)


def _of_others(
    loaded: Loaded, claims: Iterable[Claim], ports: NodePorts, free: _Free
) -> Iterator[Problem]:
    """Node ports that the manifest of another Service names."""
    for claim in claims:
        for given in ports.given:
            if given.number == claim.port and not given.is_for(claim.of):
                message = f"node port {claim.port} is {given.service}'s already, by its manifest"
                yield loaded.problem(claim.loc, message, _instead(claim, free))
