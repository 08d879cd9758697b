"""The ways in that the file asks for: the controller's own, and those to Services of the apps."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Any, Literal, Protocol

from kindctl.components.app import AppComponent, Expect, ExposedService
from kindctl.components.base import STOCK_PORTS, Ports
from kindctl.config.load import Loaded
from kindctl.config.schema import AppConfig, Config, ExpectConfig, ExposeServiceConfig
from kindctl.errors import ConfigError, Problem
from kindctl.exposures import load_exposure
from kindctl.exposures.load_balancer import nodes_are_reached, on_this_machine
from kindctl.kube_objects import is_tcp
from kindctl.manifests.manifest import Manifest
from kindctl.manifests.services import unreachable_reason
from kindctl.models import Endpoint, ExposedPort, Exposure, Object
from kindctl.planning.ports import NodePorts
from kindctl.problems import FieldPath

USUALLY_HTTP = (80, 3000, 5000, 8000, 8080)


def controllers_way(
    config: Config, namespace: str, service: str, ports: Ports = STOCK_PORTS
) -> Exposure:
    expose = config.ingress.expose
    local = {"http": expose.http, "https": expose.https}
    if expose.via == "load-balancer":  # an external address has the ports of the Service
        local |= {scheme: port for scheme, port, _ in ports if isinstance(port, int)}
    nodes: dict[str, int] = {scheme: host_port for scheme, _, host_port in ports}
    if expose.via == "node-port":
        nodes = {"http": expose.nodePorts.http, "https": expose.nodePorts.https}
    made = (
        ExposedPort(scheme, namespace, service, port, local[scheme], nodes[scheme])
        for scheme, port, _ in ports
    )
    beside = _beside(config, expose.via, [local[scheme] for scheme, _, _ in ports])
    return load_exposure(expose.via)(tuple(made), expose.address, **beside)


def _beside(
    config: Config, via: str, ports: Sequence[int], local: int | None = None
) -> dict[str, Any]:
    """Ways over this machine beside external addresses: where the file asks for one, or where nothing
    else leads from here to the nodes."""
    if via != "load-balancer":
        return {}
    routed = config.cluster.provider != "kind" or nodes_are_reached()
    if local:
        return {"beside": (local,), "routed": routed}
    return {"beside": () if routed else on_this_machine(ports), "routed": routed}


def expectation(wanted: ExpectConfig) -> Expect:
    """An `expect` of the file, as components have it."""
    return Expect(wanted.path, wanted.host, wanted.contains, wanted.status, wanted.scheme)


class At(Protocol):
    def __call__(self, message: str, hint: str, *inner: str) -> Problem:
        """A Problem with the place of the way in the file, or of a key `inner` to it."""
        ...


def exposed(
    app: AppConfig, apps: Sequence[AppComponent], loaded: Loaded, node_ports: NodePorts
) -> Iterator[ExposedService]:
    """The ways of one of the `apps`. Raises ConfigError for a Service that no manifest has or that is meant
    by more than one, a port that it does not have, and a way that it cannot have."""
    problems: list[Problem] = []
    balanced: set[tuple[str, int | str]] = set()
    index = loaded.config.apps.index(app)
    ways: dict[int, ExposedService] = {}

    def name(place: int) -> tuple[str, str]:
        """So that what is chosen does not hang on the order of the file."""
        return app.expose[place].service, str(app.expose[place].port)

    for place in sorted(range(len(app.expose)), key=name):
        way = app.expose[place]
        at = _at(loaded, ("apps", index, "expose", place))
        try:
            service = _service(way.service, app.name, apps, at)
            found = _exposed(way, service, loaded.config, at, node_ports)
        except ConfigError as error:
            problems += error.problems
            continue
        for port in found.exposure.ports if way.via == "load-balancer" else ():
            if (port.service, port.port) in balanced:
                message = (
                    f"port {port.port} of Service {port.service!r} has an external address already"
                )
                problems.append(at(message, "it serves everybody: take one of the two out"))
            balanced.add((port.service, port.port))
        ways[place] = found
    if problems:
        raise ConfigError(problems)
    yield from (way for _, way in sorted(ways.items(), key=lambda item: item[0]))


def _at(loaded: Loaded, loc: FieldPath) -> At:
    return lambda message, hint, *inner: loaded.problem((*loc, *inner), message, hint)


def _exposed(
    way: ExposeServiceConfig, service: Manifest, config: Config, at: At, node_ports: NodePorts
) -> ExposedService:
    entry = _entry(way, service, at)
    port = _port(way, service, entry, at, node_ports)
    if way.via == "load-balancer":
        _check_balanced(way, service, config, at)
    beside = _beside(config, way.via, [port.local], way.local)
    exposure = load_exposure(way.via)((port,), way.address, **beside)
    if fault := unreachable_reason(service, entry, exposure):
        raise ConfigError([at(*fault)])
    if way.expect:
        _check_expect(way.expect, port, at)
    return ExposedService(exposure, expectation(way.expect) if way.expect else None)


def _check_balanced(way: ExposeServiceConfig, service: Manifest, config: Config, at: At) -> None:
    if "address" in way.model_fields_set and not way.local:
        message = "`address` is of a port of this machine, and the external address is not"
        raise ConfigError([at(message, "`local: PORT` beside it, or leave it out", "address")])
    wanted = (service.obj.get("spec") or {}).get("loadBalancerClass")
    if wanted and config.cluster.provider == "kind":  # MetalLB has none
        message = f"nobody here serves the loadBalancerClass {wanted!r} of Service {way.service!r}"
        hint = f"leave it out for kind: {service.where(('spec', 'loadBalancerClass'))}"
        raise ConfigError([at(message, hint)])


def _check_expect(expect: ExpectConfig, port: ExposedPort, at: At) -> None:
    if port.scheme == "tcp":
        message = (
            f"`expect` is of HTTP, and port {port.port} of Service {port.service!r} speaks tcp"
        )
        raise ConfigError([at(message, "scheme: http beside it, or leave it out", "expect")])
    if expect.scheme not in (None, port.scheme):
        message = f"port {port.port} of Service {port.service!r} speaks {port.scheme}"
        hint = f"scheme: {expect.scheme} is said beside `via`, not in `expect`"
        raise ConfigError([at(message, hint, "expect", "scheme")])


def refuse_unanswered(loaded: Loaded, endpoints: Sequence[Endpoint]) -> None:
    """Raises ConfigError where an app expects a scheme that the controller does not speak."""
    schemes = {endpoint.scheme for endpoint in endpoints}
    problems = [
        loaded.problem(
            ("apps", index, "expect", place, "scheme"),
            f"the ingress controller has no port for {wanted.scheme}",
            f"name it in ingress.custom.ports.{wanted.scheme}, or leave `scheme` out",
        )
        for index, app in enumerate(loaded.config.apps)
        for place, wanted in enumerate(app.expect)
        if wanted.scheme and wanted.scheme not in schemes
    ]
    if problems:
        raise ConfigError(problems)


def _service(name: str, app: str, apps: Sequence[AppComponent], at: At) -> Manifest:
    every = [(a.name, m) for a in apps for m in a.parsed if m.kind == "Service"]
    own = [manifest for of, manifest in every if of == app]
    meant = [manifest for manifest in own if manifest.name == name]
    if len(meant) == 1:
        return meant[0]
    if meant:
        where = " and ".join(sorted(manifest.namespace for manifest in meant))
        message = f"the app has a Service {name!r} in namespaces {where}"
        raise ConfigError(
            [at(message, "one is meant: rename the other, or give it an app of its own")]
        )
    known = [manifest.name for manifest in own]
    close = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {close[0]!r}?" if close else f"the app's Services: {', '.join(known)}"
    if others := [of for of, manifest in every if manifest.name == name]:
        hint = f"app {others[0]!r} has it: expose it there"
    elif not known:
        hint = "the app has no Service at all"
    raise ConfigError([at(f"no manifest of the app has a Service {name!r}", hint)])


def _entry(way: ExposeServiceConfig, service: Manifest, at: At) -> Object:
    """Of the Service's ports."""
    ports = (service.obj.get("spec") or {}).get("ports") or []
    fitting = [p for p in ports if way.port in (None, p.get("port"), p.get("name"))]
    fitting = [p for p in fitting if is_tcp(p)] or fitting  # DNS has one number for both protocols
    if len(fitting) == 1:
        return dict(fitting[0])
    names = ", ".join(str(p.get("name") or p.get("port")) for p in ports)
    hint = f"it has {names or 'none'}: name one in `port`"
    if way.port in [str(p.get("port")) for p in ports]:
        hint = f"a number is written without quotes: port: {way.port}"
    raise ConfigError([at(f"which port of Service {way.service!r}?", hint)])


