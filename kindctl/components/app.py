"""An app: the user's manifests, the images that they need, and the URLs that must answer.

The sample is one like any other.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from kindctl.components import generated
from kindctl.components.base import Component, Resolve
from kindctl.components.manifests import Manifest, read_manifests
from kindctl.components.pods import images, use_images_of_nodes
from kindctl.components.routes import Expect, app_routes
from kindctl.errors import ConfigError
from kindctl.models import AppBuild, Endpoint, Object, ObjectRef, Route
from kindctl.tools.protocols import Cluster

__all__ = ["AppComponent", "Expect", "settle_namespaces"]

LATE = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
"""Applied when the app's pods are ready: before that they would refuse what others apply."""


@dataclass
class AppComponent:
    """See components.base.Component. `manifests` are files or folders below `root`."""

    name: str
    namespace: str
    root: Path
    manifests: Sequence[str]
    builds: Sequence[AppBuild] = ()
    expect: Sequence[Expect] = ()
    ingress_class: str = "nginx"
    left_to_others: Collection[str] = ()  # Namespaces that another component applies

    _generated: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @cached_property
    def parsed(self) -> list[Manifest]:
        """The manifests, read at first use. Raises ConfigError with every problem in them."""
        found = read_manifests(self.root, self.manifests, self.namespace)
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
            if obj["kind"] == "Secret":
                self._complete(obj, cluster)
        return objects

    def late_objects(self, cluster: Cluster) -> list[Object]:
        return self._copies(late=True)

    def prove(self, cluster: Cluster) -> str:
        return ""

    def routes(self, endpoints: Sequence[Endpoint]) -> Sequence[Route]:
        ingresses = [m.obj for m in self.parsed if m.kind == "Ingress"]
        return app_routes(
            ingresses,
            self.expect,
            endpoints,
            app=self.name,
            namespace=self.namespace,
            ingress_class=self.ingress_class,
        )

    def _copies(self, *, late: bool) -> list[Object]:
        chosen = (m for m in self.parsed if (m.kind in LATE) == late)
        return [
            copy.deepcopy(m.obj)
            for m in chosen
            if not (m.kind == "Namespace" and m.name in self.left_to_others)
        ]

    def _complete(self, secret: Object, cluster: Cluster) -> None:
        ref = ObjectRef.of(secret)
        with self._lock:
            made = self._generated.setdefault((ref.namespace or "", ref.name), {})
            generated.complete(secret, lambda: cluster.get(ref), made)


def settle_namespaces(components: Sequence[Component]) -> None:
    """Decide which of several components applies a Namespace that more than one has a manifest for.

    It carries the label of one component, and goes when that one goes. It is the controller whose
    namespace it is, else the first app. Sets `left_to_others` of the apps.
    """
    owner: dict[str, str] = {}
    apps = [component for component in components if isinstance(component, AppComponent)]
    for component in components:
        if not isinstance(component, AppComponent):
            owner[component.namespace] = component.name
    for app in apps:
        declared = [m.name for m in app.parsed if m.kind == "Namespace"]
        app.left_to_others = frozenset(
            name for name in declared if owner.setdefault(name, app.name) != app.name
        )
