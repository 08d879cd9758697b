"""What every registered ingress controller must bring, and what it must apply by every exposure.

A rule is a function that yields what is missing, and where to add it. Each is seen to fail: the rules for
files on a renamed copy of Traefik that brings nothing but its folder and its entry in CONTROLLERS, the
rules for objects on Traefik's own objects with the thing in question taken out.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from kindctl.components import CONTROLLERS, controller_class
from kindctl.components.base import Controller
from kindctl.exposures import EXPOSURES
from kindctl.exposures.base import service_port
from kindctl.ingress.entry_point import EntryPoint
from kindctl.ingress.proof import (
    CONTROLLER_HEADER,
    ENVIRONMENT_HEADER,
    HOSTS,
    INGRESS_HEADER,
    WELL_KNOWN,
)
from kindctl.manifests.pods import container_ports, on_node
from kindctl.models import GATEWAY_NODE, Object, Route
from kindctl.schema import IngressConfig
from kindctl.trust.serving import SECRET
from tests.support.component_rules import (
    NOT_A_CLASS,
    RULES_OF_EVERY_COMPONENT,
    WORKLOADS,
    ComponentRule,
    left_out_of_any_component,
    making_faults,
    renamed_copy,
)
from tests.support.plug_ins import (
    assert_nothing_is_missing,
    by_name,
    component_names,
    controllers_of_e2e,
    example_of_each_controller,
    page_faults,
    pin_faults,
    recipe_faults,
    schema_faults,
    summary_faults,
)
from tests.support.situations import (
    Applied,
    Situation,
    applied,
    is_possible,
    made,
)

REGISTRY = "CONTROLLERS (kindctl/components/__init__.py)"

# --- what it must bring --------------------------------------------------------------------------


def can_be_made(name: str) -> Iterator[str]:
    yield from making_faults(
        name,
        CONTROLLERS[name][0],
        Controller,
        REGISTRY,
        lambda: applied_once(name, Situation()),
    )


def has_a_summary(name: str) -> Iterator[str]:
    yield from summary_faults(name, CONTROLLERS[name][2], REGISTRY)


def has_its_name_in_the_schema(name: str) -> Iterator[str]:
    yield from schema_faults(name, IngressConfig, "controller")


def has_its_images_pinned(name: str) -> Iterator[str]:
    yield from pin_faults(name, images_of(name))


def has_a_recipe_for_each_image(name: str) -> Iterator[str]:
    yield from recipe_faults(name, images_of(name))


def has_an_example(name: str) -> Iterator[str]:
    if name not in example_of_each_controller():
        yield (
            f"{name}: add an example with `controller: {name}`: configs/{name}/kindctl.yaml, "
            "in the form of configs/traefik/kindctl.yaml, with an app whose IngressClass it serves"
        )


def has_a_page(name: str) -> Iterator[str]:
    yield from page_faults(name, example_of_each_controller().get(name, name))


def is_brought_up_end_to_end(name: str) -> Iterator[str]:
    if name not in controllers_of_e2e():
        yield (
            f"{name}: no end-to-end test brings it up; tests/e2e/ways/test_controllers.py does so as soon "
            f"as an example in configs/ has `controller: {name}`"
        )


def has_a_component_name_of_its_own(name: str) -> Iterator[str]:
    component = made(name, Situation()).name
    if component != CONTROLLERS[name][1] or list(component_names()).count(component) != 1:
        yield (
            f"{name}: its component is named {component!r}, and {REGISTRY} says {CONTROLLERS[name][1]!r}; "
            "use one name, and one that no other controller has"
        )


BRINGS: dict[str, Callable[[str], Iterator[str]]] = by_name(
    can_be_made,
    has_a_summary,
    has_its_name_in_the_schema,
    has_its_images_pinned,
    has_a_recipe_for_each_image,
    has_an_example,
    has_a_page,
    is_brought_up_end_to_end,
    has_a_component_name_of_its_own,
)


def images_of(name: str) -> tuple[str, ...]:
    """That it may need, with all that the file can ask of it."""
    most = Situation(gateway_api=controller_class(name).may_serve_gateway_api)
    return tuple(made(name, most).images())


def controllers_for(rule: str) -> Iterator[str]:
    """Names of the controllers that a rule asks: those that can be made; `can_be_made` asks all of them."""
    for name in CONTROLLERS:
        if rule == can_be_made.__name__ or not list(can_be_made(name)):
            yield name


@pytest.mark.parametrize("rule", BRINGS)
def test_a_controller(rule: str) -> None:
    assert_nothing_is_missing(line for name in controllers_for(rule) for line in BRINGS[rule](name))


# --- what it must apply --------------------------------------------------------------------------


def proves_its_answers(a: Applied) -> Iterator[str]:
    """Headers on every answer, or a witness behind the controller: kindctl/ingress/proof.py."""
    for header, value in (
        (ENVIRONMENT_HEADER, a.identity),
        (CONTROLLER_HEADER, a.component.name),
    ):
        if not re.search(rf"{header}.{{1,60}}\b{re.escape(value)}\b", a.text):
            yield (
                f"put the header {header}: {value} on every answer (kindctl/ingress/proof.py), or have "
                "the witness prove it: a BundledController says `sets_headers = False`"
            )
    if not a.controller.with_proof(Route("https://localhost/")).via_witness:
        if INGRESS_HEADER not in a.text:
            yield f"put the header {INGRESS_HEADER} on every answer: the Ingress whose rule matched"
        return
    if missing := [text for text in (WELL_KNOWN, *HOSTS.values()) if text not in a.text]:
        yield f"the witness needs Ingress objects with {', '.join(missing)}"
    classes = {obj["spec"].get("ingressClassName") for obj in a.of_kind("Ingress")}
    if not classes <= set(a.controller.ingress_classes) or not classes:
        yield "the Ingress objects of the witness need a class that the controller serves"


def shapes_its_service(a: Applied) -> Iterator[str]:
    """The Services that the exposure leads to are there, of its type, with its ports, and select pods."""
    services = {_place(obj): obj for obj in a.of_kind("Service")}
    if a.controller.service not in services:
        yield f"apply the Service {'/'.join(a.controller.service)}, which `service` names"
    if a.situation.waits:
        return
    for port in a.exposure.ports:
        service = services.get((port.namespace, port.service))
        if service is None:
            yield f"apply the Service {port.namespace}/{port.service}: the exposure leads to it"
            continue
        try:
            service_port(service, port.port)
            shaped = copy.deepcopy(service)
            a.exposure.shape(shaped)
        except KeyError:
            yield f"Service {port.service} needs a TCP port {port.port}"
        else:
            if shaped != service:
                yield f"call exposure.shape() for Service {port.service}: it has {service['spec']}"
        behind = list(_selected(a, service["spec"].get("selector") or {}))
        if not behind:
            yield f"Service {port.service} selects the pods of no workload"
            continue
        named = {p.get("name") for workload in behind for p in container_ports(workload)}
        targets = [entry.get("targetPort") for entry in service["spec"]["ports"]]
        for target in [target for target in targets if isinstance(target, str)]:
            if target not in named:
                yield (
                    f"Service {port.service}: container port {target!r} is named by targetPort, and no pod "
                    "behind the Service has it"
                )


def takes_only_its_own_ports_of_the_node(a: Applied) -> Iterator[str]:
    """Ports of the node where the exposure is on the node, those that it declares; none while it waits.
    With hostNetwork, every container port is one."""
    bound = {number for obj in a.objects for _, number, _ in on_node(obj)}
    whole = [w for w, _ in a.containers() if w["spec"]["template"]["spec"].get("hostNetwork")]
    if a.situation.waits and a.exposure.on_node:
        if bound or whole:
            yield (
                f"leave out hostNetwork and ports {sorted(bound)} of the node while handover.others() has "
                "some"
            )
        return
    declared = set(a.controller.host_ports)
    if bound != declared:
        yield (
            f"pods use ports {sorted(bound)} of the node (hostPort, or containerPort with hostNetwork), "
            f"and host_ports says {sorted(declared)}: say the same"
        )
    if a.exposure.on_node and (missing := {p.node_port for p in a.exposure.ports} - declared):
        yield f"pods need hostPort {sorted(missing)}: the exposure leads there"


def leaves_node_ports_until_it_takes_over(a: Applied) -> Iterator[str]:
    """Two Services cannot have the same node port: kindctl/ingress/handover.py."""
    taken = [
        port["nodePort"]
        for service in a.of_kind("Service")
        for port in service["spec"].get("ports", ())
        if "nodePort" in port
    ]
    if a.situation.waits and taken:
        yield f"leave out nodePort {taken} while handover.others() has some"


def runs_in_replicas(a: Applied) -> Iterator[str]:
    """As `replicas`, `autoscale` and `gateways` ask: kindctl/ingress/replicas.py."""
    if a.situation.replicas == 1:
        return
    how = "pass its Deployment through ingress.replicas.replicate()"
    behind = [w for port in a.exposure.ports for w in _behind(a, port.namespace, port.service)]
    deployments = [w for w in behind if w["kind"] == "Deployment"]
    if not [d for d in deployments if d["spec"].get("replicas") == a.situation.replicas]:
        yield f"no Deployment behind its Service has {a.situation.replicas} replicas: {how}"
    for daemon in [w for w in behind if w["kind"] == "DaemonSet"]:
        yield (
            f"DaemonSet {daemon['metadata']['name']} has no replicas: make it a Deployment when they are "
            "asked for, in prepare_for_replicas(), or refuse them in kindctl/config/checks.py"
        )
    for deployment in deployments:
        name, spec = deployment["metadata"]["name"], deployment["spec"]
        pod = spec["template"]["spec"]
        if spec.get("strategy", {}).get("rollingUpdate", {}).get("maxUnavailable") != 0:
            yield f"Deployment {name} needs maxUnavailable 0: {how}"
        if a.situation.gateways and GATEWAY_NODE not in pod.get("nodeSelector", {}):
            yield f"Deployment {name} needs the gateway nodes' selector and toleration: {how}"
        budgets = [b["spec"]["selector"] for b in a.of_kind("PodDisruptionBudget")]
        if spec["selector"] not in budgets:
            yield f"Deployment {name} needs a PodDisruptionBudget: {how}"
        scaled = [h["spec"]["scaleTargetRef"] for h in a.of_kind("HorizontalPodAutoscaler")]
        if a.situation.autoscale and name not in [target["name"] for target in scaled]:
            yield f"Deployment {name} needs a HorizontalPodAutoscaler: {how}"


def serves_the_local_certificate(a: Applied) -> Iterator[str]:
    """Where nobody has given another one; a controller that does not says so: with_proof(), certified."""
    route = Route("https://localhost/", certified=True)
    if not a.controller.with_proof(route).certified:
        return
    secrets = [obj for obj in a.of_kind("Secret") if obj["metadata"]["name"] == SECRET]
    if not [s for s in secrets if s["metadata"]["namespace"] == a.component.namespace]:
        yield f"apply setup.certificate.secret(), the Secret {SECRET}, in namespace {a.component.namespace}"
    others = [obj for obj in a.objects if obj not in secrets and "Role" not in obj["kind"]]
    if SECRET not in json.dumps([_without_unmounted_volumes(obj) for obj in others]):
        yield (
            f"tell the controller to serve the certificate of Secret {SECRET} by default: mount the volume "
            "that names the Secret, or name it in an argument, a variable or a ConfigMap"
        )


def has_its_ingress_classes(a: Applied) -> Iterator[str]:
    """A new cluster has none."""
    there = {obj["metadata"]["name"] for obj in a.of_kind("IngressClass")}
    if missing := set(a.controller.ingress_classes) - there:
        yield f"apply an IngressClass {', '.join(sorted(missing))}: `ingress_classes` names it"
    if unnamed := there - set(a.controller.ingress_classes):
        yield f"name {', '.join(sorted(unnamed))} in `ingress_classes`, or do not apply the IngressClass"


APPLIES: dict[str, ComponentRule] = {
    rule.__name__: rule
    for rule in (
        *RULES_OF_EVERY_COMPONENT,
        proves_its_answers,
        shapes_its_service,
        takes_only_its_own_ports_of_the_node,
        leaves_node_ports_until_it_takes_over,
        runs_in_replicas,
        serves_the_local_certificate,
        has_its_ingress_classes,
    )
}


def _place(obj: Object) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _without_unmounted_volumes(obj: Object) -> Object:
    """A copy of the object; what a volume names is of no use to a pod that does not mount it."""
    obj = copy.deepcopy(obj)
    if obj["kind"] in WORKLOADS:
        pod = obj["spec"]["template"]["spec"]
        mounts = [
            mount["name"]
            for container in (*pod["containers"], *pod.get("initContainers", ()))
            for mount in container.get("volumeMounts", ())
        ]
        pod["volumes"] = [volume for volume in pod.get("volumes", ()) if volume["name"] in mounts]
    return obj


def _selected(a: Applied, selector: dict[str, str]) -> Iterator[Object]:
    for workload in a.of_kind(*WORKLOADS):
        labels = workload["spec"]["template"]["metadata"].get("labels", {})
        if selector and selector.items() <= labels.items():
            yield workload


def _behind(a: Applied, namespace: str, name: str) -> Iterator[Object]:
    for service in a.of_kind("Service"):
        if _place(service) == (namespace, name):
            yield from _selected(a, service["spec"].get("selector") or {})


def situations(via: str) -> list[Situation]:
    """In which every controller that can be in them is looked at."""
    plain = Situation(via)
    scaled = replace(plain, replicas=2, autoscale=4, gateways=2)
    return [plain, replace(plain, waits=True), replace(plain, replicas=3), scaled]


@cache
def applied_once(name: str, situation: Situation) -> Applied:
    return applied(name, situation)


def complaints_about(name: str, via: str, rule: str) -> Iterator[str]:
    for situation in situations(via):
        if is_possible(name, situation):
            for complaint in APPLIES[rule](applied_once(name, situation)):
                yield f"{name} ({situation}): {complaint}"


@pytest.mark.parametrize("rule", APPLIES)
@pytest.mark.parametrize("via", EXPOSURES)
def test_a_controller_by_an_exposure(via: str, rule: str) -> None:
    assert_nothing_is_missing(
        line for name in controllers_for(rule) for line in complaints_about(name, via, rule)
    )


# --- the rules themselves ------------------------------------------------------------------------


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A renamed copy of Traefik's folder, with an entry in CONTROLLERS and nothing else."""
    with renamed_copy(CONTROLLERS["traefik"][0], tmp_path, monkeypatch) as place:
        monkeypatch.setitem(CONTROLLERS, "copycat", (place, "copycat", "What it is. And more."))
        yield "copycat"


