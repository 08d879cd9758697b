"""Fields of a wrong type in manifests are refused with their place, and never crash kindctl."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from kindctl.config.load import Loaded, load
from kindctl.errors import ConfigError, Problem
from kindctl.manifests.checksum import with_checksums
from kindctl.manifests.manifest import read_manifests
from kindctl.manifests.pods import container_ports, on_node
from kindctl.models import Object
from kindctl.planning.parts import parts_of
from tests.fakes.cluster import FakeCluster
from tests.fakes.tools import fake_tools
from tests.support.wrong_values import WRONG, places, put

SAMPLES = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop, labels: {app: web}, annotations: {a: b}}
spec:
  type: NodePort
  clusterIP: 10.0.0.1
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080, nodePort: 30300, protocol: TCP, appProtocol: http}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, annotations: {nginx.ingress.kubernetes.io/use-regex: "true"}}
spec:
  ingressClassName: traefik
  defaultBackend: {service: {name: web, port: {number: 80}}}
  tls: [{hosts: [web.localhost], secretName: web}]
  rules:
  - host: web.localhost
    http:
      paths:
      - path: /x
        pathType: ImplementationSpecific
        backend: {service: {name: web, port: {name: http}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, annotations: {a: b}}
    spec:
      volumes:
      - {name: a, configMap: {name: settings}}
      - {name: b, secret: {secretName: password}}
      - {name: c, projected: {sources: [{secret: {name: password}}]}}
      - {name: d, image: {reference: "data:1"}}
      initContainers: [{name: init, image: "web:1"}]
      containers:
      - name: web
        image: web:1
        imagePullPolicy: IfNotPresent
        ports: [{name: http, containerPort: 8080, hostPort: 8080, protocol: TCP}]
        envFrom: [{configMapRef: {name: settings}}]
        env: [{name: a, valueFrom: {secretKeyRef: {name: password, key: a}}}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  ttlSecondsAfterFinished: 1
  template: {spec: {containers: [{name: a, image: "web:1", envFrom: [{secretRef: {name: password}}]}]}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: a, image: "web:1"}]}}}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {minReplicas: 1, maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: own}
spec:
  gatewayClassName: traefik
  listeners:
  - name: http
    hostname: "*.localhost"
    port: 80
    protocol: HTTPS
    tls: {certificateRefs: [{name: own}]}
    allowedRoutes: {namespaces: {from: All}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec:
  parentRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: own, sectionName: http, port: 80}]
  hostnames: [web.localhost]
  rules:
  - matches: [{path: {type: RegularExpression, value: /x}, method: GET, headers: [], queryParams: []}]
    backendRefs: [{group: "", kind: Service, namespace: shop, name: web, port: 80}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {a: b}
---
apiVersion: v1
kind: Secret
metadata: {name: password, annotations: {kindctl.dev/generate: password}}
data: {a: YQ==}
stringData: {b: b}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec: {group: example.com, scope: Cluster, names: {kind: Widget, plural: widgets}}
"""
FILE = """
name: shop
ingress: {controller: traefik, gatewayAPI: true}
apps:
- name: shop
  manifests: [k8s.json]
  expose:
  - {service: web, port: 80, via: node-port}
  - {service: web, port: http, via: port-forward, local: 18080}
"""
OBJECTS: list[Object] = list(yaml.safe_load_all(SAMPLES))


def take(config: Loaded, objects: list[Object]) -> None:
    """As far as everything goes before the API is asked."""
    items = {"apiVersion": "v1", "kind": "List", "items": objects}
    (config.root / "k8s.json").write_text(json.dumps(items))
    for component in parts_of(config, fake_tools()).components:
        if component.name == "shop":
            with_checksums(component.objects(FakeCluster(), str))


SERVICE = "{apiVersion: v1, kind: Service, metadata: {name: web},\n "
INGRESS = "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web},\n "


@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        (f"{SERVICE}spec: hello}}", 8, "spec must be a mapping, not text", "it is 'hello'"),
        (
            f"{SERVICE}spec: {{ports: [80]}}}}",
            17,
            "spec.ports[0] must be a mapping, not a number",
            "it is 80",
        ),
        (
            f"{SERVICE}spec: {{ports: {{name: http}}}}}}",
            16,
            "spec.ports must be a list, not a mapping",
            "start each item of a list with `- `",
        ),
        (
            f"{SERVICE}spec: {{ports: [{{name: http}}]}}}}",
            17,
            "spec.ports[0].port is missing",
            "set it to a number",
        ),
        (
            f"{SERVICE}spec: {{ports: [{{port: eighty}}]}}}}",
            24,
            "spec.ports[0].port must be a number, not text",
            "it is 'eighty'",
        ),
        (
            f'{SERVICE}spec: {{ports: [{{port: "80"}}]}}}}',
            24,
            "port must be a number",
            "write it without quotes: 80",
        ),
        (
            f"{INGRESS}spec: {{rules: hello}}}}",
            16,
            "spec.rules must be a list, not text",
            "'hello'",
        ),
        (
            "{apiVersion: v1, kind: Pod,\n metadata: {name: a, annotations: [a]}}",
            35,
            "metadata.annotations must be a mapping, not a list",
            "it is ['a']",
        ),
        (
            "{apiVersion: v1, kind: Pod,\n metadata: {name: a, annotations: {a.b/c: true}}}",
            43,
            "metadata.annotations.a.b/c must be text, not a boolean",
            'quote it: "true"',
        ),
        (
            "{apiVersion: v1, kind: List,\n items: {a: b}}",
            9,
            "items must be a list, not a mapping",
            "item of a list",
        ),
    ],
)
def test_a_field_of_a_wrong_type_is_reported_with_its_place(
    tmp_path: Path, text: str, column: int, message: str, hint: str
) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_manifests(tmp_path, ["a.yaml"], "shop")
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (2, column)
    assert message in problem.message
    assert hint in problem.hint


def test_null_is_the_same_as_a_missing_field(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(f"{SERVICE}spec: {{ports: null, selector: }}}}")
    (found,) = read_manifests(tmp_path, ["a.yaml"], "shop")
    assert found.obj["spec"] == {"ports": None, "selector": None}


@pytest.mark.parametrize("index", range(len(OBJECTS)), ids=[obj["kind"] for obj in OBJECTS])
def test_any_value_in_any_field_is_accepted_or_refused(tmp_path: Path, index: int) -> None:
    (tmp_path / "kindctl.yaml").write_text(FILE)
    (tmp_path / "k8s.json").touch()
    config = load(tmp_path)
    take(config, OBJECTS)
    refused: list[Problem] = []
    text = json.dumps(OBJECTS)  # a copy by way of it is cheaper than copy.deepcopy
    for at in places(OBJECTS[index]):
        for value in WRONG:
            changed = json.loads(text)
            put(changed[index], at, value)
            try:
                take(config, changed)
            except ConfigError as error:
                refused += error.problems
            except Exception as error:
                raise AssertionError(f"{at}: {value!r}") from error
    assert refused
    assert [str(problem) for problem in refused if not problem.line] == []


def test_custom_objects_may_have_anything_as_ports() -> None:
    given: list[Any] = ["x", 7, None, {"hostPort": 2}, ["x", {"hostPort": 1}]]
    containers = [{"image": "a", "ports": ports} for ports in given]
    pod = {"spec": {"containers": containers}}
    assert list(container_ports(pod)) == [{"hostPort": 1}]
    assert [(at[-2:], number) for at, number, _ in on_node(pod)] == [((1, "hostPort"), 1)]
