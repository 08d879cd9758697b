from __future__ import annotations

import pytest

from kindctl.components.base import Component
from kindctl.components.nginx import IngressNginx
from kindctl.components.traefik import Traefik
from kindctl.errors import ApiError
from kindctl.kube_objects import labels_of
from kindctl.live.applied import applied_objects
from kindctl.live.port_holders import PortHolders
from kindctl.models import COMPONENT_LABEL, Absent, Differs, NotReady, Object, ObjectRef, Ready
from kindctl.steps.objects import ObjectsApplied
from kindctl.steps.prune import Pruned
from kindctl.steps.record import Recorded
from tests.fakes.cluster import FakeCluster
from tests.fakes.component import FakeComponent, FakeProvider, Heard
from tests.fakes.forwards import FakeForwards
from tests.fakes.ways import setup
from tests.support import shop
from tests.support.shop import ref

SPACE = ObjectRef("v1", "Namespace", "shop")


def everything() -> FakeComponent:
    manifests = [
        obj for obj in shop.everything() if obj["kind"] != "ValidatingWebhookConfiguration"
    ]
    return FakeComponent(manifests=manifests, late=[shop.webhook()])


WEBHOOK = "ValidatingWebhookConfiguration ingress-nginx-admission"


@pytest.fixture
def cluster() -> FakeCluster:
    """With the shop and the record of its environment."""
    cluster = FakeCluster()
    install(cluster, everything())
    recorded(cluster).apply(Heard())
    return cluster


def install(cluster: FakeCluster, component: Component, environment: str = "dev") -> None:
    for late in (False, True):
        ObjectsApplied(
            name="objects",
            title="",
            needs=frozenset(),
            component=component,
            provider=FakeProvider(cluster),
            environment=environment,
            resolve=lambda reference: reference,
            port_holders=PortHolders(environment, [component]),
            late=late,
        ).apply(Heard())


def recorded(cluster: FakeCluster) -> Recorded:
    return Recorded(
        name="record",
        title="",
        needs=frozenset(),
        components=[everything()],
        provider=FakeProvider(cluster),
        environment="dev",
        config="{}",
        file="",
        version="1",
        controller="",
        routes=[],
    )


def pruned(cluster: FakeCluster | None, *components: Component) -> Pruned:
    return Pruned(
        name="prune",
        title="",
        needs=frozenset(),
        components=components,
        provider=FakeProvider(cluster),
        environment="dev",
        forwards=FakeForwards(),
    )


def without(component: FakeComponent, *kinds: str) -> FakeComponent:
    component.manifests = [obj for obj in component.manifests if obj["kind"] not in kinds]
    return component


def put(cluster: FakeCluster, obj: Object) -> Object:
    """Of somebody else, in the shop's namespace."""
    return cluster.put({**obj, "metadata": {**obj["metadata"], "namespace": "shop"}})


def test_what_the_plan_holds_stays(cluster: FakeCluster) -> None:
    step = pruned(cluster, everything())
    assert step.observe() == Ready()
    assert step.apply(Heard()).done == ()
    assert cluster.deleted == []


def test_what_left_the_plan_is_removed_and_nothing_else(cluster: FakeCluster) -> None:
    step = pruned(cluster, without(everything(), "Ingress", "IngressClass"))
    state = step.observe()
    assert state == Differs("no longer in the configuration: Ingress shop/web, IngressClass nginx")
    assert step.apply(Heard()).done == ("removed Ingress shop/web", "removed IngressClass nginx")
    assert isinstance(step.observe(), Ready)
    assert cluster.get(ref(shop.deployment()))


def test_of_ingress_nginx_nothing_stays_once_traefik_has_its_place() -> None:
    """Its webhook would refuse every Ingress without its server: it goes before that."""
    cluster = FakeCluster()
    old, new = IngressNginx(setup("dev")), Traefik(setup("dev"))
    for controller in (old, new):
        install(cluster, controller)
    assert WEBHOOK in {str(ObjectRef.of(obj)) for obj in applied_objects(cluster, "dev")}
    step = pruned(cluster, new)
    assert isinstance(step.observe(), Differs)
    removed = step.apply(Heard()).done
    assert removed[0] == f"removed {WEBHOOK}"
    assert cluster.deleted[0] == WEBHOOK
    assert "Namespace ingress-nginx" in cluster.deleted
    left = {labels_of(obj).get(COMPONENT_LABEL) for obj in applied_objects(cluster, "dev")}
    assert left == {"traefik"}
    assert isinstance(step.observe(), Ready)


def test_webhooks_go_first_and_namespaces_last(cluster: FakeCluster) -> None:
    step = pruned(cluster)
    assert isinstance(step.observe(), Differs)
    step.apply(Heard())
    assert cluster.deleted[0] == "ValidatingWebhookConfiguration web"
    assert cluster.deleted[-1] == "Namespace shop"
    assert not [words for words in cluster.deleted if "shop/" in words]  # gone with the namespace
    assert isinstance(step.observe(), Ready)
    assert cluster.get(ref(shop.deployment())) is None
    assert cluster.get(ref(shop.crd())) is None


