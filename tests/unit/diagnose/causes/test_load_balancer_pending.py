"""Tests of diagnose/causes/load_balancer_pending.py."""

from __future__ import annotations

from typing import Any

from kindctl.diagnose.causes import explain
from kindctl.diagnose.evidence import Evidence
from kindctl.models import Object


def balanced(**more: Any) -> Object:
    meta = {"name": "web", "namespace": "shop", "uid": "u-web", **more}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta,
        "spec": {"type": "LoadBalancer"},
    }


def test_a_service_that_nobody_gives_an_address_will_not_get_one() -> None:
    cause = explain(Evidence(services=[balanced()]))
    assert cause is not None
    assert (cause.code, cause.permanent) == ("load-balancer-pending", True)
    assert "nothing in this cluster assigns them" in cause.what
    for way in ("metallb", "node-port", "port-forward"):
        assert way in cause.fix


def test_what_a_cloud_is_making_is_waited_for() -> None:
    event = {
        "involvedObject": {"kind": "Service", "name": "web", "namespace": "shop", "uid": "u-web"},
        "reason": "EnsuringLoadBalancer",
        "message": "Ensuring load balancer",
        "type": "Normal",
        "lastTimestamp": "2026-11-24T10:00:00Z",
        "metadata": {"namespace": "shop"},
    }
    for found in (
        Evidence(services=[balanced()], events=[event]),
        Evidence(services=[balanced(finalizers=["service.kubernetes.io/load-balancer-cleanup"])]),
    ):
        cause = explain(found)
        assert cause is not None
        assert not cause.permanent


def test_a_service_with_an_address_or_without_the_wish_for_one_is_in_order() -> None:
    there = {**balanced(), "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}
    inside = {**balanced(), "spec": {"type": "ClusterIP"}}
    assert explain(Evidence(services=[there, inside])) is None
