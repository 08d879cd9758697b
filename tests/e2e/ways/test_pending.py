"""Services of type LoadBalancer where nobody hands out addresses: a cluster that kind alone has made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests import ROOT
from tests.support.foreign_cluster import foreign_cluster, registry
from tests.support.harness import OUTPUT, Api, Kindctl, Result

CLUSTER, NAME, PORT = "nobody", "pending", 5006
ENVIRONMENT = f"""\
name: {NAME}
cluster: {{provider: {{existing: kind-{CLUSTER}, server: SERVER}}}}
images: {{push: localhost:{PORT}, pull: PULL}}
"""
APPS = """\
ingress: {controller: none}
apps:
- name: shop
  manifests: [./web.yaml]
  expose: [{service: web, via: load-balancer}]
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
"""
CONTROLLERS = "ingress: {expose: {via: load-balancer}}\n"


@dataclass
class Nobody:
    kindctl: Kindctl
    api: Api
    environment: str  # of kindctl.yaml

    def up(self, rest: str) -> Result:
        (self.kindctl.folder / "kindctl.yaml").write_text(self.environment + rest)
        return self.kindctl.run("up", "--yes", "-o", "json", code=None)


@pytest.fixture(scope="module")
def nobody(kindctl: Kindctl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nobody]:
    kindctl.run("images", "build", "node", "registry", timeout=3000)
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("pending")
    with (
        foreign_cluster(CLUSTER, yaml_of_kind(folder), home / "kubeconfig"),
        registry(CLUSTER, PORT) as pull,
    ):
        api = Api(CLUSTER, tmp_path_factory.mktemp("api"))
        server = str(api.api.configuration.host)
        environment = ENVIRONMENT.replace("SERVER", server).replace("PULL", pull)
        (folder / "web.yaml").write_text(SERVICE)
        yield Nobody(Kindctl(folder, home), api, environment)


def yaml_of_kind(folder: Path) -> Path:
    """Of the example's stranger, without its ports."""
    lines = (ROOT / "configs" / "existing" / "stranger.yaml").read_text().splitlines(keepends=True)
    kept = [
        x for x in lines if not any(w in x for w in ("extraPort", "containerPort", "apiServer"))
    ]
    (folder / "kind.yaml").write_text("".join(kept))
    return folder / "kind.yaml"


@pytest.mark.parametrize(
    ("rest", "name", "namespace"),
    [(APPS, "web", "shop"), (CONTROLLERS, "ingress-nginx-controller", "ingress-nginx")],
    ids=["an app's", "the controller's, without any route"],
)
def test_it_is_told_and_not_waited_out(
    nobody: Nobody, rest: str, name: str, namespace: str
) -> None:
    result = nobody.up(rest)
    ended = datetime.now(UTC)
    assert result.code != 0
    error = result.error()
    assert error["code"] == "load-balancer-pending", error
    assert f"{namespace}/{name} gets no external address" in error["what"]
    for way in ("metallb", "node-port", "port-forward"):
        assert way in error["fix"]
    service = nobody.api.core.read_namespaced_service(name, namespace)
    assert service.spec.type == "LoadBalancer"
    assert service.status.load_balancer.ingress is None
    told = (ended - service.metadata.creation_timestamp).total_seconds()
    with (OUTPUT / "ways.jsonl").open("a") as file:
        file.write(json.dumps({"way": NAME, "service": name, "told_after": round(told, 1)}) + "\n")
