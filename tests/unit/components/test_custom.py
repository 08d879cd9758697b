"""A controller that the user brings: what is refused, what is applied, and how its answers are proven."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kindctl.components import CONTROLLERS
from kindctl.components.base import ControllerSetup, CustomSettings
from kindctl.components.custom import Custom
from kindctl.config.load import load
from kindctl.errors import ConfigError, Problem
from kindctl.images.pins import NGINX
from kindctl.ingress.proof import HOSTS, WELL_KNOWN, environment_id, witness
from kindctl.live.desired import desired
from kindctl.manifests.manifest import read_manifests
from kindctl.models import NotReady, Object, ObjectRef, PortMapping, Ready, Route
from kindctl.planning.parts import Parts, parts_of
from kindctl.schema import CustomConfig, CustomPortsConfig
from kindctl.steps.url import UrlAnswers
from kindctl.tools.protocols import HttpAnswer
from tests.fakes.cluster import FakeCluster
from tests.fakes.net import FakeNet, Request
from tests.fakes.tools import fake_tools
from tests.fakes.ways import host_port, setup
from tests.support.controllers import namespace, workload

MANIFESTS = """\
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: gate}
spec: {controller: example.com/gate}
---
apiVersion: v1
kind: Service
metadata: {name: gate}
spec:
  selector: {app: gate}
  ports: [{name: web, port: 8000, targetPort: web}, {name: tls, port: 8443, targetPort: 9443}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: gate}
spec:
  selector: {matchLabels: {app: gate}}
  template:
    metadata: {labels: {app: gate}}
    spec:
      containers:
      - name: gate
        image: gate:1
        ports:
        - {name: web, containerPort: 9080, hostPort: 1080}
        - {name: tls, containerPort: 9443, hostPort: 1443}
"""
WEBHOOK = """\
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: gate}
webhooks: []
"""
OPERATED = "---\napiVersion: gate.example.com/v1\nkind: Gate\nmetadata: {name: gate}\n"
FILE = """\
name: shop
ingress:
  controller: custom
  expose: {via: host-port}
  custom:
    manifests: [gate.yaml]
    namespace: front
    ingressClass: gate
    service: gate
    ports: {http: 8000, https: 8443}
apps:
- {name: shop, manifests: [shop.yaml]}
"""
SHOP = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: gate
  tls: [{hosts: [safe.localhost]}]
  rules:
  - host: plain.localhost
    http:
      paths: [{path: /, pathType: Prefix, backend: &web {service: {name: web, port: {number: 80}}}}]
  - {host: safe.localhost, http: {paths: [{path: /, pathType: Prefix, backend: *web}]}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80}]}
"""


