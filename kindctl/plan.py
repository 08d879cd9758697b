"""Config -> Plan: the whole of `up`, top to bottom.

preflight ─┬─ node image ─► cluster ┬ containerd ─► images in the nodes ─┐
           ├─ app images built ─────┼───────▲                            ├─► ready ─► URLs ─► prune
           ├─ other images ─────────┘       │                            │
           └                        └ api ──┴──────► objects applied ────┘
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from kindctl import __version__
from kindctl.components import load_controller
from kindctl.components.app import AppComponent, Expect, settle_namespaces
from kindctl.components.base import Component, Controller
from kindctl.components.lint import Surroundings, lint
from kindctl.config.load import Loaded
from kindctl.config.schema import AppConfig, Config
from kindctl.diagnose.base import Wants
from kindctl.diagnose.causes import explain
from kindctl.errors import ConfigError, Problem
from kindctl.exposures import load_exposure
from kindctl.exposures.base import Exposure
from kindctl.images import cas
from kindctl.images.pins import node_reference
from kindctl.images.references import full_name
from kindctl.images.store import Images
from kindctl.models import AppBuild, Route, Step
from kindctl.providers.kind import KindProvider
from kindctl.steps.app_image import AppImageBuilt
from kindctl.steps.cluster import ClusterStep
from kindctl.steps.delivery import ImageInNodes
from kindctl.steps.image import ImagePresent
from kindctl.steps.objects import ObjectsApplied
from kindctl.steps.preflight import Preflight
from kindctl.steps.proven import Proven
from kindctl.steps.prune import Pruned
from kindctl.steps.record import Recorded
from kindctl.steps.url import UrlAnswers
from kindctl.steps.workloads import WorkloadsReady
from kindctl.tools.engine_memory import RememberedImages
from kindctl.tools.protocols import Cluster, Engine, Tools


@dataclass(frozen=True)
class Plan:
    """What `up` makes so: the steps, and what they were made from."""

    loaded: Loaded
    steps: tuple[Step, ...]
    preflight: Preflight
    provider: KindProvider
    images: Images
    references: tuple[str, ...]  # the images that nodes and pods are made of, as they are asked for
    routes: tuple[Route, ...]
    warnings: tuple[str, ...]  # what the manifests promise and will not get


def make_plan(loaded: Loaded, tools: Tools) -> Plan:
    """Nothing is asked of the engine or the cluster yet. Raises ConfigError for bad manifests."""
    config = loaded.config
    preflight = Preflight(tools, wants(config))
    tools = replace(tools, engine=cast(Engine, RememberedImages(tools.engine)))
    images = images_of(loaded, tools)
    exposure = exposure_of(config)
    provider = KindProvider(
        tools,
        config.name,
        node_image=config.cluster.image or node_reference(config.cluster.kubernetes),
        resolve=images.resolve,
        mappings=tuple(exposure.mappings()) if exposure else (),
        workers=config.cluster.workers,
        extra=config.cluster.kind,
        extra_cas=images.book.extra_cas,
        extra_cas_label=cas.label(images.book.extra_cas),
    )
    components, warnings = components_of(loaded)
    endpoints = tuple(exposure.endpoints()) if exposure else ()
    routes = tuple(route for part in components for route in part.routes(endpoints))
    refuse_clashes(loaded, components, routes)
    steps = _Steps(loaded, tools, images, provider, components, routes).all(preflight)
    references = distinct([*provider.images(), *(ref for c in components for ref in c.images())])
    return Plan(loaded, tuple(steps), preflight, provider, images, references, routes, warnings)


def wants(config: Config) -> Wants:
    """What the environment asks of the machine."""
    exposure = exposure_of(config)
    mappings = exposure.mappings() if exposure else ()
    return Wants(
        ports=tuple((mapping.address, mapping.host_port) for mapping in mappings),
        kubernetes=config.cluster.kubernetes,
        workers=config.cluster.workers,
        environment=config.name,
    )


def exposure_of(config: Config) -> Exposure | None:
    """How the ingress controller is reached; None without a controller."""
    if config.ingress.controller == "none":
        return None
    expose = config.ingress.expose
    return load_exposure(expose.via)(address=expose.address, http=expose.http, https=expose.https)


def images_of(loaded: Loaded, tools: Tools) -> Images:
    config, root = loaded.config, loaded.root
    own = {Path(file).name: (root / file).read_text() for file in config.extraCAs}
    return Images(
        tools,
        config.images.sources,
        config.images.mirrors,
        {**tools.host.trusted_cas(), **own},
        [build for app in config.apps for build in _builds(app, root)],
    )


def components_of(loaded: Loaded) -> tuple[tuple[Component, ...], tuple[str, ...]]:
    """The controller, then the apps; and what is to be said of their manifests.

    Raises ConfigError for manifests that are certain to fail.
    """
    config = loaded.config
    controller: Controller | None = None
    if config.ingress.controller != "none":
        controller = load_controller(config.ingress.controller, config.name)
    apps = tuple(
        AppComponent(
            name=app.name,
            namespace=app.namespace or app.name,
            root=loaded.root,
            manifests=app.manifests,
            builds=tuple(_builds(app, loaded.root)),
            expect=tuple(Expect(e.path, e.host, e.contains, e.status) for e in app.expect),
            ingress_class=controller.ingress_class if controller else "",
        )
        for app in config.apps
    )
    warnings = lint_apps(apps, controller)
    components: tuple[Component, ...] = (controller, *apps) if controller else apps
    settle_namespaces(components)
    return components, warnings


def lint_apps(apps: Sequence[AppComponent], controller: Controller | None) -> tuple[str, ...]:
    """Warnings. Raises ConfigError with every finding that is certain to fail."""
    around = Surroundings(
        ingress_classes=(controller.ingress_class,) if controller else (),
        host_ports=controller.host_ports if controller else {},
        built=tuple(build.image for app in apps for build in app.builds),
    )
    findings = lint({app.name: app.parsed for app in apps}, around)
    if errors := [finding.problem for finding in findings if finding.level == "error"]:
        raise ConfigError(errors)
    return tuple(str(finding.problem) for finding in findings)


def refuse_clashes(loaded: Loaded, parts: Sequence[Component], routes: Sequence[Route]) -> None:
    """Raises ConfigError where two things have the one name by which `up` knows them."""
    names = Counter(part.name for part in parts)
    asked = Counter((route.url, route.host) for route in routes)
    messages = [f"two components are named {name!r}" for name, n in names.items() if n > 1]
    for (url, host), times in asked.items():
        if times > 1:
            apps = sorted({r.app for r in routes if (r.url, r.host) == (url, host)})
            where = f"{url} ({host})" if host else url
            messages.append(f"{where} is wanted {times} times, by {' and '.join(apps)}")
    if messages:
        raise ConfigError([Problem(str(loaded.file), 0, 0, message) for message in messages])


def distinct(references: Iterable[str]) -> tuple[str, ...]:
    """Each image once, however it is written: postgres:17 is docker.io/library/postgres:17."""
    found: dict[str, str] = {}
    for reference in references:
        found.setdefault(full_name(reference), reference)
    return tuple(found.values())


def _builds(app: AppConfig, root: Path) -> Iterator[AppBuild]:
    for build in app.build:
        context = (root / build.context).resolve()
        yield AppBuild(
            build.image, context, context / build.dockerfile, build.target, dict(build.args)
        )


@dataclass(frozen=True)
class _Steps:
    """The graph, in the order in which screens show it."""

    loaded: Loaded
    tools: Tools
    images: Images
    provider: KindProvider
    components: Sequence[Component]
    routes: Sequence[Route]

    def all(self, preflight: Preflight) -> Iterator[Step]:
        yield preflight
        node = [self._present(reference) for reference in self.provider.images()]
        yield from node
        yield ClusterStep(self.provider, needs=frozenset(step.name for step in node))
        delivered: dict[str, ImageInNodes] = {}
        there = {step.name for step in node}
        for reference in distinct(ref for part in self.components for ref in part.images()):
            present = self._present(reference)
            delivered[full_name(reference)] = delivery = ImageInNodes(
                images=self.images,
                provider=self.provider,
                reference=reference,
                needs=frozenset({present.name, "cluster:containerd"}),
            )
            if present.name not in there:
                yield present
            yield delivery
        for part in self.components:
            yield from self._component(
                part, {delivered[full_name(ref)].name for ref in part.images()}
            )
        urls = list(self._urls())
        yield from urls
        yield from self._end(step.name for step in urls)

    def _present(self, reference: str) -> Step:
        """Built when it is one of the apps' own images, else had from a source."""
        for app in self.loaded.config.apps:
            for build in _builds(app, self.loaded.root):
                if full_name(build.image) == full_name(reference):
                    return AppImageBuilt(images=self.images, build=build)
        return ImagePresent(images=self.images, reference=reference)

    def _component(self, part: Component, delivered: set[str]) -> Iterator[Step]:
        common: dict[str, Any] = {
            "component": part,
            "provider": self.provider,
            "environment": self.loaded.config.name,
        }
        yield ObjectsApplied(
            name=f"apply:{part.name}",
            title=f"apply {part.name}",
            needs=frozenset({"cluster:api", *delivered}),
            resolve=self._resolve,
            **common,
        )
        yield WorkloadsReady(
            name=f"ready:{part.name}",
            title=f"{part.name} is ready",
            needs=frozenset({f"apply:{part.name}", "cluster"}),
            explain=explain,
            **common,
        )
        if not part.has_late_objects:
            return
        yield ObjectsApplied(
            name=f"late:{part.name}",
            title=f"apply the webhooks of {part.name}",
            needs=frozenset({f"ready:{part.name}"}),
            resolve=self._resolve,
            late=True,
            **common,
        )
        yield Proven(part, self.provider.cluster, needs=frozenset({f"late:{part.name}"}))

    def _urls(self) -> Iterator[Step]:
        for route in self.routes:
            yield UrlAnswers(
                route,
                self.tools.net,
                self.provider.cluster,
                self.loaded.config.name,
                needs=self._all_ready(),
                look_again=self._look_again(),
            )

    def _look_again(self) -> Callable[[Cluster], None] | None:
        if self.loaded.config.ingress.controller == "none":
            return None
        controller = cast(Controller, self.components[0])
        return controller.look_again

    def _all_ready(self) -> frozenset[str]:
        return frozenset(
            f"{'proven' if part.has_late_objects else 'ready'}:{part.name}"
            for part in self.components
        )

    def _end(self, urls: Iterable[str]) -> Iterator[Step]:
        config = self.loaded.config
        common: dict[str, Any] = {
            "components": self.components,
            "provider": self.provider,
            "environment": config.name,
        }
        yield Recorded(
            name="record",
            title="record what was applied",
            needs=frozenset({"cluster", *(f"apply:{part.name}" for part in self.components)}),
            config=config.model_dump_json(exclude_none=True),
            file=str(self.loaded.file),
            version=__version__,
            controller=config.ingress.controller.replace("none", ""),
            routes=self.routes,
            **common,
        )
        yield Pruned(
            name="prune",
            title="remove what is no longer asked for",
            needs=frozenset({"record", *self._all_ready(), *urls}),
            **common,
        )

    def _resolve(self, reference: str) -> str:
        """Before an image is there, its reference stands for itself: `plan` compares without it."""
        return self.images.resolve(reference) or reference
