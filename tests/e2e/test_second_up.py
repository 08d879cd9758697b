"""`up` after `up`: nothing changes; what was lost or changed comes back, on the same code path."""

from __future__ import annotations

import json
import signal
import threading
from typing import Any

import pytest

from tests.e2e.conftest import NAME, Sample
from tests.support.harness import docker, http, inspect, node_ids, until

OURS = "app.kubernetes.io/managed-by=kindctl"

KINDS = {  # every kind that the sample environment applies, by its REST path
    "Namespace": "/api/v1/namespaces",
    "ServiceAccount": "/api/v1/serviceaccounts",
    "ConfigMap": "/api/v1/configmaps",
    "Secret": "/api/v1/secrets",
    "Service": "/api/v1/services",
    "PersistentVolumeClaim": "/api/v1/persistentvolumeclaims",
    "Deployment": "/apis/apps/v1/deployments",
    "HorizontalPodAutoscaler": "/apis/autoscaling/v2/horizontalpodautoscalers",
    "Role": "/apis/rbac.authorization.k8s.io/v1/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/rolebindings",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "Ingress": "/apis/networking.k8s.io/v1/ingresses",
    "IngressClass": "/apis/networking.k8s.io/v1/ingressclasses",
    "ValidatingWebhookConfiguration": (
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    ),
}
STATUS_MOVES = {"HorizontalPodAutoscaler", "Deployment"}  # controllers write these by themselves


def ours(sample: Sample, kind: str) -> list[dict[str, Any]]:
    return list(sample.api.raw(f"{KINDS[kind]}?labelSelector={OURS}")["items"])


def path_of(kind: str, obj: dict[str, Any]) -> str:
    prefix, _, plural = KINDS[kind].rpartition("/")
    meta = obj["metadata"]
    space = f"/namespaces/{meta['namespace']}" if meta.get("namespace") else ""
    return f"{prefix}{space}/{plural}/{meta['name']}"


def up(sample: Sample) -> list[str]:
    return sample.kindctl.run("up", "--name", NAME, "-o", "json").changes()


def test_the_list_of_kinds_is_the_whole_list(sample: Sample) -> None:
    """What `up` recorded as applied has no kind that the tests here leave out."""
    record = sample.api.core.read_namespaced_config_map("kindctl", "kindctl-system")
    recorded = {ref["kind"] for ref in json.loads(record.data["inventory"])}
    assert recorded == set(KINDS)


def test_a_second_up_changes_nothing(sample: Sample) -> None:
    assert up(sample) == []  # what the controllers still had to say about the first one is said

    def state() -> tuple[dict[str, str], dict[str, Any]]:
        versions = {
            f"{kind} {path_of(kind, obj)}": (
                str(obj["metadata"].get("generation"))
                if kind in STATUS_MOVES
                else obj["metadata"]["resourceVersion"]
            )
            for kind in KINDS
            for obj in ours(sample, kind)
        }
        pods = {
            pod.metadata.name: [c.container_id for c in pod.status.container_statuses]
            for space in ("example", "ingress-nginx")
            for pod in sample.api.pods(space)
        }
        node = inspect(sample.node)
        return versions, {**pods, "node": (node["Id"], node["State"]["StartedAt"])}

    before = state()
    assert len(before[0]) > 25
    assert up(sample) == []
    assert state() == before


def _answers() -> bool:
    return http("http://localhost/api/fetch").status == 200


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"Namespace", "PersistentVolumeClaim"}))
def test_a_deleted_object_of_every_kind_comes_back(sample: Sample, kind: str) -> None:
    objects = [o for o in ours(sample, kind) if o["metadata"].get("namespace") != "kindctl-system"]
    chosen = objects[0]
    path = path_of(kind, chosen)
    sample.api.raw(path, "DELETE")
    until(lambda: sample.api.raw(path) is None, 30, f"{path} goes")
    changes = up(sample)
    back = sample.api.raw(path)
    assert back["metadata"]["uid"] != chosen["metadata"]["uid"]
    assert any(chosen["metadata"]["name"] in change for change in changes), changes
    # the controller may hear of a Service's end and return only after that `up`; it may even miss the
    # return, and the next `up` makes it look again
    until(lambda: _answers() or (up(sample) and _answers()), 60, "the API answers")


