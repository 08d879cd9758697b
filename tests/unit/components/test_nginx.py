"""ingress-nginx: what is applied, what is read back, and the proof that its webhook is called."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kindctl.components import CONTROLLERS, controller_class
from kindctl.components.nginx import SECRET, WEBHOOK, IngressNginx
from kindctl.components.nginx.pki import LIFE
from kindctl.errors import ApiError, UsageError
from kindctl.images.pins import CONTROLLER
from kindctl.ingress.proof import environment_id
from kindctl.models import Object, ObjectRef
from kindctl.trust import serving
from tests.fakes.cluster import FakeCluster
from tests.fakes.ways import setup

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ingress-nginx"}}


def as_it_is(reference: str) -> str:
    return reference


def nginx(after: timedelta = timedelta()) -> IngressNginx:
    return IngressNginx(setup("shop"), now=lambda: NOW + after)


def found(objects: list[Object], kind: str, name: str = "") -> Any:
    (one,) = [o for o in objects if o["kind"] == kind and o["metadata"]["name"].endswith(name)]
    return one


def ca_of(objects: list[Object]) -> str:
    return str(found(objects, "Secret", SECRET.name)["data"]["ca"])


def bundle_of(objects: list[Object]) -> str:
    (webhook,) = objects
    return str(webhook["webhooks"][0]["clientConfig"]["caBundle"])


@pytest.fixture
def cluster() -> FakeCluster:
    made = FakeCluster()
    made.put(NAMESPACE)
    return made


def test_the_local_authoritys_certificate_is_its_default(cluster: FakeCluster) -> None:
    objects = nginx().objects(cluster, as_it_is)
    (container,) = found(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert f"--default-ssl-certificate=$(POD_NAMESPACE)/{serving.SECRET}" in container["args"]
    secret = found(objects, "Secret", serving.SECRET)
    assert (secret["type"], secret["metadata"]["namespace"]) == (
        "kubernetes.io/tls",
        "ingress-nginx",
    )
    assert found(objects, "ConfigMap")["data"]["hsts"] == "false"


def test_the_registry_loads_it() -> None:
    assert next(iter(CONTROLLERS)) == "nginx"  # the default, named first
    assert controller_class("nginx")(setup("shop")).images() == (CONTROLLER,)
    with pytest.raises(UsageError, match="no ingress controller 'apache'"):
        controller_class("apache")(setup("shop"))


def test_an_in_memory_api_takes_all_objects(cluster: FakeCluster) -> None:
    controller = nginx()
    for obj in [*controller.objects(cluster, as_it_is), *controller.late_objects(cluster)]:
        cluster.apply(obj)
    kinds = [ref.split()[0] for ref in cluster.applied]
    assert kinds[0] == "Namespace"
    assert kinds.index("Secret") < kinds.index("Deployment")  # no mount that has to be tried again
    assert kinds[-1] == "ValidatingWebhookConfiguration"
    assert "Job" not in kinds


def test_the_controller_runs_the_image_that_the_nodes_have(cluster: FakeCluster) -> None:
    objects = nginx().objects(cluster, lambda reference: f"nodes.local/{reference.split('@')[0]}")
    (container,) = found(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "nodes.local/registry.k8s.io/ingress-nginx/controller:v1.15.1"
    assert container["imagePullPolicy"] == "IfNotPresent"


def test_it_runs_on_the_node_whose_ports_are_mapped(cluster: FakeCluster) -> None:
    pod = found(nginx().objects(cluster, as_it_is), "Deployment")["spec"]["template"]["spec"]
    assert pod["nodeSelector"]["ingress-ready"] == "true"
    ports = {p["hostPort"] for p in pod["containers"][0]["ports"] if "hostPort" in p}
    assert ports == set(nginx().host_ports)


def test_it_is_asked_every_second_from_the_start(cluster: FakeCluster) -> None:
    pod = found(nginx().objects(cluster, as_it_is), "Deployment")["spec"]["template"]["spec"]
    probe = pod["containers"][0]["readinessProbe"]
    assert (probe["initialDelaySeconds"], probe["periodSeconds"]) == (0, 1)


def test_every_answer_says_which_environment_and_ingress_it_is_from(cluster: FakeCluster) -> None:
    data = found(nginx().objects(cluster, as_it_is), "ConfigMap")["data"]
    identity = environment_id("shop", cluster)
    assert f'"X-Kindctl-Environment: {identity}";' in data["http-snippet"]
    assert '"X-Kindctl-Ingress: $namespace/$ingress_name";' in data["http-snippet"]
    assert data["strict-validate-path-type"] == "true"
    assert data["worker-processes"] == "2"
    assert all(isinstance(value, str) for value in data.values())


def test_identities_differ_by_name_and_by_cluster() -> None:
    one, other = FakeCluster(), FakeCluster()
    ref = ObjectRef("v1", "Namespace", "kube-system")
    other.delete(ref)
    with pytest.raises(ApiError) as caught:
        environment_id("shop", other)
    assert caught.value.passing
    other.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system"}})
    found = {environment_id(name, cluster) for name in ("a", "b") for cluster in (one, other)}
    assert len(found) == 4


# --- the certificate -----------------------------------------------------------------------------


def test_the_same_call_gives_the_same_objects_before_and_after_they_are_applied(
    cluster: FakeCluster,
) -> None:
    controller = nginx()
    first = controller.objects(cluster, as_it_is)
    assert controller.objects(cluster, as_it_is) == first
    for obj in first:
        cluster.apply(obj)
    assert controller.objects(cluster, as_it_is) == first
    assert nginx().objects(cluster, as_it_is) == first  # another `up`


def test_shipped_manifests_are_not_altered_by_what_is_filled_in(cluster: FakeCluster) -> None:
    one, other = (
        nginx().objects(cluster, as_it_is),
        IngressNginx(setup("other")).objects(cluster, str),
    )
    assert found(one, "ConfigMap")["data"] != found(other, "ConfigMap")["data"]
    assert ca_of(one) != ca_of(other)


def test_it_is_renewed_near_its_end_and_not_before(cluster: FakeCluster) -> None:
    objects = nginx().objects(cluster, as_it_is)
    cluster.apply(found(objects, "Secret", SECRET.name))
    early = nginx(LIFE - timedelta(days=31)).objects(cluster, as_it_is)
    late = nginx(LIFE - timedelta(days=29))
    assert ca_of(early) == ca_of(objects)
    renewed = late.objects(cluster, as_it_is)
    assert ca_of(renewed) != ca_of(objects)
    assert bundle_of(late.late_objects(cluster)) == ca_of(renewed)


@pytest.mark.parametrize("damage", ["ca", "cert", "key"])
def test_a_damaged_secret_is_replaced_and_the_webhook_follows(
    cluster: FakeCluster, damage: str
) -> None:
    cluster.apply(found(nginx().objects(cluster, as_it_is), "Secret", SECRET.name))
    other = found(nginx().objects(FakeCluster(), as_it_is), "Secret", SECRET.name)["data"][damage]
    cluster.edit(SECRET, lambda obj: obj["data"].update({damage: other}))
    controller = nginx()
    objects = controller.objects(cluster, as_it_is)
    secret = found(objects, "Secret", SECRET.name)
    assert secret["data"] != (cluster.get(SECRET) or {})["data"]
    assert bundle_of(controller.late_objects(cluster)) == secret["data"]["ca"]


def test_the_webhook_has_the_ca_of_the_secret_that_is_there(cluster: FakeCluster) -> None:
    """ingress-nginx#5968: a CA in the webhook that is not the Secret's makes every Ingress fail."""
    cluster.apply(found(nginx().objects(cluster, as_it_is), "Secret", SECRET.name))
    (webhook,) = nginx().late_objects(cluster)
    webhook["webhooks"][0]["clientConfig"]["caBundle"] = base64.b64encode(b"stale").decode()
    cluster.put(webhook)
    (again,) = nginx().late_objects(cluster)
    ca = (cluster.get(SECRET) or {})["data"]["ca"]
    assert again["webhooks"][0]["clientConfig"]["caBundle"] == ca


