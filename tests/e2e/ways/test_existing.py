"""configs/existing: the sample in a cluster that kind alone has made and where somebody else works.

What is compared before `up` and after `down` is every object of every kind that can be listed. Left out:
Events, Leases, Endpoints and EndpointSlices (written by controllers all the time), `status` (what a
controller observed), `resourceVersion` and `managedFields` (when, and by whom, it was last written).
"""

from __future__ import annotations

import copy
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import ROOT
from tests.support.foreign_cluster import foreign_cluster as made_by_kind
from tests.support.foreign_cluster import registry
from tests.support.harness import OUTPUT, Api, Kindctl, Result, docker, http, until

NAME, CLUSTER = "existing", "stranger"
NODE, REGISTRY = f"{CLUSTER}-control-plane", "stranger-registry"
EXAMPLE = ROOT / "configs" / NAME
URL = "http://localhost:30580"
SERVER = "https://127.0.0.1:36443"
PASSING = {"Event", "Lease", "Endpoints", "EndpointSlice"}

THEIRS = """
{apiVersion: v1, kind: Namespace, metadata: {name: example, labels: {team: a}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: theirs}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: example}, data: {a: b}}
---
{apiVersion: v1, kind: Secret, metadata: {name: key, namespace: theirs}, stringData: {a: b}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: quiet, namespace: theirs}
spec:
  selector: {matchLabels: {app: quiet}}
  template:
    metadata: {labels: {app: quiet}}
    spec: {containers: [{name: quiet, image: PAUSE, imagePullPolicy: IfNotPresent}]}
---
apiVersion: v1
kind: Service
metadata: {name: quiet, namespace: theirs}
spec: {type: NodePort, selector: {app: quiet}, ports: [{port: 80, nodePort: 31999}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: their-role}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: theirs}
spec: {controller: example.com/theirs}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: theirs, namespace: theirs}
spec: {ingressClassName: theirs, defaultBackend: {service: {name: quiet, port: {number: 80}}}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: things, singular: thing, kind: Thing}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
{apiVersion: example.com/v1, kind: Thing, metadata: {name: one, namespace: example}, size: 3}
"""

Dump = dict[str, Any]


