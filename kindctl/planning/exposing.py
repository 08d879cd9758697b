"""The exposures that the file asks for: the controller's own, and those of Services of the apps."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Any, Literal, Protocol

from kindctl.components.app import AppComponent, Expect, ExposedService
from kindctl.config.load import Loaded
from kindctl.config.places import Loc
from kindctl.config.schema import AppConfig, Config, ExpectConfig, ExposeServiceConfig
from kindctl.errors import ConfigError, Problem
from kindctl.exposures import load_exposure
from kindctl.exposures.load_balancer import nodes_are_reachable, on_this_machine
from kindctl.ingress.entry_point import EntryPoint
from kindctl.kube_objects import is_tcp
from kindctl.manifests.manifest import Manifest
from kindctl.manifests.services import unreachable_reason
from kindctl.models import Endpoint, ExposedPort, Exposure, Object
from kindctl.planning.ports import NodePorts

USUALLY_HTTP = (80, 3000, 5000, 8000, 8080)


def controller_exposure(config: Config, entry_point: EntryPoint) -> Exposure:
    """How the host reaches the entry point that the controller declares."""
    expose = config.ingress.expose
    local = {"http": expose.http, "https": expose.https}
    if expose.via == "load-balancer":  # an external address has the ports of the Service
        local |= {p.scheme: p.port for p in entry_point.ports if isinstance(p.port, int)}
    node_ports = {port.scheme: port.node_port for port in entry_point.ports}
    if expose.via == "node-port":
        node_ports = {"http": expose.nodePorts.http, "https": expose.nodePorts.https}
    ports = tuple(
        ExposedPort(
            scheme=port.scheme,
            namespace=entry_point.namespace,
            service=entry_point.service,
            port=port.port,
            local=local[port.scheme],
            node_port=node_ports[port.scheme],
        )
        for port in entry_point.ports
    )
    return _exposure(config, expose.via, ports, expose.address)


def _exposure(
    config: Config, via: str, ports: Sequence[ExposedPort], address: str, local: int | None = None
) -> Exposure:
    """The exposure of that kind. A load balancer also gets ports of this machine: `local`, where the file
    names one, else where nothing else leads from here to the nodes."""
    options: dict[str, Any] = {}
    if via == "load-balancer":
        reachable = config.cluster.provider != "kind" or nodes_are_reachable()
        by_default = () if reachable else on_this_machine([port.local for port in ports])
        options = {"local_ports": (local,) if local else by_default, "reachable": reachable}
    return load_exposure(via)(ports, address, **options)


def expectation(wanted: ExpectConfig) -> Expect:
    """An `expect` of the file, as components have it."""
    return Expect(wanted.path, wanted.host, wanted.contains, wanted.status, wanted.scheme)


class ProblemAt(Protocol):
    def __call__(self, message: str, hint: str, *inner: str) -> Problem:
        """A Problem with the place of an entry of `expose`, or of the key `inner` in it."""
        ...


def exposed_services(
    app: AppConfig, apps: Sequence[AppComponent], loaded: Loaded, node_ports: NodePorts
) -> Iterator[ExposedService]:
    """The exposures of one of the `apps`, in the order of the file. Raises ConfigError for a Service that
    is in no manifest or in several, for a port that it does not have, and for an exposure that it
    cannot have."""
    problems: list[Problem] = []
    balanced: set[tuple[str, int | str]] = set()
    index = loaded.config.apps.index(app)
    found: dict[int, ExposedService] = {}

    def name(place: int) -> tuple[str, str]:
        """So that node ports which are chosen do not depend on the order of the file."""
        return app.expose[place].service, str(app.expose[place].port)

    for place in sorted(range(len(app.expose)), key=name):
        entry = app.expose[place]
        problem_at = _problem_at(loaded, ("apps", index, "expose", place))
        try:
            service = _service(entry.service, app.name, apps, problem_at)
            found[place] = _exposed(entry, service, loaded.config, problem_at, node_ports)
        except ConfigError as error:
            problems += error.problems
            continue
        for port in found[place].exposure.ports if entry.via == "load-balancer" else ():
            if (port.service, port.port) in balanced:
                message = (
                    f"port {port.port} of Service {port.service!r} already has an external address"
                )
                problems.append(problem_at(message, "remove one of the two entries"))
            balanced.add((port.service, port.port))
    if problems:
        raise ConfigError(problems)
    yield from (found[place] for place in sorted(found))


def _problem_at(loaded: Loaded, loc: Loc) -> ProblemAt:
    return lambda message, hint, *inner: loaded.problem((*loc, *inner), message, hint)


def _exposed(
    entry: ExposeServiceConfig,
    service: Manifest,
    config: Config,
    problem_at: ProblemAt,
    node_ports: NodePorts,
) -> ExposedService:
    service_port = _service_port(entry, service, problem_at)
    port = _exposed_port(entry, service, service_port, problem_at, node_ports)
    if entry.via == "load-balancer":
        _check_balanced(entry, service, config, problem_at)
    exposure = _exposure(config, entry.via, (port,), entry.address, entry.local)
    if reason := unreachable_reason(service, service_port, exposure):
        raise ConfigError([problem_at(*reason)])
    if entry.expect:
        _check_expect(entry.expect, port, problem_at)
    return ExposedService(exposure, expectation(entry.expect) if entry.expect else None)


def _check_balanced(
    entry: ExposeServiceConfig, service: Manifest, config: Config, problem_at: ProblemAt
) -> None:
    if "address" in entry.model_fields_set and not entry.local:
        message = "`address` has no effect with `via: load-balancer` unless `local` is set"
        raise ConfigError(
            [problem_at(message, "add `local: PORT`, or remove `address`", "address")]
        )
    wanted = (service.obj.get("spec") or {}).get("loadBalancerClass")
    if wanted and config.cluster.provider == "kind":  # MetalLB has none
        message = (
            f"no load balancer serves the loadBalancerClass {wanted!r} of Service {entry.service!r}"
        )
        hint = f"remove it to use MetalLB: {service.where(('spec', 'loadBalancerClass'))}"
        raise ConfigError([problem_at(message, hint)])


def _check_expect(expect: ExpectConfig, port: ExposedPort, problem_at: ProblemAt) -> None:
    if port.scheme == "tcp":
        message = (
            f"`expect` is for HTTP, but port {port.port} of Service {port.service!r} speaks tcp"
        )
        raise ConfigError(
            [problem_at(message, "set `scheme: http` beside `via`, or remove `expect`", "expect")]
        )
    if expect.scheme not in (None, port.scheme):
        message = f"port {port.port} of Service {port.service!r} speaks {port.scheme}"
        hint = f"set `scheme: {expect.scheme}` beside `via`, not in `expect`"
        raise ConfigError([problem_at(message, hint, "expect", "scheme")])


def refuse_unanswered(loaded: Loaded, endpoints: Sequence[Endpoint]) -> None:
    """Raises ConfigError where an app expects a scheme that the controller does not speak."""
    schemes = {endpoint.scheme for endpoint in endpoints}
    problems = [
        loaded.problem(
            ("apps", index, "expect", place, "scheme"),
            f"the ingress controller has no port for {wanted.scheme}",
            f"set ingress.custom.ports.{wanted.scheme}, or remove `scheme`",
        )
        for index, app in enumerate(loaded.config.apps)
        for place, wanted in enumerate(app.expect)
        if wanted.scheme and wanted.scheme not in schemes
    ]
    if problems:
        raise ConfigError(problems)


def _service(name: str, app: str, apps: Sequence[AppComponent], problem_at: ProblemAt) -> Manifest:
    every = [(a.name, m) for a in apps for m in a.parsed if m.kind == "Service"]
    own = [manifest for of, manifest in every if of == app]
    meant = [manifest for manifest in own if manifest.name == name]
    if len(meant) == 1:
        return meant[0]
    if meant:
        where = " and ".join(sorted(manifest.namespace for manifest in meant))
        message = f"the app has a Service {name!r} in namespaces {where}"
        raise ConfigError(
            [
                problem_at(
                    message, "only one can be meant: rename the other, or move it to its own app"
                )
            ]
        )
    known = [manifest.name for manifest in own]
    close = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {close[0]!r}?" if close else f"the app's Services: {', '.join(known)}"
    if others := [of for of, manifest in every if manifest.name == name]:
        hint = f"app {others[0]!r} has it: expose it there"
    elif not known:
        hint = "the app has no Services"
    raise ConfigError([problem_at(f"no manifest of the app has a Service {name!r}", hint)])


def _service_port(entry: ExposeServiceConfig, service: Manifest, problem_at: ProblemAt) -> Object:
    """The entry of the Service's ports that `port` of the file names."""
    ports = (service.obj.get("spec") or {}).get("ports") or []
    fitting = [p for p in ports if entry.port in (None, p.get("port"), p.get("name"))]
    fitting = [p for p in fitting if is_tcp(p)] or fitting  # DNS has one number for both protocols
    if len(fitting) == 1:
        return dict(fitting[0])
    message = f"Service {entry.service!r} has no port {entry.port!r}"
    if entry.port is None:
        message = f"Service {entry.service!r} has {len(ports) or 'no'} ports"
    names = ", ".join(str(p.get("name") or p.get("port")) for p in ports)
    hint = f"set `port` to one of: {names}" if ports else "give it a port"
    if entry.port in [str(p.get("port")) for p in ports]:
        hint = f"write the number without quotes: port: {entry.port}"
    raise ConfigError([problem_at(message, hint)])


def _exposed_port(
    entry: ExposeServiceConfig,
    service: Manifest,
    service_port: Object,
    problem_at: ProblemAt,
    node_ports: NodePorts,
) -> ExposedPort:
    number, node_port = int(service_port["port"]), 0
    if entry.via == "node-port":
        given = service_port.get("nodePort")
        if entry.nodePort and given and entry.nodePort != given:
            message = f"Service {entry.service!r} has nodePort {given} in its manifest, "
            message += f"and {entry.nodePort} here"
            hint = f"remove one of the two: {service.where(('spec', 'ports'))}"
            raise ConfigError([problem_at(message, hint)])
        node_port = entry.nodePort or given or node_ports.choose(service, number)
    return ExposedPort(
        scheme=entry.scheme or scheme_of(service_port),
        namespace=service.namespace,
        service=entry.service,
        port=number,
        local=number if entry.via == "load-balancer" else entry.local or node_port or number,
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
