"""ingress-nginx, in the shape that everybody knows from kind.

Names, labels, flags, ports, class and webhook are those of the stock kind flavour; what differs, and
why, stands in tests/contract/nginx_differences.yaml, and a test finds any other difference. The
objects suit releases 1.11 to 1.15.

ingress-nginx is retired: announced in November 2025, read-only since March 2026, v1.15.1 is its last
release. Images stay available.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from kindctl.components.base import Setup
from kindctl.components.nginx.flavours import in_replicas, leave_the_node
from kindctl.errors import ApiError
from kindctl.ingress import handover
from kindctl.ingress.proof import (
    CONTROLLER_HEADER,
    ENVIRONMENT_HEADER,
    INGRESS_HEADER,
    environment_id,
)
from kindctl.manifests.manifest import Manifest
from kindctl.manifests.pods import Resolve
from kindctl.models import Endpoint, Object, ObjectRef, Route
from kindctl.tools.protocols import Cluster

if TYPE_CHECKING:
    from kindctl.components.nginx.pki import Pki

IMAGE = (
    "registry.k8s.io/ingress-nginx/controller:v1.15.1"
    "@sha256:594ceea76b01c592858f803f9ff4d2cb40542cae2060410b2c95f75907d659e1"
)
NAMESPACE = "ingress-nginx"
SERVICE = "ingress-nginx-controller"
ADMISSION = "ingress-nginx-controller-admission"
CONFIG = ObjectRef("v1", "ConfigMap", "ingress-nginx-controller", NAMESPACE)
SECRET = ObjectRef("v1", "Secret", "ingress-nginx-admission", NAMESPACE)
WEBHOOK = "validate.nginx.ingress.kubernetes.io"
MANIFESTS = (  # in the order in which they are applied
    "namespace.yaml",
    "rbac.yaml",
    "config.yaml",
    "services.yaml",
    "deployment.yaml",
    "class.yaml",
)
PROBE_HOST = "probe.kindctl.invalid"


def _now() -> datetime:
    return datetime.now(UTC)


class IngressNginx:
    """See components.base.Controller."""

    name = "ingress-nginx"
    left_to_others: Collection[str] = ()
    has_late_objects = True
    ingress_classes: Collection[str] = ("nginx",)
    parsed: Sequence[Manifest] = ()

    def __init__(self, setup: Setup, now: Callable[[], datetime] = _now) -> None:
        self.environment = setup.environment
        self.service, entry = handover.place(NAMESPACE, SERVICE, shared=setup.shared)
        self.namespace = self.service[0]
        self.exposure = setup.expose(*entry)
        self._scaling = setup.scaling
        self._shared = setup.shared
        self._handover = setup.handover
        self._certificate = setup.certificate
        self._now = now
        self._lock = threading.Lock()
        self._made: Pki | None = None

    @property
    def host_ports(self) -> Mapping[int, str]:
        return dict.fromkeys((80, 443), self.name) if self.exposure.on_node else {}

    def images(self) -> Sequence[str]:
        return (IMAGE,)

    def objects(self, cluster: Cluster, resolve: Resolve) -> list[Object]:
        pki = self.pki(cluster)
        objects = [pki.secret(SECRET) if obj["kind"] == "Secret" else obj for obj in manifests()]
        objects.append(self._certificate.secret(cluster, self.namespace))
        waits = bool(self._handover.others(cluster, self.name))
        beside: list[Object] = []
        for obj in objects:
            if obj["kind"] == "ConfigMap":
                obj["data"]["http-snippet"] = _headers(environment_id(self.environment, cluster))
            elif obj["kind"] == "Deployment":
                obj["spec"]["template"]["spec"]["containers"][0]["image"] = resolve(IMAGE)
                if waits or not self.exposure.on_node:
                    leave_the_node(obj, service="" if self._shared else SERVICE)
                if self._scaling.is_asked_for:
                    beside = in_replicas(obj, self._scaling)
            elif obj["kind"] == "Service" and obj["metadata"]["name"] == SERVICE:
                selector = obj["spec"]["selector"]
                if not self._shared:
                    self.exposure.shape(obj)
        objects += beside
        handover.relocate(objects, NAMESPACE, self.namespace)
        if self._shared:
            in_charge = handover.selector_in_charge(cluster) if waits else selector
            objects += handover.shared_services(in_charge, self.exposure)
        return objects

    def with_proof(self, route: Route) -> Route:
        return route

    def resync(self, cluster: Cluster) -> None:
        """Any change of its ConfigMap makes it sync: unlike others, that event is never skipped.

        The annotation is nobody's: as no manifest has it, it does not count as a difference.
        """
        annotations = {"kindctl.dev/look-again": _now().isoformat()}
        cluster.merge_patch(self._here(CONFIG), {"metadata": {"annotations": annotations}})

    def late_objects(self, cluster: Cluster) -> list[Object]:
        """The webhook, with the CA that is in the Secret now (ingress-nginx#5968, #6458)."""
        (webhook,) = _read("webhook.yaml")
        webhook["webhooks"][0]["clientConfig"]["caBundle"] = self.pki(cluster).ca_bundle
        handover.relocate([webhook], NAMESPACE, self.namespace)
        return [webhook]

    def prove(self, cluster: Cluster) -> str:
        """The webhook admits a good Ingress, and refuses one: it is called, and not passed over."""
        try:
            cluster.apply(self._probe("/kindctl"), dry_run=True)
        except ApiError as error:
            return f"the admission webhook: {error.why or error.what}"
        try:
            cluster.apply(self._probe("/kindctl/(.*)"), dry_run=True)
        except ApiError as error:
            return "" if WEBHOOK in error.why and "denied" in error.why else error.why or error.what
        return "the admission webhook is not called: an Ingress that it refuses was admitted"

    def routes(self, endpoints: Sequence[Endpoint]) -> Sequence[Route]:
        return ()

    def pki(self, cluster: Cluster) -> Pki:
        """What the cluster has, if it is good; else a new one, which is the same at the next call."""
        from kindctl.components.nginx.pki import Pki, create

        names = (ADMISSION, f"{ADMISSION}.{self.namespace}.svc")
        with self._lock:
            found = Pki.read(cluster.get(self._here(SECRET)))
            if found is not None and not found.rejection(names, self._now()):
                return found
            if self._made is None:
                self._made = create(names, self._now())
            return self._made

    def _here(self, ref: ObjectRef) -> ObjectRef:
        return replace(ref, namespace=self.namespace)

    def _probe(self, path: str) -> Object:
        """For a dry run. With strict-validate-path-type the webhook refuses a regular expression here."""
        service = {"name": SERVICE, "port": {"name": "http"}}
        rule = {"path": path, "pathType": "Prefix", "backend": {"service": service}}
        return {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": "kindctl-probe", "namespace": self.namespace},
            "spec": {
                "ingressClassName": "nginx",
                "rules": [{"host": PROBE_HOST, "http": {"paths": [rule]}}],
            },
        }


def controller(setup: Setup) -> IngressNginx:
    return IngressNginx(setup)


def manifests() -> list[Object]:
    """The objects as they are shipped, without what the cluster adds to them; a copy."""
    return [obj for file in MANIFESTS for obj in _read(file)]


def _read(file: str) -> list[Object]:
    return copy.deepcopy(_parsed(file))


@cache
def _parsed(file: str) -> list[Object]:
    import yaml

    text = files(__package__).joinpath("manifests", file).read_text()
    return list(yaml.safe_load_all(text))


def _headers(identity: str) -> str:
    """Set in the http block, and so on every answer, an error page's too.

    Not by `add-headers`: that names a second ConfigMap, whose change makes no controller reload, so
    that one which was deleted and came back would stay without effect. The variables are those that
    the controller's template sets in each location.
    """
    return (
        f'more_set_headers "{ENVIRONMENT_HEADER}: {identity}";\n'
        f'more_set_headers "{INGRESS_HEADER}: $namespace/$ingress_name";\n'
        f'more_set_headers "{CONTROLLER_HEADER}: {IngressNginx.name}";\n'
    )