@pytest.mark.parametrize(
    "rule",
    [rule for rule in BRINGS if rule not in ("can_be_made", "has_a_component_name_of_its_own")],
)
def test_a_copy_of_traefik_is_told_what_it_does_not_bring(stranger: str, rule: str) -> None:
    complaints = list(BRINGS[rule](stranger))
    assert complaints
    assert all(line.startswith("copycat: ") for line in complaints)
    assert all(re.search(r"[a-z_]+/[a-z_/-]+", line) for line in complaints), "says where to add it"


@pytest.mark.parametrize("place", NOT_A_CLASS)
def test_a_class_that_is_not_there_is_complained_of_once(
    stranger: str, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setitem(CONTROLLERS, stranger, (place, "copycat", "What it is"))
    (line,) = can_be_made(stranger)
    assert line.startswith(f"copycat: {REGISTRY} says {place!r}")
    assert stranger in controllers_for("can_be_made")
    assert {"traefik", "nginx", "custom"} == {*controllers_for("has_a_summary")}


@pytest.mark.parametrize(
    "missing", ["name", "home", "package", "files", "container_images", "ingress_classes"]
)
def test_a_copy_that_declares_too_little_is_told_so_in_one_line(
    stranger: str, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.delattr(controller_class(stranger), missing)
    (line,) = can_be_made(stranger)
    assert line.endswith(f": declare {missing}")


@pytest.mark.parametrize(
    ("attribute", "value", "why"),
    [
        (
            "home",
            EntryPoint("copycat", "x"),
            "copycat: no manifest in `files` has the Service x, which `home` names",
        ),
        (
            "container_images",
            {},
            "container 'copycat' has no image: add it to container_images",
        ),
        ("files", ("nowhere.yaml",), "nowhere.yaml"),
    ],
)
def test_a_copy_without_its_objects_is_told_why(
    stranger: str, monkeypatch: pytest.MonkeyPatch, attribute: str, value: object, why: str
) -> None:
    applied_once.cache_clear()
    monkeypatch.setattr(controller_class(stranger), attribute, value)
    (line,) = can_be_made(stranger)
    assert why in line


def test_a_copy_whose_image_has_no_version_is_told_so(
    stranger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for image in ("copycat", "copycat:latest", "registry:5000/copycat"):
        monkeypatch.setattr(controller_class(stranger), "container_images", {"copycat": image})
        assert any("a tag other than `latest`" in line for line in has_its_images_pinned(stranger))
    for image in ("copycat:v1", f"copycat@sha256:{'0' * 64}"):
        monkeypatch.setattr(controller_class(stranger), "container_images", {"copycat": image})
        (line,) = has_its_images_pinned(stranger)
        assert "a tag" not in line


def test_another_controller_is_not_loaded_for_the_gateway_api_of_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(CONTROLLERS, "broken", (NOT_A_CLASS[0], "broken", "What it is"))
    assert is_possible("traefik", Situation(gateway_api=True))
    assert images_of("nginx")


def test_a_copy_that_keeps_a_name_of_another_is_told_so(
    stranger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CONTROLLERS, stranger, (CONTROLLERS[stranger][0], "traefik", ""))
    assert "one that no other controller has" in next(has_a_component_name_of_its_own(stranger))


@pytest.mark.parametrize("via", EXPOSURES)
def test_a_copy_of_traefik_applies_what_traefik_does(stranger: str, via: str) -> None:
    applied_once.cache_clear()
    lines = [line for rule in APPLIES for line in complaints_about(stranger, via, rule)]
    applied_once.cache_clear()
    assert lines == []


def traefik(via: str = "host-port", **more: int) -> Applied:
    return applied_once("traefik", Situation(via, **more))  # type: ignore[arg-type]


def waiting(via: str) -> Applied:
    """What is applied after the hand-over, applied before it."""
    return replace(traefik(via), situation=Situation(via, waits=True))


LEFT_OUT: dict[str, list[Callable[[], Applied]]] = {
    **left_out_of_any_component(traefik),
    "proves_its_answers": [
        lambda: traefik().changed(ENVIRONMENT_HEADER, "X-Other"),
        lambda: traefik().changed(CONTROLLER_HEADER, "X-Other"),
        lambda: traefik().changed(INGRESS_HEADER, "X-Other"),
        lambda: traefik().changed(traefik().identity, "somewhere"),
        lambda: applied_once("custom", Situation()).changed(WELL_KNOWN, "/"),
        lambda: applied_once("custom", Situation()).without("Ingress"),
    ],
    "shapes_its_service": [
        lambda: traefik().without("Service"),
        lambda: traefik("node-port").without("Deployment"),
        lambda: traefik("node-port").changed('"nodePort": 30080', '"nodePort": 30081'),
        lambda: traefik("load-balancer").changed('"LoadBalancer"', '"ClusterIP"'),
        lambda: traefik("port-forward").changed('"name": "http"', '"name": "web"'),
        lambda: traefik("port-forward").changed('"targetPort": "http"', '"targetPort": "web"'),
    ],
    "takes_only_its_own_ports_of_the_node": [
        lambda: waiting("host-port"),
        lambda: traefik("host-port").changed("hostPort", "otherPort"),
        lambda: replace(traefik("host-port"), component=traefik("port-forward").component),
        lambda: traefik("host-port").changed(
            '"nodeSelector":', '"hostNetwork": true, "nodeSelector":'
        ),
    ],
    "leaves_node_ports_until_it_takes_over": [lambda: waiting("node-port")],
    "runs_in_replicas": [
        lambda: replace(traefik("node-port"), situation=Situation("node-port", replicas=2)),
        lambda: traefik("node-port", replicas=2).without("PodDisruptionBudget"),
        lambda: traefik("node-port", replicas=2).changed('"Deployment"', '"DaemonSet"'),
        lambda: traefik("node-port", replicas=2).changed("maxUnavailable", "some"),
        lambda: traefik("node-port", replicas=2, autoscale=4).without("HorizontalPodAutoscaler"),
        lambda: traefik("node-port", replicas=2, gateways=2).changed(GATEWAY_NODE, "some"),
    ],
    "serves_the_local_certificate": [
        lambda: traefik().without("Secret"),
        lambda: traefik().changed(f'"secretName": "{SECRET}"', '"secretName": "other"'),
        lambda: traefik().changed('{"name": "tls", "mountPath"', '{"name": "tmp", "mountPath"'),
    ],
    "has_its_ingress_classes": [
        lambda: traefik().without("IngressClass"),
        lambda: traefik().changed('"name": "nginx"', '"name": "other"'),
    ],
}
"""Rule -> objects that break it."""


@pytest.mark.parametrize(
    ("rule", "number"), [(rule, n) for rule, cases in LEFT_OUT.items() for n in range(len(cases))]
)
def test_objects_without_it_are_complained_of(rule: str, number: int) -> None:
    assert list(APPLIES[rule](LEFT_OUT[rule][number]()))


def test_every_rule_for_objects_is_seen_to_fail() -> None:
    assert LEFT_OUT.keys() == APPLIES.keys()
