"""An app: the user's manifests, the images that they need, and the URLs that must answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

from kindctl.components.app import generated
from kindctl.components.base import Component
from kindctl.components.objects import copies, images_in, is_late, shape_if_exposed
from kindctl.errors import Problem
from kindctl.manifests.http_routes import served_paths
from kindctl.manifests.manifest import Manifest, read_manifests
from kindctl.manifests.pods import Resolve, use_images_of_nodes
from kindctl.manifests.routes import app_routes, service_routes
from kindctl.manifests.sources import Renderer
from kindctl.models import (
    SYSTEM_NAMESPACE,
    AppBuild,
    Endpoint,
    Exposure,
    Object,
    ObjectRef,
    Route,
)
from kindctl.problems import refuse
from kindctl.schema import ExpectConfig, Source
from kindctl.tools.protocols import Cluster


@dataclass(frozen=True)
class ExposedService:
    """An entry of `expose`: an exposure of a Service of the app, and the answer that is expected there."""

    exposure: Exposure
    expect: ExpectConfig | None = None


@dataclass
class AppComponent(Component):
    """See components.base.Component. The paths in `manifests` are relative to `root`. `problem` takes
    (index of an entry of `manifests`, message, hint) and returns a Problem with the place of that entry in
    kindctl.yaml."""

    name: str
    namespace: str
    root: Path
    manifests: Sequence[Source]
    builds: Sequence[AppBuild] = ()
    expect: Sequence[ExpectConfig] = ()
    exposed: Sequence[ExposedService] = ()
    ingress_classes: Collection[str] = ("nginx",)
    gateway_classes: Collection[str] = ()
    gateways: Sequence[Object] = ()  # to which its HTTPRoutes may be attached, others' too
    left_to_others: Collection[str] = ()
    render: Renderer | None = None
    problem: Callable[[int, str, str], Problem] | None = None

    _generated: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @cached_property
    def parsed(self) -> list[Manifest]:
        """The manifests, read at first use. Raises ConfigError with every problem in them."""
        found = read_manifests(
            self.root,
            self.manifests,
            self.namespace,
            release=self.name,
            render=self.render,
            entry_problem=self.problem,
        )
        refuse(
            manifest.problem(
                f"{key!r} is both set in the Secret and generated",
                f"remove it from data/stringData, or from the annotation {generated.ANNOTATION}",
            )
            for manifest in found
            if manifest.kind == "Secret"
            for key in generated.given_too(manifest.obj)
        )
        return found

    def images(self) -> Sequence[str]:
        """Return the images that the manifests name, including those built for the app, each once
        and in the order of the manifests."""
        return images_in(self.parsed)

    def objects(self, cluster: Cluster, resolve: Resolve) -> list[Object]:
        objects = self._copies(late=False)
        for obj in objects:
            use_images_of_nodes(obj, resolve)
            for exposed in self.exposed:
                shape_if_exposed(obj, exposed.exposure)
        return [*objects, *self._generate(objects, cluster)]

    @property
    def has_late_objects(self) -> bool:
        return any(map(is_late, self.parsed))

    def late_objects(self, cluster: Cluster) -> list[Object]:
        return self._copies(late=True)

    def routes(self, endpoints: Sequence[Endpoint]) -> Sequence[Route]:
        return [route for _, route in self.placed_routes(endpoints)]

    def placed_routes(
        self, endpoints: Sequence[Endpoint]
    ) -> Iterator[tuple[tuple[str | int, ...], Route]]:
        """Yield each route, with the path of the entry of kindctl.yaml that asks for the route. The path
        is relative to the app: ("expect", 0)."""
        ingresses = [m.obj for m in self.parsed if m.kind == "Ingress"]
        http_routes = [m.obj for m in self.parsed if m.kind == "HTTPRoute"]
        behind = app_routes(
            ingresses,
            self.expect,
            endpoints,
            app=self.name,
            namespace=self.namespace,
            ingress_classes=self.ingress_classes,
            more=served_paths(http_routes, self.gateways, self.gateway_classes),
        )
        for index, route in enumerate(behind):
            yield ("expect", index) if self.expect else ("manifests",), route
        for index, exposed in enumerate(self.exposed):
            endpoints = exposed.exposure.endpoints()
            for route in service_routes(endpoints, exposed.expect, app=self.name):
                yield ("expose", index), route

    def _copies(self, *, late: bool) -> list[Object]:
        return [
            obj
            for obj in copies(self.parsed, late=late)
            if obj["kind"] != "Namespace" or obj["metadata"]["name"] not in self.left_to_others
        ]

    def _generate(self, objects: Sequence[Object], cluster: Cluster) -> list[Object]:
        """Fill in the generated values of the Secrets among the objects. If any value is generated,
        returns the Secret that contains copies of the generated values."""
        copy_ref = ObjectRef("v1", "Secret", f"generated-{self.name}", SYSTEM_NAMESPACE)
        values: dict[str, str] = {}
        with self._lock:
            for secret in (obj for obj in objects if obj["kind"] == "Secret"):
                ref = ObjectRef.of(secret)
                made = self._generated.setdefault((ref.namespace or "", ref.name), {})
                existing = partial(generated.known, cluster, ref, copy_ref)
                generated.complete(secret, existing, made)
                values |= generated.copied(secret)
        return [generated.copy_of(copy_ref, values)] if values else []


def assign_namespaces(components: Sequence[Component]) -> None:
    """Decide which component applies a Namespace that several components use. Sets `left_to_others` of the
    apps.

    A Namespace carries the labels of one component, and is deleted with that component. If a component
    that is not an app uses the Namespace as its own, that component applies it. Otherwise, the first app
    whose manifests define the Namespace applies it.
    """
    owner: dict[str, str] = {}
    apps = [component for component in components if isinstance(component, AppComponent)]
    for component in components:
        if not isinstance(component, AppComponent):
            owner[component.namespace] = component.name
    for app in apps:
        for manifest in app.parsed:
            if manifest.kind == "Namespace":
                owner.setdefault(manifest.name, app.name)
    for app in apps:
        app.left_to_others = frozenset(name for name, of in owner.items() if of != app.name)
