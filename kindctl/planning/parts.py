"""Config -> the parts of an environment: provider, components, exposures, images. Nothing is asked of the
engine or the cluster here, so that what cannot work is refused before either is touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from kindctl import kubeconfig
from kindctl.components import CONTROLLERS, load_addon, load_controller
from kindctl.components.app import AppComponent, assign_namespaces
from kindctl.components.base import (
    Component,
    Controller,
    Setup,
)
from kindctl.config.load import Loaded
from kindctl.config.schema import (
    AppConfig,
    ChartConfig,
    Config,
    ExistingConfig,
)
from kindctl.diagnose.base import WantedPort, Wants
from kindctl.errors import ConfigError, KindctlError, Problem
from kindctl.images import cas
from kindctl.images.objects import objects_in
from kindctl.images.pins import HELM, node_reference
from kindctl.images.store import Images
from kindctl.ingress.gateway_api import Read
from kindctl.ingress.handover import Handover
from kindctl.ingress.replicas import Scaling
from kindctl.manifests.lint import LintContext, lint
from kindctl.manifests.manifest import Finding
from kindctl.manifests.rendering import Programs
from kindctl.manifests.routes import local_hosts
from kindctl.manifests.sources import Chart, ManifestSource, Renderer
from kindctl.models import (
    AppBuild,
    Endpoint,
    Exposure,
    Forward,
    Object,
    PortMapping,
    Route,
)
from kindctl.planning.exposing import controllers_way, expectation, exposed, refuse_unanswered
from kindctl.planning.gateways import attach_gateways
from kindctl.planning.neighbours import neighbours
from kindctl.planning.ports import NodePorts, claims_of, on_this_machine, refuse_port_clashes
from kindctl.planning.url_clashes import refuse_url_clashes
from kindctl.providers import load_provider
from kindctl.providers.base import Provider
from kindctl.tools.protocols import Tools
from kindctl.trust.authority import Authority
from kindctl.trust.serving import Serving

HTTPS = 443

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Parts:
    """What an environment is made of, and the ways into it."""

    controller: Controller | None
    handover: Handover
    certificate: Serving
    components: tuple[Component, ...]  # the registry's word, the add-ons, the controller, the apps
    ways: tuple[tuple[str, Exposure], ...]  # the component whose Service it leads to, and the way
    routes: tuple[Route, ...]
    ports: tuple[WantedPort, ...]  # of this machine
    warnings: tuple[str, ...]  # what the manifests promise and will not get

    @property
    def way_is_single(self) -> bool:
        """Whether two controllers cannot have the way in at once: they share ports, of a node or forwarded
        ones. An external address is each one's own."""
        ways = [self.controller.exposure] if self.controller else []
        return any(way.on_node or way.mappings() or way.forwards() for way in ways)

    @property
    def mappings(self) -> tuple[PortMapping, ...]:
        return tuple(mapping for _, way in self.ways for mapping in way.mappings())

    @property
    def forwards(self) -> tuple[Forward, ...]:
        return tuple(forward for _, way in self.ways for forward in way.forwards())

    @property
    def external(self) -> dict[str, str]:
        """Services that get their address from the cluster ("namespace/name") -> their component."""
        return {
            endpoint.external: component
            for component, way in self.ways
            for endpoint in way.endpoints()
            if endpoint.external
        }


