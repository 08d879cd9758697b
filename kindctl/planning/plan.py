"""Turns a Config into a Plan: all the steps of `up`. They depend on each other like this, from left to
right:

preflight ─┬─ node image ─► cluster ┬ containerd ─► images in the nodes ─┐
           ├─ app images built ─────┼───────▲                            ├─► ready ─► URLs ─► prune
           ├─ other images ─────────┘       │                            │
           └                        └ api ──┴──────► objects applied ────┘
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from kindctl import __version__
from kindctl.components.base import Component, Controller, Exclusive
from kindctl.config.load import Loaded
from kindctl.diagnose.causes import explain
from kindctl.images.pins import FILES, REGISTRY
from kindctl.images.store import Images
from kindctl.live.port_holders import PortHolders
from kindctl.models import Forward, Step
from kindctl.planning.origins import builds_of, images_of, provider_of
from kindctl.planning.parts import Parts, parts_of, wants
from kindctl.providers.base import Provider
from kindctl.references import full_name, parse
from kindctl.steps.addressed import Addressed
from kindctl.steps.app_image import AppImageBuilt
from kindctl.steps.cluster import ClusterReady
from kindctl.steps.delivery import ImageInNodes
from kindctl.steps.forward import Forwarded
from kindctl.steps.handover.switched import Switched
from kindctl.steps.handover.takeover import ForwardTakeover, NodePortTakeover, Takeover
from kindctl.steps.image import ImagePresent
from kindctl.steps.local_ca import LocalCaMade
from kindctl.steps.objects import ObjectsApplied
from kindctl.steps.preflight import Preflight
from kindctl.steps.proven import Proven
from kindctl.steps.prune import Pruned
from kindctl.steps.record import Recorded
from kindctl.steps.registry import RegistryRuns
from kindctl.steps.url import UrlAnswers
from kindctl.steps.workloads import WorkloadsReady
from kindctl.tools.engine_memory import RememberedImages
from kindctl.tools.engine_protocol import Engine
from kindctl.tools.protocols import Tools

S = TypeVar("S", bound=Step)


@dataclass(frozen=True)
class Plan:
    """The steps of `up`, and what they are made from."""

    loaded: Loaded
    steps: tuple[Step, ...]
    preflight: Preflight
    provider: Provider
    images: Images
    references: tuple[str, ...]  # the images of nodes and pods, as their manifests name them
    parts: Parts


def make_plan(loaded: Loaded, tools: Tools) -> Plan:
    """Make the plan without asking the engine or the cluster. Raises ConfigError for bad manifests."""
    parts = parts_of(loaded, tools)
    preflight = Preflight(tools=tools, wants=wants(loaded, parts))
    tools = replace(tools, engine=cast(Engine, RememberedImages(tools.engine)))
    images = images_of(loaded, tools)
    provider = provider_of(loaded, tools, images, parts.mappings)
    steps = _Steps(loaded, tools, images, provider, parts).all(preflight)
    registry = (REGISTRY,) if loaded.config.cluster.registry else ()
    wanted = (r for c in parts.components for r in c.images())
    references = distinct([*provider.images(), *registry, *wanted])
    return Plan(loaded, tuple(steps), preflight, provider, images, references, parts)


def distinct(references: Iterable[str]) -> tuple[str, ...]:
    """Return each image once, in its first spelling. For example, postgres:17 and
    docker.io/library/postgres:17 are the same image."""
    found: dict[str, str] = {}
    for reference in references:
        found.setdefault(full_name(reference), reference)
    return tuple(found.values())


def first(kind: type[S], steps: Iterable[Step]) -> S:
    """Return the first step of that class. Raises StopIteration if there is none."""
    return next(step for step in steps if isinstance(step, kind))


@dataclass(frozen=True)
class _Steps:
    """Makes the steps, in the order in which screens show them."""

    loaded: Loaded
    tools: Tools
    images: Images
    provider: Provider
    parts: Parts

    def all(self, preflight: Preflight) -> Iterator[Step]:
        yield preflight
        node = [self._present(reference) for reference in self.provider.images()]
        yield from node
        yield ClusterReady(provider=self.provider, needs=frozenset(step.name for step in node))
        delivered: dict[str, Step] = {}
        there = {step.name for step in node}
        yield from self._registry()
        every = distinct(ref for part in self.parts.components for ref in part.images())
        for reference in (ref for ref in every if not self._fetched(ref)):
            delivered[full_name(reference)] = present = self._present(reference)
            if present.name not in there:
                yield present
            if reference in FILES:
                continue
            delivered[full_name(reference)] = delivery = ImageInNodes(
                images=self.images,
                provider=self.provider,
                reference=reference,
                needs=frozenset({present.name, "cluster:containerd"}),
            )
            yield delivery
        if self.parts.controller:
            yield LocalCaMade(authority=self.parts.certificate.authority)
        steps: dict[str, list[Step]] = {}
        for part in self.parts.components:
            had = {
                "registry" if self._fetched(ref) else delivered[full_name(ref)].name
                for ref in part.images()
            }
            steps[part.name] = list(self._component(part, had))
            yield from steps[part.name]
        addresses = list(self._addresses())
        yield from addresses
        yield from self._handover(steps)
        forwarded = list(self._forwarded(self.parts.forwards))
        yield from forwarded
        urls = list(self._urls(steps, {step.name for step in forwarded}))
        yield from urls
        yield from self._end(step.name for step in (*addresses, *urls))

    def _registry(self) -> Iterator[Step]:
        if self.provider.registry is None:
            return
        present = self._present(REGISTRY)
        yield present
        yield RegistryRuns(
            registry=self.provider.registry,
            images=self.images,
            net=self.tools.net,
            reference=REGISTRY,
            needs=frozenset({present.name, "cluster:containerd"}),
        )

    def _fetched(self, reference: str) -> bool:
        """Return whether the nodes pull the image from the environment's registry, where the user pushed
        it."""
        port = self.loaded.config.cluster.registry and self.loaded.config.cluster.registry.port
        own = port and parse(reference).registry == f"localhost:{port}"
        return bool(own) and not isinstance(self._present(reference), AppImageBuilt)

    def _present(self, reference: str) -> Step:
        """Return the step that builds the image from an app's Dockerfile, or gets it from an image
        source."""
        for app in self.loaded.config.apps:
            for build in builds_of(app, self.loaded.root):
                if full_name(build.image) == full_name(reference):
                    return AppImageBuilt(images=self.images, reference=build.image)
        return ImagePresent(images=self.images, reference=reference)

    def _component(self, part: Component, delivered: set[str]) -> Iterator[Step]:
        common: dict[str, Any] = {
            "component": part,
            "provider": self.provider,
            "environment": self.loaded.config.name,
            "port_holders": PortHolders(self.loaded.config.name, self.parts.components),
        }
        authority = {"local-ca"} if part is self.parts.controller else set()
        yield ObjectsApplied(
            name=f"apply:{part.name}",
            title=f"apply {part.name}",
            needs=frozenset({"cluster:api", *delivered, *authority}),
            resolve=self._resolve,
            adopt=not self.provider.preexisting,
            exclusively=part.exclusively if isinstance(part, Exclusive) else None,
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
            adopt=not self.provider.preexisting,
            **common,
        )
        yield Proven(component=part, provider=self.provider, needs=frozenset({f"late:{part.name}"}))

    def _addresses(self) -> Iterator[Step]:
        """Yield the steps that wait for external addresses. An address comes as soon as the Service
        exists, whether its pods are ready or not."""
        givers = {f"ready:{addon.name}" for addon in self.parts.addons if addon.gives_addresses}
        for external, component in self.parts.external.items():
            needs = frozenset({f"apply:{component}", *givers})
            yield Addressed(external=external, provider=self.provider, needs=needs)

    def _handover(self, steps: Mapping[str, Sequence[Step]]) -> Iterator[Step]:
        """Yield the hand-over step if two controllers cannot be exposed at once."""
        controller = self.parts.controller
        if controller is None or not self.parts.needs_handover:
            return
        yield Switched(
            controller=controller,
            takeover=self._takeover(controller, steps[controller.name]),
            provider=self.provider,
            environment=self.loaded.config.name,
            routes=[route for route in self.parts.routes if route.via_controller],
            net=self.tools.net,
            ready=first(WorkloadsReady, steps[controller.name]),
            needs=self._all_ready(),
        )

    def _takeover(self, controller: Controller, steps: Sequence[Step]) -> Takeover:
        handover, forwards = self.parts.handover, controller.exposure.forwards()
        if forwards:
            return ForwardTakeover(controller, handover, list(self._forwarded(forwards)))
        return NodePortTakeover(controller, handover, first(ObjectsApplied, steps))

    def _forwarded(self, forwards: Sequence[Forward]) -> Iterator[Forwarded]:
        for forward in forwards:
            yield Forwarded(
                forward=forward,
                forwards=self.tools.forwards,
                net=self.tools.net,
                provider=self.provider,
                environment=self.loaded.config.name,
                needs=self._serving(),
            )

    def _urls(self, steps: Mapping[str, Sequence[Step]], forwarded: set[str]) -> Iterator[Step]:
        controller = self.parts.controller
        serving = self._serving() | forwarded
        for route in self.parts.routes:
            yield UrlAnswers(
                route=route,
                net=self.tools.net,
                cluster=self.provider.cluster,
                environment=self.loaded.config.name,
                needs=serving | ({f"address:{route.external}"} if route.external else set()),
                resync=controller.resync if controller and route.via_controller else None,
                ca=self.parts.certificate.authority.pem,
                mended=first(ObjectsApplied, steps[route.app]).mended,
            )

    def _serving(self) -> frozenset[str]:
        """Return the names of the steps that must be ready before requests are answered."""
        controller = self.parts.controller
        if controller is None or not self.parts.needs_handover:
            return self._all_ready()
        return self._all_ready() | {f"switch:{controller.name}"}

    def _all_ready(self) -> frozenset[str]:
        return frozenset(
            f"{'proven' if part.has_late_objects else 'ready'}:{part.name}"
            for part in self.parts.components
        )

    def _end(self, proofs: Iterable[str]) -> Iterator[Step]:
        config = self.loaded.config
        common: dict[str, Any] = {
            "components": self.parts.components,
            "provider": self.provider,
            "environment": config.name,
        }
        yield Recorded(
            name="record",
            title="record what was applied",
            needs=frozenset({"cluster", *(f"apply:{part.name}" for part in self.parts.components)}),
            config=config.model_dump_json(exclude_none=True),
            file=str(self.loaded.file),
            version=__version__,
            controller=config.ingress.controller.replace("none", ""),
            routes=self.parts.routes,
            **common,
        )
        yield Pruned(
            name="prune",
            title="remove what the configuration no longer asks for",
            needs=frozenset({"record", *self._serving(), *proofs}),
            forwards=self.tools.forwards,
            forwarded=self.parts.forwards,
            **common,
        )

    def _resolve(self, reference: str) -> str:
        """Return the name by which pods ask for an image. If the engine lacks the image, returns the
        reference unchanged."""
        image = self.images.resolve(reference)
        return self.provider.in_pods(reference, image) if image else reference
