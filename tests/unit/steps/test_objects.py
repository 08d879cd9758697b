from __future__ import annotations

from typing import Any

import pytest

from kindctl.errors import ApiError, KindctlError, NotOursError
from kindctl.live import established
from kindctl.live.desired import rank
from kindctl.live.differences import differences
from kindctl.live.port_holders import PortHolders
from kindctl.manifests.checksum import ANNOTATION
from kindctl.models import (
    COMPONENT_LABEL,
    ENVIRONMENT_LABEL,
    MANAGED_LABEL,
    Absent,
    Differs,
    NotReady,
    Object,
    ObjectRef,
    Ready,
    State,
)
from kindctl.steps.objects import ObjectsApplied
from tests.fakes.cluster import FakeCluster
from tests.fakes.component import FakeComponent, FakeProvider, Heard
from tests.support import shop
from tests.support.shop import altered, ref

KINDS = sorted({obj["kind"] for obj in shop.everything()})


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


def step(cluster: FakeCluster | None, *manifests: Object, **options: Any) -> ObjectsApplied:
    late = options.pop("late_manifests", [])
    component = FakeComponent(manifests=list(manifests), late=late)
    beside: list[FakeComponent] = options.pop("beside", [])
    return ObjectsApplied(
        name="objects:shop",
        title="apply the shop",
        needs=frozenset(),
        component=component,
        provider=FakeProvider(cluster),
        environment="dev",
        resolve=lambda reference: reference,
        port_holders=PortHolders("dev", [component, *beside]),
        **options,
    )


def make_so(step: ObjectsApplied) -> tuple[str, ...]:
    """As the runner does it: look, apply, look again; what was done."""
    assert isinstance(step.observe(), Absent | Differs)
    done = step.apply(Heard()).done
    assert isinstance(step.observe(), Ready)
    return done


def live(cluster: FakeCluster, obj: Object) -> Object:
    found = cluster.get(ref(obj))
    assert found is not None, f"no {ref(obj)}"
    return found


def seen(state: State) -> str:
    assert isinstance(state, NotReady)
    return state.seen


def of_kind(kind: str) -> Object:
    return next(obj for obj in shop.everything() if obj["kind"] == kind)


# --- making it so --------------------------------------------------------------------------------


def test_what_is_absent_is_named_and_created(cluster: FakeCluster) -> None:
    applied = step(cluster, shop.deployment(), shop.service())
    state = applied.observe()
    assert state == Absent("3 of 3 objects: Namespace shop, Service shop/web, Deployment shop/web")
    assert applied.apply(Heard()).done == (
        "created Namespace shop",
        "created Service shop/web",
        "created Deployment shop/web",
    )
    assert applied.observe() == Ready("3 objects")


def test_what_others_need_is_applied_before_them(cluster: FakeCluster) -> None:
    make_so(step(cluster, *shop.everything()))
    ranks = [rank(words.split()[0]) for words in cluster.applied]
    assert ranks == sorted(ranks)
    kinds = [words.split()[0] for words in cluster.applied]
    assert kinds[:2] == ["Namespace", "CustomResourceDefinition"]
    assert kinds[-2:] == ["Widget", "ValidatingWebhookConfiguration"]
    assert kinds.index("IngressClass") < kinds.index("Ingress")
    assert kinds.index("Secret") < kinds.index("Deployment")
    assert kinds.index("Role") < kinds.index("RoleBinding")


def test_every_object_is_labelled_and_no_pod_template_or_selector_is(cluster: FakeCluster) -> None:
    make_so(step(cluster, *shop.everything()))
    for obj in shop.everything():
        labels = live(cluster, obj)["metadata"]["labels"]
        assert labels[MANAGED_LABEL] == "kindctl"
        assert labels[ENVIRONMENT_LABEL] == "dev"
        assert labels[COMPONENT_LABEL] == "shop"
    spec = live(cluster, shop.deployment())["spec"]
    assert spec["template"]["metadata"]["labels"] == {"app": "web"}
    assert spec["selector"] == {"matchLabels": {"app": "web"}}