def parts_of(loaded: Loaded, tools: Tools) -> Parts:
    """`tools` render what has to be rendered; no other use is made of them. Raises ConfigError for
    manifests that are certain to fail, and for what cannot be combined."""
    config = loaded.config
    render = renderer_of(loaded, tools)
    named: list[str] = []  # by the apps, which are read after the controller is made
    certificate = Serving(Authority(tools.host), lambda: named)
    setup = _setup(loaded, tools, render, certificate, reader_of(loaded, tools))
    controller = None
    if config.ingress.controller != "none":
        controller = load_controller(config.ingress.controller, setup)
    apps = tuple(_app(app, loaded, controller, render) for app in config.apps)
    every_result(lambda app: app.parsed, apps)
    node_ports = NodePorts.of(loaded, controller, apps)
    in_order = sorted(zip(config.apps, apps, strict=True), key=lambda pair: pair[0].name)
    ways_in = every_result(lambda pair: tuple(exposed(pair[0], apps, loaded, node_ports)), in_order)
    for (_, component), ways_of_it in zip(in_order, ways_in, strict=True):
        component.exposed = ways_of_it
    claims = claims_of(loaded, controller, apps)
    refuse_port_clashes(loaded, claims, node_ports)
    warnings = lint_apps(
        apps,
        controller,
        metrics="metrics-server" in config.addons,
        addresses="metallb" in config.addons or config.cluster.provider != "kind",
    )
    strangers = config.cluster.provider != "kind" or config.ingress.controller == "custom"
    warnings += raise_errors(attach_gateways(apps, controller, strangers=strangers))
    named += [config.ingress.expose.address, *_local_hosts(apps)]
    addons = tuple(load_addon(name, setup) for name in config.addons)
    components = (*_registry(config), *addons, *((controller,) if controller else ()), *apps)
    assign_namespaces(components)
    ways = [(controller.name, controller.exposure)] if controller else []
    ways += [(app.name, way.exposure) for app in apps for way in app.exposed]
    endpoints: Sequence[Endpoint] = controller.exposure.endpoints() if controller else ()
    if controller:
        refuse_unanswered(loaded, endpoints)
    refuse_url_clashes(loaded, apps, endpoints)
    routes = tuple(
        controller.with_proof(route) if controller and route.via_controller else route
        for part in components
        for route in part.routes(endpoints)
    )
    return Parts(
        controller,
        setup.handover,
        certificate,
        components,
        tuple(ways),
        routes,
        on_this_machine(claims),
        warnings,
    )


def every_result(make: Callable[[T], R], given: Sequence[T]) -> list[R]:
    """Raises ConfigError with the problems of all of them, not of the first alone."""
    results: list[R] = []
    problems: list[Problem] = []
    for item in given:
        try:
            results.append(make(item))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return results


def _registry(config: Config) -> Iterator[Component]:
    if config.cluster.registry:
        from kindctl.components.local_registry import LocalRegistryHosting

        name = f"kindctl-{config.name}-registry"
        yield LocalRegistryHosting(f"localhost:{config.cluster.registry.port}", f"{name}:5000")


def provider_of(
    loaded: Loaded, tools: Tools, images: Images, mappings: Sequence[PortMapping]
) -> Provider:
    config = loaded.config
    where = config.cluster.provider
    made: Provider
    if isinstance(where, ExistingConfig):
        made = load_provider("existing")(
            tools,
            config.name,
            where.existing,
            kubeconfig.user_files(),
            where.server or "",
            (config.images.push or "").rstrip("/"),
            (config.images.pull or "").rstrip("/"),
        )
        return made
    made = load_provider("kind")(
        tools,
        config.name,
        node_image=config.cluster.image or node_reference(config.cluster.kubernetes),
        resolve=images.resolve,
        mappings=mappings,
        workers=config.cluster.workers,
        gateways=config.cluster.gateways,
        extra=config.cluster.kind,
        extra_cas=images.book.extra_cas,
        extra_cas_label=cas.label(images.book.extra_cas),
        registry_port=config.cluster.registry.port if config.cluster.registry else 0,
    )
    return made


def wants(loaded: Loaded, parts: Parts) -> Wants:
    """What the environment asks of the machine."""
    config = loaded.config
    local = not isinstance(config.cluster.provider, ExistingConfig)
    return Wants(
        ports=parts.ports,
        kubernetes=config.cluster.kubernetes,
        workers=config.cluster.workers + config.cluster.gateways,
        environment=config.name,
        local=local,
    )


def images_of(loaded: Loaded, tools: Tools) -> Images:
    config, root = loaded.config, loaded.root
    own = {Path(file).name: (root / file).read_text() for file in config.extraCAs}
    return Images(
        tools,
        config.images.sources,
        config.images.mirrors,
        {**tools.host.trusted_cas(), **own},
        [build for app in config.apps for build in builds_of(app, root)],
    )


def renderer_of(loaded: Loaded, tools: Tools) -> Renderer:
    """Nothing is looked for before a kustomization or a chart asks for it."""
    cluster = loaded.config.cluster

    def find(reference: str) -> str | None:
        try:
            return images_of(loaded, tools).resolve(reference)
        except KindctlError:  # no engine
            return None

    node, helm = rendering_images(loaded.config)
    own_node = cluster.image is not None or cluster.provider != "kind"
    folders = (loaded.root, *loaded.root.parents)
    return Programs(
        tools.host,
        # a kustomization may have its base outside of the file's folder
        mount=next((folder for folder in folders if (folder / ".git").exists()), loaded.root),
        kubectl_image=lambda: find(node),
        helm_image=lambda: find(helm),
        kubernetes="" if own_node else cluster.kubernetes,
    )


