"""When a Gateway or a route is in effect, and how its conditions explain that it is not."""

from __future__ import annotations

from typing import Any

import pytest

from kindctl.diagnose.causes import explain
from kindctl.live.gateway_readiness import LASTING_SECONDS, PENDING, gateway_kinds
from kindctl.live.port_holders import PortHolders
from kindctl.live.readiness import is_waited_for, unready_reason
from kindctl.models import NotReady, Object, ObjectRef, Ready
from kindctl.steps.workloads import WorkloadsReady
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster
from tests.fakes.component import FakeComponent, FakeProvider
from tests.support import shop
from tests.support.shop import NAMESPACE

API = "gateway.networking.k8s.io/v1"


def condition(kind: str, status: str, reason: str = "", generation: int = 2, **more: str) -> Object:
    return {
        "type": kind,
        "status": status,
        "reason": reason or kind,
        "observedGeneration": generation,
        **more,
    }


def obj(kind: str, spec: Object, status: Object) -> Object:
    meta = {"name": "web", "namespace": NAMESPACE, "generation": 2, "uid": "1"}
    return {"apiVersion": API, "kind": kind, "metadata": meta, "spec": spec, "status": status}


def gateway(*conditions: Object, listener: tuple[Object, ...] = ()) -> Object:
    listeners = [{"name": "http", "conditions": list(listener)}]
    return obj("Gateway", {}, {"conditions": list(conditions), "listeners": listeners})


def route(*conditions: Object, **parent: Any) -> Object:
    ref = {"name": "front", **parent}
    status: Object = {"parentRef": {**ref, "group": "gateway.networking.k8s.io", "kind": "Gateway"}}
    status["conditions"] = list(conditions)
    return obj("HTTPRoute", {"parentRefs": [ref]}, {"parents": [status]})


ACCEPTED, RESOLVED = condition("Accepted", "True"), condition("ResolvedRefs", "True")


def test_a_gateway_is_ready_when_it_is_programmed() -> None:
    assert unready_reason(gateway(condition("Programmed", "True")), []) == ""
    assert unready_reason(gateway(condition("Programmed", "True", generation=1)), []) == PENDING
    waiting = condition("Programmed", "Unknown", "Pending")
    assert unready_reason(gateway(waiting), []) == PENDING


def test_the_listener_that_is_refused_is_named() -> None:
    refused = condition("Accepted", "False", "PortUnavailable", message="no entry point\n for 81")
    seen = unready_reason(gateway(condition("Accepted", "False", "X"), listener=(refused,)), [])
    assert seen == "listener http: Accepted: PortUnavailable (no entry point for 81)"
    conflict = condition("Conflicted", "True", "DuplicateListener")
    assert "Conflicted: DuplicateListener" in unready_reason(gateway(listener=(conflict,)), [])
    without = condition("Conflicted", "False", "NoConflicts")
    assert unready_reason(gateway(listener=(without,)), []) == PENDING


def test_a_route_is_ready_when_each_parent_takes_it_with_all_that_it_refers_to() -> None:
    assert unready_reason(route(ACCEPTED, RESOLVED), []) == ""
    assert unready_reason(route(ACCEPTED, RESOLVED, sectionName="http"), []) == ""
    assert unready_reason(route(ACCEPTED), []) == f"Gateway {NAMESPACE}/front: {PENDING}"
    old = condition("ResolvedRefs", "True", generation=1)
    assert PENDING in unready_reason(route(ACCEPTED, old), [])
    two = route(ACCEPTED, RESOLVED)
    two["spec"]["parentRefs"].append({"name": "back", "namespace": "infra"})
    assert unready_reason(two, []) == f"Gateway infra/back: {PENDING}"
    mesh = route(ACCEPTED, RESOLVED)
    mesh["spec"]["parentRefs"].append({"name": "web", "kind": "Service", "group": ""})
    assert unready_reason(mesh, []) == ""


