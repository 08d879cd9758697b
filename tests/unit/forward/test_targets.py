"""Which pods a connection may go to, by what the watches say."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import urllib3  # noqa: F401 - tries a socket when it is first imported, which a test may not

from kindctl.forward.access import Access, ApiRefused
from kindctl.forward.targets import Target, Targets
from tests.support.endpoints import SERVICE, endpoint, part


def targets(*objects: dict[str, Any], port: int | str = 80) -> Targets:
    found = Targets(Access(Path("none")), "shop", "web", port)
    found.fault = ""
    for obj in objects:
        found.hear({"type": "ADDED", "object": obj})
    return found


def pods(found: Targets) -> list[str]:
    return [target.pod for target in found.ready()]


@pytest.mark.parametrize(
    ("port", "number"), [(80, 8080), ("http", 8080), (81, 9090), ("admin", 9090)]
)
def test_a_port_of_the_service_is_that_of_the_pods(port: int | str, number: int) -> None:
    found = targets(SERVICE, part(endpoint("a", ready=True)), port=port)
    assert found.ready() == [Target("a", number)]
    assert found.why_none() == ""


def test_of_two_ports_of_one_number_the_one_for_tcp_is_meant() -> None:
    both = [{"name": "quic", "port": 80, "protocol": "UDP"}, {"name": "http", "port": 80}]
    found = targets({**SERVICE, "spec": {"ports": both}}, part(endpoint("a", ready=True)))
    assert found.ready() == [Target("a", 8080)]


def test_a_port_without_a_name() -> None:
    service = {**SERVICE, "spec": {"ports": [{"port": 80}]}}
    slices = {**part(endpoint("a")), "ports": [{"name": "", "port": 3000}]}
    assert targets(service, slices).ready() == [Target("a", 3000)]


def test_only_ready_pods_and_each_once() -> None:
    found = targets(
        SERVICE,
        part(endpoint("a", ready=True), endpoint("b", ready=False)),
        part(endpoint("a", ready=True), endpoint("c"), name="web-2"),
    )
    assert pods(found) == ["a", "c"]


def test_addresses_that_are_published_unready_come_last() -> None:
    starting = endpoint("a", ready=True, serving=False)
    assert pods(targets(SERVICE, part(starting, endpoint("b", ready=True, serving=True)))) == ["b"]
    assert pods(targets(SERVICE, part(starting))) == ["a"]


def test_what_is_behind_no_pod_is_no_target() -> None:
    found = targets(SERVICE, part({"addresses": ["192.0.2.1"]}))
    assert found.why_none() == "Service shop/web has no pods"


def test_connections_take_turns_and_avoid_who_failed() -> None:
    found = targets(SERVICE, part(endpoint("a"), endpoint("b")))
    chosen = [target.pod for _ in range(4) if (target := found.choose())]
    assert sorted(chosen) == ["a", "a", "b", "b"]
    assert {t.pod for _ in range(4) if (t := found.choose({"a"}))} == {"b"}
    assert {t.pod for _ in range(4) if (t := found.choose({"a", "b"}))} == {"a", "b"}


@pytest.mark.parametrize(
    ("objects", "port", "words"),
    [
        ([], 80, "there is no Service shop/web"),
        ([SERVICE], 80, "Service shop/web has no pods"),
        ([SERVICE], 82, "Service shop/web has no port 82: its ports are http, admin"),
        (
            [SERVICE, part(endpoint("a", ready=False), endpoint("b", ready=False))],
            80,
            "none of the 2 pods of Service shop/web is ready",
        ),
    ],
)
def test_why_there_is_none_is_said(objects: list[dict[str, Any]], port: int, words: str) -> None:
    found = targets(*objects, port=port)
    assert found.choose() is None
    assert found.why_none() == words


def test_what_is_deleted_goes() -> None:
    found = targets(SERVICE, part(endpoint("a")))
    found.hear({"type": "DELETED", "object": part()})
    assert found.why_none() == "Service shop/web has no pods"
    found.hear({"type": "DELETED", "object": SERVICE})
    assert found.why_none() == "there is no Service shop/web"


class Watching(Access):
    """Refuses a watch, or plays its events and ends it."""

    def __init__(self, *plays: Sequence[str] | str | Exception) -> None:
        super().__init__(Path("none"))
        self.plays = list(plays)

    async def open(self, path: str, query: Any, **how: Any) -> Any:
        play: Sequence[str] | str | Exception = [] if "services" in path else "no more"
        if "endpointslices" in path and self.plays:
            play = self.plays.pop(0)
        if isinstance(play, str):
            raise ApiRefused(play)
        if isinstance(play, Exception):
            raise play
        return Socket(list(play))


class Socket:
    def __init__(self, events: list[str]) -> None:
        self.events = events

    async def recv(self) -> str:
        from websockets.exceptions import ConnectionClosedOK

        if not self.events:
            raise ConnectionClosedOK(None, None)
        return self.events.pop(0)

    async def close(self) -> None: ...


@pytest.mark.parametrize(
    "broken",
    ["the API server does not answer: refused", RuntimeError("of a library"), ["no JSON"]],
    ids=["refused", "unexpected", "words"],
)
def test_a_broken_watch_is_opened_again_and_begins_anew(
    broken: Sequence[str] | str | Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    import json

    monkeypatch.setattr("kindctl.forward.targets.PAUSES", (0.0, 0.0))

    def added(*names: str) -> list[str]:
        slices = [part(endpoint(name), name=f"web-{name}") for name in names]
        return [json.dumps({"type": "ADDED", "object": one}) for one in slices]

    async def play() -> list[list[str]]:
        access = Watching(added("a", "b"), broken, added("b"))
        found = Targets(access, "shop", "web", 80)
        task = asyncio.ensure_future(found.watch())
        seen: list[list[str]] = []
        while access.plays or found.fault != "no more":
            assert not task.done()
            await asyncio.sleep(0)
            found.hear({"type": "ADDED", "object": SERVICE})
            if pods(found) not in seen[-1:]:
                seen.append(pods(found))
        task.cancel()
        return seen

    seen = asyncio.run(play())
    assert seen[-1] == ["b"]
    assert ["a", "b"] in seen


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "expected the node content"),
        ("[]", ""),
        ("current-context: x\ncontexts: []\n", "Invalid kube-config"),
        ("clusters: [{name: x, cluster: {certificate-authority-data: '%'}}]", ""),
    ],
)
def test_a_kubeconfig_that_cannot_be_used_is_no_answer_of_the_api(
    tmp_path: Path, text: str, words: str
) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    with pytest.raises(ApiRefused, match=f"^the kubeconfig cannot be used: .*{words}"):
        asyncio.run(Access(file, "x").open("/api", {}))
