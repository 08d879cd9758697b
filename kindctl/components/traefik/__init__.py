"""Traefik, which also understands the Ingress objects that were written for ingress-nginx.

It serves two classes: its own, and `nginx` by the provider that reads nginx's annotations
(doc.traefik.io, "Kubernetes Ingress NGINX provider"; in releases from 3.6.2 on without an option).
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from importlib.resources import files

from kindctl.components.base import Setup
from kindctl.ingress import gateway_api, handover, replicas
from kindctl.ingress.proof import (
    CONTROLLER_HEADER,
    ENVIRONMENT_HEADER,
    INGRESS_HEADER,
    NO_INGRESS,
    environment_id,
)
from kindctl.ingress.replicas import Scaling
from kindctl.manifests.manifest import Manifest
from kindctl.manifests.pods import Resolve
from kindctl.models import Endpoint, Object, Route
from kindctl.tools.protocols import Cluster

IMAGE = "traefik:v3.7.9"
NAMESPACE = "traefik"
SERVICE = "traefik"
TLS = "/etc/traefik/tls"
GATEWAY = "gateway.yaml"
NEEDED = [("v1", kind) for kind in ("GatewayClass", "Gateway", "HTTPRoute", "GRPCRoute")]
NEEDED += [("v1", "TLSRoute"), ("v1", "BackendTLSPolicy"), ("v1beta1", "ReferenceGrant")]
"""What its Gateway provider watches: without one of them it waits for ever, and serves nothing."""

WITHDRAWN, GRACE = 10, 300
"""Seconds: how long a replica that is to go takes requests, and until it is killed."""

UNMATCHED = -(1 << 40)
"""Less than the least of a 32-bit number, which an Ingress with a default backend alone has."""

MANIFESTS = ("rbac.yaml", "config.yaml", "service.yaml", "classes.yaml", "deployment.yaml")


class Traefik:
    """See components.base.Controller."""

    name = "traefik"
    left_to_others: Collection[str] = ()
    has_late_objects = False
    ingress_classes: Collection[str] = ("traefik", "nginx")
    parsed: Sequence[Manifest] = ()

    def __init__(self, setup: Setup) -> None:
        self.environment = setup.environment
        self.service, entry = handover.place(NAMESPACE, SERVICE, shared=setup.shared)
        self.namespace = self.service[0]
        self.exposure = setup.expose(*entry)
        self._scaling = setup.scaling
        self._shared = setup.shared
        self._handover = setup.handover
        self._certificate = setup.certificate
        self.listener_ports: Collection[int] = (80, 443)
        self.gateway_classes: Collection[str] = ("traefik",) if setup.gateway_api else ()
        self.gateways: Sequence[Object] = ()
        self._definitions: gateway_api.Definitions | None = None
        if setup.gateway_api:
            self._definitions = gateway_api.Definitions(setup.read, NEEDED)
            self.gateways = [obj for obj in self._gateway() if obj["kind"] == "Gateway"]

    @property
    def host_ports(self) -> Mapping[int, str]:
        return dict.fromkeys((80, 443), self.name) if self.exposure.on_node else {}

    def images(self) -> Sequence[str]:
        return (IMAGE, gateway_api.IMAGE) if self._definitions else (IMAGE,)

    def objects(self, cluster: Cluster, resolve: Resolve) -> list[Object]:
        objects = manifests()
        outside = any(endpoint.external for endpoint in self.exposure.endpoints())
        waits = bool(self._handover.others(cluster, self.name))
        selector: Mapping[str, str] = {}
        beside: list[Object] = []
        for obj in objects:
            if obj["kind"] == "ConfigMap":
                identity = environment_id(self.environment, cluster)
                obj["data"]["dynamic.yaml"] = dynamic(identity)
            elif obj["kind"] == "Deployment":
                container = obj["spec"]["template"]["spec"]["containers"][0]
                container["image"] = resolve(IMAGE)
                container["args"] += self._args(outside=outside)
                if waits or not self.exposure.on_node:
                    _leave_the_node(obj)
                if self._scaling.is_asked_for:
                    beside = _in_replicas(obj, self._scaling)
            elif obj["kind"] == "Service":
                selector = obj["spec"]["selector"]
                if not self._shared:
                    self.exposure.shape(obj)
        objects += beside
        handover.relocate(objects, NAMESPACE, self.namespace)
        objects.append(self._certificate.secret(cluster, self.namespace))
        if self._definitions:
            objects += [*self._definitions.objects(cluster), *self._gateway()]
        if self._shared:
            in_charge = handover.selector_in_charge(cluster) if waits else selector
            objects += handover.shared_services(in_charge, self.exposure)
        return objects

    def _args(self, *, outside: bool) -> list[str]:
        """What depends on the configuration: which address is told to Ingresses and Gateways, and whether
        there are Gateways. `outside`: the Service has an address of its own."""
        ingress, nginx = "--providers.kubernetesIngress", "--providers.kubernetesIngressNGINX"
        args = [
            f"{ingress}.ingressEndpoint.hostname=localhost",
            f"{nginx}.publishStatusAddress=localhost",
        ]
        told = ["statusAddress.hostname=localhost"]
        namespace, name = self.service
        if outside:
            args = [
                f"{ingress}.ingressEndpoint.publishedService={namespace}/{name}",
                f"{nginx}.publishService={namespace}/{name}",
            ]
            told = [
                f"statusAddress.service.{k}={v}"
                for k, v in zip(("namespace", "name"), self.service, strict=True)
            ]
        if self._definitions:
            provider = "--providers.kubernetesGateway"
            args += [f"{provider}=true", *(f"{provider}.{one}" for one in told)]
        return args

    def _gateway(self) -> list[Object]:
        objects = _copies(GATEWAY)
        handover.relocate(objects, NAMESPACE, self.namespace)
        return objects

    def with_proof(self, route: Route) -> Route:
        return route

    def resync(self, cluster: Cluster) -> None:
        """It watches without dropping events: nothing to be done."""

    def late_objects(self, cluster: Cluster) -> list[Object]:
        return []

    def prove(self, cluster: Cluster) -> str:
        return ""

    def routes(self, endpoints: Sequence[Endpoint]) -> Sequence[Route]:
        return ()


def controller(setup: Setup) -> Traefik:
    return Traefik(setup)


def manifests() -> list[Object]:
    """The objects as they are shipped, without what the cluster adds to them; a copy."""
    return [obj for file in MANIFESTS for obj in _copies(file)]


def _copies(file: str) -> list[Object]:
    return copy.deepcopy(_parsed(file))


@cache
def _parsed(file: str) -> list[Object]:
    import yaml

    text = files(__package__).joinpath("manifests", file).read_text()
    return list(yaml.safe_load_all(text))


def dynamic(identity: str) -> str:
    """The certificate for localhost, and the headers of ingress.proof on every answer.

    What no router matches is met by a router of ours, of the lowest priority, so that Traefik's 404
    carries them too. Its service has no servers, which is a 503, made a 404 by the middleware.
    """
    import yaml

    def headers(**values: str) -> Object:
        return {"headers": {"customResponseHeaders": values}}

    unmatched = {
        "rule": "PathPrefix(`/`)",
        "priority": UNMATCHED,
        "service": "nobody",
        "middlewares": ["unmatched", "not-found"],
    }
    http = {
        "middlewares": {
            "kindctl": headers(**{ENVIRONMENT_HEADER: identity, CONTROLLER_HEADER: Traefik.name}),
            "unmatched": headers(**{INGRESS_HEADER: NO_INGRESS}),
            "not-found": {
                "errors": {
                    "status": ["503"],
                    "statusRewrites": {"503": 404},
                    "service": "noop@internal",
                    "query": "/",
                }
            },
        },
        "routers": {
            "unmatched": {**unmatched, "entryPoints": ["web"]},
            "unmatched-tls": {**unmatched, "entryPoints": ["websecure"], "tls": {}},
        },
        "services": {"nobody": {"loadBalancer": {"servers": []}}},
    }
    pair = {"certFile": f"{TLS}/tls.crt", "keyFile": f"{TLS}/tls.key"}
    tls = {"stores": {"default": {"defaultCertificate": pair}}}
    return str(yaml.safe_dump({"http": http, "tls": tls}, sort_keys=False))


def _leave_the_node(deployment: Object) -> None:
    """Reached through its Service, it needs no ports of a node, no node in particular, and a new pod
    need not wait for the old one."""
    deployment["spec"]["strategy"] = {"type": "RollingUpdate"}
    spec = deployment["spec"]["template"]["spec"]
    spec["nodeSelector"].pop("ingress-ready")
    for port in spec["containers"][0]["ports"]:
        port.pop("hostPort", None)


def _in_replicas(deployment: Object, scaling: Scaling) -> list[Object]:
    """Several of them, each going without a request being lost; with the objects that belong to that.

    One that is to go still takes requests until every node has heard of it, then ends those that it has.
    /ping answers before the first routes are known, which takes about a second: a new one waits for more.
    """
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    container["readinessProbe"]["initialDelaySeconds"] = 5
    for entry in ("web", "websecure"):
        life = f"--entryPoints.{entry}.transport.lifeCycle"
        container["args"] += [
            f"{life}.requestAcceptGraceTimeout={WITHDRAWN}s",
            f"{life}.graceTimeOut={GRACE - 2 * WITHDRAWN}s",
        ]
    return replicas.replicate(deployment, scaling, grace=GRACE)