def test_a_second_time_nothing_changes(cluster: FakeCluster) -> None:
    make_so(step(cluster, *shop.everything()))
    before = [live(cluster, obj) for obj in shop.everything()]
    again = step(cluster, *shop.everything())
    assert again.observe() == Ready(f"{len(before)} objects")
    assert again.apply(Heard()).done == ()
    assert [live(cluster, obj) for obj in shop.everything()] == before


def test_images_are_named_as_the_nodes_have_them(cluster: FakeCluster) -> None:
    applied = step(cluster, shop.deployment())
    applied.resolve = lambda reference: f"kindctl.local/{reference}"
    make_so(applied)
    (container,) = live(cluster, shop.deployment())["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "kindctl.local/web:1"


def test_late_objects_are_applied_alone(cluster: FakeCluster) -> None:
    late = step(cluster, shop.deployment(), late=True, late_manifests=[shop.webhook()])
    assert make_so(late) == ("created ValidatingWebhookConfiguration web",)
    assert cluster.get(ref(shop.deployment())) is None


def test_lists_are_taken_apart(cluster: FakeCluster) -> None:
    bundle = {"apiVersion": "v1", "kind": "List", "items": [shop.service()]}
    make_so(step(cluster, bundle))
    assert live(cluster, shop.service())


def test_a_job_stays_after_its_end(cluster: FakeCluster) -> None:
    obj = shop.job()
    obj["spec"]["ttlSecondsAfterFinished"] = 0
    make_so(step(cluster, obj))
    assert "ttlSecondsAfterFinished" not in live(cluster, obj)["spec"]


# --- namespaces ----------------------------------------------------------------------------------


def test_a_namespace_that_nobody_declares_is_made_for_all(cluster: FakeCluster) -> None:
    make_so(step(cluster, shop.service()))
    labels = live(cluster, shop.manifest("v1", "Namespace", "shop"))["metadata"]["labels"]
    assert labels == {MANAGED_LABEL: "kindctl", ENVIRONMENT_LABEL: "dev"}
    cluster.delete(ObjectRef("v1", "Namespace", "shop"))
    assert "created Namespace shop" in make_so(step(cluster, shop.service()))


def test_a_namespace_of_somebody_else_is_left_as_it_is(cluster: FakeCluster) -> None:
    before = cluster.put(shop.manifest("v1", "Namespace", "shop"))
    assert make_so(step(cluster, shop.service())) == ("created Service shop/web",)
    assert cluster.get(ObjectRef("v1", "Namespace", "shop")) == before


@pytest.mark.parametrize("late", [False, True])
def test_a_declared_namespace_keeps_its_labels(cluster: FakeCluster, late: bool) -> None:
    """Whoever else applies something into it: another component, or its own late objects."""
    declared = shop.manifest("v1", "Namespace", "shop")
    declared["metadata"]["labels"] = {"pod-security.kubernetes.io/enforce": "restricted"}
    make_so(step(cluster, declared))
    before = live(cluster, declared)
    manifests: list[Object] = [] if late else [shop.service()]
    other = step(cluster, *manifests, late=late, late_manifests=[shop.service()])
    assert make_so(other) == ("created Service shop/web",)
    assert live(cluster, declared) == before


def test_kubernetes_own_namespaces_are_never_labelled(cluster: FakeCluster) -> None:
    declared = shop.manifest("v1", "Namespace", "default")
    step(cluster, declared).apply(Heard())
    found = cluster.get(ObjectRef("v1", "Namespace", "default"))
    assert found is not None
    assert "labels" not in found["metadata"]


# --- repairing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_deleted_object_comes_back(cluster: FakeCluster, kind: str) -> None:
    make_so(step(cluster, *shop.everything()))
    gone = of_kind(kind)
    cluster.delete(ref(gone))
    state = step(cluster, *shop.everything()).observe()
    assert isinstance(state, Absent)
    assert str(ref(gone)) in state.what
    assert f"created {ref(gone)}" in make_so(step(cluster, *shop.everything()))
    assert live(cluster, gone)


@pytest.mark.parametrize("kind", KINDS)
def test_a_mutated_object_comes_back(cluster: FakeCluster, kind: str) -> None:
    make_so(step(cluster, *shop.everything()))
    obj = of_kind(kind)
    before = live(cluster, obj)
    cluster.put(altered(before), manager="kubectl-edit")
    (done,) = make_so(step(cluster, *shop.everything()))
    assert done.startswith(f"repaired {ref(obj)}: ")
    assert not differences(live(cluster, obj), before)


def test_what_differs_is_named_by_its_path(cluster: FakeCluster) -> None:
    make_so(step(cluster, shop.deployment()))
    cluster.put(altered(live(cluster, shop.deployment())), manager="kubectl-edit")
    assert step(cluster, shop.deployment()).observe() == Differs(
        "Deployment shop/web: spec.template.spec.containers[web].image"
    )


@pytest.mark.parametrize("kind", ["Service", "Ingress"])
def test_a_repair_of_what_a_controller_routes_by_is_known_by_its_time(
    cluster: FakeCluster, kind: str
) -> None:
    first = step(cluster, *shop.everything(), clock=lambda: 7.0)
    make_so(first)
    assert first.mended() is None  # all is new: nobody knows anything older
    obj = of_kind(kind)
    assert cluster.delete(ref(obj))
    again = step(cluster, *shop.everything(), clock=lambda: 8.0)
    make_so(again)
    assert again.mended() == 8.0


def test_no_other_repair_counts_as_one_of_what_a_controller_routes_by(cluster: FakeCluster) -> None:
    make_so(step(cluster, *shop.everything()))
    cluster.delete(ref(of_kind("ConfigMap")))
    again = step(cluster, *shop.everything())
    make_so(again)
    assert again.mended() is None


def test_an_object_without_our_labels_is_still_found(cluster: FakeCluster) -> None:
    make_so(step(cluster, shop.service()))
    cluster.edit(ref(shop.service()), lambda obj: obj["metadata"].pop("labels"))
    (done,) = make_so(step(cluster, shop.service()))
    assert done.startswith("repaired Service shop/web: metadata.labels")


def test_fields_of_others_stay(cluster: FakeCluster) -> None:
    make_so(step(cluster, shop.deployment()))
    cluster.edit(ref(shop.deployment()), lambda obj: obj["spec"].update(revisionHistoryLimit=3))
    assert isinstance(step(cluster, shop.deployment()).observe(), Ready)
    assert live(cluster, shop.deployment())["spec"]["revisionHistoryLimit"] == 3


def test_a_field_that_left_the_manifest_goes(cluster: FakeCluster) -> None:
    make_so(step(cluster, shop.manifest("v1", "ConfigMap", data={"a": "1", "b": "2"})))
    less = shop.manifest("v1", "ConfigMap", data={"a": "1"})
    assert make_so(step(cluster, less)) == ("repaired ConfigMap shop/web: data.b",)
    assert live(cluster, less)["data"] == {"a": "1"}


def named_ports(*numbers: int) -> Object:
    """Ports of one name, which the API takes only when there is one."""
    obj = shop.service()
    obj["spec"]["ports"] = [{"name": "http", "port": number} for number in numbers]
    return obj


def test_a_changed_port_of_a_service_comes_back(cluster: FakeCluster) -> None:
    ours = named_ports(80)
    make_so(step(cluster, ours))

    def change(obj: Object) -> None:
        obj["spec"]["ports"][0]["port"] = 81
        obj["spec"]["sessionAffinity"] = "ClientIP"

    cluster.edit(ref(ours), change)
    again = step(cluster, ours)
    assert again.observe() == Differs("Service shop/web: spec.ports")
    assert again.apply(Heard()).done == ("repaired Service shop/web: spec.ports",)
    assert isinstance(again.observe(), Ready)
    spec = live(cluster, ours)["spec"]
    assert [port["port"] for port in spec["ports"]] == [80]
    assert spec["sessionAffinity"] == "ClientIP"  # a field of others


def test_a_deployment_takes_the_strategy_that_may_not_have_the_defaults_of_the_old_one(
    cluster: FakeCluster,
) -> None:
    make_so(step(cluster, shop.deployment()))

    def default(obj: Object) -> None:
        obj["spec"]["strategy"] = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%"}}

    cluster.edit(ref(shop.deployment()), default)
    ours = shop.deployment(strategy={"type": "Recreate"})
    assert make_so(step(cluster, ours)) == ("repaired Deployment shop/web: spec.strategy",)
    assert live(cluster, ours)["spec"]["strategy"] == {"type": "Recreate"}
    assert isinstance(step(cluster, ours).observe(), Ready)


def test_a_list_that_is_invalid_in_itself_is_an_error(cluster: FakeCluster) -> None:
    make_so(step(cluster, named_ports(80)))
    before = live(cluster, shop.service())
    applied = step(cluster, named_ports(80, 81))
    applied.observe()
    with pytest.raises(ApiError, match="422 Invalid") as caught:
        applied.apply(Heard())
    assert 'spec.ports[1].name: Duplicate value: "http"' in caught.value.why
    assert live(cluster, shop.service()) == before


def test_a_list_of_an_object_without_our_mark_is_not_replaced(cluster: FakeCluster) -> None:
    cluster.put(shop.manifest("v1", "Namespace", "shop"))
    theirs = named_ports(81)
    theirs["metadata"]["namespace"] = "shop"
    before = cluster.put(theirs)
    applied = step(cluster, named_ports(80))
    applied.observe()
    with pytest.raises(ApiError, match="422 Invalid"):
        applied.apply(Heard())
    assert live(cluster, theirs) == before


@pytest.mark.parametrize(("replicas", "stays"), [(3, True), (5, True), (6, False), (0, False)])
def test_an_autoscaler_chooses_within_its_limits(
    cluster: FakeCluster, replicas: int, stays: bool
) -> None:
    manifests = [shop.deployment(replicas=2), shop.autoscaler(1, 5)]
    make_so(step(cluster, *manifests))
    cluster.edit(ref(manifests[0]), lambda obj: obj["spec"].update(replicas=replicas))
    if stays:
        assert isinstance(step(cluster, *manifests).observe(), Ready)
    else:
        make_so(step(cluster, *manifests))
    assert live(cluster, manifests[0])["spec"]["replicas"] == (replicas if stays else 2)


def test_an_object_of_somebody_else_is_taken_over_or_left_alone(cluster: FakeCluster) -> None:
    cluster.put(shop.manifest("v1", "Namespace", "shop"))
    theirs = shop.manifest("v1", "ConfigMap", data={"a": "theirs"})
    theirs["metadata"]["namespace"] = "shop"
    before = cluster.put(theirs)
    ours = shop.manifest("v1", "ConfigMap", data={"a": "ours"})
    careful = step(cluster, ours, adopt=False)
    assert careful.observe() == Differs("ConfigMap shop/web exists and was not made by kindctl")
    with pytest.raises(NotOursError):
        careful.apply(Heard())
    assert live(cluster, ours) == before
    make_so(step(cluster, ours))
    assert live(cluster, ours)["data"] == {"a": "ours"}


def test_an_object_of_another_environment_is_left_alone(cluster: FakeCluster) -> None:
    make_so(step(cluster, shop.service()))
    other = step(cluster, shop.service(), adopt=False)
    other.environment = "test"
    with pytest.raises(NotOursError, match="belongs to environment 'dev'"):
        other.apply(Heard())


# --- what the API refuses ------------------------------------------------------------------------


def test_an_immutable_field_is_refused_before_anything_is_changed(cluster: FakeCluster) -> None:
    make_so(step(cluster, shop.deployment(), shop.service()))
    changed = shop.deployment()
    changed["spec"]["selector"]["matchLabels"] = {"app": "other"}
    applied = step(cluster, changed, shop.manifest("v1", "ConfigMap", "more"))
    state = applied.observe()
    assert isinstance(state, Absent)
    with pytest.raises(KindctlError) as caught:
        applied.apply(Heard())
    assert caught.value.code == "immutable-field"
    assert "Deployment shop/web: spec.selector cannot be changed" in caught.value.what
    assert "kubectl --context kind-shop -n shop delete deployment web" in caught.value.fix
    assert cluster.get(ObjectRef("v1", "ConfigMap", "more", "shop")) is None
    assert not cluster.deleted


# --- Jobs ----------------------------------------------------------------------------------------


def made_anew(applied: ObjectsApplied) -> tuple[str, ...]:
    """What it takes two applies for: it has to be gone before it can be made."""
    assert isinstance(applied.observe(), Differs)
    return applied.apply(Heard()).done + make_so(applied)


def other_job() -> Object:
    changed = shop.job()
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "web:2"
    return changed


def test_a_job_that_has_changed_runs_again(cluster: FakeCluster) -> None:
    make_so(step(cluster, shop.job(), shop.deployment()))
    before = live(cluster, shop.job())["metadata"]["uid"]
    applied = step(cluster, other_job(), shop.deployment())
    assert applied.observe() == Differs("Job shop/migrate: spec.template")
    assert made_anew(applied) == (
        "removed Job shop/migrate, to run it again: spec.template has changed",
        "created Job shop/migrate",
    )
    assert live(cluster, shop.job())["metadata"]["uid"] != before
    assert cluster.deleted == ["Job shop/migrate"]
    assert isinstance(applied.observe(), Ready)


def test_a_job_that_takes_its_time_to_go_is_waited_for(cluster: FakeCluster) -> None:
    make_so(step(cluster, shop.job()))
    cluster.hold(ref(shop.job()))
    applied = step(cluster, other_job())
    applied.observe()
    applied.apply(Heard())
    assert "Job shop/migrate is being deleted" in seen(applied.observe())


def test_anothers_job_is_not_taken_away(cluster: FakeCluster) -> None:
    make_so(step(cluster, shop.service()))
    theirs = shop.job()
    theirs["metadata"]["namespace"] = "shop"
    cluster.put(theirs, manager="helm")
    applied = step(cluster, other_job())
    applied.observe()
    with pytest.raises(KindctlError, match=r"Job shop/migrate: spec\.template cannot be changed"):
        applied.apply(Heard())
    assert not cluster.deleted


def test_a_job_runs_again_when_what_it_reads_has_changed(cluster: FakeCluster) -> None:
    reader = shop.job()
    reader["spec"]["template"]["spec"]["containers"][0]["envFrom"] = [
        {"configMapRef": {"name": "seed"}}
    ]
    rows = shop.manifest("v1", "ConfigMap", "seed", data={"rows": "1"})
    make_so(step(cluster, reader, rows))
    assert isinstance(step(cluster, reader, rows).observe(), Ready)
    done = made_anew(step(cluster, reader, {**rows, "data": {"rows": "2"}}))
    assert "created Job shop/migrate" in done


def test_a_webhook_that_is_not_up_is_waited_for(cluster: FakeCluster) -> None:
    applied = step(cluster, shop.ingress(), shop.service())
    assert isinstance(applied.observe(), Absent)
    cluster.webhook_down("Ingress", times=2)
    assert "created Service shop/web" in applied.apply(Heard()).done
    assert "failed calling webhook" in seen(applied.observe())
    assert isinstance(applied.observe(), Absent)
    assert applied.apply(Heard()).done == ("created Ingress shop/web",)
    assert isinstance(applied.observe(), Ready)


def test_what_cannot_be_compared_now_is_not_ready(cluster: FakeCluster) -> None:
    make_so(step(cluster, shop.ingress()))
    cluster.webhook_down("Ingress")
    again = step(cluster, shop.ingress())
    assert "failed calling webhook" in seen(again.observe())
    assert isinstance(again.observe(), Ready)


def test_a_kind_that_an_operator_defines_later_is_waited_for(cluster: FakeCluster) -> None:
    applied = step(cluster, shop.widget())
    applied.observe()
    assert applied.apply(Heard()).done == ("created Namespace shop",)
    assert "no Widget in shop.example.com/v1" in seen(applied.observe())
    cluster.put(shop.crd())
    assert isinstance(applied.observe(), Absent)
    assert applied.apply(Heard()).done == ("created Widget shop/web",)


def test_a_refused_object_is_an_error(cluster: FakeCluster) -> None:
    error = ApiError("the Kubernetes API refused to apply it: 422 Invalid", status=422, why="bad")
    cluster.fail("apply", "Service", error)
    applied = step(cluster, shop.service())
    applied.observe()
    with pytest.raises(ApiError, match="422 Invalid"):
        applied.apply(Heard())


def test_a_kind_is_used_only_once_it_is_established(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(established, "ESTABLISH_SECONDS", 0)
    cluster.establish = False
    applied = step(cluster, shop.crd(), shop.widget())
    heard = Heard()
    with pytest.raises(KindctlError, match="cannot be used") as caught:
        applied.apply(heard)
    assert "widgets.shop.example.com is not established" in caught.value.why
    assert heard.said == ["waiting until widgets.shop.example.com can be used"]
    assert cluster.get(ref(shop.widget())) is None


# --- what is being deleted -----------------------------------------------------------------------


def test_a_namespace_that_is_being_deleted_is_waited_for(cluster: FakeCluster) -> None:
    make_so(step(cluster, shop.service()))
    space = ObjectRef("v1", "Namespace", "shop")
    cluster.hold(space)
    cluster.delete(space)
    cluster.delete(ref(shop.service()))
    applied = step(cluster, shop.service())
    assert seen(applied.observe()) == "Namespace shop is being deleted"
    cluster.release(space)
    assert make_so(applied) == ("created Namespace shop", "created Service shop/web")


def test_a_claim_that_pods_hold_is_not_waited_for(cluster: FakeCluster) -> None:
    make_so(step(cluster, shop.claim()))
    pod = shop.manifest(
        "v1",
        "Pod",
        "pg-0",
        spec={"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]},
    )
    pod["metadata"]["namespace"] = "shop"
    cluster.put(pod)
    cluster.hold(ref(shop.claim()))
    cluster.delete(ref(shop.claim()))
    state = step(cluster, shop.claim()).observe()
    assert isinstance(state, NotReady)
    assert state.cause is not None
    assert state.cause.permanent
    assert "kubectl -n shop delete pod pg-0" in state.cause.fix
    assert cluster.deleted == [str(ref(shop.claim()))]


# --- without a cluster ---------------------------------------------------------------------------


def test_without_a_cluster_it_is_absent() -> None:
    applied = step(None, shop.service())
    assert isinstance(applied.observe(), Absent)
    with pytest.raises(KindctlError):
        applied.apply(Heard())


def test_an_api_that_does_not_answer_is_waited_for(cluster: FakeCluster) -> None:
    cluster.down = True
    assert isinstance(step(cluster, shop.service()).observe(), NotReady)
    cluster.down = False
    cluster.fail("list", "Service", ApiError("etcd has no leader", status=503))
    assert seen(step(cluster, shop.service()).observe()) == "etcd has no leader"


# --- checksums -----------------------------------------------------------------------------------


def reading(**container: Any) -> Object:
    return shop.deployment(template=shop.template(**container))


ENV = {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "a"}}}]}
ENV_FROM = {"envFrom": [{"configMapRef": {"name": "settings"}}]}
PROJECTED = {"projected": {"sources": [{"configMap": {"name": "settings"}}]}}


