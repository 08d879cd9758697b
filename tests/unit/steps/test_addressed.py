"""Whether a Service of type LoadBalancer has its address, and what tells that it never will."""

from __future__ import annotations

from pathlib import Path

import pytest

from kindctl.models import Absent, NotReady, Object, ObjectRef, Ready
from kindctl.planning.plan import Plan
from kindctl.steps.addressed import PENDING_SECONDS, Addressed
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster
from tests.fakes.component import FakeProvider, Heard
from tests.unit.planning.test_plan import INGRESS, deployment, needs, plan_of

WEB = ObjectRef("v1", "Service", "web", "shop")


def service() -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
    }


@pytest.fixture
def cluster() -> FakeCluster:
    """Where nobody hands out addresses."""
    cluster = FakeCluster()
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    cluster.put(service())
    return cluster


def step(cluster: FakeCluster | None, clock: FakeClock | None = None) -> Addressed:
    return Addressed(
        external="shop/web",
        provider=FakeProvider(cluster),
        needs=frozenset(),
        clock=(clock or FakeClock()).now,
    )


def seen(found: Addressed) -> NotReady:
    state = found.observe()
    assert isinstance(state, NotReady)
    return state


@pytest.mark.parametrize("given", [{"ip": "172.18.9.1"}, {"hostname": "lb.example.com"}])
def test_the_address_is_told(cluster: FakeCluster, given: dict[str, str]) -> None:
    cluster.set_status(WEB, {"loadBalancer": {"ingress": [given]}})
    assert step(cluster).observe() == Ready(*given.values())


def test_where_nobody_gives_it_that_is_said_within_ten_seconds(cluster: FakeCluster) -> None:
    clock = FakeClock()
    found = step(cluster, clock)
    assert seen(found) == NotReady("Service shop/web has no external address yet")
    clock.sleep(PENDING_SECONDS - 0.1)
    assert seen(found).cause is None
    clock.sleep(9.0 - PENDING_SECONDS)
    cause = seen(found).cause
    assert cause is not None
    assert (cause.code, cause.permanent) == ("load-balancer-pending", True)


def test_what_leaves_a_trace_is_waited_for(cluster: FakeCluster) -> None:
    live = cluster.get(WEB)
    assert live is not None
    about = {"kind": "Service", "name": "web", "namespace": "shop", "uid": live["metadata"]["uid"]}
    cluster.put(
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": "web.1", "namespace": "shop"},
            "involvedObject": about,
            "reason": "EnsuringLoadBalancer",
            "message": "Ensuring load balancer",
            "lastTimestamp": "2026-11-24T10:00:00Z",
        }
    )
    clock = FakeClock()
    found = step(cluster, clock)
    seen(found)
    clock.sleep(60)
    cause = seen(found).cause
    assert cause is not None
    assert not cause.permanent


def test_a_service_that_is_made_anew_gets_its_time_too(cluster: FakeCluster) -> None:
    clock = FakeClock()
    found = step(cluster, clock)
    seen(found)
    cluster.delete(WEB)
    clock.sleep(60)
    assert seen(found).seen == "Service shop/web does not exist"
    cluster.put(service())
    assert seen(found).cause is None


def test_without_a_cluster_there_is_none_and_nothing_is_ever_made(cluster: FakeCluster) -> None:
    assert isinstance(step(None).observe(), Absent)
    assert not step(cluster).apply(Heard())


# --- in the graph --------------------------------------------------------------------------------

BALANCED = """\
name: shop
cluster: {provider: {existing: cloud}}
ingress: {controller: none}
apps: [{name: shop, manifests: [web.yaml], expose: [{service: web, via: load-balancer}]}]
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
---
"""


def addresses(plan: Plan) -> list[str]:
    return [found.name for found in plan.steps if isinstance(found, Addressed)]


def test_it_waits_for_no_pod(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, BALANCED, web=SERVICE + deployment("web", "web:1"))
    assert addresses(plan) == ["address:shop/web"]
    assert needs(plan.steps, "address:shop/web") == {"apply:shop"}
    assert needs(plan.steps, "url:http://EXTERNAL-IP/@shop/web") == {
        "ready:shop",
        "address:shop/web",
    }
    assert needs(plan.steps, "prune") == {
        *("record", "ready:shop", "address:shop/web", "url:http://EXTERNAL-IP/@shop/web")
    }


def test_whoever_gives_addresses_here_is_ready_first(tmp_path: Path) -> None:
    config = BALANCED.replace("cluster: {provider: {existing: cloud}}", "addons: [metallb]")
    plan = plan_of(tmp_path, config, web=SERVICE)
    assert needs(plan.steps, "address:shop/web") == {"apply:shop", "ready:metallb"}


def test_a_controller_has_its_address_without_any_route(tmp_path: Path) -> None:
    cloud = "name: shop\ncluster: {provider: {existing: cloud}}\n"
    plan = plan_of(tmp_path, f"{cloud}ingress: {{expose: {{via: load-balancer}}}}\n")
    own = "address:ingress-nginx/ingress-nginx-controller"
    assert addresses(plan) == [own]
    assert plan.parts.routes == ()
    assert needs(plan.steps, own) == {"apply:ingress-nginx"}
    assert own in needs(plan.steps, "prune")


def test_ways_without_an_external_address_have_no_such_step(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path, "name: shop\napps: [{name: shop, manifests: [web.yaml]}]\n", web=INGRESS
    )
    assert addresses(plan) == []
