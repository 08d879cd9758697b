"""Works out what to expose, and how, from kindctl.yaml: the ingress controller and the apps'
Services."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kindctl.components.app import AppComponent, ExposedService
from kindctl.config.load import Loaded
from kindctl.errors import ConfigError
from kindctl.exposures import load_exposure
from kindctl.exposures.load_balancer import nodes_are_reachable, on_this_machine
from kindctl.ingress.entry_point import EntryPoint
from kindctl.kube_objects import entries, is_tcp, spec_of
from kindctl.manifests.manifest import Manifest
from kindctl.manifests.services import unreachable_reason
from kindctl.models import Endpoint, ExposedPort, Exposure, Object
from kindctl.planning.ports import NodePorts
from kindctl.problems import FieldPath, did_you_mean, every_result, refuse
from kindctl.schema import Config, ExpectConfig, ExposeServiceConfig

USUALLY_HTTP = (80, 3000, 5000, 8000, 8080)


def controller_exposure(config: Config, entry_point: EntryPoint) -> Exposure:
    """Return the exposure of the entry point that the controller declares."""
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
    """Return an exposure of that kind.

    A load balancer also gets forwarded ports of this machine. If the file names a port `local`, only that
    port is forwarded. Otherwise each port is forwarded if this machine cannot reach the nodes.
    """
    options: dict[str, Any] = {}
    if via == "load-balancer":
        reachable = config.cluster.provider != "kind" or nodes_are_reachable()
        by_default = () if reachable else on_this_machine([port.local for port in ports])
        options = {"local_ports": (local,) if local else by_default, "reachable": reachable}
    return load_exposure(via)(ports, address, **options)


def refuse_unanswered(loaded: Loaded, endpoints: Sequence[Endpoint]) -> None:
    """Raise ConfigError if an app expects a scheme for which the controller has no port."""
    schemes = {endpoint.scheme for endpoint in endpoints}
    refuse(
        loaded.problem(
            ("apps", index, "expect", place, "scheme"),
            f"the ingress controller has no port for {wanted.scheme}",
            f"set ingress.custom.ports.{wanted.scheme}, or remove `scheme`",
        )
        for index, app in enumerate(loaded.config.apps)
        for place, wanted in enumerate(app.expect)
        if wanted.scheme and wanted.scheme not in schemes
    )


def exposed_services(
    index: int, apps: Sequence[AppComponent], loaded: Loaded, node_ports: NodePorts
) -> tuple[ExposedService, ...]:
    """Return the exposures of one of the `apps`, in the order of the file. Raises ConfigError for a
    Service that no manifest or more than one manifest defines, for a port that the Service does
    not define, and for a kind of exposure that does not work with it."""
    exposed = [
        _Entry(config, ("apps", index, "expose", place), apps[index], apps, loaded)
        for place, config in enumerate(loaded.config.apps[index].expose)
    ]
    balanced: set[tuple[str, int | str]] = set()
    # sorted, so that the node ports which are chosen do not depend on the order of the file
    by_name = sorted(exposed, key=lambda entry: (entry.name, str(entry.config.port)))
    services = every_result(lambda entry: entry.exposed(node_ports, balanced), by_name)
    by_path = {entry.loc: service for entry, service in zip(by_name, services, strict=True)}
    return tuple(by_path[entry.loc] for entry in exposed)


@dataclass(frozen=True)
class _Entry:
    """An entry of `expose` of an app, with its place in the file."""

    config: ExposeServiceConfig
    loc: FieldPath
    app: AppComponent
    apps: Sequence[AppComponent]
    loaded: Loaded

    @property
    def name(self) -> str:
        return self.config.service

    def error(self, message: str, hint: str, *inner: str) -> ConfigError:
        """Return an error at the place of the entry, or of the key `inner` in it."""
        return ConfigError([self.loaded.problem((*self.loc, *inner), message, hint)])

    def exposed(
        self, node_ports: NodePorts, balanced: set[tuple[str, int | str]]
    ) -> ExposedService:
        """Make the exposure of this entry. Raises ConfigError.

        `balanced` collects the (Service, port) pairs that have an external address.
        """
        config, service = self.config, self._service()
        service_port = self._service_port(service)
        port = self._exposed_port(service, service_port, node_ports)
        if config.via == "load-balancer":
            self._check_balanced(service)
        exposure = _exposure(self.loaded.config, config.via, (port,), config.address, config.local)
        if reason := unreachable_reason(service, service_port, exposure):
            raise self.error(*reason)
        if config.expect:
            self._check_expect(config.expect, port)
        if config.via == "load-balancer":
            if (port.service, port.port) in balanced:
                message = (
                    f"port {port.port} of Service {self.name!r} already has an external address"
                )
                raise self.error(message, "remove one of the two entries")
            balanced.add((port.service, port.port))
        return ExposedService(exposure, config.expect)

    def _service(self) -> Manifest:
        """Return the Service that the entry names. Raises ConfigError unless the app has exactly one."""
        every = [(app, m) for app in self.apps for m in app.parsed if m.kind == "Service"]
        own = [manifest for app, manifest in every if app is self.app]
        found = [manifest for manifest in own if manifest.name == self.name]
        if len(found) == 1:
            return found[0]
        if found:
            where = " and ".join(sorted(manifest.namespace for manifest in found))
            raise self.error(
                f"the app has a Service {self.name!r} in namespaces {where}",
                "rename one of the two Services, or move it to another app",
            )
        known = [manifest.name for manifest in own]
        hint = did_you_mean(self.name, known, f"the app's Services: {', '.join(known)}")
        if others := [app for app, manifest in every if manifest.name == self.name]:
            hint = f"app {others[0].name!r} defines the Service: expose it in that app"
        elif not known:
            hint = "the app has no Services"
        raise self.error(f"no manifest of the app defines Service {self.name!r}", hint)

    def _service_port(self, service: Manifest) -> Object:
        """Return the port of the Service that the entry names. Raises ConfigError if there is none."""
        wanted = self.config.port
        ports = entries(service.obj, "spec", "ports")
        fitting = [p for p in ports if wanted in (None, p.get("port"), p.get("name"))]
        fitting = [p for p in fitting if is_tcp(p)] or fitting  # DNS has one number for TCP and UDP
        if len(fitting) == 1:
            return dict(fitting[0])
        message = f"Service {self.name!r} has no port {wanted!r}"
        if wanted is None:
            message = f"Service {self.name!r} has {len(ports) or 'no'} ports"
        names = ", ".join(str(p.get("name") or p.get("port")) for p in ports)
        hint = f"set `port` to one of: {names}" if ports else "add a port to the Service"
        if wanted in [str(p.get("port")) for p in ports]:
            hint = f"write the number without quotes: port: {wanted}"
        raise self.error(message, hint)

    def _exposed_port(
        self, service: Manifest, service_port: Object, node_ports: NodePorts
    ) -> ExposedPort:
        config = self.config
        number, node_port = int(service_port["port"]), 0
        if config.via == "node-port":
            given = service_port.get("nodePort")
            if config.nodePort and given and config.nodePort != given:
                raise self.error(
                    f"the manifest of Service {self.name!r} sets nodePort {given}, "
                    f"but `expose` sets {config.nodePort}",
                    f"remove one of the two; the manifest's is at {service.where(('spec', 'ports'))}",
                )
            node_port = config.nodePort or given or node_ports.choose(service, number)
        return ExposedPort(
            scheme=config.scheme or scheme_of(service_port),
            namespace=service.namespace,
            service=self.name,
            port=number,
            local=number if config.via == "load-balancer" else config.local or node_port or number,
            node_port=node_port,
        )

    def _check_balanced(self, service: Manifest) -> None:
        if "address" in self.config.model_fields_set and not self.config.local:
            message = "`address` has no effect with `via: load-balancer` unless `local` is set"
            raise self.error(message, "add `local: PORT`, or remove `address`", "address")
        wanted = spec_of(service.obj).get("loadBalancerClass")
        if wanted and self.loaded.config.cluster.provider == "kind":  # MetalLB has none
            message = f"no load balancer serves the loadBalancerClass {wanted!r}"
            where = service.where(("spec", "loadBalancerClass"))
            hint = f"remove loadBalancerClass to use MetalLB: {where}"
            raise self.error(f"{message} of Service {self.name!r}", hint)

    def _check_expect(self, expect: ExpectConfig, port: ExposedPort) -> None:
        speaks = f"port {port.port} of Service {self.name!r} speaks {port.scheme}"
        if port.scheme == "tcp":
            hint = "set `scheme: http` beside `via`, or remove `expect`"
            raise self.error(f"`expect` is for HTTP, but {speaks}", hint, "expect")
        if expect.scheme not in (None, port.scheme):
            hint = f"set `scheme: {expect.scheme}` beside `via`, not in `expect`"
            raise self.error(speaks, hint, "expect", "scheme")


def scheme_of(port: Object) -> Literal["http", "https", "tcp"]:
    """Guess the protocol of a Service's port from its appProtocol, its name or its number."""
    words = (str(port.get("appProtocol") or ""), str(port.get("name") or ""))
    if any(word.startswith("https") for word in words) or port["port"] in (443, 8443):
        return "https"
    if any(word.startswith("http") for word in words) or port["port"] in USUALLY_HTTP:
        return "http"
    return "tcp"
