"""MetalLB: whose addresses it gives away, and what it is made of."""

from __future__ import annotations

import pytest

from kindctl.components import ADDONS, load_addon
from kindctl.components.base import Neighbours
from kindctl.components.metallb import POOL, MetalLB
from kindctl.errors import UsageError
from kindctl.images.pins import METALLB_CONTROLLER, METALLB_SPEAKER
from kindctl.models import Object
from tests.fakes.cluster import FakeCluster
from tests.fakes.ways import setup
from tests.support.pools import around


def made(cluster: FakeCluster, neighbours: Neighbours | None = None) -> list[Object]:
    return MetalLB(setup("shop", neighbours=lambda: neighbours or around())).objects(cluster, str)


def test_the_registry_loads_it() -> None:
    assert load_addon("metallb", setup("shop")).images() == (
        METALLB_CONTROLLER,
        METALLB_SPEAKER,
    )
    assert "metallb" in ADDONS
    with pytest.raises(UsageError, match="no add-on 'istio'"):
        load_addon("istio", setup("shop"))


def test_the_pool_that_the_cluster_has_stays() -> None:
    cluster = FakeCluster()
    objects = made(cluster)
    (pool,) = (obj for obj in objects if obj["kind"] == "IPAddressPool")
    for obj in objects:
        if obj["kind"] in ("Namespace", "CustomResourceDefinition"):
            cluster.apply(obj)
    chosen = "172.18.200.0-172.18.200.15"
    cluster.apply({**pool, "spec": {"addresses": [chosen]}})
    live = cluster.get(POOL)
    assert live is not None
    assert live["spec"]["addresses"] == [chosen]
    (again,) = (obj for obj in made(cluster) if obj["kind"] == "IPAddressPool")
    assert again["spec"]["addresses"] == [chosen]


def test_all_kinds_that_its_programs_watch_are_defined() -> None:
    defined = {
        obj["spec"]["names"]["kind"]: {v["name"] for v in obj["spec"]["versions"]}
        for obj in made(FakeCluster())
        if obj["kind"] == "CustomResourceDefinition"
    }
    assert len(defined) == 9
    assert defined["BGPPeer"] == {"v1beta1", "v1beta2"}  # the speaker asks for both


def test_it_has_neither_webhook_nor_memberlist() -> None:
    text = str(made(FakeCluster()))
    assert "--webhook-mode=disabled" in text
    assert "METALLB_ML_" not in text


def test_the_speaker_asks_the_control_plane_itself() -> None:
    """kube-proxy may not have made the cluster's own address of it yet."""
    (speaker,) = (obj for obj in made(FakeCluster()) if obj["kind"] == "DaemonSet")
    env = {
        e["name"]: e.get("value")
        for e in speaker["spec"]["template"]["spec"]["containers"][0]["env"]
    }
    assert env["KUBERNETES_SERVICE_HOST"] == "shop-control-plane"
    assert env["KUBERNETES_SERVICE_PORT"] == "6443"