class Folder:
    """With the files that an environment is made of, changed as a test wants."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.write()

    def write(self, more: str = "", /, **changed: tuple[str, str]) -> None:
        """`changed`: file -> (what is there, what comes in its place)."""
        texts = {"file": FILE, "gate": MANIFESTS + more, "shop": SHOP}
        for name, (old, new) in changed.items():
            assert old in texts[name]
            texts[name] = texts[name].replace(old, new)
        (self.path / "kindctl.yaml").write_text(texts["file"])
        (self.path / "gate.yaml").write_text(texts["gate"])
        (self.path / "shop.yaml").write_text(texts["shop"])

    def parts(self) -> Parts:
        return parts_of(load(self.path / "kindctl.yaml"), fake_tools())

    def custom(self) -> Custom:
        found = self.parts().controller
        assert isinstance(found, Custom)
        return found

    def refused(self) -> list[tuple[str, int, str, str]]:
        with pytest.raises(ConfigError) as caught:
            self.parts()
        return [(Path(p.file).name, p.line, p.message, p.hint) for p in caught.value.problems]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


def named(objects: list[Object], kind: str, name: str = "gate") -> Object:
    return next(o for o in objects if (o["kind"], o["metadata"]["name"]) == (kind, name))


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "line", "message", "hint"),
    [
        (
            {"file": ("service: gate", "service: gat")},
            9,
            "no manifest defines Service front/gat",
            "did you mean 'gate'?",
        ),
        (
            {
                "gate": (
                    "metadata: {name: gate}\nspec:\n  selector",
                    "metadata: {name: gate, namespace: back}\nspec:\n  selector",
                )
            },
            9,
            "no manifest defines Service front/gate",
            "Services in your manifests: Service back/gate",
        ),
        (
            {"file": ("ingressClass: gate", "ingressClass: gait")},
            8,
            "no manifest defines IngressClass 'gait'",
            "did you mean 'gate'?",
        ),
        (
            {"file": ("http: 8000", "http: 80")},
            10,
            "Service 'gate' has no port 80 for HTTP",
            "ports of the Service: 8000, 8443",
        ),
        (
            {"file": ("https: 8443", "https: 443")},
            10,
            "Service 'gate' has no port 443 for HTTPS",
            "ports of the Service: 8000, 8443; set `https: null` if it serves no HTTPS",
        ),
        (
            {"gate": (", hostPort: 1443", "")},
            10,
            "no pod behind Service 'gate' has a hostPort for HTTPS",
            "set hostPort on the container port, or ingress.expose.via to node-port",
        ),
        (
            {"gate": ("targetPort: 9443", "targetPort: web")},
            10,
            "HTTP and HTTPS both use port 1080 of the node",
            "use a different hostPort for each, or set `https: null`",
        ),
        (
            {"file": ("service: gate", "service: gate\n    ready: daemonset/gate")},
            10,
            "no manifest defines DaemonSet front/gate, nor a custom resource from which "
            "an operator could create it",
            "DaemonSets that your manifests define in namespace front: none",
        ),
    ],
)
def test_what_no_manifest_has_is_refused_with_its_place(
    folder: Folder, changed: dict[str, tuple[str, str]], line: int, message: str, hint: str
) -> None:
    folder.write(**changed)
    found = [
        (file, where, text, words)
        for file, where, text, words in folder.refused()
        if "no ingress controller" not in text
    ]
    assert found == [("kindctl.yaml", line, message, hint)]


def test_custom_without_its_settings_is_refused(folder: Folder) -> None:
    text = FILE[: FILE.index("  custom:")] + FILE[FILE.index("apps:") :]
    (folder.path / "kindctl.yaml").write_text(text)
    assert folder.refused()[0][:3] == (
        "kindctl.yaml",
        3,
        "`controller: custom` needs ingress.custom",
    )


@pytest.mark.parametrize("asked", ["replicas: 2", "autoscale: {max: 3}", "gatewayAPI: true"])
def test_what_only_its_manifests_can_say_is_refused(folder: Folder, asked: str) -> None:
    folder.write(file=("  controller: custom", f"  controller: custom\n  {asked}"))
    found = [f for f in folder.refused() if "has no effect with `controller: custom`" in f[2]]
    assert [(file, line) for file, line, *_ in found] == [("kindctl.yaml", 4)]


def test_an_apps_ingress_of_another_class_is_refused(folder: Folder) -> None:
    folder.write(shop=("ingressClassName: gate", "ingressClassName: nginx"))
    ((file, line, message, hint),) = folder.refused()
    assert (file, line, hint) == ("shop.yaml", 5, "available: gate")
    assert message == "no ingress controller here serves class 'nginx'"


def test_a_cluster_that_is_there_may_have_the_class(folder: Folder) -> None:
    made = _setup(folder, "x")
    with pytest.raises(ConfigError, match="1 problem"):
        Custom(made)
    assert Custom(replace(made, fresh_cluster=False)).ingress_classes == ("x",)


def _setup(folder: Folder, ingress_class: str) -> ControllerSetup:
    custom = CustomSettings(
        CustomConfig(
            manifests=("gate.yaml",),
            namespace="front",
            ingressClass=ingress_class,
            service="gate",
            ports=CustomPortsConfig(http=8000, https=8443),
        ),
        read_manifests(folder.path, ["gate.yaml"], "front"),
        lambda at, message, hint: Problem("kindctl.yaml", 1, 1, message, hint),
    )
    return setup("shop", host_port(), custom=custom)


# --- the ways in ---------------------------------------------------------------------------------


def test_by_host_ports_those_of_its_pods_are_mapped(folder: Folder) -> None:
    parts = folder.parts()
    assert parts.mappings == (PortMapping(80, 1080), PortMapping(443, 1443))
    assert folder.custom().host_ports == {1080: "custom", 1443: "custom"}


def test_the_hosts_network_is_as_good_as_host_ports(folder: Folder) -> None:
    text = MANIFESTS.replace(", hostPort: 1080", "").replace(", hostPort: 1443", "")
    folder.write(
        gate=(
            MANIFESTS,
            text.replace("    spec:\n      cont", "    spec:\n      hostNetwork: true\n      cont"),
        )
    )
    assert folder.parts().mappings == (PortMapping(80, 9080), PortMapping(443, 9443))


def test_an_app_cannot_have_them_too(folder: Folder) -> None:
    text = MANIFESTS.replace(", hostPort: 1080", "").replace(", hostPort: 1443", "")
    net = text.replace("    spec:\n      cont", "    spec:\n      hostNetwork: true\n      cont")
    pod = "---\n{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: "
    pod += "[{name: p, image: 'p:1', ports: [{containerPort: 1, hostPort: 9080}]}]}}\n"
    folder.write(gate=(MANIFESTS, net), shop=(SHOP, SHOP + pod))
    assert [text for _, _, text, _ in folder.refused()] == [
        "hostPort 9080 is already used by custom"
    ]


def test_http_3_beside_https_changes_nothing(folder: Folder, cluster: FakeCluster) -> None:
    """One number twice in the Service and in the pod: UDP for QUIC, TCP for TLS."""
    folder.write(
        gate=(
            "{name: tls, port: 8443, targetPort: 9443}",
            "{name: tls, port: 8443, targetPort: 9443}, "
            "{name: quic, port: 8443, protocol: UDP, targetPort: 9444}",
        ),
    )
    assert folder.parts().mappings == (PortMapping(80, 1080), PortMapping(443, 1443))
    quic = "        - {name: quic, containerPort: 9443, hostPort: 1444, protocol: UDP}\n"
    folder.write(gate=("        - {name: tls", f"{quic}        - {{name: tls"))
    assert folder.parts().mappings == (PortMapping(80, 1080), PortMapping(443, 1443))
    assert folder.custom().host_ports == {1080: "custom", 1443: "custom"}


def test_ports_of_the_hosts_network_need_no_declaration(folder: Folder) -> None:
    text = MANIFESTS[: MANIFESTS.index("        ports:\n")]
    text = text.replace("targetPort: web", "targetPort: 9080")
    net = text.replace("    spec:\n      cont", "    spec:\n      hostNetwork: true\n      cont")
    folder.write(gate=(MANIFESTS, net))
    assert folder.parts().mappings == (PortMapping(80, 9080), PortMapping(443, 9443))
    assert folder.custom().host_ports == {9080: "custom", 9443: "custom"}


def test_a_node_port_is_given_to_tcp(folder: Folder, cluster: FakeCluster) -> None:
    quic = "{name: quic, port: 8443, protocol: UDP}"
    folder.write(
        file=("via: host-port", "via: node-port"),
        gate=("ports: [{name: web,", f"ports: [{quic}, {{name: web,"),
    )
    spec = named(folder.custom().objects(cluster, str), "Service")["spec"]
    assert [port.get("nodePort") for port in spec["ports"]] == [None, 30080, 30443]


def test_by_node_ports_its_service_gets_them(folder: Folder, cluster: FakeCluster) -> None:
    folder.write(file=("via: host-port", "via: node-port"), gate=(", hostPort: 1080", ""))
    assert folder.parts().mappings == (PortMapping(80, 30080), PortMapping(443, 30443))
    spec = named(folder.custom().objects(cluster, str), "Service")["spec"]
    assert spec["type"] == "NodePort"
    assert [port["nodePort"] for port in spec["ports"]] == [30080, 30443]


def test_behind_a_load_balancer_the_ports_are_the_services(
    folder: Folder, cluster: FakeCluster
) -> None:
    file = FILE.replace("host-port", "load-balancer") + "addons: [metallb]\n"
    folder.write(file=(FILE, file))
    custom = folder.custom()
    assert [e.url for e in custom.exposure.endpoints()] == [
        "http://EXTERNAL-IP:8000",
        "https://EXTERNAL-IP:8443",
    ]
    assert named(custom.objects(cluster, str), "Service")["spec"]["type"] == "LoadBalancer"


def test_forwarded_the_ports_are_the_services(folder: Folder) -> None:
    folder.write(file=("via: host-port", "via: port-forward, http: 8080, https: 8443"))
    assert folder.parts().mappings == ()
    assert [(f.namespace, f.service, f.port, f.local) for f in folder.parts().forwards] == [
        ("front", "gate", 8000, 8080),
        ("front", "gate", 8443, 8443),
    ]


def test_without_https_there_is_one_way(folder: Folder) -> None:
    folder.write(file=("https: 8443", "https: null"))
    assert folder.parts().mappings == (PortMapping(80, 1080),)


def test_https_cannot_be_expected_there(folder: Folder) -> None:
    text = FILE.replace("https: 8443", "https: null")
    text = text.replace("[shop.yaml]}", "[shop.yaml], expect: [{scheme: https}]}")
    folder.write(file=(FILE, text))
    ((file, line, message, hint),) = folder.refused()
    assert (file, line) == ("kindctl.yaml", 12)
    assert message == "the ingress controller has no port for https"
    assert "ingress.custom.ports.https" in hint


def test_while_another_has_the_way_in_it_has_no_ports(folder: Folder, cluster: FakeCluster) -> None:
    custom = folder.custom()
    cluster.apply(namespace("traefik"))
    cluster.apply(workload("traefik", "traefik"))
    assert "hostPort" not in str(custom.objects(cluster, str))
    custom.handover.over("custom")
    assert "'hostPort': 1080" in str(custom.objects(cluster, str))


def test_while_another_has_the_node_ports_it_has_none(folder: Folder, cluster: FakeCluster) -> None:
    folder.write(file=("via: host-port", "via: node-port"))
    custom = folder.custom()
    cluster.apply(namespace("traefik"))
    cluster.apply(workload("traefik", "traefik"))
    assert "type" not in named(custom.objects(cluster, str), "Service")["spec"]


SECOND = "---\napiVersion: v1\nkind: Service\nmetadata: {name: admin}\nspec: {ports: [PORT]}\n"


@pytest.mark.parametrize(
    ("more", "gate", "shop", "message"),
    [
        (  # another Service of its own, and an app's
            SECOND.replace("PORT", "{port: 1, nodePort: 30001}"),
            ("name: gate", "name: gate"),
            ("ports: [{port: 80}]", "ports: [{port: 80, nodePort: 30001}]"),
            "nodePort 30001 is already used by Service front/admin",
        ),
        (  # another Service of its own, and the way in
            SECOND.replace("PORT", "{port: 1, nodePort: 30080}"),
            ("name: gate", "name: gate"),
            ("ports:", "ports:"),
            "node port 30080 is already used by the manifest of Service front/admin",
        ),
        (
            "",
            ("name: web, port: 8000", "name: web, port: 8000, nodePort: 80"),
            ("ports:", "ports:"),
            "nodePort 80 is out of range",
        ),
    ],
)
def test_node_ports_of_its_manifests_count(
    folder: Folder, more: str, gate: tuple[str, str], shop: tuple[str, str], message: str
) -> None:
    folder.write(more, file=("via: host-port", "via: node-port"), gate=gate, shop=shop)
    assert message in [text for _, _, text, _ in folder.refused()]


@pytest.mark.parametrize(
    ("via", "spec", "message"),
    [
        ("node-port", "clusterIP: None", "is headless, so it has no node port"),
        ("load-balancer", "clusterIP: None", "is headless, so it has no external address"),
        ("port-forward, http: 81", "type: ExternalName", "is an ExternalName, so it has no pods"),
    ],
)
def test_a_service_that_cannot_be_reached_so_is_refused(
    folder: Folder, via: str, spec: str, message: str
) -> None:
    file = FILE.replace("via: host-port", f"via: {via}") + "addons: [metallb]\n"
    folder.write(file=(FILE, file), gate=("  selector: {app: gate}", f"  {spec}"))
    ((name, line, text, _),) = folder.refused()
    assert (name, line) == ("kindctl.yaml", 9)
    assert text.startswith(f"Service 'gate' {message}")


def test_the_node_port_of_its_own_manifest_is_its_own(folder: Folder) -> None:
    folder.write(
        file=("via: host-port", "via: node-port"),
        gate=("name: web, port: 8000", "name: web, port: 8000, nodePort: 30080"),
    )
    assert [mapping.node_port for mapping in folder.parts().mappings] == [30080, 30443]


# --- what is applied -----------------------------------------------------------------------------


def test_the_images_are_those_of_its_manifests_and_of_the_witness(folder: Folder) -> None:
    assert folder.custom().images() == ("gate:1", NGINX)
    objects = folder.custom().objects(FakeCluster(), str)
    pod = named(objects, "Deployment", "witness")["spec"]["template"]["spec"]
    assert [container["image"] for container in pod["containers"]] == [NGINX]


def test_the_witness_says_which_environment_it_is(folder: Folder, cluster: FakeCluster) -> None:
    objects = desired(folder.custom(), cluster, "shop", lambda image: f"nodes/{image}")
    ours = [obj for obj in objects if obj["metadata"].get("namespace") == "kindctl-system"]
    assert {obj["kind"] for obj in ours} == {"ConfigMap", "Service", "Deployment", "Ingress"}
    server = named(ours, "ConfigMap", "witness")["data"]["default.conf"]
    assert f'X-Kindctl-Environment "{environment_id("shop", cluster)}"' in server
    assert 'X-Kindctl-Controller "custom"' in server
    ingresses = [obj["spec"] for obj in ours if obj["kind"] == "Ingress"]
    assert {spec["ingressClassName"] for spec in ingresses} == {"gate"}
    assert {spec["rules"][0]["host"] for spec in ingresses} == set(HOSTS.values())
    assert {rule_path(spec) for spec in ingresses} == {WELL_KNOWN}
    assert [spec["tls"][0]["hosts"] for spec in ingresses if "tls" in spec] == [[HOSTS["https"]]]
    assert "nodes/gate:1" in str(objects)


def rule_path(spec: Object) -> str:
    return str(spec["rules"][0]["http"]["paths"][0]["path"])


def test_a_second_look_gives_the_same_objects(folder: Folder, cluster: FakeCluster) -> None:
    custom = folder.custom()
    assert custom.objects(cluster, str) == custom.objects(cluster, str)


def test_its_webhooks_wait_until_it_is_ready(folder: Folder, cluster: FakeCluster) -> None:
    assert not folder.custom().has_late_objects
    folder.write(WEBHOOK)
    custom = folder.custom()
    assert custom.has_late_objects
    assert "ValidatingWebhook" not in str(custom.objects(cluster, str))
    assert [obj["kind"] for obj in custom.late_objects(cluster)] == [
        "ValidatingWebhookConfiguration"
    ]
    assert custom.prove(cluster) == ""


def test_the_certificate_is_given_to_those_who_name_its_secret(
    folder: Folder, cluster: FakeCluster
) -> None:
    def secrets(custom: Custom) -> list[Object]:
        return [obj for obj in custom.objects(cluster, str) if obj["kind"] == "Secret"]

    assert secrets(folder.custom()) == []
    folder.write(
        gate=("image: gate:1", "image: gate:1\n        args: [--cert=front/localhost-tls]")
    )
    (secret,) = secrets(folder.custom())
    assert (secret["metadata"]["namespace"], secret["type"]) == ("front", "kubernetes.io/tls")


@pytest.mark.parametrize(
    ("status", "seen"),
    [
        (None, "Deployment front/made does not exist yet: its operator has not made it"),
        ({}, "Deployment front/made: 0 of 2 pods are ready"),
        ({"readyReplicas": 1}, "Deployment front/made: 1 of 2 pods are ready"),
        ({"readyReplicas": 2}, ""),
    ],
)
def test_what_an_operator_makes_is_waited_for(
    folder: Folder, cluster: FakeCluster, status: dict[str, Any] | None, seen: str
) -> None:
    folder.write(OPERATED, file=("service: gate", "service: gate\n    ready: deployment/made"))
    custom = folder.custom()
    assert custom.has_late_objects
    if status is not None:
        meta = {"name": "made", "namespace": "front"}
        kind = {"apiVersion": "apps/v1", "kind": "Deployment"}
        cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "front"}})
        cluster.put({**kind, "metadata": meta, "spec": {"replicas": 2}, "status": status})
    assert custom.prove(cluster) == seen


def test_a_workload_of_its_manifests_is_waited_for_anyway(folder: Folder) -> None:
    folder.write(file=("service: gate", "service: gate\n    ready: deployment/gate"))
    assert not folder.custom().has_late_objects
    assert folder.custom().name == CONTROLLERS["custom"][1]


# --- the proof -----------------------------------------------------------------------------------


def test_its_routes_are_proven_by_the_witness(folder: Folder) -> None:
    plain, safe = folder.parts().routes
    assert (plain.url, plain.via_witness, plain.certified) == (
        "http://plain.localhost/",
        True,
        False,
    )
    assert (safe.url, safe.via_witness, safe.certified) == ("https://safe.localhost/", True, False)
    folder.write(
        gate=("image: gate:1", "image: gate:1\n        args: [--cert=front/localhost-tls]")
    )
    assert [route.certified for route in folder.parts().routes] == [False, True]


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://localhost/a?b=c", "http://kindctl.invalid/.well-known/kindctl/environment"),
        ("http://[::1]:81/", "http://kindctl.invalid:81/.well-known/kindctl/environment"),
        (
            "https://x.localhost:8443/",
            "https://tls.kindctl.invalid:8443/.well-known/kindctl/environment",
        ),
    ],
)
def test_who_answers_is_asked_at_the_same_address_and_port(url: str, asked: str) -> None:
    route = Route(url, host="shop.example.com", connect=("127.0.0.1", 81), certified=True)
    assert witness(route) is route
    found = witness(replace(route, via_witness=True))
    assert (found.url, found.host, found.connect) == (asked, "", ("127.0.0.1", 81))
    assert not found.certified  # the URL itself is what has to have the certificate


class World:
    """A host whose port leads to a controller that sets no headers."""

    def __init__(self) -> None:
        self.net, self.cluster = FakeNet(), FakeCluster()
        self.witness = {"X-Kindctl-Environment": environment_id("shop", self.cluster)}
        self.asked: list[str] = []
        self.app = HttpAnswer(200, {"Server": "gate"}, b"shop")
        self.net.serve("127.0.0.1", 80, self._answer)

    def _answer(self, request: Request) -> HttpAnswer:
        self.asked.append(request.host + request.path)
        if request.host == HOSTS["http"] and request.path == WELL_KNOWN:
            return HttpAnswer(200 if self.witness else 404, {"Server": "gate", **self.witness}, b"")
        return self.app

    def look(self, **changed: Any) -> object:
        route = replace(Route("http://localhost/", via_witness=True), **changed)
        return UrlAnswers(
            route=route,
            net=self.net,
            cluster=lambda: self.cluster,
            environment="shop",
            needs=frozenset(),
        ).observe()


@pytest.fixture
def world() -> World:
    return World()


def test_an_answer_counts_when_the_witness_is_behind_the_same_port(world: World) -> None:
    assert world.look() == Ready("200 OK")
    assert world.asked == ["localhost/", f"kindctl.invalid{WELL_KNOWN}"]


def test_whatever_else_listens_on_the_port_does_not_pass(world: World) -> None:
    world.witness = {}
    state = world.look(contains="shop")
    assert isinstance(state, NotReady)
    assert state.seen == "port 80 is answered by gate, not by this environment: 404 Not Found"
    assert state.cause
    assert (state.cause.code, state.cause.permanent) == ("not-proven", False)
    assert f"::127.0.0.1:80 http://kindctl.invalid{WELL_KNOWN}" in state.cause.fix
    world.witness = {"X-Kindctl-Environment": "shop.123456789abc"}
    state = world.look()
    assert isinstance(state, NotReady)
    assert state.seen == "port 80 is answered by another environment, shop"


def test_a_404_counts_where_the_file_expects_one(world: World) -> None:
    """Nothing tells the app's from the controller's."""
    world.app = HttpAnswer(404, {}, b"nothing here")
    state = world.look()
    assert isinstance(state, NotReady)
    assert state.seen.startswith(
        "404 Not Found: nothing here: from either the app or the controller"
    )
    assert world.look(status=404) == Ready("404 Not Found: nothing here")


def test_the_reference_of_what_an_operator_makes(folder: Folder) -> None:
    folder.write(OPERATED, file=("service: gate", "service: gate\n    ready: daemonset/made"))
    assert folder.custom()._made_by_operator == ObjectRef("apps/v1", "DaemonSet", "made", "front")
