"""Problems in manifests that are found before anything is applied."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from kindctl.manifests.lint import LintContext, lint
from kindctl.manifests.manifest import ERROR, WARNING, Finding, Manifest, read_manifests

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{name: http, port: 80}]}
---
"""
INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  ingressClassName: nginx
  rules:
  - http:
      paths:
      - path: /
        pathType: Prefix
        backend: {service: {name: web, port: {number: 80}}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def manifests(folder: Path, text: str, app: str = "shop") -> list[Manifest]:
    (folder / f"{app}.yaml").write_text(dedent(text))
    return read_manifests(folder, [f"{app}.yaml"], app)


def found(
    folder: Path, text: str, context: LintContext | None = None
) -> list[tuple[str, int, str, str]]:
    return short(lint({"shop": manifests(folder, text)}, context or LintContext()))


def short(findings: list[Finding]) -> list[tuple[str, int, str, str]]:
    return [(f.level, f.problem.line, f.problem.message, f.problem.hint) for f in findings]


def test_good_manifests_have_no_findings(folder: Path) -> None:
    assert found(folder, SERVICE + INGRESS) == []


@pytest.mark.parametrize("kind", ["Prefix", "Exact"])
def test_a_regular_expression_needs_implementation_specific(folder: Path, kind: str) -> None:
    text = SERVICE + INGRESS.replace("path: /\n", "path: /api/?(.*)\n").replace("Prefix", kind)
    ((level, line, message, hint),) = found(folder, text)
    assert (level, line) == (ERROR, 14)
    assert (
        message
        == f"path '/api/?(.*)' is a regular expression, which pathType {kind} does not allow"
    )
    assert hint == 'use pathType: ImplementationSpecific and the annotation use-regex: "true"'
    assert found(folder, text.replace(kind, "ImplementationSpecific")) == []


def test_a_dot_in_a_plain_path_is_warned_of(folder: Path) -> None:
    text = SERVICE + INGRESS.replace("path: /\n", "path: /robots.txt\n")
    ((level, _, message, _),) = found(folder, text)
    assert level == WARNING
    assert "before 1.12" in message


def test_an_unknown_class_is_an_error_with_a_guess_at_a_similar_one(folder: Path) -> None:
    ((level, line, message, hint),) = found(
        folder, SERVICE + INGRESS.replace("e: nginx", "e: ngnix")
    )
    assert (level, line) == (ERROR, 10)
    assert message == "no ingress controller here serves class 'ngnix'"
    assert hint == "did you mean 'nginx'?"
    ((_, _, _, hint),) = found(folder, SERVICE + INGRESS.replace("e: nginx", "e: alb"))
    assert hint == "available: nginx"


def test_a_class_of_the_apps_own_is_known(folder: Path) -> None:
    own = "---\napiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: alb}\n"
    assert found(folder, SERVICE + INGRESS.replace("e: nginx", "e: alb") + own) == []


def test_without_a_controller_an_ingress_is_warned_of(folder: Path) -> None:
    ((level, _, message, _),) = found(folder, SERVICE + INGRESS, LintContext(ingress_classes=()))
    assert level == WARNING
    assert "no ingress controller is installed" in message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("name: web, port", "name: wbe, port"),
            "the backend refers to Service shop/wbe, which no manifest defines",
        ),
        (("number: 80", "number: 81"), "Service web has no port 81"),
        (("number: 80", "name: https"), "Service web has no port https"),
    ],
)
def test_a_backend_that_leads_nowhere_is_warned_of(
    folder: Path, change: tuple[str, str], message: str
) -> None:
    ((level, line, text, _),) = found(folder, SERVICE + INGRESS.replace(*change))
    assert (level, line) == (WARNING, 16)
    assert text.startswith(message)
    assert found(folder, SERVICE + INGRESS.replace("number: 80", "name: http")) == []


def test_a_backend_may_be_another_apps_service(folder: Path) -> None:
    other = manifests(folder, SERVICE.replace("name: web", "name: web, namespace: shop"), "other")
    both = {"other": other, "shop": manifests(folder, INGRESS)}
    assert lint(both, LintContext()) == []


POD = """\
apiVersion: v1
kind: Pod
metadata: {name: %s}
spec:
  containers:
  - name: c
    image: %s
    imagePullPolicy: Always
"""


@pytest.mark.parametrize(
    ("image", "level"),
    [("web", ERROR), ("web:latest", ERROR), ("mine:1", ERROR), ("postgres:17", WARNING)],
)
def test_an_image_that_the_node_would_pull(folder: Path, image: str, level: str) -> None:
    ((found_level, line, message, hint),) = found(
        folder, POD % ("p", image), LintContext(built=["mine:1"])
    )
    assert (found_level, line) == (level, 8)
    assert (
        message == f"the node would pull image {image!r} instead of using the one from this machine"
    )
    assert "IfNotPresent" in hint
    assert found(folder, (POD % ("p", image)).replace("Always", "IfNotPresent")) == []


