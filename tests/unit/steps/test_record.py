from __future__ import annotations

import json
from functools import partial

import pytest

from kindctl.live.addresses import urls_of
from kindctl.live.record import RECORD, Record, read_record
from kindctl.models import Absent, Change, Differs, NotReady, Object, ObjectRef, Ready, Route
from kindctl.steps.record import Recorded
from tests.fakes.cluster import FakeCluster
from tests.fakes.component import FakeComponent, FakeProvider, Heard
from tests.support import shop

ROUTE = Route("http://localhost/", connect=("127.0.0.1", 8080), contains="<h1>", app="shop")


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


def step(cluster: FakeCluster | None, *, config: str = '{"name": "dev"}') -> Recorded:
    return Recorded(
        name="record",
        title="write down what was made",
        needs=frozenset(),
        components=[FakeComponent(manifests=[shop.service()], late=[shop.webhook()])],
        provider=FakeProvider(cluster),
        environment="dev",
        config=config,
        file="/home/me/shop/kindctl.yaml",
        version="0.1.0",
        controller="nginx",
        routes=[ROUTE],
    )


def test_what_was_written_is_read(cluster: FakeCluster) -> None:
    assert read_record(cluster) is None
    assert isinstance(step(cluster).observe(), Absent)
    assert step(cluster).apply(Heard()) == Change(("wrote the record of this environment",))
    assert step(cluster).observe() == Ready()
    assert read_record(cluster) == Record(
        environment="dev",
        config='{"name": "dev"}',
        file="/home/me/shop/kindctl.yaml",
        version="0.1.0",
        controller="nginx",
        routes=(ROUTE,),
        inventory=(
            ObjectRef("v1", "Namespace", "shop"),
            ObjectRef("v1", "Service", "web", "shop"),
            ObjectRef("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "web"),
        ),
    )


def test_routes_have_the_field_names_that_earlier_versions_read(cluster: FakeCluster) -> None:
    step(cluster).apply(Heard())
    stored = json.loads((cluster.get(RECORD) or {})["data"]["routes"])
    assert [(route["marked"], route["well_known"]) for route in stored] == [(True, False)]
    assert not {"via_controller", "via_witness"} & stored[0].keys()


def test_its_urls_are_those_of_its_routes(cluster: FakeCluster) -> None:
    step(cluster).apply(Heard())
    record = read_record(cluster)
    assert record is not None
    assert urls_of(cluster, record.routes) == ["http://localhost/"]


def test_the_same_content_changes_nothing(cluster: FakeCluster) -> None:
    step(cluster).apply(Heard())
    before = cluster.get(RECORD)
    step(cluster).apply(Heard())
    assert cluster.get(RECORD) == before


def test_another_configuration_is_written(cluster: FakeCluster) -> None:
    step(cluster).apply(Heard())
    changed = step(cluster, config='{"name": "test"}')
    assert changed.observe() == Differs("ConfigMap kindctl-system/kindctl: data.config")
    changed.apply(Heard())
    record = read_record(cluster)
    assert record is not None
    assert record.config == '{"name": "test"}'


def test_a_mutated_or_deleted_record_comes_back(cluster: FakeCluster) -> None:
    step(cluster).apply(Heard())
    cluster.edit(RECORD, lambda obj: obj["data"].update(file="elsewhere"))
    assert isinstance(step(cluster).observe(), Differs)
    cluster.delete(ObjectRef("v1", "Namespace", "kindctl-system"))
    assert step(cluster).observe() == Absent("Namespace kindctl-system")
    step(cluster).apply(Heard())
    assert step(cluster).observe() == Ready()


def test_a_record_that_is_being_deleted_is_waited_for(cluster: FakeCluster) -> None:
    step(cluster).apply(Heard())
    space = ObjectRef("v1", "Namespace", "kindctl-system")
    cluster.hold(space)
    cluster.delete(space)
    assert step(cluster).observe() == NotReady("Namespace kindctl-system is being deleted")


@pytest.mark.parametrize("field", ["config", "routes", "inventory"])
def test_what_is_no_record_is_none(cluster: FakeCluster, field: str) -> None:
    step(cluster).apply(Heard())
    cluster.edit(RECORD, lambda obj: obj["data"].pop(field))
    assert read_record(cluster) is None
    if field != "config":
        for text in ("no JSON", '[{"kind": "of another version"}]'):
            cluster.edit(RECORD, partial(put_data, field, text))
            assert read_record(cluster) is None


def put_data(field: str, text: str, obj: Object) -> None:
    obj["data"][field] = text


def test_an_api_that_does_not_answer_is_waited_for(cluster: FakeCluster) -> None:
    cluster.down = True
    assert isinstance(step(cluster).observe(), NotReady)
    assert isinstance(step(None).observe(), Absent)
