"""What the unit tests of the steps conclude on a cluster in memory, concluded on a real one."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from kindctl.live.port_holders import PortHolders
from kindctl.models import NotReady, Object, Ready
from kindctl.steps.objects import ObjectsApplied
from kindctl.steps.prune import Pruned
from tests.fakes.component import FakeComponent, FakeProvider, Heard
from tests.fakes.forwards import FakeForwards
from tests.support import shop
from tests.support.real_cluster import RealCluster, edit
from tests.support.shop import altered, ref

PATIENCE = 120.0
KINDS = sorted({obj["kind"] for obj in shop.everything()})


def quiet(obj: Object) -> Object:
    """Without pods: their image is in no registry."""
    match obj["kind"]:
        case "Deployment" | "StatefulSet":
            obj["spec"]["replicas"] = 0
        case "DaemonSet":
            obj["spec"]["template"]["spec"]["nodeSelector"] = {"no-such": "node"}
        case "Job":
            obj["spec"]["suspend"] = True
    return obj


MANIFESTS = [
    quiet(obj) for obj in shop.everything() if obj["kind"] != "HorizontalPodAutoscaler"
] + [shop.autoscaler(1, 5)]


@pytest.fixture(scope="module")
def step(real_api: RealCluster) -> Iterator[ObjectsApplied]:
    provider = FakeProvider(real_api)

    def resolve(reference: str) -> str:
        return reference

    applied = ObjectsApplied(
        name="objects",
        title="",
        needs=frozenset(),
        component=FakeComponent(manifests=MANIFESTS),
        provider=provider,
        environment="contract",
        resolve=resolve,
        port_holders=PortHolders("contract", ()),
    )
    yield applied
    pruned = Pruned(
        name="prune",
        title="",
        needs=frozenset(),
        components=[],
        provider=provider,
        environment="contract",
        forwards=FakeForwards(),
    )
    pruned.observe()
    pruned.apply(Heard())


def heal(step: ObjectsApplied) -> tuple[str, ...]:
    """As the runner does it: look, wait, apply, until it holds; what was done."""
    done: tuple[str, ...] = ()
    end = time.monotonic() + PATIENCE
    while not isinstance(state := step.observe(), Ready):
        assert time.monotonic() < end, state
        if isinstance(state, NotReady):
            time.sleep(0.2)
        else:
            done += step.apply(Heard()).done
    return done


def live(step: ObjectsApplied, obj: Object) -> Object:
    cluster = step.provider.cluster()
    assert cluster is not None
    found = cluster.get(ref(obj))
    assert found is not None, f"no {ref(obj)}"
    return found


def of_kind(kind: str) -> Object:
    return next(obj for obj in MANIFESTS if obj["kind"] == kind)


def versions(step: ObjectsApplied) -> dict[str, str]:
    return {
        str(ref(obj)): live(step, obj)["metadata"]["resourceVersion"]
        for obj in MANIFESTS
        if obj["kind"] not in ("HorizontalPodAutoscaler", "DaemonSet", "PersistentVolumeClaim")
    }  # their controllers write their status whenever they like


def test_a_second_time_nothing_changes(step: ObjectsApplied) -> None:
    heal(step)
    before = versions(step)
    assert heal(step) == ()
    assert step.apply(Heard()).done == ()
    assert versions(step) == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_mutated_object_comes_back(
    step: ObjectsApplied, real_api: RealCluster, kind: str
) -> None:
    heal(step)
    obj = of_kind(kind)
    edit(real_api, ref(obj), lambda found: found.update(altered(found)))
    done = heal(step)
    assert [words for words in done if words.startswith(f"repaired {ref(obj)}: ")]
    assert heal(step) == ()


@pytest.mark.parametrize("kind", KINDS)
def test_a_deleted_object_comes_back(
    step: ObjectsApplied, real_api: RealCluster, kind: str
) -> None:
    heal(step)
    obj = of_kind(kind)
    before = live(step, obj)["metadata"]["uid"]
    assert real_api.delete(ref(obj))
    assert f"created {ref(obj)}" in heal(step)
    assert live(step, obj)["metadata"]["uid"] != before
