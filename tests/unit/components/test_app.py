"""An app: images of the nodes, generated secrets, and who applies what."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from kindctl.components.app import AppComponent, assign_namespaces
from kindctl.components.nginx import IngressNginx
from kindctl.config.load import load
from kindctl.errors import ConfigError
from kindctl.manifests.pods import is_latest
from kindctl.models import Object, ObjectRef
from tests import ROOT
from tests.fakes.cluster import FakeCluster
from tests.fakes.ways import setup

SAMPLE = ROOT / "sample-app"
SECRET = ObjectRef("v1", "Secret", "keys", "shop")


def as_it_is(reference: str) -> str:
    return reference


def app(root: Path, text: str, name: str = "shop") -> AppComponent:
    (root / f"{name}.yaml").write_text(dedent(text))
    return AppComponent(name=name, namespace=name, root=root, manifests=[f"{name}.yaml"])


@pytest.fixture
def cluster() -> FakeCluster:
    made = FakeCluster()
    made.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    return made


# --- images --------------------------------------------------------------------------------------

WORKLOADS = """\
    apiVersion: v1
    kind: Pod
    metadata: {name: pod}
    spec:
      initContainers: [{name: i, image: init}]
      containers: [{name: c, image: main, imagePullPolicy: Never}]
      ephemeralContainers: [{name: e, image: debug}]
      volumes: [{name: v, image: {reference: files}}]
    ---
    apiVersion: batch/v1
    kind: CronJob
    metadata: {name: cron}
    spec:
      jobTemplate:
        spec: {template: {spec: {containers: [{name: c, image: cron}]}}}
    ---
    apiVersion: batch/v1
    kind: Job
    metadata: {name: job}
    spec: {template: {spec: {containers: [{name: c, image: main}]}}}
    ---
    apiVersion: operators.example.com/v1
    kind: Rollout
    metadata: {name: custom}
    spec: {template: {spec: {containers: [{name: c, image: custom}]}}}
    ---
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: text}
    data: {containers: "- image: nothing"}
    """


def test_images_are_collected_from_every_pod_template_once(tmp_path: Path) -> None:
    found = app(tmp_path, WORKLOADS).images()
    assert found == ("init", "main", "debug", "files", "cron", "custom")


def test_every_image_becomes_the_one_that_the_nodes_have(
    tmp_path: Path, cluster: FakeCluster
) -> None:
    component = app(tmp_path, WORKLOADS)
    pod, cron, job, custom, text = component.objects(cluster, lambda image: f"nodes/{image}")
    assert pod["spec"]["initContainers"][0]["image"] == "nodes/init"
    assert pod["spec"]["ephemeralContainers"][0]["image"] == "nodes/debug"
    assert pod["spec"]["volumes"][0]["image"]["reference"] == "nodes/files"
    template = cron["spec"]["jobTemplate"]["spec"]["template"]
    assert template["spec"]["containers"][0]["image"] == "nodes/cron"
    for obj, image in ((job, "nodes/main"), (custom, "nodes/custom")):
        assert obj["spec"]["template"]["spec"]["containers"][0]["image"] == image
    assert text["data"]["containers"] == "- image: nothing"


def test_the_node_pulls_nothing_unless_the_manifest_asks_for_it(
    tmp_path: Path, cluster: FakeCluster
) -> None:
    """Kubernetes' default for `:latest` and for no tag is Always."""
    (pod, *_) = app(tmp_path, WORKLOADS).objects(cluster, as_it_is)
    assert pod["spec"]["initContainers"][0]["imagePullPolicy"] == "IfNotPresent"
    assert pod["spec"]["containers"][0]["imagePullPolicy"] == "Never"


@pytest.mark.parametrize(
    ("image", "latest"),
    [
        ("backend", True),
        ("backend:latest", True),
        ("localhost:5000/backend", True),
        ("backend:1", False),
        ("localhost:5000/backend:1", False),
        ("backend@sha256:00", False),
        ("backend:latest@sha256:00", False),
    ],
)
def test_latest_is_told_from_a_version(image: str, latest: bool) -> None:
    assert is_latest(image) is latest


def test_the_manifests_stay_as_they_were_read(tmp_path: Path, cluster: FakeCluster) -> None:
    component = app(tmp_path, WORKLOADS)
    component.objects(cluster, lambda image: f"nodes/{image}")
    assert component.images()[0] == "init"
    assert component.objects(cluster, as_it_is) == component.objects(cluster, as_it_is)


# --- secrets -------------------------------------------------------------------------------------

KEYS = """\
    apiVersion: v1
    kind: Secret
    metadata:
      name: keys
      annotations: {kindctl.dev/generate: "password, token"}
    stringData: {username: sample}
    data: {plain: eA==}
    """


def secret_of(component: AppComponent, cluster: FakeCluster) -> dict[str, str]:
    secret, *_ = component.objects(cluster, as_it_is)  # then the copy of what was generated
    assert "stringData" not in secret
    return {k: base64.b64decode(v).decode() for k, v in secret["data"].items()}


def test_a_new_secret_gets_random_values_beside_what_is_given(
    tmp_path: Path, cluster: FakeCluster
) -> None:
    one = secret_of(app(tmp_path, KEYS), cluster)
    assert one["username"] == "sample"
    assert one["plain"] == "x"
    assert re.fullmatch(r"[A-Za-z0-9_-]{32}", one["password"])
    assert one["password"] != one["token"]
    assert secret_of(app(tmp_path, KEYS), cluster)["password"] != one["password"]


