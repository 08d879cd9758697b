"""A fit machine in memory, for tests of what the commands do."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kindctl.actions.up import up
from kindctl.config.load import Loaded, load
from kindctl.diagnose.checks.inotify import LIMITS
from kindctl.models import DOCKER_ENVIRONMENT_LABEL
from kindctl.providers.kind import KindProvider
from kindctl.tools.protocols import Tools
from tests.fakes.cluster import FakeCluster
from tests.fakes.component import Heard
from tests.fakes.engine import FakeEngine
from tests.fakes.forwards import FakeForwards
from tests.fakes.host import FakeHost
from tests.fakes.kind import FakeKind
from tests.fakes.net import FakeNet
from tests.fakes.steps import Journal

NODE_IMAGE = "kindest/node:v1.36.4"
BARE = f"name: shop\ncluster: {{image: '{NODE_IMAGE}'}}\ningress: {{controller: none}}\n"
"""An environment of a cluster and nothing in it."""


class World:
    """A fit machine with the node image; each environment has a cluster of its own."""

    def __init__(self) -> None:
        self.engine, self.host, self.net = FakeEngine(), FakeHost(), FakeNet()
        self.forwards = FakeForwards(self.net)
        for program in ("docker", "dockerd", "kind", "debootstrap"):
            self.host.programs[program] = lambda *_: "github.com/docker/buildx v0.13.1 x"
        self.host.sysctls |= {name: str(value) for name, (_, value) in LIMITS.items()}
        self.kind = FakeKind(self.engine, self.host, on_create=self.register)
        self.clusters: dict[str, FakeCluster] = {}
        self.engine.add_image(NODE_IMAGE)

    @property
    def tools(self) -> Tools:
        def open_cluster(path: Path, context: str) -> FakeCluster:
            return self.cluster(context.removeprefix("kind-"))

        return Tools(self.engine, self.kind, self.net, self.host, open_cluster, self.forwards)

    def cluster(self, name: str) -> FakeCluster:
        return self.clusters.setdefault(name, FakeCluster())

    def register(self, name: str) -> None:
        cluster = self.cluster(name)
        space = {"name": "kube-node-lease"}
        cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": space})
        for node in self.engine.containers(labels={DOCKER_ENVIRONMENT_LABEL: name}):
            obj = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": node.name}}
            ready = {"conditions": [{"type": "Ready", "status": "True"}]}
            cluster.put({**obj, "status": ready})
            renewed = datetime(2100, 1, 1, tzinfo=UTC).isoformat()
            meta = {"name": node.name, "namespace": "kube-node-lease"}
            lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta}
            cluster.put({**lease, "spec": {"renewTime": renewed}})

    def made(self, name: str = "shop", **how: Any) -> KindProvider:
        provider = KindProvider(self.tools, name, NODE_IMAGE, resolve=lambda ref: ref, **how)
        provider.create(Heard())
        return provider

    def up(self, loaded: Loaded) -> None:
        up(loaded, self.tools, emit=Journal(), agree=never, stop=threading.Event())


def never(wishes: Sequence[str]) -> bool:
    raise AssertionError(f"was asked about {wishes}")


def fit_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a fit machine, with data and cache folders for this test, in an empty working folder."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubectl"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return World()


def loaded(text: str = BARE) -> Loaded:
    """Write kindctl.yaml into the working folder and load it."""
    Path("kindctl.yaml").write_text(text)
    return load(Path("kindctl.yaml"))