def mounting(volume: Object) -> Object:
    obj = shop.deployment()
    obj["spec"]["template"]["spec"]["volumes"] = [{"name": "v", **volume}]
    return obj


@pytest.mark.parametrize(
    "reader",
    [
        reading(**ENV),
        reading(**ENV_FROM),
        mounting({"configMap": {"name": "settings"}}),
        mounting(PROJECTED),
    ],
    ids=["env", "envFrom", "volume", "projected"],
)
def test_a_changed_config_map_rolls_what_reads_it(cluster: FakeCluster, reader: Object) -> None:
    def annotations() -> dict[str, str]:
        meta: Object = live(cluster, reader)["spec"]["template"]["metadata"]
        return dict(meta.get("annotations", {}))

    def settings(value: str) -> Object:
        return shop.manifest("v1", "ConfigMap", "settings", data={"a": value})

    make_so(step(cluster, reader, settings("1")))
    first = annotations()[ANNOTATION]
    assert isinstance(step(cluster, reader, settings("1")).observe(), Ready)
    done = make_so(step(cluster, reader, settings("2")))
    path = f'spec.template.metadata.annotations["{ANNOTATION}"]'
    assert f"repaired Deployment shop/web: {path}" in done
    assert annotations()[ANNOTATION] != first


def test_a_secret_has_one_digest_however_it_is_written(cluster: FakeCluster) -> None:
    reader = mounting({"secret": {"secretName": "password"}})

    def password(**body: Any) -> Object:
        return shop.manifest("v1", "Secret", "password", **body)

    make_so(step(cluster, reader, password(stringData={"p": "value"})))
    assert ANNOTATION in live(cluster, reader)["spec"]["template"]["metadata"]["annotations"]
    encoded = password(data={"p": "dmFsdWU="})
    assert isinstance(step(cluster, reader, encoded).observe(), Ready)