def test_looking_again_before_it_is_applied_gives_the_same(
    tmp_path: Path, cluster: FakeCluster
) -> None:
    component = app(tmp_path, KEYS)
    assert secret_of(component, cluster) == secret_of(component, cluster)


def test_what_the_cluster_has_is_kept_by_another_up(tmp_path: Path, cluster: FakeCluster) -> None:
    secret, *_ = app(tmp_path, KEYS).objects(cluster, as_it_is)
    cluster.apply(secret)
    assert app(tmp_path, KEYS).objects(cluster, as_it_is)[0] == secret


def test_a_key_that_is_added_later_gets_a_value_and_the_others_stay(
    tmp_path: Path, cluster: FakeCluster
) -> None:
    secret, *_ = app(tmp_path, KEYS.replace(", token", "")).objects(cluster, as_it_is)
    cluster.apply(secret)
    later = secret_of(app(tmp_path, KEYS), cluster)
    assert later["password"] == base64.b64decode(secret["data"]["password"]).decode()
    assert later["token"]


def test_the_clusters_value_wins_over_one_that_was_made_meanwhile(
    tmp_path: Path, cluster: FakeCluster
) -> None:
    component = app(tmp_path, KEYS)
    secret_of(component, cluster)
    other, *_ = app(tmp_path, KEYS).objects(cluster, as_it_is)
    cluster.apply(other)
    assert component.objects(cluster, as_it_is)[0] == other


def test_a_value_both_given_and_generated_is_a_problem(tmp_path: Path) -> None:
    component = app(tmp_path, KEYS.replace("username", "token"))
    with pytest.raises(ConfigError, match="1 problem") as caught:
        component.images()
    assert "'token' is both set in the Secret and generated" in caught.value.why


def test_a_secret_without_the_annotation_is_not_looked_up(tmp_path: Path) -> None:
    component = app(tmp_path, KEYS.replace("kindctl.dev/generate", "other"))
    down = FakeCluster(down=True)
    assert secret_of(component, down) == {"username": "sample", "plain": "x"}


# --- late objects, namespaces --------------------------------------------------------------------

WEBHOOK = """\
    apiVersion: admissionregistration.k8s.io/v1
    kind: ValidatingWebhookConfiguration
    metadata: {name: policy}
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: policy}
    """


def test_an_apps_own_webhooks_come_last(tmp_path: Path, cluster: FakeCluster) -> None:
    component = app(tmp_path, WEBHOOK)
    assert [o["kind"] for o in component.objects(cluster, as_it_is)] == ["Service"]
    (late,) = component.late_objects(cluster)
    assert late["kind"] == "ValidatingWebhookConfiguration"
    assert component.prove(cluster) == ""


def test_a_namespace_that_several_have_a_manifest_for_is_applied_by_one(
    tmp_path: Path, cluster: FakeCluster
) -> None:
    text = "{apiVersion: v1, kind: Namespace, metadata: {name: %s}}\n---\n"
    one = app(tmp_path, text % "team", "one")
    two = app(tmp_path, text % "team" + text % "own" + text % "ingress-nginx", "two")
    assign_namespaces([IngressNginx(setup("shop")), one, two])

    def names(component: AppComponent) -> list[Any]:
        return [obj["metadata"]["name"] for obj in component.objects(cluster, as_it_is)]

    assert names(one) == ["team"]
    assert names(two) == ["own"]


# --- the sample ----------------------------------------------------------------------------------


def sample() -> AppComponent:
    (config,) = load(SAMPLE / "kindctl.yaml").config.apps
    return AppComponent(
        name=config.name,
        namespace=config.namespace or config.name,
        root=SAMPLE,
        manifests=[entry for entry in config.manifests if isinstance(entry, str)],
        expect=config.expect,
    )


def test_the_sample_is_an_app_like_any_other() -> None:
    objects: list[Object] = sample().objects(FakeCluster(), as_it_is)
    assert {obj["metadata"].get("namespace", "example") for obj in objects} == {
        "example",
        "kindctl-system",  # the copy of what was generated
    }
    secret, _ = [obj for obj in objects if obj["kind"] == "Secret"]
    assert set(secret["data"]) == {"username", "password"}
    assert set(sample().images()) == {"example-backend", "example-frontend", "postgres:17"}


def test_a_deleted_secret_comes_back_with_the_values_that_its_database_knows(
    tmp_path: Path,
) -> None:
    cluster = FakeCluster()
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    system = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kindctl-system"}}
    cluster.apply(system)
    text = """\
        apiVersion: v1
        kind: Secret
        metadata:
          name: keys
          annotations: {kindctl.dev/generate: token}
        """
    for obj in app(tmp_path, text).objects(cluster, as_it_is):
        cluster.apply(obj)
    before = cluster.get(SECRET)
    assert before
    cluster.delete(SECRET)
    again = {ObjectRef.of(o): o for o in app(tmp_path, text).objects(cluster, as_it_is)}
    assert again[SECRET]["data"] == before["data"]


def test_a_namespace_that_two_apps_use_is_left_to_the_one_that_has_its_manifest(
    tmp_path: Path,
) -> None:
    owner = app(
        tmp_path, "apiVersion: v1\nkind: Namespace\nmetadata: {name: shared}\n", name="owner"
    )
    user = app(
        tmp_path,
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: shared}\n",
        name="user",
    )
    assign_namespaces([user, owner])
    assert "shared" in user.left_to_others
    assert "shared" not in owner.left_to_others
