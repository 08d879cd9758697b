"""kind in memory: node containers in a FakeEngine, a kubeconfig on a FakeHost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from kindctl.errors import KindctlError, MachineError, ToolError
from kindctl.models import Say
from kindctl.tools.kind import kind_error
from kindctl.tools.process import failure
from tests.fakes.container import FakeContainer
from tests.fakes.engine import FakeEngine
from tests.fakes.host import FakeHost

CLUSTER_LABEL = "io.x-k8s.kind.cluster"
ROLE_LABEL = "io.x-k8s.kind.role"
API_PORT = "6443/tcp"
ADMIN_CONF = "/etc/kubernetes/admin.conf"
STEPS = (
    "Ensuring node image",
    "Preparing nodes",
    "Writing configuration",
    "Starting control-plane",
)


@dataclass
class FakeKind:
    """See protocols.Kind for its public methods; the rest is for tests."""

    engine: FakeEngine
    host: FakeHost
    installed: bool = True
    failures: list[str] = field(default_factory=list)  # kind's words; each fails one creation
    on_create: Callable[[str], None] = lambda name: None  # where the cluster's API comes up

    def version(self) -> str:
        self._check(engine=False)
        return "0.33.0"

    def create(self, name: str, config: str, kubeconfig: Path, say: Say) -> None:
        self._check()
        nodes = _nodes(config)
        if any(node.labels[CLUSTER_LABEL] == name for node in self._nodes()):
            words = f"node(s) already exist for a cluster with the name {name!r}"
            raise _failed("create", name, words)
        for node in nodes:
            if self.engine.image(node["image"]) is None:
                words = f"failed to pull image {node['image']!r}"
                raise _failed("create", name, words)
        say(f"• {STEPS[0]} ...")
        port = self.make_nodes(name, nodes, say)
        for step in STEPS[2:]:
            say(f"• {step} ...")
        if self.failures:
            raise _failed("create", name, self.failures.pop(0))
        control_plane = self.engine.container(f"{name}-control-plane")
        inner = _kubeconfig(name, f"https://{name}-control-plane:6443")
        self.host.files[kubeconfig] = _kubeconfig(name, f"https://127.0.0.1:{port}")
        self.host.modes[kubeconfig] = 0o600
        control_plane.files[ADMIN_CONF] = inner  # last: from here on the provider writes the file
        self.on_create(name)

    def delete(self, name: str, kubeconfig: Path) -> None:
        self._check()
        for node in self._nodes():
            if node.labels[CLUSTER_LABEL] == name:
                self.engine.remove(node.name)
        self.host.files.pop(kubeconfig, None)

    def kubeconfig(self, name: str) -> str:
        self._check()
        if all(node.labels[CLUSTER_LABEL] != name for node in self._nodes()):
            words = f"could not locate any control plane nodes for cluster named {name!r}"
            raise _failed("get", name, words)
        ((_, port),) = self.engine.container(f"{name}-control-plane").ports[API_PORT]
        return _kubeconfig(name, f"https://127.0.0.1:{port}")

    def make_nodes(self, name: str, nodes: list[dict[str, Any]], say: Say) -> int:
        """`docker run` for each; the port of the API on the host."""
        say(f"• {STEPS[1]} ...")
        self.engine.subnets.setdefault("kind", ("172.18.0.0/16",))
        api_port = 40000 + len(self._nodes())
        counts: dict[str, int] = {}
        for number, node in enumerate(nodes):
            role = node["role"]
            counts[role] = counts.get(role, 0) + 1
            suffix = str(counts[role]) if counts[role] > 1 else ""
            ports = _ports(node)
            if role == "control-plane":
                ports[API_PORT] = (("127.0.0.1", api_port + number),)
            container = FakeContainer(
                f"{name}-{role}{suffix}",
                node["image"],
                labels={CLUSTER_LABEL: name, ROLE_LABEL: role},
                ports=ports,
                addresses={"kind": f"172.18.0.{2 + number}"},
                volumes=(f"var-{name}-{role}{suffix}",),
                files={
                    "/kind/version": "v1.36.3",
                    "/etc/containerd/config.toml": 'config_path = "/etc/containerd/certs.d"\n',
                },
            )
            try:
                self.engine.add_container(container)
            except ToolError as error:
                raise _failed("create", name, error.output) from error
        return api_port

    def _nodes(self) -> list[FakeContainer]:
        found = self.engine.containers(labels={CLUSTER_LABEL: ""})
        return [self.engine.container(node.name) for node in found]

    def _check(self, engine: bool = True) -> None:
        if not self.installed:
            raise MachineError("`kind` is not installed", code="kind-missing")
        if engine and self.engine.problem is not None:
            raise self.engine.problem


def _failed(verb: str, name: str, words: str) -> KindctlError:
    said = [f"ERROR: {words}"]
    return kind_error(failure(["kind", verb, "cluster", "--name", name], 1, said), said[0])


def _nodes(config: str) -> list[dict[str, Any]]:
    parsed = yaml.safe_load(config) or {}
    if parsed.get("kind") != "Cluster":
        raise _failed("create", "", "unknown apiVersion")
    nodes = parsed.get("nodes") or [{}]
    return [{"role": "control-plane", "image": "kindest/node:latest", **node} for node in nodes]


def _ports(node: dict[str, Any]) -> dict[str, tuple[tuple[str, int], ...]]:
    ports: dict[str, tuple[tuple[str, int], ...]] = {}
    for mapping in node.get("extraPortMappings") or ():
        key = f"{mapping['containerPort']}/{mapping.get('protocol', 'TCP').lower()}"
        bound = (mapping.get("listenAddress", "0.0.0.0"), mapping["hostPort"])
        ports[key] = (*ports.get(key, ()), bound)
    return ports


def _kubeconfig(name: str, server: str) -> str:
    context = f"kind-{name}"
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": context,
            "clusters": [{"name": context, "cluster": {"server": server}}],
            "users": [{"name": context, "user": {"token": "fake"}}],
            "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        }
    )