def test_what_the_component_does_not_apply_is_not_asked_for(cluster: FakeCluster) -> None:
    make_so(step(cluster, reading(**ENV_FROM)))
    assert "annotations" not in live(cluster, shop.deployment())["spec"]["template"]["metadata"]


# --- comparing -----------------------------------------------------------------------------------


def test_differences_names_items_by_their_names() -> None:
    def obj(*ports: int, **extra: Any) -> Object:
        items = [{"containerPort": port, "name": f"p{port}"} for port in ports]
        return {"metadata": {"name": "x", "uid": "1"}, "spec": {"ports": items, **extra}}

    assert differences(obj(1, 2), obj(1, 2)) == []
    assert differences({**obj(1), "status": 1}, {**obj(1), "status": 2}) == []
    counted = obj(1)
    counted["metadata"]["annotations"] = {"deprecated.daemonset.template.generation": "2"}
    assert differences(counted, {**counted, "metadata": {"annotations": {}, "name": "x"}}) == []
    assert differences(obj(1, 2), obj(1, 3)) == ["spec.ports[p3]", "spec.ports[p2]"]
    assert differences(obj(1, 2), obj(2, 1)) == ["spec.ports"]
    assert differences(obj(1, args=["a"]), obj(1, args=["b"])) == ["spec.args"]
    assert differences(obj(1), obj(1, deep={"a.b/c": 1})) == ["spec.deep"]
    assert differences(obj(1, deep={"x": 1}), obj(1, deep={"x": 1, "a.b/c": 1})) == [
        'spec.deep["a.b/c"]'
    ]


