"""Leaving a cluster that stays: what is not gone yet is waited for, however often it was begun."""

from __future__ import annotations

import pytest

from kindctl.errors import KindctlError
from kindctl.live import withdraw as module
from kindctl.live.port_holders import PortHolders
from kindctl.live.withdraw import withdraw
from kindctl.models import ObjectRef
from kindctl.steps.objects import ObjectsApplied
from tests.fakes.cluster import FakeCluster
from tests.fakes.component import FakeComponent, FakeProvider, Heard
from tests.support import shop
from tests.support.shop import ref

SPACE = ObjectRef("v1", "Namespace", "shop")
WIDGET = ref(shop.widget())
DEPLOYMENT = ref(shop.deployment())


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    """With the shop."""
    monkeypatch.setattr(module, "GONE_SECONDS", 0)
    cluster = FakeCluster()
    ObjectsApplied(
        name="objects",
        title="",
        needs=frozenset(),
        component=FakeComponent(manifests=shop.everything()),
        provider=FakeProvider(cluster),
        environment="dev",
        resolve=lambda reference: reference,
        port_holders=PortHolders("dev", ()),
    ).apply(Heard())
    return cluster


def leave(cluster: FakeCluster) -> list[str]:
    return list(withdraw(cluster, "dev", lambda _: None))


def refused(cluster: FakeCluster) -> str:
    with pytest.raises(KindctlError) as error:
        leave(cluster)
    assert error.value.code == "being-deleted"
    return error.value.what


def test_all_goes(cluster: FakeCluster) -> None:
    assert "removed Namespace shop" in leave(cluster)
    assert cluster.get(SPACE) is None
    assert leave(cluster) == []


@pytest.mark.parametrize("held", [SPACE, ref(shop.crd())])
def test_what_an_earlier_run_deleted_is_waited_for(cluster: FakeCluster, held: ObjectRef) -> None:
    cluster.hold(held)
    for _ in range(2):
        assert f"{held} is still being deleted" in refused(cluster)
    cluster.release(held)
    leave(cluster)


def test_operators_stay_until_their_custom_resources_are_gone(cluster: FakeCluster) -> None:
    cluster.hold(WIDGET)
    for _ in range(2):
        assert refused(cluster).startswith(str(WIDGET))
        assert cluster.get(DEPLOYMENT)
    cluster.release(WIDGET)
    leave(cluster)
    assert cluster.get(DEPLOYMENT) is None
