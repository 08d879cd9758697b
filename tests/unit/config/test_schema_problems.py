"""Errors of the schema are explained in plain words, with their place and what to do."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from kindctl.components import ADDONS, CONTROLLERS
from kindctl.config.load import load
from kindctl.errors import ConfigError, Problem
from kindctl.exposures import EXPOSURES
from kindctl.images.sources import SOURCES
from kindctl.providers import PROVIDERS
from kindctl.schema import (
    Addon,
    AppVia,
    ClusterConfig,
    ImageSource,
    IngressConfig,
    Via,
)
from tests.support.wrong_values import WRONG, places, put

FAST_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
FULL = """
apiVersion: kindctl/v1
name: shop
cluster:
  provider: kind
  kubernetes: "1.36"
  workers: 1
  gateways: 0
  registry: {port: 5001}
  kind: {networking: {apiServerPort: 6443}}
images: {sources: [engine], mirrors: {docker.io: example.com}}
extraCAs: [ca.pem]
ingress:
  controller: nginx
  replicas: 1
  autoscale: {max: 3, cpu: 50}
  gatewayAPI: false
  expose: {via: node-port, http: 80, https: 443, address: 127.0.0.1, nodePorts: {http: 30080, https: 30443}}
apps:
- name: shop
  namespace: shop
  build: [{image: a, context: ., dockerfile: kindctl.yaml, target: x, args: {a: b}}]
  manifests: [., {chart: chart, name: a, values: [ca.pem], set: {a.b: 1}}]
  expect: [{path: /, host: a.localhost, contains: x, status: 200, scheme: http}]
  expose:
  - {service: web, port: 80, via: node-port, local: 18080, nodePort: 30090, scheme: http}
addons: [metrics-server]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ca.pem").touch()
    (tmp_path / "chart").mkdir()
    (tmp_path / "chart" / "Chart.yaml").touch()
    return tmp_path


def problems(folder: Path, text: str) -> list[Problem]:
    (folder / "kindctl.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(folder)
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "apps:",
            "apps is empty",
            "write `apps: [{name: ..., manifests: ...}]`, or remove the line",
        ),
        ("addons:", "addons is empty", "write `addons: [...]`, or remove the line"),
        ("ingress:", "ingress is empty", "write `ingress: {controller: ...}`, or remove the line"),
        (
            "apps: [{name: a, manifests: web.yaml}]",
            "apps[0].manifests must be a list, not 'web.yaml'",
            "write `manifests: [web.yaml]`",
        ),
        ("apps: [a]", "apps[0] must be a mapping, not 'a'", "write `{name: ..., manifests: ...}`"),
        ("addons: [metalb]", "addons[0]: 'metalb' is not valid", "did you mean 'metallb'?"),
        (
            "addons: [x]",
            "addons[0]: 'x' is not valid",
            "available: metallb, metrics-server",
        ),
        (
            "ingress: {controller: Nginx}",
            "ingress.controller: 'Nginx' is not valid",
            "did you mean 'nginx'?",
        ),
        (
            "ingress: {expose: {via: nodeport}}",
            "ingress.expose.via: 'nodeport' is not valid",
            "did you mean 'node-port'?",
        ),
        (
            'ingress: {expose: {http: "80"}}',
            "ingress.expose.http must be a whole number, not '80'",
            "write it without quotes: 80",
        ),
        (
            "ingress: {replicas: 0}",
            "ingress.replicas: 0 is not valid",
            "it must be at least 1",
        ),
        (
            "ingress: {gatewayAPI: traefik}",
            "ingress.gatewayAPI must be `true` or `false`, not 'traefik'",
            "`gatewayAPI: ...`: whether to serve Gateway and HTTPRoute objects too",
        ),
        (
            "images: {push: yes}",
            "images.push must be text, not true",
            "put the value in quotes",
        ),
        ("images: {mirrors: {5: a}}", "images.mirrors[5]: keys must be strings", 'quote it: "5"'),
        (
            f"apps: [{{name: {'a' * 41}, manifests: [.]}}]",
            f"apps[0].name: '{'a' * 41}' is not valid",
            "it has 41 characters; at most 40 are allowed",
        ),
    ],
)
def test_a_wrong_value_is_explained_in_plain_words(
    folder: Path, text: str, message: str, hint: str
) -> None:
    (problem,) = problems(folder, f"name: shop\n{text}\n")
    assert (problem.message, problem.hint) == (message, hint)
    assert problem.line == 2


def test_names_of_services_are_as_long_as_those_of_kubernetes(folder: Path) -> None:
    text = (
        "name: shop\napps: [{name: a, manifests: [.], expose: [{service: NAME, via: node-port}]}]\n"
    )
    (folder / "kindctl.yaml").write_text(text.replace("NAME", "a" * 63))
    assert load(folder).config.apps[0].expose[0].service == "a" * 63
    (problem,) = problems(folder, text.replace("NAME", "a" * 64))
    assert problem.hint == "it has 64 characters; at most 63 are allowed"


def test_any_value_in_any_field_is_accepted_or_explained(folder: Path) -> None:
    whole = yaml.safe_load(FULL)
    found: list[tuple[Any, Problem]] = []
    for at in places(whole):
        for value in [*WRONG, 1.5, [], {}, {1: "a"}]:
            changed = copy.deepcopy(whole)
            put(changed, at, value)
            text = yaml.dump(changed, Dumper=FAST_DUMPER)
            (folder / "kindctl.yaml").write_text(text)
            try:
                load(folder)
            except ConfigError as error:
                found += [((at, value), problem) for problem in error.problems]
    assert found
    assert [case for case in found if not (case[1].line and case[1].hint)] == []
    words = ("input should", "valid string", "should be", "instance of")
    assert [case for case in found if any(word in case[1].message for word in words)] == []


def test_names_in_the_schema_are_those_of_the_plug_ins() -> None:
    controllers = get_args(IngressConfig.model_fields["controller"].annotation)
    assert set(controllers) == {*CONTROLLERS, "none"}
    assert set(get_args(Via)) == set(EXPOSURES)
    assert set(get_args(AppVia)) == set(EXPOSURES) - {
        "host-port"
    }  # of the node that it is made with
    assert set(get_args(Addon)) == set(ADDONS)
    assert set(get_args(ImageSource)) == set(SOURCES)
    made, *others = get_args(ClusterConfig.model_fields["provider"].annotation)
    mappings = [next(iter(model.model_fields)) for model in others]
    assert {*get_args(made), *mappings} == set(PROVIDERS)