# --- node ports ----------------------------------------------------------------------------------


def on_port(name: str, port: int | None = 31200, **meta: Any) -> Object:
    """A Service with a node port, or with none."""
    ports = [{"port": 80, **({"nodePort": port} if port else {})}]
    kind = "NodePort" if port else "ClusterIP"
    spec = {"type": kind, "selector": {"app": "web"}, "ports": ports}
    return shop.manifest("v1", "Service", name, spec=spec, **meta)


def test_a_service_that_nobody_asks_for_gives_its_node_port_to_the_new_one(
    cluster: FakeCluster,
) -> None:
    make_so(step(cluster, on_port("old")))
    assert make_so(step(cluster, on_port("new"))) == (
        "removed Service shop/old, which used the same node port",
        "created Service shop/new",
    )
    assert cluster.deleted == ["Service shop/old"]


def test_so_with_one_that_is_there_and_gets_another_port(cluster: FakeCluster) -> None:
    make_so(step(cluster, on_port("old"), on_port("web", 31201)))
    applied = step(cluster, on_port("web"))
    assert applied.observe() == Differs("Service shop/web: node port 31200")
    assert make_so(applied) == (
        "removed Service shop/old, which used the same node port",
        "repaired Service shop/web: node port 31200",
    )


def test_a_node_port_of_somebody_elses_is_named_and_left_to_it(cluster: FakeCluster) -> None:
    make_so(step(cluster, shop.service()))  # with its namespace
    theirs = on_port("theirs")
    cluster.put({**theirs, "metadata": {**theirs["metadata"], "namespace": "shop"}})
    for applied in (step(cluster, on_port("new")), step(cluster, on_port("web"))):
        with pytest.raises(KindctlError) as caught:
            make_so(applied)
        assert caught.value.code == "node-port-taken"
        assert caught.value.what.endswith("cannot use node port 31200: Service shop/theirs uses it")
        assert "-n shop edit service theirs" in caught.value.fix
    assert cluster.deleted == []


