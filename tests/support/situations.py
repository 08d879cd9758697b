"""What a component applies in a situation: the conformance tests judge the objects themselves.

All that depends on how plug-ins are made stands here: they are made by the planning, as in `up`.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from kindctl.components import ADDONS
from kindctl.components.base import Component, Controller
from kindctl.config.checks import cross_checks
from kindctl.config.load import Loaded
from kindctl.errors import ApiError
from kindctl.images.pins import FILES
from kindctl.ingress.proof import environment_id
from kindctl.live.desired import desired
from kindctl.models import (
    COMPONENT_LABEL,
    ENVIRONMENT_LABEL,
    MANAGED_LABEL,
    MANAGER,
    SYSTEM_NAMESPACE,
    Exposure,
    Object,
    ObjectRef,
)
from kindctl.planning.parts import parts_of
from kindctl.schema import AutoscaleConfig
from kindctl.tools.protocols import Tools
from kindctl.trust.authority import Authority
from tests.fakes.cluster import FakeCluster
from tests.fakes.engine import FakeEngine
from tests.fakes.host import FakeHost
from tests.fakes.renderers import RENDERERS
from tests.fakes.tools import fake_tools
from tests.fakes.trust import an_authority
from tests.support.plug_ins import component_names, example_of_each_controller, loaded_examples

SERVED = "kindctl.local/served/"
"""Beginning of the name of every image that the situation's `resolve` gives."""


@dataclass(frozen=True)
class Situation:
    """What is asked of a controller."""

    via: str = "host-port"
    replicas: int = 1
    autoscale: int = 0  # most replicas; 0: no autoscaler
    gateways: int = 0  # nodes that are the controller's alone
    gateway_api: bool = False
    waits: bool = False  # another controller has the entry point

    def __str__(self) -> str:
        words = [f"via: {self.via}"]
        words += [f"replicas: {self.replicas}"] if self.replicas > 1 else []
        words += [f"autoscale to {self.autoscale}"] if self.autoscale else []
        words += [f"gateways: {self.gateways}"] if self.gateways else []
        words += ["gatewayAPI"] if self.gateway_api else []
        return ", ".join(words + (["while another controller answers"] if self.waits else []))


@dataclass(frozen=True)
class Applied:
    """What a component wants in a new cluster, ready to be applied, and what it says of that."""

    name: str  # in kindctl.yaml
    situation: Situation
    component: Component
    objects: list[Object]  # labelled, in namespaces, in order; the late ones last
    again: list[Object]  # the same, asked for once more after all of them were applied
    images: tuple[str, ...] = ()  # that the component says it needs in the nodes
    resolved: frozenset[str] = frozenset()  # that it asked for by `resolve`
    environment: str = ""
    identity: str = ""  # value of X-Kindctl-Environment

    @property
    def controller(self) -> Controller:
        return self.component  # type: ignore[return-value]

    @property
    def exposure(self) -> Exposure:
        return self.controller.exposure

    @property
    def text(self) -> str:
        return json.dumps(self.objects)

    def of_kind(self, *kinds: str) -> Iterator[Object]:
        return (obj for obj in self.objects if obj["kind"] in kinds)

    def containers(self) -> Iterator[tuple[Object, Object]]:
        """(workload, container or init container) of everything that makes pods."""
        for workload in self.of_kind("Deployment", "DaemonSet", "StatefulSet", "Job"):
            pod = workload["spec"]["template"]["spec"]
            for container in (*pod["containers"], *pod.get("initContainers", ())):
                yield workload, container

    def changed(self, change: str, into: str) -> Applied:
        """With a text replaced in all of the objects."""
        return replace(self, objects=json.loads(self.text.replace(change, into)))

    def without(self, *kinds: str) -> Applied:
        return replace(self, objects=[obj for obj in self.objects if obj["kind"] not in kinds])


def is_possible(name: str, situation: Situation) -> bool:
    """Whether the checks of kindctl.yaml accept it: not every controller does everything."""
    loaded = _loaded(name, situation)
    return not list(cross_checks(loaded.config, loaded.root))


def made(name: str, situation: Situation) -> Controller:
    """The controller of this name, as the plan of an environment makes it."""
    controller = parts_of(_loaded(name, situation), _tools()).controller
    assert controller
    return controller


def applied(name: str, situation: Situation) -> Applied:
    """By the controller of this name, on a new cluster that has nothing but, where it waits, another
    controller on the ports."""
    loaded = _loaded(name, situation)
    cluster = FakeCluster()
    component = made(name, situation)
    if situation.waits:
        other = next(other for other in component_names() if other != component.name)
        _put_another_controller(cluster, loaded.config.name, other)
    return _applied(name, situation, component, cluster, loaded.config.name)