def test_what_is_refused_of_a_route_is_said_in_the_controllers_words() -> None:
    missing = condition("ResolvedRefs", "False", "BackendNotFound", message="service not found")
    seen = unready_reason(route(ACCEPTED, missing), [])
    assert seen == f"Gateway {NAMESPACE}/front: ResolvedRefs: BackendNotFound (service not found)"


def test_kinds_of_others_that_are_named_alike_are_not_waited_for() -> None:
    ours = ObjectRef(API, "Gateway", "web", NAMESPACE)
    istio = ObjectRef("networking.istio.io/v1", "Gateway", "web", NAMESPACE)
    assert [is_waited_for(ref) for ref in (ours, istio)] == [True, False]
    assert gateway_kinds([ours, istio, ours]) == [(API, "Gateway")]


# --- the step ------------------------------------------------------------------------------------


@pytest.fixture
def cluster() -> FakeCluster:
    cluster = FakeCluster()
    cluster.put(shop.manifest("v1", "Namespace", NAMESPACE))
    definition = shop.crd()
    definition["metadata"]["name"] = "httproutes.gateway.networking.k8s.io"
    definition["spec"]["group"] = "gateway.networking.k8s.io"
    definition["spec"]["names"] = {"kind": "HTTPRoute", "plural": "httproutes"}
    cluster.apply(definition)
    return cluster


def step(cluster: FakeCluster, clock: FakeClock) -> WorkloadsReady:
    manifest = shop.manifest(API, "HTTPRoute", spec={"parentRefs": [{"name": "front"}]})
    return WorkloadsReady(
        name="ready:shop",
        title="the shop runs",
        needs=frozenset(),
        component=FakeComponent(manifests=[manifest]),
        provider=FakeProvider(cluster),
        environment="dev",
        explain=explain,
        port_holders=PortHolders("dev", ()),
        clock=clock.now,
    )


def test_an_accepted_route_is_waited_for(cluster: FakeCluster) -> None:
    looking = step(cluster, FakeClock())
    state = looking.observe()
    assert isinstance(state, NotReady)
    assert "missing: HTTPRoute shop/web" in state.seen
    cluster.put(route(ACCEPTED, RESOLVED))
    assert isinstance(looking.observe(), Ready)


def test_a_refusal_ends_the_wait_when_it_has_stood_for_a_while(cluster: FakeCluster) -> None:
    clock = FakeClock()
    looking = step(cluster, clock)
    cluster.put(route(condition("Accepted", "False", "NotAllowedByListeners"), RESOLVED))
    first = looking.observe()
    assert isinstance(first, NotReady)
    assert "NotAllowedByListeners" in first.seen
    assert first.cause is None
    clock.sleep(LASTING_SECONDS + 0.1)
    later = looking.observe()
    assert isinstance(later, NotReady)
    assert later.cause is not None
    assert (later.cause.code, later.cause.permanent) == ("gateway-refused", True)
    assert "NotAllowedByListeners" in later.cause.cites[0]


def told(cluster: FakeCluster, obj: Object) -> None:
    """The controller has written this status. One that exists keeps its own when it is only put."""
    cluster.delete(ObjectRef.of(obj))
    cluster.put(obj)


def test_another_refusal_starts_anew_and_pending_never_ends_it(cluster: FakeCluster) -> None:
    clock = FakeClock()
    looking = step(cluster, clock)
    for reason in ("NoMatchingParent", "NotAllowedByListeners"):
        told(cluster, route(condition("Accepted", "False", reason), RESOLVED))
        state = looking.observe()
        assert isinstance(state, NotReady)
        assert state.cause is None
        clock.sleep(LASTING_SECONDS - 1)
    told(cluster, route())
    for _ in range(3):
        clock.sleep(LASTING_SECONDS)
        state = looking.observe()
        assert isinstance(state, NotReady)
        assert (PENDING in state.seen, state.cause) == (True, None)
