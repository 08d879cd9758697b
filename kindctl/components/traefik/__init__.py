"""Traefik, which also understands the Ingress objects that were written for ingress-nginx.

It serves two classes: its own, and `nginx` by the provider that reads nginx's annotations
(doc.traefik.io, "Kubernetes Ingress NGINX provider"; from release 3.6.2 on without an option).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

from kindctl.components.base import ControllerSetup
from kindctl.components.bundled import BundledController
from kindctl.images.pins import GATEWAY_API, TRAEFIK
from kindctl.ingress.entry_point import EntryPoint
from kindctl.ingress.gateway_api import Definitions
from kindctl.ingress.proof import (
    CONTROLLER_HEADER,
    ENVIRONMENT_HEADER,
    INGRESS_HEADER,
    NO_INGRESS,
    environment_id,
)
from kindctl.manifests.pods import Resolve
from kindctl.models import Object
from kindctl.tools.protocols import Cluster

TLS = "/etc/traefik/tls"
NEEDED = [("v1", kind) for kind in ("GatewayClass", "Gateway", "HTTPRoute", "GRPCRoute")]
NEEDED += [("v1", "TLSRoute"), ("v1", "BackendTLSPolicy"), ("v1beta1", "ReferenceGrant")]
"""The kinds that its Gateway provider watches. If one is missing, it waits for ever and serves nothing."""

WITHDRAWN, GRACE = 10, 300
"""Seconds: how long a stopping replica still takes requests, and when it is killed."""

UNMATCHED = -(1 << 40)
"""A router's priority. An Ingress with nothing but a default backend has the least 32-bit number; this is
less."""


class Traefik(BundledController):
    """See components.bundled.BundledController and ingress.gateway_api.ServesGateways."""

    name = "traefik"
    home = EntryPoint("traefik", "traefik")
    package = __name__
    files = ("rbac.yaml", "config.yaml", "service.yaml", "classes.yaml", "deployment.yaml")
    container_images: ClassVar[Mapping[str, str]] = {"traefik": TRAEFIK}
    ingress_classes = ("traefik", "nginx")
    grace = GRACE
    may_serve_gateway_api = True
    listener_ports: Collection[int] = (80, 443)

    def __init__(self, setup: ControllerSetup) -> None:
        super().__init__(setup)
        self.gateway_classes: Collection[str] = ("traefik",) if setup.gateway_api else ()
        self.gateways: Sequence[Object] = ()
        self._definitions: Definitions | None = None
        if setup.gateway_api:
            self._definitions = Definitions(GATEWAY_API, setup.read_image, NEEDED)
            self.gateways = [obj for obj in self._gateway() if obj["kind"] == "Gateway"]

    def images(self) -> Sequence[str]:
        return (*super().images(), GATEWAY_API) if self._definitions else super().images()

    def objects(self, cluster: Cluster, resolve: Resolve) -> list[Object]:
        objects = super().objects(cluster, resolve)
        if self._definitions:
            objects += [*self._definitions.objects(cluster), *self._gateway()]
        return objects

    def fill_in(self, objects: list[Object], cluster: Cluster) -> None:
        for obj in objects:
            if obj["kind"] == "ConfigMap":
                identity = environment_id(self.environment, cluster)
                obj["data"]["dynamic.yaml"] = dynamic(identity)
            elif obj["kind"] == "Deployment":
                obj["spec"]["template"]["spec"]["containers"][0]["args"] += self._args()

    def leave_node(self, workload: Object) -> None:
        """Change a workload that is reached through its Service. A new pod does not have to wait
        for the old one to stop, either."""
        super().leave_node(workload)
        workload["spec"]["strategy"] = {"type": "RollingUpdate"}

    def prepare_for_replicas(self, workload: Object) -> None:
        """Let a stopping pod accept requests until every node knows that the pod stops, and then finish
        its open requests. The first probe of a new pod comes later, since /ping answers about a second
        before Traefik knows the first routes."""
        (container,) = workload["spec"]["template"]["spec"]["containers"]
        container["readinessProbe"]["initialDelaySeconds"] = 5
        for entry in ("web", "websecure"):
            life = f"--entryPoints.{entry}.transport.lifeCycle"
            container["args"] += [
                f"{life}.requestAcceptGraceTimeout={WITHDRAWN}s",
                f"{life}.graceTimeOut={GRACE - 2 * WITHDRAWN}s",
            ]

    def _args(self) -> list[str]:
        """Return the arguments that depend on the configuration: the address in the status of Ingresses
        and Gateways (the Service's own, where it has one), and whether Gateways are served."""
        ingress, nginx = "--providers.kubernetesIngress", "--providers.kubernetesIngressNGINX"
        namespace, name = self.service
        if any(endpoint.external for endpoint in self.exposure.endpoints()):
            args = [
                f"{ingress}.ingressEndpoint.publishedService={namespace}/{name}",
                f"{nginx}.publishService={namespace}/{name}",
            ]
            address = [f"service.namespace={namespace}", f"service.name={name}"]
        else:
            args = [
                f"{ingress}.ingressEndpoint.hostname=localhost",
                f"{nginx}.publishStatusAddress=localhost",
            ]
            address = ["hostname=localhost"]
        if self._definitions:
            provider = "--providers.kubernetesGateway"
            args += [f"{provider}=true", *(f"{provider}.statusAddress.{one}" for one in address)]
        return args

    def _gateway(self) -> list[Object]:
        """Return Traefik's GatewayClass, and the Gateway for the routes of all apps."""
        objects = self.shipped("gateway.yaml")
        self.relocate(objects)
        return objects


def dynamic(identity: str) -> str:
    """Return Traefik's dynamic configuration, as YAML: the certificate for localhost, and the
    headers of ingress/proof.py on every answer.

    Requests that no other router matches go to a router of the lowest priority, so that Traefik's
    404 has the headers too. The service of that router has no servers, which gives a 503; the
    middleware turns it into a 404.
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