def test_the_record_stays(cluster: FakeCluster) -> None:
    pruned(cluster).apply(Heard())
    assert isinstance(recorded(cluster).observe(), Differs | Ready)
    assert cluster.get(ObjectRef("v1", "ConfigMap", "kindctl", "kindctl-system"))


def test_another_view_of_the_same_object_is_kept(cluster: FakeCluster) -> None:
    """autoscaling/v1 and autoscaling/v2 show the same HorizontalPodAutoscaler."""
    component = everything()
    for obj in component.manifests:
        if obj["kind"] == "HorizontalPodAutoscaler":
            obj["apiVersion"] = "autoscaling/v1"
    assert pruned(cluster, component).observe() == Ready()


# --- what is not ours ----------------------------------------------------------------------------


def test_what_has_no_label_of_ours_is_never_deleted(cluster: FakeCluster) -> None:
    theirs = put(cluster, shop.manifest("v1", "ConfigMap", "theirs"))
    cluster.edit(ref(shop.service()), lambda obj: obj["metadata"].pop("labels"))
    pruned(cluster).apply(Heard())
    assert cluster.get(ObjectRef.of(theirs)) == theirs
    assert cluster.get(ref(shop.service()))


def test_another_environment_is_left_alone(cluster: FakeCluster) -> None:
    other = FakeComponent(name="other", namespace="other", manifests=[shop.service()])
    install(cluster, other, environment="test")
    pruned(cluster).apply(Heard())
    assert cluster.get(ObjectRef("v1", "Service", "web", "other"))
    assert cluster.get(ObjectRef("v1", "Namespace", "other"))


def test_a_copy_that_a_controller_made_is_left_alone(cluster: FakeCluster) -> None:
    """EndpointSlices get the labels of their Service."""
    service = cluster.get(ref(shop.service()))
    assert service is not None
    assert COMPONENT_LABEL in service["metadata"]["labels"]
    copied = shop.manifest("discovery.k8s.io/v1", "EndpointSlice", "web-x")
    copied["metadata"]["labels"] = service["metadata"]["labels"]
    put(cluster, copied)
    assert pruned(cluster, everything()).observe() == Ready()


def test_a_namespace_with_something_of_others_stays(cluster: FakeCluster) -> None:
    put(cluster, shop.manifest("v1", "PersistentVolumeClaim", "data-queue-0"))
    step = pruned(cluster)
    step.apply(Heard())
    assert cluster.get(SPACE)
    assert cluster.get(ref(shop.deployment())) is None
    state = step.observe()
    assert state == Ready("kept Namespace shop: it contains PersistentVolumeClaim data-queue-0")


def test_what_every_namespace_has_does_not_keep_it(cluster: FakeCluster) -> None:
    put(cluster, shop.manifest("v1", "ConfigMap", "kube-root-ca.crt"))
    put(cluster, shop.manifest("v1", "ServiceAccount", "default"))
    put(cluster, shop.manifest("coordination.k8s.io/v1", "Lease", "leader"))
    owned = shop.manifest("v1", "Pod", "web-1")
    owned["metadata"]["ownerReferences"] = [{"uid": "of-the-deployment"}]
    put(cluster, owned)
    pruned(cluster).apply(Heard())
    assert cluster.get(SPACE) is None


def test_a_namespace_that_another_component_uses_stays(cluster: FakeCluster) -> None:
    other = FakeComponent(name="other", manifests=[shop.manifest("v1", "Service", "other")])
    install(cluster, other)
    pruned(cluster, other).apply(Heard())
    assert cluster.get(SPACE)
    assert cluster.get(ObjectRef("v1", "Service", "other", "shop"))
    assert cluster.get(ref(shop.service())) is None


# --- on the way ----------------------------------------------------------------------------------


def test_a_namespace_that_is_being_emptied_is_done(cluster: FakeCluster) -> None:
    cluster.hold(SPACE)
    step = pruned(cluster)
    step.apply(Heard())
    assert cluster.get(SPACE)
    assert isinstance(step.observe(), Ready)


def test_a_kind_that_cannot_be_listed_is_passed_over(cluster: FakeCluster) -> None:
    cluster.fail("list", "Lease", ApiError("forbidden", status=403), times=9)
    assert pruned(cluster, everything()).observe() == Ready()


def test_an_api_that_does_not_answer_is_waited_for(cluster: FakeCluster) -> None:
    cluster.down = True
    assert isinstance(pruned(cluster).observe(), NotReady)
    assert isinstance(pruned(None).observe(), Absent)


def test_what_a_chart_wants_to_be_kept_stays_and_keeps_its_namespace(cluster: FakeCluster) -> None:
    kept = ref(shop.claim())
    obj = cluster.get(kept)
    assert obj
    policy = {"helm.sh/resource-policy": "keep"}
    cluster.put({**obj, "metadata": {**obj["metadata"], "annotations": policy}}, manager="kindctl")
    step = pruned(cluster)
    step.apply(Heard())
    assert cluster.get(kept)
    assert cluster.get(ref(shop.deployment())) is None
    assert "kept Namespace shop: it contains PersistentVolumeClaim data" in str(step.observe())
