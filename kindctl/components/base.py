"""A Component is what kindctl installs into the cluster: an ingress controller, an add-on, an app."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, runtime_checkable

from kindctl.components.objects import shipped_objects
from kindctl.errors import Problem
from kindctl.ingress.entry_point import EntryPoint
from kindctl.ingress.gateway_api import ReadImage
from kindctl.ingress.handover import Handover
from kindctl.ingress.replicas import Scaling
from kindctl.manifests.manifest import Manifest
from kindctl.manifests.pods import Resolve
from kindctl.models import Endpoint, Exposure, Object, Route
from kindctl.problems import FieldPath
from kindctl.schema import CustomConfig
from kindctl.tools.protocols import Cluster
from kindctl.trust.serving import Serving


class Component(Protocol):
    """A set of objects that are applied, pruned and waited for together.

    Objects are returned in the order in which they are applied; the caller labels them. A subclass
    overrides what differs from the defaults.
    """

    name: str  # "ingress-nginx", "sample": the value of kindctl.dev/component
    namespace: str  # for objects that name none
    left_to_others: Collection[str] = ()  # namespaces that another component applies

    @property
    def has_late_objects(self) -> bool:
        """Whether the component defines late objects, or `prove` has something to check."""
        return False

    def images(self) -> Sequence[str]:
        """Return the images that the pods need in the nodes, as the manifests name them."""
        return ()

    def objects(self, cluster: Cluster, resolve: Resolve) -> list[Object]:
        """Return the objects that are applied as soon as the API answers. Values that were generated
        earlier (a certificate, a password) are read from the cluster, so each call returns the same
        objects."""
        ...

    def late_objects(self, cluster: Cluster) -> list[Object]:
        """Return the objects, such as admission webhooks, that are applied when all others are
        ready."""
        return []

    def prove(self, cluster: Cluster) -> str:
        """Return why the component does not work, for example that its webhook does not answer. An empty
        text means that the component works. After the late objects are applied, kindctl calls this until
        the text is empty."""
        return ""

    def routes(self, endpoints: Sequence[Endpoint]) -> Sequence[Route]:
        """Return the URLs that must answer before `up` is done, from Ingress objects and `expect`.
        `endpoints` are those of the ingress controller."""
        return ()


@dataclass(frozen=True)
class Neighbours:
    """The network of the nodes, and the addresses on it that are in use or reserved."""

    subnets: tuple[str, ...]  # CIDR
    addresses: frozenset[str]  # of its containers, and of its gateway
    pools: frozenset[str] = frozenset()  # ranges from which other environments give addresses
    silent: frozenset[str] = frozenset()  # other environments whose ranges are not known
    ranges: tuple[
        str, ...
    ] = ()  # CIDR: the engine gives addresses from these; empty: from the bottom


@runtime_checkable
class Exclusive(Protocol):
    """A component whose objects depend on those of the other environments on this machine."""

    def exclusively(self) -> AbstractContextManager[None]:
        """Return a lock. The caller holds the lock while it computes the objects again and applies them.
        Raises BusyError."""
        ...


@dataclass(frozen=True)
class Setup:
    """The arguments of an add-on's constructor."""

    environment: str
    neighbours: Callable[[], Neighbours]  # asks the engine


class ShippedComponent(Component):
    """A component whose manifests kindctl ships, in the folder `manifests` of its package."""

    package: ClassVar[str]  # its module's __name__
    files: ClassVar[Sequence[str]]  # names of the manifests, in the order in which they are applied
    container_images: ClassVar[Mapping[str, str]]
    """Name of a container in the manifests -> its image, as images/pins.py has it."""

    def images(self) -> Sequence[str]:
        return tuple(dict.fromkeys(self.container_images.values()))

    def objects(self, cluster: Cluster, resolve: Resolve) -> list[Object]:
        return self.shipped(*self.files, resolve=resolve)

    def shipped(self, *files: str, resolve: Resolve = str) -> list[Object]:
        """Return copies of the objects in these manifests, with their images set."""
        return shipped_objects(self.package, files, self.container_images, resolve)


class Addon(ShippedComponent):
    """A component that `addons` of kindctl.yaml asks for."""

    gives_addresses: ClassVar[bool] = False  # to Services of type LoadBalancer
    gives_metrics: ClassVar[bool] = False  # of nodes and pods, to autoscalers

    def __init__(self, setup: Setup) -> None:
        self.environment = setup.environment


# --- ingress controllers -------------------------------------------------------------------------


@dataclass(frozen=True)
class CustomSettings:
    """`ingress.custom` of kindctl.yaml, with its manifests read."""

    config: CustomConfig
    manifests: Sequence[Manifest]
    problem: Callable[[FieldPath, str, str], Problem]
    """(path below ingress.custom, message, hint) -> a Problem with its place in kindctl.yaml"""


@dataclass(frozen=True, kw_only=True)
class ControllerSetup(Setup):
    """The arguments of an ingress controller's constructor."""

    exposure: Exposure  # of its entry point
    handover: Handover
    certificate: Serving  # its `secret` is served where nobody has given another certificate
    scaling: Scaling = field(default_factory=Scaling)
    gateway_api: bool = False  # whether it serves Gateway API as well
    read_image: ReadImage = lambda image, folder: ()
    fresh_cluster: bool = True  # whether the cluster has only what kindctl applies
    custom: CustomSettings | None = None  # for `controller: custom`


class Controller(Component):
    """A component that serves Ingress objects."""

    may_serve_gateway_api: ClassVar[bool] = False  # whether ingress.gatewayAPI has an effect
    service: tuple[str, str]  # namespace and name of its own Service
    ingress_classes: Collection[str]  # that it serves, its own first; also Ingresses that name none
    parsed: Sequence[Manifest] = ()  # its manifests, where the user brings them

    def __init__(self, setup: ControllerSetup) -> None:
        self.environment = setup.environment
        self.exposure = setup.exposure  # how the host reaches it
        self.handover = setup.handover  # which controllers are in charge
        self._certificate = setup.certificate

    @classmethod
    @abstractmethod
    def entry_point(cls, custom: CustomSettings | None, *, node_ports: bool) -> EntryPoint:
        """Return the Service through which requests enter the cluster.

        `node_ports` says whether requests enter through node ports. All bundled controllers share these
        node ports, so that one controller can take over from another (ingress/handover.py).
        """

    @property
    @abstractmethod
    def host_ports(self) -> Mapping[int, str]:
        """Return the ports of the node that the component's pods use, and what uses each port."""

    def with_proof(self, route: Route) -> Route:
        """Return the route with those fields set that say how to prove where its answer comes from (see
        ingress/proof.py)."""
        return route

    def resync(self, cluster: Cluster) -> None:
        """Make the controller read all objects again, in case it missed a change."""
        return
