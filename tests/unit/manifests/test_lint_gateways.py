"""Problems with Gateways and routes that are found before anything is applied."""

from __future__ import annotations

from pathlib import Path

import pytest

from kindctl.config.load import load
from kindctl.errors import ConfigError
from kindctl.manifests.lint_gateways import GatewayContext, lint_gateways
from kindctl.manifests.manifest import ERROR, WARNING, read_manifests

TEXT = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front}
spec:
  gatewayClassName: traefik
  listeners:
  - {name: http, protocol: HTTP, port: 80}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec:
  parentRefs:
  - name: front
  rules:
  - backendRefs:
    - {name: web, port: 80}
"""
TRAEFIK = GatewayContext(classes=("traefik",), ports=(80, 443))
NONE = GatewayContext()


def found(
    folder: Path, text: str, context: GatewayContext = TRAEFIK
) -> list[tuple[str, int, str, str]]:
    (folder / "shop.yaml").write_text(text)
    manifests = read_manifests(folder, ["shop.yaml"], "shop")
    findings = lint_gateways({"shop": manifests}, context)
    return [(f.level, f.problem.line, f.problem.message, f.problem.hint) for f in findings]


def test_good_manifests_have_no_findings(tmp_path: Path) -> None:
    assert found(tmp_path, TEXT) == []


CLASS = ("gatewayClassName: traefik", "gatewayClassName: trafik")
LISTENER = ("protocol: HTTP, port: 80", "protocol: HTTP, port: 8080")
PARENT, BACKEND = "- name: front", "- {name: web, port: 80}"


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (
            CLASS,
            (
                ERROR,
                10,
                "no controller here serves GatewayClass 'trafik'",
                "did you mean 'traefik'?",
            ),
        ),
        (
            LISTENER,
            (
                ERROR,
                12,
                "listener http: the controller does not listen on port 8080",
                "use 80 and 443; ports of this machine are set in `ingress.expose`",
            ),
        ),
        (
            (PARENT, "- name: fornt"),
            (ERROR, 19, "Gateway shop/fornt does not exist", "did you mean 'shop/front'?"),
        ),
        (
            (PARENT, "- {name: front, sectionName: htp}"),
            (ERROR, 19, "Gateway shop/front has no listener htp", "did you mean 'http'?"),
        ),
        (
            (PARENT, "- {name: front, port: 443}"),
            (ERROR, 19, "Gateway shop/front has no listener on port 443", "available: http"),
        ),
        (
            (BACKEND, "- {name: wep, port: 80}"),
            (
                WARNING,
                22,
                "backendRef refers to Service shop/wep, which no manifest defines",
                "did you mean 'web'?",
            ),
        ),
        (
            (BACKEND, "- {name: web, port: 81}"),
            (WARNING, 22, "Service shop/web has no port 81", "ports of the Service: 80"),
        ),
        (
            (BACKEND, "- {name: web}"),
            (
                ERROR,
                22,
                "backendRef must set the port of Service shop/web",
                "ports of the Service: 80",
            ),
        ),
    ],
)
def test_unknown_names_are_reported_with_their_place(
    tmp_path: Path, change: tuple[str, str], finding: tuple[str, int, str, str]
) -> None:
    assert change[0] in TEXT
    assert found(tmp_path, TEXT.replace(*change)) == [finding]


def test_a_gateway_of_another_namespace_must_allow_the_route(tmp_path: Path) -> None:
    text = TEXT.replace("{name: front}", "{name: front, namespace: infra}")
    text = text.replace("- name: front", "- {name: front, namespace: infra}")
    ((level, line, message, hint),) = found(tmp_path, text)
    assert (level, line) == (ERROR, 19)
    assert message == "Gateway infra/front only accepts routes of its own namespace"
    assert "from: All" in hint
    allowed = ", allowedRoutes: {namespaces: {from: All}}}"
    assert found(tmp_path, text.replace("port: 80}\n---", f"port: 80{allowed}\n---")) == []


def test_the_controllers_own_gateway_is_known(tmp_path: Path) -> None:
    listener = {"name": "http", "port": 80, "allowedRoutes": {"namespaces": {"from": "All"}}}
    own = {
        "metadata": {"name": "traefik", "namespace": "traefik"},
        "spec": {"listeners": [listener]},
    }
    text = TEXT.replace("- name: front", "- {name: traefik, namespace: traefik}")
    context = GatewayContext(("traefik",), (80, 443), [own])
    assert found(tmp_path, text, context) == []
    assert len(found(tmp_path, text)) == 1


def test_without_gateway_api_each_of_its_objects_is_refused(tmp_path: Path) -> None:
    errors = found(tmp_path, TEXT, NONE)
    assert [(level, line) for level, line, _, _ in errors] == [(ERROR, 6), (ERROR, 14)]
    assert errors[1][2] == "HTTPRoute shop/web: this environment has no Gateway API"
    assert errors[1][3] == "set `ingress: {controller: traefik, gatewayAPI: true}`"


def test_gateway_api_may_be_served_by_whoever_defines_it(tmp_path: Path) -> None:
    definition = """\
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gateways.gateway.networking.k8s.io}
spec: {group: gateway.networking.k8s.io, names: {kind: Gateway}, scope: Namespaced}
"""
    assert found(tmp_path, TEXT + definition, NONE) == []
    assert found(tmp_path, TEXT, GatewayContext(strangers=True)) == []


def test_unknown_names_are_only_warnings_if_others_may_have_them(tmp_path: Path) -> None:
    context = GatewayContext(("traefik",), (80, 443), strangers=True)
    text = TEXT.replace("- name: front", "- name: theirs")
    assert [level for level, *_ in found(tmp_path, text, context)] == [WARNING]
    text = TEXT.replace("gatewayClassName: traefik", "gatewayClassName: istio")
    assert [level for level, *_ in found(tmp_path, text, context)] == [WARNING]


@pytest.mark.parametrize("controller", ["nginx", "none"])
def test_gateway_api_needs_a_controller_that_is_set_up_for_it(
    tmp_path: Path, controller: str
) -> None:
    text = f"apiVersion: kindctl/v1\nname: x\ningress:\n  controller: {controller}\n"
    (tmp_path / "kindctl.yaml").write_text(f"{text}  gatewayAPI: true\n")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    (problem,) = caught.value.problems
    assert problem.line == 5
    assert f"`controller: {controller}` does not support `gatewayAPI`" in problem.message
    assert problem.hint == "use `controller: traefik`"
