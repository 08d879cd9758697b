"""Makes the apps from the Config: reads their manifests, exposes their Services, attaches their
routes to Gateways, and rejects what is wrong with any of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from kindctl.components.app import AppComponent
from kindctl.components.base import Controller
from kindctl.config.load import Loaded
from kindctl.errors import Problem
from kindctl.ingress.gateway_api import ServesGateways
from kindctl.manifests.http_routes import is_gateway_api
from kindctl.manifests.lint import LintContext, lint
from kindctl.manifests.lint_gateways import GatewayContext, lint_gateways
from kindctl.manifests.manifest import ERROR, Finding
from kindctl.manifests.routes import local_hosts
from kindctl.manifests.sources import Renderer
from kindctl.models import Endpoint, Route
from kindctl.planning.exposing import exposed_services
from kindctl.planning.origins import builds_of
from kindctl.planning.ports import NodePorts
from kindctl.problems import FieldPath, dotted, every_result, refuse
from kindctl.schema import AppConfig

HTTPS = 443


def read_apps(
    loaded: Loaded, controller: Controller | None, renderer: Renderer
) -> tuple[AppComponent, ...]:
    """Return the apps in the order of the file. Raises ConfigError with every problem in their
    manifests."""
    apps = tuple(
        _app(index, app, loaded, controller, renderer)
        for index, app in enumerate(loaded.config.apps)
    )
    every_result(lambda app: app.parsed, apps)
    return apps


def _app(
    index: int, app: AppConfig, loaded: Loaded, controller: Controller | None, renderer: Renderer
) -> AppComponent:
    at = ("apps", index, "manifests")
    return AppComponent(
        name=app.name,
        namespace=app.namespace or app.name,
        root=loaded.root,
        manifests=app.manifests,
        builds=tuple(builds_of(app, loaded.root)),
        expect=app.expect,
        ingress_classes=controller.ingress_classes if controller else (),
        render=renderer,
        problem=lambda index, message, hint: loaded.problem((*at, index), message, hint),
    )


def expose_services(loaded: Loaded, apps: Sequence[AppComponent], node_ports: NodePorts) -> None:
    """Set `exposed` of every app. Raises ConfigError with the problems of all apps.

    The apps are taken in the order of their names, so that the node ports that kindctl chooses do not
    depend on the order of the file.
    """
    by_name = sorted(range(len(apps)), key=lambda index: apps[index].name)
    found = every_result(lambda index: exposed_services(index, apps, loaded, node_ports), by_name)
    for index, services in zip(by_name, found, strict=True):
        apps[index].exposed = services


def hosts_of(apps: Sequence[AppComponent]) -> Iterator[str]:
    """Yield the host names of the apps. The certificate must be valid for those host names that mean this
    machine."""
    for app in apps:
        yield from local_hosts(manifest.obj for manifest in app.parsed)
        yield from (wanted.host for wanted in app.expect if wanted.host)


def lint_apps(
    apps: Sequence[AppComponent],
    controller: Controller | None,
    *,
    metrics: bool,
    addresses: bool,
) -> tuple[str, ...]:
    """Lint the manifests of all apps and return the warnings. Raises ConfigError with all errors.

    `metrics` says whether autoscalers get metrics, `addresses` whether Services get external addresses.
    """
    endpoints = controller.exposure.endpoints() if controller else ()
    context = LintContext(
        https=next((endpoint.port for endpoint in endpoints if endpoint.scheme == "https"), HTTPS),
        ingress_classes=controller.ingress_classes if controller else (),
        controllers=controller.parsed if controller else (),
        host_ports=controller.host_ports if controller else {},
        metrics=metrics,
        addresses=addresses,
        other_types=_services_with_node_ports(apps),
        built=tuple(build.image for app in apps for build in app.builds),
    )
    return raise_errors(lint({app.name: app.parsed for app in apps}, context))


def _services_with_node_ports(apps: Sequence[AppComponent]) -> Collection[tuple[str, str]]:
    return [
        (port.namespace, port.service)
        for app in apps
        for service in app.exposed
        for port in service.exposure.ports
        if service.exposure.mappings()
    ]


def raise_errors(findings: Sequence[Finding]) -> tuple[str, ...]:
    """Return the warnings among the findings. If any finding is an error, raises ConfigError with all
    errors."""
    refuse(finding.problem for finding in findings if finding.level == ERROR)
    return tuple(str(finding.problem) for finding in findings)


def attach_gateways(
    apps: Sequence[AppComponent], controller: object, *, strangers: bool
) -> list[Finding]:
    """Set `gateways` and `gateway_classes` of every app. Both include what the controller and all apps
    define.

    Returns the findings about Gateways and routes. `strangers` says whether the cluster may contain
    Gateways that kindctl does not know.
    """
    context = GatewayContext(strangers=strangers)
    if isinstance(controller, ServesGateways):
        context = GatewayContext(
            controller.gateway_classes, controller.listener_ports, controller.gateways, strangers
        )
    parsed = [manifest for app in apps for manifest in app.parsed]
    own = [m.obj for m in parsed if m.kind == "Gateway" and is_gateway_api(m.obj)]
    classes = [m.name for m in parsed if m.kind == "GatewayClass"]
    for app in apps:
        app.gateways = (*context.gateways, *own)
        app.gateway_classes = (*context.classes, *classes)
    return lint_gateways({app.name: app.parsed for app in apps}, context)


HINTS = {
    "expect": "put status and contains into one `expect`: each URL has only one",
    "expose": "remove one of the two entries",
    "manifests": "set another host or path in one of the two",
}
"""Key of the file that the later entry is under -> hint."""


def refuse_url_clashes(
    loaded: Loaded, apps: Sequence[AppComponent], endpoints: Sequence[Endpoint]
) -> None:
    """Raise ConfigError if two entries of the file have the same URL, with the place of the later entry.
    `up` identifies a route by its URL."""
    refuse(_clashes(loaded, apps, endpoints))


def _clashes(
    loaded: Loaded, apps: Sequence[AppComponent], endpoints: Sequence[Endpoint]
) -> Iterator[Problem]:
    first: dict[tuple[str, str], tuple[FieldPath, Route]] = {}
    for index, app in enumerate(apps):
        for below, route in app.placed_routes(endpoints):
            loc: FieldPath = ("apps", index, *below)
            other, known = first.setdefault((route.url, route.which), (loc, route))
            if known is route:
                continue
            url = f"{route.url} ({route.which})" if route.which else route.url
            whose = f"app {known.app!r}" if known.app != route.app else dotted(other)
            hint = HINTS["manifests" if known.app != route.app else str(below[0])]
            yield loaded.problem(loc, f"{url} is already used by {whose}", hint)