# --- the proof -----------------------------------------------------------------------------------


class Admission(FakeCluster):
    """An API server that asks a webhook about Ingress objects: `refuses` says why, or nothing."""

    def apply(self, obj: Object, *, dry_run: bool = False) -> Object:
        if obj["kind"] == "Ingress":
            assert dry_run, "a probe must leave nothing behind"
            for path in obj["spec"]["rules"][0]["http"]["paths"]:
                self.ask(str(path["path"]))
        return super().apply(obj, dry_run=dry_run)

    def ask(self, path: str) -> None:
        if "(" in path:
            raise denied(f"path {path} cannot be used with pathType Prefix")


def denied(why: str, webhook: str = WEBHOOK) -> ApiError:
    return ApiError(
        "the Kubernetes API refused to apply Ingress: 400 BadRequest",
        status=400,
        why=f'admission webhook "{webhook}" denied the request: {why}',
    )


class AdmitsNothing(Admission):
    def ask(self, path: str) -> None:
        raise denied("nginx: configuration file test failed")


class AdmitsAll(Admission):
    def ask(self, path: str) -> None:
        return


class OtherRefuses(Admission):
    def ask(self, path: str) -> None:
        if "(" in path:
            raise denied("policy", webhook="validate.kyverno.svc")


def proven(cluster: FakeCluster) -> str:
    cluster.put(NAMESPACE)
    return nginx().prove(cluster)


def test_a_webhook_that_admits_and_refuses_is_proven() -> None:
    cluster = Admission()
    assert proven(cluster) == ""
    assert cluster.applied == []
    assert cluster.list("networking.k8s.io/v1", "Ingress") == []


def test_a_webhook_that_is_not_called_is_noticed() -> None:
    assert "is not called" in proven(AdmitsAll())


def test_a_webhook_that_refuses_everything_is_noticed() -> None:
    assert "configuration file test failed" in proven(AdmitsNothing())


def test_the_refusal_of_another_webhook_proves_nothing() -> None:
    assert "validate.kyverno.svc" in proven(OtherRefuses())


def test_a_webhook_that_does_not_answer_yet_is_what_was_seen() -> None:
    cluster = Admission()
    cluster.webhook_down("Ingress", times=1)
    assert "failed calling webhook" in proven(cluster)
    assert proven(cluster) == ""
