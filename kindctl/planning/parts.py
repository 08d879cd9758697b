"""Makes the parts of an environment from the Config: components, exposures, routes and ports.

Nothing here asks the engine or the cluster, so a file that cannot work is refused before either is touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kindctl.components import CONTROLLERS, controller_class, load_addon
from kindctl.components.app import assign_namespaces
from kindctl.components.base import (
    Addon,
    Component,
    Controller,
    ControllerSetup,
    CustomSettings,
    Setup,
)
from kindctl.config.load import Loaded
from kindctl.diagnose.base import WantedPort, Wants
from kindctl.errors import Problem
from kindctl.ingress.handover import Handover
from kindctl.ingress.replicas import Scaling
from kindctl.manifests.manifest import read_manifests
from kindctl.manifests.sources import Renderer
from kindctl.models import Endpoint, Exposure, Forward, PortMapping, Route
from kindctl.planning.apps import (
    attach_gateways,
    expose_services,
    hosts_of,
    lint_apps,
    raise_errors,
    read_apps,
    refuse_url_clashes,
)
from kindctl.planning.exposing import controller_exposure, refuse_unanswered
from kindctl.planning.neighbours import neighbours
from kindctl.planning.origins import image_reader, renderer_of
from kindctl.planning.ports import NodePorts, claims_of, on_this_machine, refuse_port_clashes
from kindctl.problems import FieldPath
from kindctl.schema import Config, ExistingConfig
from kindctl.tools.protocols import Tools
from kindctl.trust.authority import Authority
from kindctl.trust.serving import Serving


@dataclass(frozen=True)
class Parts:
    """The parts of an environment, and how the host reaches it."""

    controller: Controller | None
    addons: tuple[Addon, ...]
    handover: Handover
    certificate: Serving
    components: tuple[Component, ...]  # the registry's ConfigMap, add-ons, the controller, apps
    exposures: tuple[tuple[str, Exposure], ...]  # with the component whose Service is exposed
    routes: tuple[Route, ...]
    ports: tuple[WantedPort, ...]  # of this machine
    warnings: tuple[str, ...]  # what the manifests ask for and will not get

    @property
    def needs_handover(self) -> bool:
        """Whether two controllers cannot be exposed at once because both use the same ports (ports of a
        node, or forwarded ports). External addresses never clash, as each controller gets its own
        address."""
        if self.controller is None:
            return False
        exposure = self.controller.exposure
        return bool(exposure.on_node or exposure.mappings() or exposure.forwards())

    @property
    def mappings(self) -> tuple[PortMapping, ...]:
        return tuple(mapping for _, exposure in self.exposures for mapping in exposure.mappings())

    @property
    def forwards(self) -> tuple[Forward, ...]:
        return tuple(forward for _, exposure in self.exposures for forward in exposure.forwards())

    @property
    def external(self) -> dict[str, str]:
        """The Services that get an external address from the cluster, as "namespace/name" -> the component
        that defines the Service."""
        return {
            endpoint.external: component
            for component, exposure in self.exposures
            for endpoint in exposure.endpoints()
            if endpoint.external
        }


def parts_of(loaded: Loaded, tools: Tools) -> Parts:
    """Make the parts of the environment. Raises ConfigError for manifests that are certain to fail, and for
    entries of the file that contradict each other.

    While this runs, `tools` are used only to render manifests.
    """
    config = loaded.config
    renderer = renderer_of(loaded, tools)
    hosts: list[str] = []  # of the certificate; the apps name them, which are read later
    certificate = Serving(Authority(tools.host), lambda: hosts)
    handover = Handover(config.name, [component for _, component, _ in CONTROLLERS.values()])
    setup = Setup(config.name, lambda: neighbours(tools.engine, config.name))

    controller = _controller(
        loaded, tools, setup, renderer, handover=handover, certificate=certificate
    )
    addons = tuple(load_addon(name, setup) for name in config.addons)
    apps = read_apps(loaded, controller, renderer)
    hosts += [config.ingress.expose.address, *hosts_of(apps)]

    node_ports = NodePorts.of(loaded, controller, apps)
    expose_services(loaded, apps, node_ports)
    claims = claims_of(loaded, controller, apps)
    refuse_port_clashes(loaded, claims, node_ports)

    warnings = lint_apps(
        apps,
        controller,
        metrics=any(addon.gives_metrics for addon in addons),
        addresses=any(addon.gives_addresses for addon in addons)
        or config.cluster.provider != "kind",
    )
    foreign_gateways = config.cluster.provider != "kind" or config.ingress.controller == "custom"
    warnings += raise_errors(attach_gateways(apps, controller, strangers=foreign_gateways))

    components = (*_registry(config), *addons, *((controller,) if controller else ()), *apps)
    assign_namespaces(components)
    exposures = [(controller.name, controller.exposure)] if controller else []
    exposures += [(app.name, service.exposure) for app in apps for service in app.exposed]
    endpoints: Sequence[Endpoint] = controller.exposure.endpoints() if controller else ()
    if controller:
        refuse_unanswered(loaded, endpoints)
    refuse_url_clashes(loaded, apps, endpoints)
    routes = tuple(
        controller.with_proof(route) if controller and route.via_controller else route
        for component in components
        for route in component.routes(endpoints)
    )
    return Parts(
        controller,
        addons,
        handover,
        certificate,
        components,
        tuple(exposures),
        routes,
        on_this_machine(claims),
        warnings,
    )


def _registry(config: Config) -> Iterator[Component]:
    """Yield the component that announces the cluster's image registry to tools, if the file asks for
    one."""
    if config.cluster.registry:
        from kindctl.components.local_registry import LocalRegistryHosting

        name = f"kindctl-{config.name}-registry"
        yield LocalRegistryHosting(f"localhost:{config.cluster.registry.port}", f"{name}:5000")


def wants(loaded: Loaded, parts: Parts) -> Wants:
    """Return what the environment requires of this machine, for the checks of `up` and `doctor`."""
    cluster = loaded.config.cluster
    return Wants(
        ports=parts.ports,
        kubernetes=cluster.kubernetes,
        workers=cluster.workers + cluster.gateways,
        environment=loaded.config.name,
        local=not isinstance(cluster.provider, ExistingConfig),
    )


def _controller(
    loaded: Loaded,
    tools: Tools,
    setup: Setup,
    renderer: Renderer,
    *,
    handover: Handover,
    certificate: Serving,
) -> Controller | None:
    """Make the ingress controller, with the exposure that the file asks for; None for `controller: none`.
    Raises ConfigError with every problem of `ingress.custom`."""
    config, ingress = loaded.config, loaded.config.ingress
    if ingress.controller == "none":
        return None
    plugin, scale = controller_class(ingress.controller), ingress.autoscale
    custom = _custom_settings(loaded, renderer)
    entry_point = plugin.entry_point(custom, node_ports=ingress.expose.via == "node-port")
    autoscale = (scale.max, scale.cpu) if scale else None
    return plugin(
        ControllerSetup(
            setup.environment,
            setup.neighbours,
            exposure=controller_exposure(config, entry_point),
            handover=handover,
            certificate=certificate,
            scaling=Scaling(ingress.replicas, autoscale, config.cluster.gateways),
            gateway_api=ingress.gatewayAPI,
            read_image=image_reader(loaded, tools),
            fresh_cluster=config.cluster.provider == "kind",
            custom=custom,
        )
    )


def _custom_settings(loaded: Loaded, renderer: Renderer) -> CustomSettings | None:
    """Return `ingress.custom` with its manifests; None for another controller. Raises ConfigError if the
    manifests cannot be read."""
    ingress = loaded.config.ingress
    custom = ingress.custom
    if ingress.controller != "custom" or custom is None:
        return None

    def problem(path: FieldPath, message: str, hint: str) -> Problem:
        return loaded.problem(("ingress", "custom", *path), message, hint)

    manifests = read_manifests(
        loaded.root,
        custom.manifests,
        custom.namespace,
        render=renderer,
        entry_problem=lambda index, message, hint: problem(("manifests", index), message, hint),
    )
    return CustomSettings(custom, manifests, problem)
