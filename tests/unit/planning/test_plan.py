"""The graph of `up`: what waits for what, and what is refused before anything is made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from kindctl.config.load import load
from kindctl.diagnose.base import WantedPort
from kindctl.errors import ConfigError
from kindctl.models import Step
from kindctl.paths import share_dir
from kindctl.planning.plan import Plan, distinct, make_plan
from kindctl.runner.graph import graph_of
from kindctl.steps.app_image import AppImageBuilt
from kindctl.steps.handover.switched import Switched
from kindctl.steps.handover.takeover import ForwardTakeover, NodePortTakeover
from kindctl.steps.image import ImagePresent
from kindctl.steps.objects import ObjectsApplied
from kindctl.steps.url import UrlAnswers
from kindctl.tools.protocols import Tools
from tests.fakes.cluster import FakeCluster
from tests.fakes.engine import FakeEngine
from tests.fakes.forwards import FakeForwards
from tests.fakes.host import FakeHost
from tests.fakes.kind import FakeKind
from tests.fakes.net import FakeNet

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec: {containers: [{name: main, image: "IMAGE"}]}
---
"""
INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  ingressClassName: nginx
  rules:
  - http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
---
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80}]}
---
"""
SHOP = "name: shop\napps:\n- {name: shop, manifests: [shop.yaml]}\n"
TWO = "name: shop\napps:\n- {name: shop, manifests: [shop.yaml]}\n- {name: blog, manifests: [blog.yaml]}\n"


def deployment(name: str, image: str) -> str:
    return DEPLOYMENT.replace("NAME", name).replace("IMAGE", image)


def plan_of(folder: Path, config: str, **manifests: str) -> Plan:
    """No call of the engine and the cluster is allowed to succeed."""
    (folder / "kindctl.yaml").write_text(config)
    for name, text in manifests.items():
        (folder / f"{name}.yaml").write_text(text)
    host, engine, cluster = FakeHost(), FakeEngine(), FakeCluster(down=True)
    tools = Tools(
        engine, FakeKind(engine, host), FakeNet(), host, lambda *_: cluster, FakeForwards()
    )
    return make_plan(load(folder / "kindctl.yaml"), tools)


@pytest.fixture(scope="module")
def sample() -> Plan:
    host, engine = FakeHost(), FakeEngine()
    tools = Tools(
        engine, FakeKind(engine, host), FakeNet(), host, lambda *_: FakeCluster(), FakeForwards()
    )
    return make_plan(load(share_dir("sample-app") / "kindctl.yaml"), tools)


def needs(steps: Sequence[Step], name: str) -> set[str]:
    (found,) = (step for step in steps if step.name == name)
    return set(found.needs)


# --- the sample ----------------------------------------------------------------------------------


def test_the_sample_is_a_graph_that_can_be_walked(sample: Plan) -> None:
    tasks = {task.step.name: task for task in graph_of(sample.steps)}
    assert tasks["preflight"].ancestors == set()
    assert all("preflight" in task.ancestors for name, task in tasks.items() if name != "preflight")


def test_prune_comes_last_and_after_everything(sample: Plan) -> None:
    names = [step.name for step in sample.steps]
    (prune,) = (task for task in graph_of(sample.steps) if task.step.name == "prune")
    assert names[-1] == "prune"
    assert prune.ancestors == set(names) - {"prune"}


def test_images_are_brought_into_the_nodes_as_soon_as_containerd_runs(sample: Plan) -> None:
    deliveries = [step for step in sample.steps if step.name.startswith("deliver:")]
    assert len(deliveries) == 4
    for step in deliveries:
        (image,) = step.needs - {"cluster:containerd"}
        assert image.partition(":")[0] in ("image", "build")
        assert "cluster:containerd" in step.needs


def test_objects_are_applied_when_the_api_answers_and_their_images_are_there(sample: Plan) -> None:
    assert needs(sample.steps, "apply:sample") == {
        "cluster:api",
        "deliver:example-backend:latest",
        "deliver:example-frontend:latest",
        "deliver:postgres:17",
    }
    assert needs(sample.steps, "ready:sample") == {"apply:sample", "cluster"}
    (controller,) = needs(sample.steps, "apply:ingress-nginx") - {"cluster:api", "local-ca"}
    assert controller.startswith("deliver:registry.k8s.io/ingress-nginx/controller:")


def test_urls_wait_for_the_controllers_proof(sample: Plan) -> None:
    for path in ("", "api/healthy", "api/fetch"):
        found = needs(sample.steps, f"url:http://localhost/{path}")
        assert found == {"proven:ingress-nginx", "ready:sample", "switch:ingress-nginx"}
    assert needs(sample.steps, "proven:ingress-nginx") == {"late:ingress-nginx"}
    assert needs(sample.steps, "late:ingress-nginx") == {"ready:ingress-nginx"}


@pytest.mark.parametrize(
    ("via", "routed", "takeover"),
    [
        ("{via: host-port}", True, NodePortTakeover),
        ("{via: node-port}", True, NodePortTakeover),
        ("{via: port-forward, http: 8080, https: 8443}", True, ForwardTakeover),
        ("{via: load-balancer}", True, None),  # each has an address of its own
        (
            "{via: load-balancer}",
            False,
            ForwardTakeover,
        ),  # and where none is reached, ports of this machine
    ],
)
def test_controllers_that_cannot_have_the_way_in_at_once_are_switched(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    via: str,
    *,
    routed: bool,
    takeover: type | None,
) -> None:
    monkeypatch.setattr("kindctl.planning.exposing.nodes_are_reachable", lambda: routed)
    config = f"name: shop\ningress: {{expose: {via}}}\naddons: [metallb]\n"
    steps = plan_of(tmp_path, config).steps
    switches = [step for step in steps if isinstance(step, Switched)]
    assert [type(switch.takeover) for switch in switches] == ([takeover] if takeover else [])
    for step in steps:
        if step.name.startswith(("forward:", "prune")):
            assert ("switch:ingress-nginx" in step.needs) == bool(takeover)


def test_urls_know_of_repairs_of_their_own_app_alone(sample: Plan) -> None:
    urls = [step for step in sample.steps if isinstance(step, UrlAnswers)]
    by_name = {step.name: step for step in sample.steps}
    applied = by_name["apply:sample"]
    assert isinstance(applied, ObjectsApplied)
    assert {url.mended for url in urls} == {applied.mended}


def test_the_record_needs_only_what_was_applied(sample: Plan) -> None:
    assert needs(sample.steps, "record") == {"cluster", "apply:ingress-nginx", "apply:sample"}


def test_own_images_are_built_and_the_others_are_had_from_sources(sample: Plan) -> None:
    built = {step.name for step in sample.steps if isinstance(step, AppImageBuilt)}
    had = {step.name for step in sample.steps if type(step) is ImagePresent}
    assert built == {"build:example-backend", "build:example-frontend"}
    assert {"image:postgres:17", "image:kindest/node:v1.36"} < had
    assert len(had) == 3


def test_the_plan_names_its_images_and_routes(sample: Plan) -> None:
    assert {"postgres:17", "example-backend", "kindest/node:v1.36"} < set(sample.references)
    assert len(sample.references) == 5
    assert sample.parts.routes[0].url == "http://localhost/"
    assert sample.parts.mappings
    assert sample.provider.context == "kind-sample"


# --- smaller ones --------------------------------------------------------------------------------


def test_without_controller_and_apps_there_is_a_cluster_and_no_more(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, "name: bare\ningress: {controller: none}\n")
    names = [step.name for step in plan.steps]
    assert names == ["preflight", "image:kindest/node:v1.36", "cluster", "record", "prune"]
    assert len(graph_of(plan.steps)) == 5
    assert (plan.parts.routes, plan.parts.mappings) == ((), ())
    assert plan.preflight.wants.ports == ()


def test_without_controller_an_app_is_applied_and_has_no_urls(tmp_path: Path) -> None:
    config = SHOP + "ingress: {controller: none}\n"
    plan = plan_of(tmp_path, config, shop=deployment("web", "web:1"))
    graph_of(plan.steps)
    assert needs(plan.steps, "apply:shop") == {"cluster:api", "deliver:web:1"}
    assert needs(plan.steps, "prune") == {"record", "ready:shop"}


def test_the_ports_of_the_file_are_asked_of_the_machine_and_mapped(tmp_path: Path) -> None:
    config = "name: shop\ningress: {expose: {http: 8080, https: 8443, address: 127.0.0.2}}\n"
    plan = plan_of(tmp_path, config)
    assert plan.preflight.wants.ports == (
        WantedPort("127.0.0.2", 8080, "ingress.expose.http"),
        WantedPort("127.0.0.2", 8443, "ingress.expose.https"),
    )
    mapped = {(m.address, m.host_port) for m in plan.parts.mappings}
    assert mapped == {(wanted.address, wanted.port) for wanted in plan.preflight.wants.ports}


def test_an_image_that_is_written_in_two_ways_is_one(tmp_path: Path) -> None:
    both = deployment("a", "postgres:17") + deployment("b", "docker.io/library/postgres:17")
    plan = plan_of(tmp_path, SHOP, shop=both)
    graph_of(plan.steps)
    assert "deliver:postgres:17" in needs(plan.steps, "apply:shop")
    assert [ref for ref in plan.references if "postgres" in ref] == ["postgres:17"]


def test_each_app_waits_for_an_image_that_both_use(tmp_path: Path) -> None:
    first, second = deployment("a", "web"), deployment("b", "web:latest")
    plan = plan_of(tmp_path, TWO, shop=first, blog=second)
    graph_of(plan.steps)
    for app in ("shop", "blog"):
        assert "deliver:web:latest" in needs(plan.steps, f"apply:{app}")


def test_an_app_may_use_the_image_of_the_nodes(tmp_path: Path) -> None:
    config = SHOP + "cluster: {image: 'node:1'}\n"
    plan = plan_of(tmp_path, config, shop=deployment("a", "node:1"))
    graph_of(plan.steps)
    assert needs(plan.steps, "deliver:node:1") == {"image:node:1", "cluster:containerd"}


def test_distinct_keeps_the_first_writing() -> None:
    assert distinct(["web", "db:1", "web:latest", "docker.io/library/db:1"]) == ("web", "db:1")
    assert distinct(["web:1", "web:2", "example.com/web:1"]) == (
        "web:1",
        "web:2",
        "example.com/web:1",
    )


# --- what is refused -----------------------------------------------------------------------------


def refused(folder: Path, config: str, **manifests: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        plan_of(folder, config, **manifests)
    return [problem.message for problem in error.value.problems]


def test_manifests_that_are_certain_to_fail_are_refused(tmp_path: Path) -> None:
    elsewhere = INGRESS.replace("ingressClassName: nginx", "ingressClassName: traefik")
    (message,) = refused(tmp_path, SHOP, shop=elsewhere)
    assert message == "no ingress controller here serves class 'traefik'"


def test_the_problems_of_all_apps_come_at_once(tmp_path: Path) -> None:
    assert refused(tmp_path, TWO, shop="a", blog="b") == [
        "expected a Kubernetes object, got 'b'",
        "expected a Kubernetes object, got 'a'",
    ]
    config = TWO.replace("]}", "], expose: [{service: x, via: port-forward}]}")
    assert refused(tmp_path, config, shop=INGRESS, blog=SERVICE) == [
        "no manifest of the app defines Service 'x'",
        "no manifest of the app defines Service 'x'",
    ]


def test_warnings_alone_are_not_refused(tmp_path: Path) -> None:
    dotted = INGRESS.replace("path: /,", "path: /v1.2,")
    (route,) = plan_of(tmp_path, SHOP, shop=dotted).parts.routes
    assert route.url == "http://localhost/v1.2"


def test_two_apps_cannot_have_the_same_url(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        plan_of(tmp_path, TWO, shop=INGRESS, blog=INGRESS)
    (problem,) = error.value.problems
    assert problem.message == "http://localhost/ is already used by app 'shop'"
    assert (problem.line, problem.column) == (4, 27)
    assert problem.hint == "set another host or path in one of the two"


def test_one_app_cannot_have_a_url_twice(tmp_path: Path) -> None:
    config = SHOP.replace("]}", "],\n expect: [{path: /}, {path: /x},\n {path: /, contains: a}]}")
    with pytest.raises(ConfigError) as error:
        plan_of(tmp_path, config, shop=INGRESS)
    (problem,) = error.value.problems
    assert (problem.line, problem.column) == (5, 2)
    assert problem.message == "http://localhost/ is already used by apps[0].expect[0]"
    assert problem.hint == "put status and contains into one `expect`: each URL has only one"


def test_two_services_may_have_the_same_port_of_external_addresses(tmp_path: Path) -> None:
    ways = [f"{{service: {name}, via: load-balancer}}" for name in ("web", "api")]
    config = SHOP.replace("]}", f"], expose: [{', '.join(ways)}]}}\naddons: [metallb]")
    plan = plan_of(tmp_path, config, shop=SERVICE + SERVICE.replace("name: web", "name: api"))
    steps = [(s.name, s.title) for s in plan.steps if s.name.startswith("url:")]
    assert steps == [
        ("url:http://EXTERNAL-IP/@shop/web", "http://EXTERNAL-IP/ (Service shop/web) answers"),
        ("url:http://EXTERNAL-IP/@shop/api", "http://EXTERNAL-IP/ (Service shop/api) answers"),
    ]


def test_what_the_manifests_will_not_get_is_said_and_a_fixed_number_is_not(sample: Plan) -> None:
    (warning,) = sample.parts.warnings
    assert "HorizontalPodAutoscaler example/backend will not scale" in warning


# --- https ---------------------------------------------------------------------------------------


def test_the_certificate_is_for_this_machines_hosts_of_all_apps(tmp_path: Path) -> None:
    shop = INGRESS.replace("rules:\n  - http", "rules:\n  - host: shop.localhost\n    http")
    blog = INGRESS.replace("rules:\n  - http", "rules:\n  - host: blog.example.com\n    http")
    text = TWO.replace("[blog.yaml]", "[blog.yaml], expect: [{host: b.localhost}]")
    text += "ingress: {expose: {address: 127.0.0.3}}\n"
    plan = plan_of(tmp_path, text, shop=shop, blog=blog)
    assert set(plan.parts.certificate.names()) == {
        *("localhost", "*.localhost", "127.0.0.1", "::1"),
        *("127.0.0.3", "b.localhost", "shop.localhost"),
    }


def test_the_controller_waits_for_the_authority(sample: Plan) -> None:
    assert needs(sample.steps, "local-ca") == {"preflight"}
    assert "local-ca" in needs(sample.steps, "apply:ingress-nginx")
    assert "local-ca" not in needs(sample.steps, "apply:sample")


def test_without_a_controller_no_authority_is_made(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, f"ingress: {{controller: none}}\n{SHOP}", shop=deployment("a", "b"))
    assert "local-ca" not in [step.name for step in plan.steps]
