"""A kind cluster for the contract tests: made from a node image that the engine has, no host ports."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tenacity import (
    Retrying,
    retry,
    retry_if_result,
    stop_after_attempt,
    stop_after_delay,
    wait_fixed,
)

from kindctl.models import Object, ObjectRef
from kindctl.tools.cluster import ApiCluster
from kindctl.tools.cluster_discovery import Discovery
from kindctl.tools.cluster_rest import Rest

CONFIG = """\
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
kubeadmConfigPatches:
- |
  kind: KubeletConfiguration
  failCgroupV1: false
"""


class RealCluster(ApiCluster):
    """The API of a cluster, with what tests need beside kindctl's own use of it."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        self.rest = Rest(kubeconfig)
        super().__init__(self.rest)


def node_image() -> str:
    """Return the image that KINDCTL_TEST_NODE_IMAGE names, else the newest kindctl.local/node."""
    if named := os.environ.get("KINDCTL_TEST_NODE_IMAGE"):
        return named
    images = _output(
        "docker", "images", "--format", "{{.Repository}}:{{.Tag}}", "kindctl.local/node"
    )
    assert images, "no kindctl.local/node image in the engine: run `kindctl images build` first"
    return images.splitlines()[0]


@contextmanager
def real_cluster(folder: Path) -> Iterator[RealCluster]:
    """Make a cluster, yield its API once the default objects exist, and delete it at the end.

    Its kubeconfig goes into `folder`."""
    name = f"kindctl-contract-{os.getpid()}"
    kubeconfig = folder / "kubeconfig"
    (folder / "kind.yaml").write_text(CONFIG)
    arguments = ["--name", name, "--kubeconfig", str(kubeconfig)]
    try:
        config = str(folder / "kind.yaml")
        _output(
            "kind", "create", "cluster", "--image", node_image(), "--config", config, *arguments
        )
        cluster = RealCluster(kubeconfig)
        _await_service_account(cluster)
        yield cluster
        cluster.close()
    finally:
        _output("kind", "delete", "cluster", *arguments)


def edit(cluster: RealCluster, ref: ObjectRef, change: Callable[[Object], object]) -> None:
    """Change an object as `kubectl edit` does: read, alter and write all of it.

    Tried again when a controller was faster."""
    resource = Discovery(cluster.rest).find(ref.api_version, ref.kind)
    assert resource is not None
    path = resource.path(ref.namespace, ref.name)
    query = {"fieldManager": "kubectl-edit"}
    for attempt in Retrying(stop=stop_after_attempt(10), reraise=True):
        with attempt:
            obj = cluster.get(ref)
            assert obj is not None
            change(obj)
            cluster.rest.request("PUT", path, doing="edit", query=query, body=obj)


@retry(
    retry=retry_if_result(lambda found: found is None),
    wait=wait_fixed(0.3),
    stop=stop_after_delay(60),
)
def _await_service_account(cluster: ApiCluster) -> object:
    """Wait for the last thing that a pod needs from the controllers."""
    return cluster.get(ObjectRef("v1", "ServiceAccount", "default", "default"))


def _output(*command: str) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout.strip()
