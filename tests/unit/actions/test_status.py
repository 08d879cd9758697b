"""Tests of actions/status.py."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from kindctl.actions.status import StatusRow, page, status, urls
from kindctl.errors import UsageError
from kindctl.ingress.proof import ENVIRONMENT_HEADER, environment_id
from kindctl.live.record import RECORD
from kindctl.models import (
    Route,
)
from kindctl.tools.protocols import HttpAnswer
from kindctl.trust.authority import Authority
from tests.fakes.cluster import FakeCluster
from tests.fakes.trust import an_authority
from tests.support.machine import World, loaded


def test_status_of_a_whole_environment_is_ready(world: World) -> None:
    world.up(loaded())
    assert status("shop", world.tools) == [StatusRow("node", "shop-control-plane", True, "running")]


def test_status_names_what_is_not_there(world: World) -> None:
    world.made()
    *nodes, record = status("shop", world.tools)
    assert [row.ready for row in nodes] == [True]
    assert (record.kind, record.ready) == ("record", False)
    world.cluster("shop").down = True
    assert [(row.kind, row.ready) for row in status("shop", world.tools)] == [
        ("node", True),
        ("api", False),
    ]
    world.engine.stop("shop-control-plane")
    assert status("shop", world.tools) == [StatusRow("node", "shop-control-plane", False, "exited")]
    with pytest.raises(UsageError):
        status("blog", world.tools)


def test_status_looks_again_until_all_is_ready(world: World) -> None:
    config = loaded()
    world.made()
    looks: list[str] = []

    def open_cluster(path: Path, context: str) -> FakeCluster:
        looks.append(context)
        if len(looks) == 2:
            world.up(config)
        return world.cluster("shop")

    rows = status("shop", replace(world.tools, open_cluster=open_cluster), wait=600)
    assert all(row.ready for row in rows)
    assert len(looks) == 2


def test_status_gives_the_last_look_when_the_time_is_over(world: World) -> None:
    world.made()
    assert not all(row.ready for row in status("shop", world.tools, wait=0))


def test_status_verifies_https_by_the_local_authority(world: World) -> None:
    world.up(loaded())
    cluster, authority = world.cluster("shop"), Authority(world.host)
    world.host.write(authority.key_file, an_authority().key.decode(), 0o600)
    world.host.write(authority.file, an_authority().cert.decode())
    route = Route("https://localhost/", connect=("127.0.0.1", 443), certified=True)
    cluster.merge_patch(RECORD, {"data": {"routes": json.dumps([asdict(route)])}})
    headers = {ENVIRONMENT_HEADER: environment_id("shop", cluster)}
    world.net.serve("127.0.0.1", 443, lambda request: HttpAnswer(200, headers, b""))
    world.net.certificates["127.0.0.1", 443] = authority.pem() or ""
    assert status("shop", world.tools)[-1] == StatusRow("url", route.url, True, "200 OK")
    world.net.certificates["127.0.0.1", 443] = "another's"
    assert not status("shop", world.tools)[-1].ready


def test_a_browser_gets_the_first_url_that_it_can_open(world: World) -> None:
    world.up(loaded())
    database = Route("tcp://localhost:5432", via_controller=False)
    named = Route("http://localhost/", host="shop.example.com")
    pages = [Route("http://localhost/b"), Route("http://localhost/c")]

    def record(*routes: Route) -> None:
        text = json.dumps([asdict(route) for route in routes])
        world.cluster("shop").merge_patch(RECORD, {"data": {"routes": text}})

    record(database, named, *pages)
    assert page("shop", world.tools) == "http://localhost/b"
    record(database, named)
    with pytest.raises(UsageError) as refused:
        page("shop", world.tools)
    assert refused.value.code == "no-urls"
    assert "http://localhost/ (Host: shop.example.com)" in refused.value.why


def test_an_environment_without_routes_has_no_urls(world: World) -> None:
    world.up(loaded())
    with pytest.raises(UsageError) as refused:
        urls("shop", world.tools)
    assert refused.value.code == "no-urls"
