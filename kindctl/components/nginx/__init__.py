"""ingress-nginx, in the shape that everybody knows from kind.

Names, labels, flags, ports, class and webhook are those of the stock kind flavour. The differences, with
their reasons, are listed in tests/contract/nginx_differences.yaml, and a test finds any other. The objects
suit releases 1.11 to 1.15.

ingress-nginx is retired: announced in November 2025, read-only since March 2026; v1.15.1 is its last
release. Its images stay available.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from kindctl.components.base import ControllerSetup
from kindctl.components.bundled import BundledController
from kindctl.errors import ApiError
from kindctl.images.pins import CONTROLLER
from kindctl.ingress.entry_point import EntryPoint
from kindctl.ingress.proof import (
    CONTROLLER_HEADER,
    ENVIRONMENT_HEADER,
    INGRESS_HEADER,
    environment_id,
)
from kindctl.models import Object, ObjectRef
from kindctl.tools.protocols import Cluster

if TYPE_CHECKING:
    from kindctl.components.nginx.pki import Pki

NAMESPACE = "ingress-nginx"
SERVICE = "ingress-nginx-controller"
ADMISSION = "ingress-nginx-controller-admission"
CONFIG = ObjectRef("v1", "ConfigMap", "ingress-nginx-controller", NAMESPACE)
SECRET = ObjectRef("v1", "Secret", "ingress-nginx-admission", NAMESPACE)
WEBHOOK = "validate.nginx.ingress.kubernetes.io"
PROBE_HOST = "probe.kindctl.invalid"

WITHDRAWN = 10
"""Seconds in which a pod that is stopping still takes requests: until every node knows that it stops.
kube-proxy passes changes on once a second; a busy machine takes longer."""

GRACE = 300
"""Seconds until a stopping pod is killed. Long connections get 240 (nginx' worker-shutdown-timeout)."""


def _now() -> datetime:
    return datetime.now(UTC)


class IngressNginx(BundledController):
    """See components.bundled.BundledController."""

    name = "ingress-nginx"
    home = EntryPoint(NAMESPACE, SERVICE)
    package = __name__
    files = (
        "namespace.yaml",
        "rbac.yaml",
        "config.yaml",
        "services.yaml",
        "deployment.yaml",
        "class.yaml",
    )
    container_images: ClassVar[Mapping[str, str]] = {"controller": CONTROLLER}
    ingress_classes = ("nginx",)
    grace = GRACE
    has_late_objects = True

    def __init__(self, setup: ControllerSetup, now: Callable[[], datetime] = _now) -> None:
        super().__init__(setup)
        self._now = now
        self._lock = threading.Lock()
        self._made: Pki | None = None

    def fill_in(self, objects: list[Object], cluster: Cluster) -> None:
        for index, obj in enumerate(objects):
            if obj["kind"] == "Secret":
                objects[index] = self.pki(cluster).secret(SECRET)
            elif obj["kind"] == "ConfigMap":
                obj["data"]["http-snippet"] = _headers(environment_id(self.environment, cluster))

    def leave_node(self, workload: Object) -> None:
        super().leave_node(workload)
        if self._shares_entry_point:
            return  # its own Service has no address, so its Ingresses keep `localhost`
        args = workload["spec"]["template"]["spec"]["containers"][0]["args"]
        args[args.index("--publish-status-address=localhost")] = (
            f"--publish-service=$(POD_NAMESPACE)/{SERVICE}"
        )

    def prepare_for_replicas(self, workload: Object) -> None:
        """Take a stopping pod out of the Services first, and only then let it stop listening;
        /wait-shutdown, the preStop hook, waits for both. The stock flavour stops its pod at
        once."""
        (container,) = workload["spec"]["template"]["spec"]["containers"]
        # A pod is healthy once its backends are known; its workers look these up once a second, and answer
        # 503 until then. With one pod nobody sees that: with several, the others answer meanwhile.
        container["readinessProbe"]["successThreshold"] = 3
        container["args"] += [
            f"--shutdown-grace-period={WITHDRAWN}",
            "--post-shutdown-grace-period=0",
        ]

    def resync(self, cluster: Cluster) -> None:
        """Make the controller sync, by writing an annotation to the controller's ConfigMap. The controller
        never skips an update of its ConfigMap.

        No manifest contains the annotation, so the annotation does not count as drift.
        """
        annotations = {"kindctl.dev/look-again": _now().isoformat()}
        cluster.merge_patch(self._here(CONFIG), {"metadata": {"annotations": annotations}})

    def late_objects(self, cluster: Cluster) -> list[Object]:
        """Return the webhook, with the CA that is in the Secret now (ingress-nginx#5968, #6458)."""
        (webhook,) = self.shipped("webhook.yaml")
        webhook["webhooks"][0]["clientConfig"]["caBundle"] = self.pki(cluster).ca_bundle
        self.relocate([webhook])
        return [webhook]

    def prove(self, cluster: Cluster) -> str:
        """Return why the webhook does not work. Returns an empty text if the webhook admits a valid
        Ingress and rejects an invalid one. The rejection shows that the API server calls the webhook."""
        try:
            cluster.apply(self._probe("/kindctl"), dry_run=True)
        except ApiError as error:
            return f"the admission webhook does not work: {error.why or error.what}"
        try:
            cluster.apply(self._probe("/kindctl/(.*)"), dry_run=True)
        except ApiError as error:
            return "" if WEBHOOK in error.why and "denied" in error.why else error.why or error.what
        return "the admission webhook is not called: the API accepted an Ingress that the webhook rejects"

    def pki(self, cluster: Cluster) -> Pki:
        """Return the webhook's certificate: the cluster's certificate if it is still good, otherwise a new
        certificate. Further calls return the same new certificate."""
        from kindctl.components.nginx.pki import Pki, create

        names = (ADMISSION, f"{ADMISSION}.{self.namespace}.svc")
        with self._lock:
            found = Pki.read(cluster.get(self._here(SECRET)))
            if found is not None and not found.reason_to_renew(names, self._now()):
                return found
            if self._made is None:
                self._made = create(names, self._now())
            return self._made

    def _here(self, ref: ObjectRef) -> ObjectRef:
        return replace(ref, namespace=self.namespace)

    def _probe(self, path: str) -> Object:
        """Return an Ingress for a dry run. With strict-validate-path-type the webhook rejects it
        where `path` is a regular expression."""
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


def _headers(identity: str) -> str:
    """Return the nginx directives that set the headers of ingress/proof.py. They go into the http block, so
    that every response has the headers, including error pages.

    The option `add-headers` does not work here. It names a second ConfigMap, and the controller does not
    reload when that ConfigMap changes: after it was deleted and restored, it would have no effect. The
    controller's template sets the variables in each location.
    """
    return (
        f'more_set_headers "{ENVIRONMENT_HEADER}: {identity}";\n'
        f'more_set_headers "{INGRESS_HEADER}: $namespace/$ingress_name";\n'
        f'more_set_headers "{CONTROLLER_HEADER}: {IngressNginx.name}";\n'
    )