def applied_addon(name: str) -> Applied:
    """By the add-on of this name, in an environment without a controller."""
    assert name in ADDONS
    loaded = _without_apps(loaded_examples()["sample"])
    ingress = loaded.config.ingress.model_copy(update={"controller": "none"})
    config = loaded.config.model_copy(update={"addons": (name,), "ingress": ingress})
    (component,) = parts_of(replace(loaded, config=config), _tools()).components
    return _applied(name, Situation(), component, FakeCluster(), config.name)


def _loaded(name: str, situation: Situation) -> Loaded:
    """The controller's example, or the sample, without its apps and with what the situation asks for. The
    values are not validated: a plug-in whose name is missing in the schema is looked at, too."""
    example = example_of_each_controller().get(name, "sample")
    loaded = _without_apps(loaded_examples()[example])
    ingress = loaded.config.ingress.model_copy(
        update={
            "controller": name,
            "expose": loaded.config.ingress.expose.model_copy(update={"via": situation.via}),
            "replicas": situation.replicas,
            "autoscale": AutoscaleConfig(max=situation.autoscale) if situation.autoscale else None,
            "gatewayAPI": situation.gateway_api,
        }
    )
    cluster = loaded.config.cluster.model_copy(update={"gateways": situation.gateways})
    addons = ("metallb", "metrics-server")
    config = loaded.config.model_copy(
        update={"ingress": ingress, "cluster": cluster, "addons": addons}
    )
    return replace(loaded, config=config)


def _without_apps(loaded: Loaded) -> Loaded:
    return replace(loaded, config=loaded.config.model_copy(update={"apps": ()}))


@cache
def _tools() -> Tools:
    """A machine with nodes' network and a local authority: making one would take longer than the rest."""
    host = FakeHost()
    host.programs |= RENDERERS
    authority, pair = Authority(host), an_authority()
    host.write(authority.key_file, pair.key.decode(), 0o600)
    host.write(authority.file, pair.cert.decode())
    engine = FakeEngine()
    engine.subnets["kind"] = ("172.18.0.0/16",)
    return fake_tools(host, engine)


def _put_another_controller(cluster: FakeCluster, environment: str, component: str) -> None:
    """That has ports of the node, and so the entry point."""
    labels = {"app": "other"}
    container = {"name": "other", "image": "other:1", "ports": [{"hostPort": 80}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    cluster.put(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": "other",
                "namespace": "default",
                "labels": {
                    MANAGED_LABEL: MANAGER,
                    ENVIRONMENT_LABEL: environment,
                    COMPONENT_LABEL: component,
                },
            },
            "spec": {"selector": {"matchLabels": labels}, "template": template},
        }
    )


def _applied(
    name: str, situation: Situation, component: Component, cluster: FakeCluster, environment: str
) -> Applied:
    asked: list[str] = []

    def resolve(image: str) -> str:
        asked.append(image)
        return f"{SERVED}{image}"

    def wanted() -> list[Object]:
        first = desired(component, cluster, environment, resolve)
        late = component.has_late_objects
        return first + (
            desired(component, cluster, environment, resolve, late=True) if late else []
        )

    _put_namespace_of_the_record(cluster)
    objects = wanted()
    list(_refusals(cluster, objects))
    return Applied(
        name=name,
        situation=situation,
        component=component,
        objects=objects,
        again=wanted(),
        images=tuple(image for image in component.images() if image not in FILES),
        resolved=frozenset(asked),
        environment=environment,
        identity=environment_id(environment, cluster),
    )


def refusals(objects: Sequence[Object]) -> list[str]:
    """What a new cluster says to these objects, applied in their order: kinds that it does not know,
    namespaces that are not there, ports that are taken."""
    cluster = FakeCluster()
    _put_namespace_of_the_record(cluster)
    return list(_refusals(cluster, objects))


def _refusals(cluster: FakeCluster, objects: Sequence[Object]) -> Iterator[str]:
    for obj in objects:
        try:
            cluster.apply(copy.deepcopy(obj))
        except ApiError as error:
            yield f"{ObjectRef.of(obj)}: {error.why or error.what}"


def _put_namespace_of_the_record(cluster: FakeCluster) -> None:
    """`up` makes it before any component."""
    cluster.put(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM_NAMESPACE}},
        manager=MANAGER,
    )
