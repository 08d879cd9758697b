"""An app: the user's manifests, the images that they need, and the URLs that must answer.

The sample is one like any other.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

from kindctl.components.app import generated
from kindctl.components.base import Component
from kindctl.errors import ConfigError, Problem
from kindctl.manifests.http_routes import served_paths
from kindctl.manifests.manifest import Manifest, read_manifests
from kindctl.manifests.pods import Resolve, images, use_images_of_nodes
from kindctl.manifests.routes import Expect, app_routes, service_routes
from kindctl.manifests.sources import ManifestSource, Renderer
from kindctl.models import (
    SYSTEM_NAMESPACE,
    AppBuild,
    Endpoint,
    Exposure,
    Object,
    ObjectRef,
    Route,
)
from kindctl.tools.protocols import Cluster

__all__ = ["AppComponent", "Expect", "ExposedService", "assign_namespaces"]

LATE = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
"""Applied when the app's pods are ready: before that they would refuse what others apply."""


@dataclass(frozen=True)
class ExposedService:
    """A way to a Service of the app beside the controller's, and what its answer has to be."""

    exposure: Exposure
    expect: Expect | None = None


@dataclass
class AppComponent:
    """See components.base.Component. `manifests` are relative to `root`; `fault` places a problem
    with one of them, by its index, in kindctl.yaml."""

    name: str
    namespace: str
    root: Path
    manifests: Sequence[ManifestSource]
    builds: Sequence[AppBuild] = ()
    expect: Sequence[Expect] = ()
    exposed: Sequence[ExposedService] = ()
    ingress_classes: Collection[str] = ("nginx",)
    gateway_classes: Collection[str] = ()
    gateways: Sequence[Object] = ()  # that its HTTPRoutes may be attached to, of others too
    left_to_others: Collection[str] = ()  # Namespaces that another component applies
    render: Renderer | None = None
    fault: Callable[[int, str, str], Problem] | None = None

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
            entry_problem=self.fault,
        )
        problems = [
            manifest.problem(
                f"{key!r} is both given and generated",
                f"take it out of the data, or out of {generated.ANNOTATION}",
            )
            for manifest in found
            if manifest.kind == "Secret"
            for key in generated.given_too(manifest.obj)
        ]
        if problems:
            raise ConfigError(problems)
        return found

    def images(self) -> Sequence[str]:
        """Each once, in the order of the manifests; those that the app builds are among them."""
        found = (image for manifest in self.parsed for image in images(manifest.obj))
        return tuple(dict.fromkeys(found))

    def objects(self, cluster: Cluster, resolve: Resolve) -> list[Object]:
        objects = self._copies(late=False)
        for obj in objects:
            use_images_of_nodes(obj, resolve)
            for way in self.exposed:
                if _is_for(way.exposure, obj):
                    way.exposure.shape(obj)
        return [*objects, *self._generate(objects, cluster)]

    @property
    def has_late_objects(self) -> bool:
        return any(manifest.kind in LATE for manifest in self.parsed)

    def late_objects(self, cluster: Cluster) -> list[Object]:
        return self._copies(late=True)

    def prove(self, cluster: Cluster) -> str:
        return ""

    def routes(self, endpoints: Sequence[Endpoint]) -> Sequence[Route]:
        return [route for _, route in self.placed_routes(endpoints)]

    def placed_routes(
        self, endpoints: Sequence[Endpoint]
    ) -> Iterator[tuple[tuple[str | int, ...], Route]]:
        """Each with what of the file it is for, below the app's own place: ("expect", 0)."""
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
        for index, way in enumerate(self.exposed):
            for route in service_routes(way.exposure.endpoints(), way.expect, app=self.name):
                yield ("expose", index), route

    def _copies(self, *, late: bool) -> list[Object]:
        chosen = (m for m in self.parsed if (m.kind in LATE) == late)
        return [
            copy.deepcopy(m.obj)
            for m in chosen
            if not (m.kind == "Namespace" and m.name in self.left_to_others)
        ]

    def _generate(self, objects: Sequence[Object], cluster: Cluster) -> list[Object]:
        """Complete the Secrets among the objects; the copy of what was generated, if anything was."""
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


def _is_for(exposure: Exposure, obj: Object) -> bool:
    meta = obj["metadata"]
    wanted = {(port.namespace, port.service) for port in exposure.ports}
    return obj["kind"] == "Service" and (meta.get("namespace"), meta["name"]) in wanted


def assign_namespaces(components: Sequence[Component]) -> None:
    """Decide which of several components applies a Namespace that more than one uses.

    It carries the labels of one component, and goes when that one goes. It is the controller whose
    namespace it is, else the first app that has a manifest for it. Sets `left_to_others` of the apps.
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