def test_ports_of_the_node_are_given_once(folder: Path) -> None:
    pod = (POD % ("%s", "web:1")).replace(
        "imagePullPolicy: Always", "ports: [{containerPort: 1, hostPort: %s}]"
    )
    text = "---\n".join([pod % ("a", 8000), pod % ("b", 8000), pod % ("c", 80)])
    context = LintContext(host_ports={80: "ingress-nginx"})
    first, second = found(folder, text, context)
    assert first[:3] == (ERROR, 17, "hostPort 8000 is already used by Pod shop/a")
    assert second[:3] == (ERROR, 26, "hostPort 80 is already used by ingress-nginx")


def test_pods_in_the_nodes_network_have_its_ports(folder: Path) -> None:
    pod = (POD % ("a", "web:1")).replace("imagePullPolicy: Always", "ports: [{containerPort: 80}]")
    context = LintContext(host_ports={80: "ingress-nginx"})
    assert found(folder, pod, context) == []
    ((level, _, message, _),) = found(folder, pod + "  hostNetwork: true\n", context)
    assert (level, message) == (
        ERROR,
        "hostNetwork: port 80 is already used by ingress-nginx",
    )


def test_node_ports_are_given_once_among_all_apps(folder: Path) -> None:
    text = SERVICE.replace("port: 80", "port: 80, nodePort: 30080")
    both = {name: manifests(folder, text, name) for name in ("a", "b")}
    ((level, line, message, _),) = short(lint(both, LintContext()))
    assert (level, line, message) == (ERROR, 4, "nodePort 30080 is already used by Service a/web")
    udp = manifests(folder, text.replace("port: 80,", "port: 80, protocol: UDP,"), "b")
    assert [text for _, _, text, _ in short(lint({**both, "b": udp}, LintContext()))] == [message]


def test_within_one_service_a_node_port_is_given_once_a_protocol(folder: Path) -> None:
    """As the API server does; see there the port allocator, which knows numbers alone."""
    port = "port: 80, nodePort: 30053"
    two = f"{{name: a, {port}, protocol: UDP}}, {{name: b, {port}}}"
    text = SERVICE.replace("{name: http, port: 80}", two)
    assert lint({"a": manifests(folder, text)}, LintContext()) == []
    text = text.replace("protocol: UDP", "protocol: TCP")
    ((_, _, message, _),) = short(lint({"a": manifests(folder, text)}, LintContext()))
    assert message == "nodePort 30053 is already used by Service shop/web"


def test_an_object_belongs_to_one_app_but_a_namespace_may_be_shared(folder: Path) -> None:
    text = SERVICE.replace("name: web", "name: web, namespace: team") + "{apiVersion: v1, kind: "
    text += "Namespace, metadata: {name: team}}\n"
    both = {name: manifests(folder, text, name) for name in ("a", "b")}
    service, namespace = short(lint(both, LintContext()))
    assert service[0] == ERROR
    assert service[2] == "app 'a' also has a manifest for Service team/web"
    assert namespace[0] == WARNING
    assert namespace[3] == "the manifest of 'a' is applied"


def test_an_autoscaler_without_metrics_is_warned_of(folder: Path) -> None:
    text = "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: web}}\n"
    ((level, _, message, _),) = found(folder, text)
    assert level == WARNING
    assert "no metrics-server" in message
    assert found(folder, text, LintContext(metrics=True)) == []


def test_findings_come_in_the_order_of_their_places(folder: Path) -> None:
    text = SERVICE + INGRESS.replace("e: nginx", "e: x").replace("path: /\n", "path: /(a)\n")
    lines = [line for _, line, _, _ in found(folder, text.replace("number: 80", "number: 1"))]
    assert lines == sorted(lines)
    assert len(lines) == 3


def test_half_an_ingress_is_left_to_the_api(folder: Path) -> None:
    text = "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: a}, spec: null}\n"
    assert found(folder, text) == []


def test_a_redirect_that_misses_the_hosts_port_is_warned_of(folder: Path) -> None:
    text = SERVICE + INGRESS + "  tls:\n  - hosts: [web.localhost]\n"
    text = text.replace("  - http:\n", "  - host: web.localhost\n    http:\n")
    assert found(folder, text) == []
    ((level, _, message, hint),) = found(folder, text, LintContext(https=8443))
    assert level == WARNING
    assert message == "http://web.localhost redirects to port 443, but HTTPS is on port 8443"
    assert hint == "open https://web.localhost:8443"
    assert found(folder, SERVICE + INGRESS, LintContext(https=8443)) == []


BALANCED = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: LoadBalancer, ports: [{port: 80}]}
"""


def test_a_service_without_a_load_balancer_is_warned_of(folder: Path) -> None:
    ((level, line, message, hint),) = found(folder, BALANCED, LintContext(addresses=False))
    assert (level, line) == (WARNING, 4)
    assert "gets no external address" in message
    assert "addons: [metallb]" in hint


def test_no_warning_if_there_is_a_load_balancer_or_the_type_changes(folder: Path) -> None:
    assert found(folder, BALANCED) == []
    context = LintContext(addresses=False, other_types=[("shop", "web")])
    assert found(folder, BALANCED, context) == []