@pytest.mark.parametrize("kept", [on_port("other"), on_port("other", 31205)])
def test_what_another_component_asks_for_is_never_removed(
    cluster: FakeCluster, kept: Object
) -> None:
    other = FakeComponent(name="other", manifests=[kept])
    make_so(step(cluster, on_port("other")))
    applied = step(cluster, on_port("new"), beside=[other])
    if kept["spec"]["ports"][0]["nodePort"] == 31200:
        with pytest.raises(KindctlError, match="Service shop/other uses it"):
            make_so(applied)
    else:
        assert isinstance(applied.observe(), Absent)
        assert applied.apply(Heard()).done == ()
        assert seen(applied.observe()) == "Service shop/new: Service shop/other has node port 31200"
        make_so(step(cluster, kept))
        assert make_so(applied) == ("created Service shop/new",)
    assert cluster.deleted == []


def test_a_node_port_goes_from_one_service_to_another_of_the_same_app(cluster: FakeCluster) -> None:
    make_so(step(cluster, on_port("a"), on_port("b", None)))
    applied = step(cluster, on_port("a", None), on_port("b"))
    assert isinstance(applied.observe(), Differs)
    (first,) = applied.apply(Heard()).done
    assert first.startswith("repaired Service shop/a: ")
    make_so(applied)
    assert live(cluster, on_port("b"))["spec"]["ports"][0]["nodePort"] == 31200
    assert cluster.deleted == []


def test_a_service_that_is_being_deleted_is_waited_for(cluster: FakeCluster) -> None:
    make_so(step(cluster, on_port("old")))
    old = ObjectRef("v1", "Service", "old", "shop")
    cluster.hold(old)
    applied = step(cluster, on_port("new"))
    applied.observe()
    assert applied.apply(Heard()).done == (
        "removed Service shop/old, which used the same node port",
    )
    assert seen(applied.observe()) == "Service shop/new: Service shop/old has node port 31200"
    cluster.release(old)
    assert make_so(applied) == ("created Service shop/new",)