@dataclass
class Cluster:
    """Somebody else's. `before`: what is in it."""

    kindctl: Kindctl
    api: Api
    folder: Path
    before: Dump

    def dump(self) -> Dump:
        return dump(self.api)

    def unchanged(self) -> bool:
        return differences(self.before, self.dump()) == []

    def file(self, name: str, text: str) -> str:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "kindctl.yaml").write_text(text)
        return str(folder)

    def type(self, answer: str, *arguments: str) -> tuple[int, str]:
        """Run at a terminal, where `answer` is typed; the exit code, and what stood there."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "kindctl", *arguments],
            cwd=self.folder,
            env=self.kindctl.environ(),
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        os.close(theirs)
        os.write(ours, f"{answer}\n".encode())
        out, _ = process.communicate(timeout=120)
        os.close(ours)
        return process.returncode, out


def dump(api: Api) -> Dump:
    versions = ["api/v1"] + [
        f"apis/{group['preferredVersion']['groupVersion']}" for group in api.raw("/apis")["groups"]
    ]
    kinds = [
        (version, resource["name"], resource["kind"])
        for version in versions
        for resource in api.raw(f"/{version}")["resources"]
        if "list" in resource["verbs"] and resource["kind"] not in PASSING
    ]
    with ThreadPoolExecutor(8) as pool:
        lists = pool.map(lambda kind: api.raw(f"/{kind[0]}/{kind[1]}"), kinds)
        return {
            f"{kind} {obj['metadata'].get('namespace', '')}/{obj['metadata']['name']}": lasting(obj)
            for (_, _, kind), found in zip(kinds, lists, strict=True)
            for obj in (found or {}).get("items") or ()
        }


def lasting(obj: dict[str, Any]) -> dict[str, Any]:
    kept = copy.deepcopy(obj)
    kept.pop("status", None)
    for field in ("resourceVersion", "managedFields"):
        kept["metadata"].pop(field, None)
    return kept


def differences(before: Dump, after: Dump) -> list[str]:
    return sorted(
        name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
    )


@pytest.fixture(scope="module")
def stranger(kindctl: Kindctl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    kindctl.run("images", "build", "node", "registry", timeout=3000)
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("existing")
    with (
        made_by_kind(CLUSTER, EXAMPLE / "stranger.yaml", home / "kubeconfig"),
        registry(CLUSTER, 5005),
    ):
        api = Api(CLUSTER, folder)
        until(lambda: node_is_ready(api), 120, "the node is ready")
        settle(api)
        yield Cluster(Kindctl(folder, home), api, folder, dump(api))


def node_is_ready(api: Api) -> bool:
    (node,) = api.core.list_node().items
    return any(c.type == "Ready" and c.status == "True" for c in node.status.conditions)


def settle(api: Api) -> None:
    """Their objects, in place and running."""
    images = docker("exec", NODE, "crictl", "images", "-o", "json")
    names = [tag for image in json.loads(images)["images"] for tag in image["repoTags"]]
    pause = next(name for name in names if "/pause:" in name)
    for obj in yaml.safe_load_all(THEIRS.replace("PAUSE", pause)):
        until(partial(create, api, obj), 20, f"{obj['kind']} is created")
    until(
        lambda: api.apps.read_namespaced_deployment("quiet", "theirs").status.ready_replicas,
        60,
        "their pod runs",
    )
    until(
        lambda: all(
            pod.status.phase == "Running" and pod.status.container_statuses[0].ready
            for pod in api.pods("kube-system")
        ),
        60,
        "the cluster's own pods run",
    )


def create(api: Api, obj: dict[str, Any]) -> bool:
    """Whether its kind is known by now."""
    base = "api" if obj["apiVersion"] == "v1" else "apis"
    found = api.raw(f"/{base}/{obj['apiVersion']}")
    names = {r["kind"]: r for r in (found or {}).get("resources", []) if "/" not in r["name"]}
    if obj["kind"] not in names:
        return False
    space = obj["metadata"].get("namespace")
    scope = f"/namespaces/{space}" if space else ""
    path = f"/{base}/{obj['apiVersion']}{scope}/{names[obj['kind']]['name']}"
    api.raw(path, "POST", obj)
    return True


# --- before anything is there --------------------------------------------------------------------


def test_nothing_is_touched_without_consent(stranger: Cluster) -> None:
    text = f"name: {NAME}\ncluster: {{provider: {{existing: kind-{CLUSTER}}}}}\n"
    bare = stranger.file("bare", f"{text}ingress: {{controller: none}}\n")
    for arguments in (["up", "-f", bare], ["up", "--yes", "-f", bare]):
        refused = stranger.kindctl.run(*arguments, code=2)
        assert "context-unconfirmed" in refused.err
        assert f"server: '{SERVER}'" in refused.err
    code, said = stranger.type("yes", "up", "-f", bare)
    assert code == 2, said
    assert SERVER in said
    assert differences(stranger.before, stranger.dump()) == []
    code, said = stranger.type(f"kind-{CLUSTER}", "up", "-f", bare)
    assert code == 0, said
    stranger.kindctl.run("down", NAME)
    until(stranger.unchanged, 30, "all is as it was")


def test_another_server_is_refused(stranger: Cluster) -> None:
    text = (EXAMPLE / "kindctl.yaml").read_text().replace(":36443", ":36444")
    folder = stranger.file("other", text.replace("../../", f"{ROOT}/"))
    refused = stranger.kindctl.run("up", "--yes", "-f", folder, code=2)
    assert "context-differs" in refused.err
    assert differences(stranger.before, stranger.dump()) == []


# --- the sample ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def up(stranger: Cluster) -> Result:
    result = stranger.kindctl.run("up", "--yes", "-f", str(EXAMPLE), "-o", "json", timeout=900)
    (OUTPUT / "existing-up.jsonl").write_text(result.out)
    return result


def test_its_urls_answer(up: Result) -> None:
    assert up.ended()["report"]["urls"] == [f"{URL}/", f"{URL}/api/healthy"]
    assert "<title>Sample" in http(f"{URL}/").body
    added = http(f"{URL}/api/add", "POST", {"text": "from an existing cluster"})
    assert added.status < 300
    assert "from an existing cluster" in http(f"{URL}/api/fetch").body


def test_pods_run_what_was_pushed_by_digest(stranger: Cluster, up: Result) -> None:
    for pod in stranger.api.pods("example"):
        (container,) = pod.spec.containers
        name, _, digest = container.image.partition("@")
        assert name.startswith(f"{REGISTRY}:5000/"), name
        repository, _, _ = name.removeprefix(f"{REGISTRY}:5000/").partition(":")
        assert http(f"http://127.0.0.1:5005/v2/{repository}/manifests/{digest}").status == 200


def test_what_was_there_is_as_it_was(stranger: Cluster, up: Result) -> None:
    now = stranger.dump()
    assert [name for name in stranger.before if now.get(name) != stranger.before[name]] == []


def test_a_second_up_changes_nothing(stranger: Cluster, up: Result) -> None:
    again = stranger.kindctl.run("up", "-f", str(EXAMPLE), "-o", "json")
    assert again.changes() == []


def test_commands_find_it(stranger: Cluster, up: Result) -> None:
    (row,) = [
        row
        for row in json.loads(stranger.kindctl.run("list", "-o", "json").out)
        if row["name"] == NAME
    ]
    assert (row["context"], row["state"], row["nodes"]) == (f"kind-{CLUSTER}", "running", 0)
    status = json.loads(stranger.kindctl.run("status", NAME, "-o", "json").out)
    assert {row["kind"] for row in status} >= {"Deployment", "url"}
    assert stranger.kindctl.run("logs", "--name", NAME, "backend", "--tail", "1").out
    file = stranger.kindctl.run("kubeconfig", NAME).out.strip()
    assert file == stranger.kindctl.environ()["KUBECONFIG"]
    copies = [path for path in (stranger.kindctl.home / "data").rglob("*") if path.is_file()]
    assert [path for path in copies if "client-key-data" in path.read_text(errors="ignore")] == []


def test_what_somebody_deleted_comes_back(stranger: Cluster, up: Result) -> None:
    stranger.api.core.delete_namespaced_service("backend-service", "example")
    assert stranger.kindctl.run("up", "-f", str(EXAMPLE), "-o", "json").changes() == [
        "created Service example/backend-service"
    ]


def test_an_object_of_others_is_refused(stranger: Cluster, up: Result) -> None:
    text = (EXAMPLE / "kindctl.yaml").read_text().replace("../../", f"{ROOT}/")
    more = "- {name: more, namespace: example, manifests: [./settings.yaml]}\n"
    folder = stranger.file("clash", text + more)
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
    (stranger.folder / "clash" / "settings.yaml").write_text(
        yaml.safe_dump({**settings, "data": {"a": "mine"}})
    )
    refused = stranger.kindctl.run("up", "-f", folder, code=1)
    assert "ConfigMap example/settings exists and was not made by kindctl" in refused.err
    now = stranger.dump()
    assert [name for name in stranger.before if now.get(name) != stranger.before[name]] == []


def test_zz_down_leaves_the_cluster_as_it_was(stranger: Cluster, up: Result) -> None:
    stranger.kindctl.run("down", NAME)
    try:
        until(stranger.unchanged, 60, "all is as it was")
    except AssertionError:
        raise AssertionError(differences(stranger.before, stranger.dump())) from None
    assert NAME not in stranger.kindctl.run("list", "-o", "json").out
