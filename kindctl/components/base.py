"""A Component is something installed into the cluster: an ingress controller, an app of the user."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from kindctl.errors import Problem
from kindctl.ingress.gateway_api import Read
from kindctl.ingress.handover import Handover
from kindctl.ingress.replicas import Scaling
from kindctl.manifests.manifest import Manifest
from kindctl.manifests.pods import Resolve
from kindctl.manifests.sources import ManifestSource, Renderer
from kindctl.models import Endpoint, Exposure, Object, Route
from kindctl.tools.protocols import Cluster
from kindctl.trust.serving import Serving


class Component(Protocol):
    """Objects come back in the order in which they are applied, labelled by the caller."""

    name: str  # "ingress-nginx", "sample": the value of kindctl.dev/component
    namespace: str  # for objects that name none
    left_to_others: Collection[str]  # namespaces that another component applies

    @property
    def has_late_objects(self) -> bool:
        """False: there are none, and nothing to prove."""
        ...

    def images(self) -> Sequence[str]:
        """References that its pods need in the nodes, as its manifests name them."""
        ...

    def objects(self, cluster: Cluster, resolve: Resolve) -> list[Object]:
        """What is applied as soon as the API answers. May look up in the cluster what was generated
        there before (a certificate, a password), so that the same call gives the same objects."""
        ...

    def late_objects(self, cluster: Cluster) -> list[Object]:
        """What may be applied only once the rest is ready (admission webhooks)."""
        ...

    def prove(self, cluster: Cluster) -> str:
        """Empty when the component does its work (a webhook answers), else what was seen. Asked after
        the late objects are applied, until it is empty."""
        ...

    def routes(self, endpoints: Sequence[Endpoint]) -> Sequence[Route]:
        """URLs that must answer before `up` says so; found in its Ingress objects and `expect`."""
        ...


Fault = Callable[[Sequence[str | int], str, str], Problem]
"""(place below the component's own key of kindctl.yaml, message, hint) -> a Problem with its place."""

Ports = Sequence[tuple[str, int | str, int]]
"""(scheme, port of a Service, port of the node where the pods have one)"""

STOCK_PORTS: Ports = (("http", "http", 80), ("https", "https", 443))
"""Those of stock manifests. Only the host's may differ."""


class Expose(Protocol):
    """The way in to a Service."""

    def __call__(self, namespace: str, service: str, ports: Ports = STOCK_PORTS) -> Exposure: ...


def _nowhere(at: Sequence[str | int], message: str, hint: str) -> Problem:
    return Problem("", 0, 0, message, hint)


@dataclass(frozen=True)
class Neighbours:
    """The network that the nodes are on, and who else is on it."""

    subnets: tuple[str, ...]  # CIDR
    addresses: frozenset[str]  # of its containers, and of its gateway
    pools: frozenset[str] = frozenset()  # ranges that other environments really give away
    silent: frozenset[str] = frozenset()  # other environments that do not say what they give away
    ranges: tuple[
        str, ...
    ] = ()  # CIDR from which the engine gives addresses; empty: from the bottom


@dataclass(frozen=True)
class Setup:
    """What a controller or an add-on is made for. `expose`: the way in to a Service of its own."""

    environment: str
    expose: Expose
    handover: Handover
    neighbours: Callable[[], Neighbours]  # asked of the engine
    certificate: Serving  # its `secret` is to be served where nobody has given another certificate
    shared: bool = False  # node ports that controllers share: see ingress.handover
    scaling: Scaling = field(default_factory=Scaling)
    gateway_api: bool = False
    custom: Mapping[str, Any] = field(default_factory=dict)  # ingress.custom, for the user's own
    root: Path = Path()  # folder that the sources of `custom` are relative to
    sources: Sequence[ManifestSource] = ()  # its manifests
    read: Read = lambda image, folder: ()  # objects in the files of an image
    fault: Fault = _nowhere  # of `custom`
    empty: bool = True  # whether the cluster has nothing but what is applied here
    render: Renderer | None = None  # renders those of them that are kustomizations or charts


@runtime_checkable
class Exclusive(Protocol):
    """A component whose objects depend on what other environments of this machine have."""

    def exclusively(self) -> AbstractContextManager[None]:
        """Held while its objects are looked at anew and applied. Raises BusyError."""
        ...


class Controller(Component, Protocol):
    """A component that answers for Ingress objects."""

    exposure: Exposure  # how the host reaches it
    service: tuple[str, str]  # namespace and name of its own Service, with ports http and https
    ingress_classes: Collection[str]  # that it serves, its own first; also Ingresses that name none
    parsed: Sequence[Manifest]  # that the user brings for it

    @property
    def host_ports(self) -> Mapping[int, str]:
        """Ports that its pods take on their node -> for what."""
        ...

    def with_proof(self, route: Route) -> Route:
        """A route behind it, with the way in which its answer is proven: see ingress.proof."""
        ...

    def resync(self, cluster: Cluster) -> None:
        """Make it read everything anew, for when it has missed a change."""
        ...
