"""Config -> the apps: their manifests, the exposures of their Services, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TypeVar

from kindctl.components.app import AppComponent
from kindctl.components.base import Controller
from kindctl.config.load import Loaded
from kindctl.errors import ConfigError, Problem
from kindctl.manifests.lint import LintContext, lint
from kindctl.manifests.manifest import Finding
from kindctl.manifests.routes import local_hosts
from kindctl.manifests.sources import Renderer
from kindctl.planning.exposing import exposed_services
from kindctl.planning.images import builds_of
from kindctl.planning.ports import NodePorts
from kindctl.schema import AppConfig

HTTPS = 443

T = TypeVar("T")
R = TypeVar("R")


def read_apps(
    loaded: Loaded, controller: Controller | None, renderer: Renderer
) -> tuple[AppComponent, ...]:
    """The apps in the order of the file. Raises ConfigError with every problem in their manifests."""
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
    """Set `exposed` of the apps, in the order of their names: so that node ports which are chosen do not
    depend on the order of the file. Raises ConfigError with the problems of all apps."""
    by_name = sorted(range(len(apps)), key=lambda index: apps[index].name)
    found = every_result(lambda index: exposed_services(index, apps, loaded, node_ports), by_name)
    for index, services in zip(by_name, found, strict=True):
        apps[index].exposed = services


def hosts_of(apps: Sequence[AppComponent]) -> Iterator[str]:
    """Hosts of the apps that the certificate has to be for, where they are this machine's."""
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
    """Warnings. `metrics`: whether autoscalers get metrics; `addresses`: whether Services get external
    addresses. Raises ConfigError with every finding that is certain to fail."""
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
    """The warnings among the findings. Raises ConfigError with every one that is an error."""
    if errors := [finding.problem for finding in findings if finding.level == "error"]:
        raise ConfigError(errors)
    return tuple(str(finding.problem) for finding in findings)


def every_result(make: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """What `make` returns for each item. Raises ConfigError with the problems of all items."""
    results: list[R] = []
    problems: list[Problem] = []
    for item in items:
        try:
            results.append(make(item))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return results
