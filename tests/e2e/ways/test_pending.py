"""A Service of type LoadBalancer where nobody hands out addresses: a cluster that kind alone has made."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.e2e.harness import ROOT, Api, Kindctl, Result

CLUSTER, NAME = "nobody", "pending"
FILE = f"""\
name: {NAME}
cluster: {{provider: {{existing: kind-{CLUSTER}, server: SERVER}}}}
ingress: {{controller: none}}
apps:
- name: shop
  manifests: [./web.yaml]
  expose: [{{service: web, via: load-balancer}}]
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
"""


@pytest.fixture(scope="module")
def nobody(kindctl: Kindctl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kindctl]:
    kindctl.run("images", "build", "node", timeout=3000)
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("pending")
    config = yaml_of_kind(folder)
    kubeconfig = ["--kubeconfig", str(home / "kubeconfig")]
    where = ["--name", CLUSTER, "--image", image_of_the_node()]
    subprocess.run(
        ["kind", "create", "cluster", *where, "--config", config, *kubeconfig], check=True
    )
    try:
        yield Kindctl(folder, home)
    finally:
        subprocess.run(["kind", "delete", "cluster", "--name", CLUSTER, *kubeconfig], check=True)


def yaml_of_kind(folder: Path) -> str:
    """Of the example's stranger, without its ports."""
    lines = (ROOT / "configs" / "existing" / "stranger.yaml").read_text().splitlines(keepends=True)
    kept = [
        x for x in lines if not any(w in x for w in ("extraPort", "containerPort", "apiServer"))
    ]
    (folder / "kind.yaml").write_text("".join(kept))
    return str(folder / "kind.yaml")


def image_of_the_node() -> str:
    found = subprocess.run(
        ["docker", "images", "--format={{.Repository}}:{{.Tag}}", "kindctl.local/node"],
        check=True,
        capture_output=True,
        text=True,
    )
    return found.stdout.split()[0]


@pytest.fixture(scope="module")
def up(nobody: Kindctl, tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, float]:
    """How it ended, and the seconds from the Service's creation to then."""
    api = Api(CLUSTER, tmp_path_factory.mktemp("api"))
    server = api.api.configuration.host
    (nobody.folder / "kindctl.yaml").write_text(FILE.replace("SERVER", server))
    (nobody.folder / "web.yaml").write_text(SERVICE)
    result = nobody.run("up", "--yes", "-o", "json", code=None)
    ended = datetime.now(UTC)
    made = api.core.read_namespaced_service("web", "shop").metadata.creation_timestamp
    return result, (ended - made).total_seconds()


def test_it_is_told_and_not_waited_out(up: tuple[Result, float]) -> None:
    result, seconds = up
    assert result.code != 0
    error = result.error()
    assert error["code"] == "load-balancer-pending", error
    assert "shop/web gets no external address" in error["what"]
    for way in ("metallb", "node-port", "port-forward"):
        assert way in error["fix"]
    assert seconds < 15  # recognised within 10; the time of creation is cut to a second


def test_the_service_is_pending_indeed(
    nobody: Kindctl, up: tuple[Result, float], tmp_path: Path
) -> None:
    service = Api(CLUSTER, tmp_path).core.read_namespaced_service("web", "shop")
    assert service.spec.type == "LoadBalancer"
    assert service.status.load_balancer.ingress is None