def reader_of(loaded: Loaded, tools: Tools) -> Read:
    def read(image: str, folder: str) -> Sequence[Object]:
        served = images_of(loaded, tools).resolve(image)
        return objects_in(tools.engine, served, folder) if served else ()

    return read


def rendering_images(config: Config) -> tuple[str, str]:
    """Where kubectl and helm are, for a machine that has neither: a node image, and one of their own."""
    cluster = config.cluster
    return cluster.image or node_reference(cluster.kubernetes), HELM


def _sources(entries: Sequence[str | ChartConfig]) -> tuple[ManifestSource, ...]:
    return tuple(
        Chart(entry.chart, entry.name or "", entry.values, entry.set)
        if isinstance(entry, ChartConfig)
        else entry
        for entry in entries
    )


# --- the controller ------------------------------------------------------------------------------


def _setup(
    loaded: Loaded, tools: Tools, render: Renderer, certificate: Serving, read: Read
) -> Setup:
    config = loaded.config
    ingress = config.ingress
    scale = ingress.autoscale
    return Setup(
        environment=config.name,
        handover=Handover(config.name, [component for _, component, _ in CONTROLLERS.values()]),
        certificate=certificate,
        neighbours=lambda: neighbours(tools.engine, config.name),
        shared=ingress.expose.via == "node-port",
        expose=partial(controllers_way, config),
        scaling=Scaling(
            ingress.replicas,
            (scale.max, scale.cpu) if scale else None,
            config.cluster.gateways,
        ),
        gateway_api=ingress.gatewayAPI,
        custom=ingress.custom.model_dump() if ingress.custom else {},
        root=loaded.root,
        sources=_sources(ingress.custom.manifests) if ingress.custom else (),
        fault=lambda at, message, hint: loaded.problem(("ingress", "custom", *at), message, hint),
        empty=config.cluster.provider == "kind",
        render=render,
        read=read,
    )


# --- the apps ------------------------------------------------------------------------------------


def _app(
    app: AppConfig, loaded: Loaded, controller: Controller | None, render: Renderer
) -> AppComponent:
    at = ("apps", loaded.config.apps.index(app), "manifests")
    return AppComponent(
        name=app.name,
        namespace=app.namespace or app.name,
        root=loaded.root,
        manifests=_sources(app.manifests),
        builds=tuple(builds_of(app, loaded.root)),
        expect=tuple(expectation(wanted) for wanted in app.expect),
        ingress_classes=controller.ingress_classes if controller else (),
        render=render,
        fault=lambda index, message, hint: loaded.problem((*at, index), message, hint),
    )


def _local_hosts(apps: Sequence[AppComponent]) -> Iterator[str]:
    for app in apps:
        yield from local_hosts(manifest.obj for manifest in app.parsed)
        yield from (wanted.host for wanted in app.expect if wanted.host)


def raise_errors(findings: Sequence[Finding]) -> tuple[str, ...]:
    """Warnings. Raises ConfigError with every finding that is certain to fail."""
    if errors := [finding.problem for finding in findings if finding.level == "error"]:
        raise ConfigError(errors)
    return tuple(str(finding.problem) for finding in findings)


def lint_apps(
    apps: Sequence[AppComponent],
    controller: Controller | None,
    *,
    metrics: bool = False,
    addresses: bool = True,
) -> tuple[str, ...]:
    """Warnings. Raises ConfigError with every finding that is certain to fail."""
    endpoints = controller.exposure.endpoints() if controller else ()
    around = LintContext(
        https=next((endpoint.port for endpoint in endpoints if endpoint.scheme == "https"), HTTPS),
        ingress_classes=controller.ingress_classes if controller else (),
        controllers=controller.parsed if controller else (),
        host_ports=controller.host_ports if controller else {},
        metrics=metrics,
        addresses=addresses,
        other_types=[
            (port.namespace, port.service)
            for app in apps
            for way in app.exposed
            for port in way.exposure.ports
            if way.exposure.mappings()
        ],
        built=tuple(build.image for app in apps for build in app.builds),
    )
    return raise_errors(lint({app.name: app.parsed for app in apps}, around))


def builds_of(app: AppConfig, root: Path) -> Iterator[AppBuild]:
    for build in app.build:
        context = (root / build.context).resolve()
        yield AppBuild(
            build.image, context, context / build.dockerfile, build.target, dict(build.args)
        )