def _port(
    way: ExposeServiceConfig, service: Manifest, entry: Object, at: At, node_ports: NodePorts
) -> ExposedPort:
    number, node_port = int(entry["port"]), 0
    if way.via == "node-port":
        given = entry.get("nodePort")
        if way.nodePort and given and way.nodePort != given:
            message = f"Service {way.service!r} has nodePort {given} in its manifest, "
            message += f"and {way.nodePort} here"
            hint = f"leave one of the two out: {service.where(('spec', 'ports'))}"
            raise ConfigError([at(message, hint)])
        node_port = way.nodePort or given or node_ports.choose(service, number)
    return ExposedPort(
        scheme=way.scheme or scheme_of(entry),
        namespace=service.namespace,
        service=way.service,
        port=number,
        local=number if way.via == "load-balancer" else way.local or node_port or number,
        node_port=node_port,
    )


def scheme_of(port: Object) -> Literal["http", "https", "tcp"]:
    """What a port of a Service speaks, by its appProtocol, its name or its number."""
    words = (str(port.get("appProtocol") or ""), str(port.get("name") or ""))
    if any(word.startswith("https") for word in words) or port["port"] in (443, 8443):
        return "https"
    if any(word.startswith("http") for word in words) or port["port"] in USUALLY_HTTP:
        return "http"
    return "tcp"