MUTATIONS: dict[str, tuple[str, dict[str, Any], Any]] = {
    # kind -> (name, JSON merge patch, path into the object whose value must come back)
    "ConfigMap": ("ingress-nginx-controller", {"data": {"strict-validate-path-type": "false"}}, "data"),
    "Service": ("backend-service", {"spec": {"selector": {"app": "nobody"}}}, "spec.selector"),
    "Deployment": ("frontend", {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 99}}}},
                   "spec.template.spec.terminationGracePeriodSeconds"),
    "HorizontalPodAutoscaler": ("backend", {"spec": {"maxReplicas": 3}}, "spec.maxReplicas"),
    "Ingress": ("frontend-ingress", {"spec": {"ingressClassName": "other"}}, "spec.ingressClassName"),
    "IngressClass": ("nginx", {"metadata": {"labels": {"app.kubernetes.io/name": "x"}}}, "metadata.labels"),
    "ClusterRole": ("ingress-nginx", {"rules": []}, "rules"),
    "RoleBinding": ("ingress-nginx", {"subjects": []}, "subjects"),
    "ValidatingWebhookConfiguration": (
        "ingress-nginx-admission", {"metadata": {"labels": {"app.kubernetes.io/name": "x"}}},
        "metadata.labels",
    ),
    "Namespace": ("example", {"metadata": {"labels": {"kindctl.dev/environment": "x"}}},
                  "metadata.labels"),
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(MUTATIONS))
def test_a_mutated_object_comes_back(sample: Sample, kind: str) -> None:
    name, patch, into = MUTATIONS[kind]
    (obj,) = [o for o in ours(sample, kind) if o["metadata"]["name"] == name]
    path = path_of(kind, obj)
    wanted = at(obj, into)
    sample.api.raw(path, "PATCH", patch, kind="application/merge-patch+json")
    assert at(sample.api.raw(path), into) != wanted
    assert any(name in change for change in up(sample))
    assert at(sample.api.raw(path), into) == wanted


def test_a_changed_port_of_a_service_comes_back(sample: Sample) -> None:
    """Ports merge by number: applying alone would add ours beside one of the same name."""
    (obj,) = [o for o in ours(sample, "Service") if o["metadata"]["name"] == "frontend-service"]
    path = path_of("Service", obj)
    port = {"name": "http", "port": 3333, "targetPort": 3000, "protocol": "TCP"}
    patch = {"spec": {"ports": [port]}}
    sample.api.raw(path, "PATCH", patch, kind="application/merge-patch+json")
    assert [p["port"] for p in at(sample.api.raw(path), "spec.ports")] == [3333]
    assert any("frontend-service" in change for change in up(sample))
    assert [p["port"] for p in at(sample.api.raw(path), "spec.ports")] == [3000]
    assert up(sample) == []


def at(obj: Any, path: str) -> Any:
    for part in path.split("."):
        obj = obj.get(part)
    return obj


def test_a_secret_that_was_generated_keeps_its_value(sample: Sample) -> None:
    """A deleted password would lock the backend out of its database: both are rolled together."""
    before = sample.api.core.read_namespaced_secret("pg-credentials", "example").data
    assert up(sample) == []
    assert sample.api.core.read_namespaced_secret("pg-credentials", "example").data == before


def test_a_stopped_node_is_started(sample: Sample) -> None:
    row = http("http://localhost/api/add", "POST", {"text": "before the stop"}).json()
    docker("stop", sample.node)
    changes = up(sample)
    assert any("started" in change for change in changes), changes
    assert row in http("http://localhost/api/fetch").json()
    http("http://localhost/api/delete", "DELETE", {"id": row["id"]})


def test_two_ups_at_once_do_not_corrupt(sample: Sample) -> None:
    codes = []

    def one() -> None:
        codes.append(sample.kindctl.run("up", "--name", NAME, code=None).code)

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [0, 0]
    assert len(node_ids(NAME)) == 1


def test_a_second_up_says_whom_it_waits_for(sample: Sample) -> None:
    import fcntl
    import os

    lock = sample.kindctl.home / "data" / "kindctl" / "locks" / f"{NAME}.lock"
    holder = os.open(lock, os.O_RDWR)
    try:
        fcntl.flock(holder, fcntl.LOCK_EX)
        process = sample.kindctl.start("up", "--name", NAME)
        assert process.stderr
        first = process.stderr.readline()
        assert "waiting for another kindctl" in first
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    finally:
        os.close(holder)
