"""What every Cluster does: the same tests on the one in memory and on a real one."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tenacity import (
    Retrying,
    retry,
    retry_if_exception_type,
    retry_if_result,
    stop_after_delay,
    wait_fixed,
)

from kindctl.errors import ApiError
from kindctl.models import MANAGER, Object, ObjectRef
from kindctl.tools.cluster import open_cluster
from kindctl.tools.protocols import Cluster, HttpAnswer
from tests.fakes.cluster import FakeCluster
from tests.support import real_cluster
from tests.support.real_cluster import RealCluster

AnyCluster = RealCluster | FakeCluster


@pytest.fixture(params=["fake", "real"])
def cluster(request: pytest.FixtureRequest) -> AnyCluster:
    if request.param == "real":
        found: RealCluster = request.getfixturevalue("real_api")
        return found
    return FakeCluster()


@pytest.fixture
def namespace(cluster: AnyCluster) -> Iterator[str]:
    name = f"contract-{uuid.uuid4().hex[:8]}"
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    cluster.delete(ObjectRef("v1", "Namespace", name))


def config_map(namespace: str, name: str = "settings", **data: str) -> Object:
    meta = {"name": name, "namespace": namespace, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


def deployment(namespace: str, **container: Any) -> Object:
    labels = {"app": "web"}
    spec = {
        "replicas": 0,
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "web", "image": "example.com/web:1", **container}]},
        },
    }
    meta = {"name": "web", "namespace": namespace}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}


def service(namespace: str, port: int = 80, name: str = "web") -> Object:
    meta = {"name": name, "namespace": namespace}
    spec = {"selector": {"app": "web"}, "ports": [{"name": "http", "port": port}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}


def env(obj: Object) -> dict[str, str]:
    container = obj["spec"]["template"]["spec"]["containers"][0]
    return {variable["name"]: variable["value"] for variable in container.get("env", ())}


def edit(cluster: AnyCluster, ref: ObjectRef, change: Callable[[Object], object]) -> None:
    if isinstance(cluster, FakeCluster):
        cluster.edit(ref, change)
    else:
        real_cluster.edit(cluster, ref, change)


def version(obj: Object | None) -> str:
    assert obj is not None
    return str(obj["metadata"]["resourceVersion"])


def eventually(holds: Callable[[], bool]) -> bool:
    """Controllers need a moment."""
    retrying = Retrying(
        retry=retry_if_result(lambda held: not held),
        wait=wait_fixed(0.1),
        stop=stop_after_delay(60),
        retry_error_callback=lambda state: False,
    )
    return retrying(holds)


# --- reading -------------------------------------------------------------------------------------


def test_it_is_alive_and_has_a_version(cluster: AnyCluster) -> None:
    assert cluster.alive()
    major, minor, *_ = cluster.version().split(".")
    assert (major, minor.isdigit()) == ("1", True)


def test_what_is_not_there_is_none(cluster: AnyCluster) -> None:
    assert cluster.get(ObjectRef("v1", "ConfigMap", "nothing", "default")) is None
    assert cluster.get(ObjectRef("v1", "ConfigMap", "nothing", "no-such-namespace")) is None
    assert cluster.get(ObjectRef("example.com/v1", "Nothing", "nothing", "default")) is None
    assert cluster.list("example.com/v1", "Nothing") == []
    assert cluster.list("v1", "ConfigMap", namespace="no-such-namespace") == []


def test_list_selects_by_namespace_labels_and_fields(cluster: AnyCluster, namespace: str) -> None:
    for name in ("one", "two"):
        cluster.apply(config_map(namespace, name, key="value"))

    def names(**selection: str) -> set[str]:
        found = cluster.list("v1", "ConfigMap", **selection)
        assert {(obj["apiVersion"], obj["kind"]) for obj in found} <= {("v1", "ConfigMap")}
        return {obj["metadata"]["name"] for obj in found} - {"kube-root-ca.crt"}

    assert names(namespace=namespace) == {"one", "two"}
    assert names(namespace=namespace, labels="app=one") == {"one"}
    assert names(namespace=namespace, labels="app!=one") == {"two"}
    assert names(labels="app") >= {"one", "two"}
    assert names(namespace=namespace, labels="app=one,missing") == set()
    assert names(namespace=namespace, fields="metadata.name=two") == {"two"}
    assert names(namespace="default", labels="app=one") == set()


def test_kinds_names_what_can_be_listed_and_deleted(cluster: AnyCluster) -> None:
    kinds = cluster.kinds()
    assert ("v1", "Namespace", False) in kinds
    assert ("apps/v1", "Deployment", True) in kinds
    assert ("networking.k8s.io/v1", "IngressClass", False) in kinds
    assert len({(api_version.rpartition("/")[0], kind) for api_version, kind, _ in kinds}) == len(
        kinds
    )
    assert "Binding" not in {kind for _, kind, _ in kinds}


# --- applying ------------------------------------------------------------------------------------


def test_apply_creates_and_an_equal_one_changes_nothing(
    cluster: AnyCluster, namespace: str
) -> None:
    created = cluster.apply(config_map(namespace, key="value"))
    assert created["metadata"]["uid"]
    again = cluster.apply(config_map(namespace, key="value"))
    assert version(again) == version(created)
    live = cluster.get(ObjectRef.of(created))
    assert live is not None
    assert (version(live), live["data"]) == (version(created), {"key": "value"})
    changed = cluster.apply(config_map(namespace, key="other"))
    assert version(changed) != version(created)


def test_what_is_no_longer_applied_goes(cluster: AnyCluster, namespace: str) -> None:
    cluster.apply(config_map(namespace, one="1", two="2"))
    assert cluster.apply(config_map(namespace, one="1"))["data"] == {"one": "1"}


def test_a_dry_run_says_what_would_be_and_changes_nothing(
    cluster: AnyCluster, namespace: str
) -> None:
    before = cluster.apply(config_map(namespace, key="value"))
    would = cluster.apply(config_map(namespace, key="other"), dry_run=True)
    assert would["data"] == {"key": "other"}
    live = cluster.get(ObjectRef.of(before))
    assert live is not None
    assert (version(live), live["data"]) == (version(before), {"key": "value"})
    cluster.apply(config_map(namespace, "absent"), dry_run=True)
    assert cluster.get(ObjectRef("v1", "ConfigMap", "absent", namespace)) is None


def test_what_another_edited_is_taken_back(cluster: AnyCluster, namespace: str) -> None:
    ref = ObjectRef.of(cluster.apply(config_map(namespace, ours="right")))
    edit(cluster, ref, lambda obj: obj["data"].update(ours="wrong", theirs="kept"))
    assert (
        cluster.apply(config_map(namespace, ours="right"), dry_run=True)["data"]["ours"] == "right"
    )
    assert cluster.apply(config_map(namespace, ours="right"))["data"] == {
        "ours": "right",
        "theirs": "kept",
    }


def test_lists_of_named_things_merge(cluster: AnyCluster, namespace: str) -> None:
    ours = [{"name": "ONE", "value": "1"}, {"name": "TWO", "value": "2"}]
    ref = ObjectRef.of(cluster.apply(deployment(namespace, env=ours)))

    def add(obj: Object) -> None:
        obj["spec"]["template"]["spec"]["containers"][0]["env"].append(
            {"name": "THEIRS", "value": "3"}
        )

    edit(cluster, ref, add)
    applied = cluster.apply(deployment(namespace, env=ours[:1]))
    assert env(applied) == {"ONE": "1", "THEIRS": "3"}


def test_a_new_image_makes_a_new_generation(cluster: AnyCluster, namespace: str) -> None:
    first = cluster.apply(deployment(namespace))
    labelled = deployment(namespace)
    labelled["metadata"]["labels"] = {"new": "label"}
    assert cluster.apply(labelled)["metadata"]["generation"] == first["metadata"]["generation"]
    changed = cluster.apply(deployment(namespace, image="example.com/web:2"))
    assert changed["metadata"]["generation"] == first["metadata"]["generation"] + 1


def test_a_secret_keeps_its_texts_encoded(cluster: AnyCluster, namespace: str) -> None:
    meta = {"name": "key", "namespace": namespace}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": {"a": "b"}}
    assert cluster.apply(secret)["data"] == {"a": "Yg=="}


# --- errors --------------------------------------------------------------------------------------


def test_a_namespace_must_exist(cluster: AnyCluster) -> None:
    with pytest.raises(ApiError, match="ConfigMap") as caught:
        cluster.apply(config_map("no-such-namespace"))
    assert caught.value.status == 404
    assert 'namespaces "no-such-namespace" not found' in caught.value.why
    assert not caught.value.passing


def test_an_immutable_field_is_refused(cluster: AnyCluster, namespace: str) -> None:
    cluster.apply(deployment(namespace))
    other = deployment(namespace)
    for place in (other["spec"]["selector"], other["spec"]["template"]["metadata"]):
        place.get("matchLabels", place.get("labels"))["app"] = "other"
    with pytest.raises(ApiError) as caught:
        cluster.apply(other, dry_run=True)
    assert caught.value.status == 422
    assert "spec.selector" in caught.value.why
    assert "field is immutable" in caught.value.why


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_changed_number_of_a_named_port_is_refused(
    cluster: AnyCluster, namespace: str, dry_run: bool
) -> None:
    """Ports merge by number and protocol: ours is added beside the one that has its name."""
    ref = ObjectRef.of(cluster.apply(service(namespace)))
    edit(cluster, ref, lambda obj: obj["spec"]["ports"][0].update(port=81))
    with pytest.raises(ApiError) as caught:
        cluster.apply(service(namespace), dry_run=dry_run)
    assert caught.value.status == 422
    assert 'is invalid: spec.ports[1].name: Duplicate value: "http"' in caught.value.why


def test_a_node_port_belongs_to_one_service(cluster: AnyCluster, namespace: str) -> None:
    first, second = service(namespace), service(namespace, name="second")
    for obj in (first, second):
        obj["spec"] |= {"type": "NodePort"}
        obj["spec"]["ports"][0]["nodePort"] = 31977
    ref = ObjectRef.of(cluster.apply(first))
    for dry_run in (True, False):
        with pytest.raises(ApiError) as caught:
            cluster.apply(second, dry_run=dry_run)
        assert caught.value.status == 422
        words = "spec.ports[0].nodePort: Invalid value: 31977: provided port is already allocated"
        assert f'Service "second" is invalid: {words}' in caught.value.why
    cluster.delete(ref)
    cluster.apply(second)


def test_a_strategy_may_not_have_what_the_old_one_had(cluster: AnyCluster, namespace: str) -> None:
    """The API fills in `rollingUpdate`, which stays when only the type is applied anew."""
    ref = ObjectRef.of(cluster.apply(deployment(namespace)))
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    edit(cluster, ref, lambda obj: obj["spec"].update(strategy=rolling))
    wanted = deployment(namespace)
    wanted["spec"]["strategy"] = {"type": "Recreate"}
    with pytest.raises(ApiError) as caught:
        cluster.apply(wanted, dry_run=True)
    assert caught.value.status == 422
    assert "spec.strategy.rollingUpdate: Forbidden" in caught.value.why
    cluster.merge_patch(ref, {"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}})
    assert cluster.apply(wanted)["spec"]["strategy"] == {"type": "Recreate"}


def test_a_merge_patch_replaces_lists_as_a_whole(cluster: AnyCluster, namespace: str) -> None:
    ref = ObjectRef.of(cluster.apply(service(namespace)))
    edit(cluster, ref, lambda obj: obj["spec"]["ports"][0].update(port=81))
    patch = {"spec": {"ports": service(namespace)["spec"]["ports"]}}

    def ports() -> list[int]:
        live = cluster.get(ref)
        assert live is not None
        assert live["spec"]["selector"] == {"app": "web"}
        return [port["port"] for port in live["spec"]["ports"]]

    cluster.merge_patch(ref, patch, dry_run=True)
    assert ports() == [81]
    cluster.merge_patch(ref, patch)
    assert ports() == [80]
    cluster.apply(service(namespace))
    assert ports() == [80]


def test_what_a_merge_patch_has_set_goes_when_apply_no_longer_wants_it(
    cluster: AnyCluster, namespace: str
) -> None:
    """The patch repairs what apply cannot; it is not to keep it for ever."""
    both, one = service(namespace), service(namespace)
    both["spec"]["ports"] = [
        {"name": "http", "port": 80, "targetPort": 8080},
        {"name": "admin", "port": 90, "targetPort": 9090},
    ]
    one["spec"]["ports"] = both["spec"]["ports"][:1]
    ref = ObjectRef.of(cluster.apply(both))
    edit(cluster, ref, lambda obj: obj["spec"]["ports"][1].update(port=91))
    cluster.merge_patch(ref, {"spec": {"ports": both["spec"]["ports"]}})
    cluster.apply(both)
    cluster.apply(one)
    live = cluster.get(ref)
    assert live is not None
    assert [port["port"] for port in live["spec"]["ports"]] == [80]
    assert {entry["manager"] for entry in live["metadata"]["managedFields"]} == {MANAGER}


def test_a_merge_patch_is_validated(cluster: AnyCluster, namespace: str) -> None:
    ref = ObjectRef.of(cluster.apply(service(namespace)))
    twice = [{"name": "http", "port": 80}, {"name": "http", "port": 81}]
    with pytest.raises(ApiError) as caught:
        cluster.merge_patch(ref, {"spec": {"ports": twice}}, dry_run=True)
    assert caught.value.status == 422
    assert "spec.ports[1].name: Duplicate value" in caught.value.why


def test_a_field_that_does_not_exist_is_refused_for_good(
    cluster: AnyCluster, namespace: str
) -> None:
    obj = config_map(namespace)
    obj["dota"] = {}
    with pytest.raises(ApiError) as caught:
        cluster.apply(obj)
    assert "dota" in caught.value.why
    assert not caught.value.passing


def test_an_unknown_kind_is_refused(cluster: AnyCluster) -> None:
    with pytest.raises(ApiError, match="has no Nothing") as caught:
        cluster.apply(
            {"apiVersion": "example.com/v1", "kind": "Nothing", "metadata": {"name": "nothing"}}
        )
    assert caught.value.status == 404


# --- CRDs ----------------------------------------------------------------------------------------

CRD: Object = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.contract.kindctl.dev"},
    "spec": {
        "group": "contract.kindctl.dev",
        "scope": "Namespaced",
        "names": {"kind": "Widget", "plural": "widgets"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {"type": "object", "properties": {"size": {"type": "integer"}}}
                        },
                    }
                },
            }
        ],
    },
}


def test_a_kind_that_was_just_defined_can_be_applied(cluster: AnyCluster, namespace: str) -> None:
    meta = {"name": "small", "namespace": namespace}
    widget = {"apiVersion": "contract.kindctl.dev/v1", "kind": "Widget", "metadata": meta}
    assert cluster.get(ObjectRef.of(widget)) is None
    ref = ObjectRef.of(cluster.apply(CRD))
    kind = ("contract.kindctl.dev/v1", "Widget", True)
    assert eventually(lambda: _established(cluster.get(ref)) and kind in cluster.kinds())
    cluster.apply({**widget, "spec": {"size": 3}})
    assert [obj["spec"] for obj in cluster.list(*kind[:2], namespace=namespace)] == [{"size": 3}]
    assert cluster.delete(ref)


def _established(crd: Object | None) -> bool:
    conditions = ((crd or {}).get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)


# --- deleting ------------------------------------------------------------------------------------


def test_delete_says_whether_there_was_one(cluster: AnyCluster, namespace: str) -> None:
    ref = ObjectRef.of(cluster.apply(config_map(namespace)))
    assert cluster.delete(ref)
    assert not cluster.delete(ref)
    assert not cluster.delete(ObjectRef("example.com/v1", "Nothing", "nothing"))


def test_what_lives_in_a_namespace_goes_with_it(cluster: AnyCluster) -> None:
    name = f"contract-gone-{uuid.uuid4().hex[:8]}"
    ref = ObjectRef("v1", "Namespace", name)
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    inner = ObjectRef.of(cluster.apply(config_map(name)))
    assert cluster.delete(ref)
    assert eventually(lambda: cluster.get(ref) is None and cluster.get(inner) is None)


# --- logs ----------------------------------------------------------------------------------------


def test_logs_gives_the_last_lines(cluster: AnyCluster) -> None:
    if isinstance(cluster, FakeCluster):
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "etcd-0", "namespace": "kube-system"},
        }
        cluster.put(pod)
        cluster.set_log("kube-system", "etcd-0", "etcd", ["one", "two", "three"])
    pods = cluster.list("v1", "Pod", namespace="kube-system")
    name = next(p["metadata"]["name"] for p in pods if p["metadata"]["name"].startswith("etcd"))
    lines = list(cluster.logs("kube-system", name, "etcd", tail=2, timestamps=True))
    assert len(lines) == 2
    assert all(line.startswith("20") and "Z " in line for line in lines)


def test_logs_of_no_pod_are_refused(cluster: AnyCluster) -> None:
    with pytest.raises(ApiError) as caught:
        list(cluster.logs("kube-system", "no-such-pod", "main"))
    assert caught.value.status == 404


# --- watching ------------------------------------------------------------------------------------


def in_a_thread(wait: Callable[[float], object]) -> threading.Thread:
    """A wait of ten minutes: it ends in time only when something wakes it."""
    thread = threading.Thread(target=wait, args=(600.0,), daemon=True)
    thread.start()
    return thread


def test_a_change_wakes_all_who_wait(cluster: AnyCluster, namespace: str) -> None:
    shared = cluster.watch(("v1", "ConfigMap"))
    own = cluster.watch(("v1", "ConfigMap"), ("apps/v1", "Deployment"))
    threads = [in_a_thread(wait) for wait in (shared.wait, shared.wait, own.wait)]
    cluster.apply(config_map(namespace, key="value"))
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)


def test_a_change_between_two_waits_is_not_missed(cluster: AnyCluster, namespace: str) -> None:
    wake = cluster.watch(("v1", "ConfigMap"))
    cluster.apply(config_map(namespace, key="value"))
    assert _counts_changes(cluster)
    thread = in_a_thread(wake.wait)
    thread.join(60)
    assert not thread.is_alive()


def _counts_changes(cluster: AnyCluster) -> bool:
    """Wait until the watch has seen something, without using up the wake of the test."""
    kinds = (("v1", "ConfigMap"),)
    changes = cluster.changes if isinstance(cluster, FakeCluster) else cluster.watches.changes
    return eventually(lambda: changes.count(kinds) > 0)


def test_without_a_change_a_wait_ends_by_itself(cluster: AnyCluster) -> None:
    wake = cluster.watch(("scheduling.k8s.io/v1", "PriorityClass"))
    wake.wait(0.2)
    wake.wait(0.2)


# --- only the real one ---------------------------------------------------------------------------


def test_close_ends_the_watching_threads(real_api: RealCluster) -> None:
    second = open_cluster(real_api.kubeconfig)
    before = set(threading.enumerate())
    wake = second.watch(("v1", "ConfigMap"), ("v1", "Node"))
    waiting = in_a_thread(wake.wait)
    second.close()
    waiting.join(60)
    ours = set(threading.enumerate()) - before
    for thread in ours:
        thread.join(60)
    assert not any(thread.is_alive() for thread in ours)


def test_where_nothing_listens_it_is_not_alive(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        """\
apiVersion: v1
kind: Config
current-context: dead
clusters: [{name: dead, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: dead, user: {}}]
contexts: [{name: dead, context: {cluster: dead, user: dead}}]
"""
    )
    dead: Cluster = open_cluster(kubeconfig)
    assert not dead.alive()
    assert not open_cluster(tmp_path / "absent").alive()
    assert not open_cluster(kubeconfig, "no-such-context").alive()


def test_an_annotation_of_nobody_is_no_difference_to_what_we_apply(
    cluster: AnyCluster, namespace: str
) -> None:
    mine = config_map(namespace, a="1")
    ref = ObjectRef.of(mine)
    cluster.apply(mine)
    cluster.merge_patch(ref, {"metadata": {"annotations": {"kindctl.dev/look-again": "now"}}})
    annotated = cluster.get(ref)
    assert annotated
    assert annotated["metadata"]["annotations"] == {"kindctl.dev/look-again": "now"}
    assert version(cluster.apply(mine)) == version(annotated)


# --- what is behind a Service --------------------------------------------------------------------


def test_a_service_is_reached_and_its_errors_are_answers(cluster: AnyCluster) -> None:
    """CoreDNS serves its metrics, and 404 for all else."""
    if isinstance(cluster, FakeCluster):
        cluster.put(service("kube-system", name="kube-dns"))
        cluster.servers["kube-system", "kube-dns"] = lambda port, path, host: HttpAnswer(
            200 if (port, path) == ("metrics", "/metrics") else 404, {}, b"coredns_build_info 1"
        )
    found = reached(cluster)
    assert found.status == 200
    assert b"coredns_build_info" in found.body
    assert cluster.http("kube-system", "kube-dns", "9153", "/elsewhere").status == 404


def test_a_service_without_ready_pods_is_not_reached_yet(
    cluster: AnyCluster, namespace: str
) -> None:
    cluster.apply(service(namespace))
    with pytest.raises(ApiError) as caught:
        cluster.http(namespace, "web", "http", "/")
    assert caught.value.status == 503
    assert caught.value.passing
    with pytest.raises(ApiError) as caught:
        cluster.http(namespace, "elsewhere", "http", "/")
    assert caught.value.status == 404


@retry(
    retry=retry_if_exception_type(ApiError),
    stop=stop_after_delay(90),
    wait=wait_fixed(0.5),
    reraise=True,
)
def reached(cluster: AnyCluster) -> HttpAnswer:
    """Once CoreDNS is ready."""
    return cluster.http("kube-system", "kube-dns", "metrics", "/metrics")
