"""Forwarded ports: the process that listens, and the fake. The API behind the real one never answers."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest

from kindctl.errors import ToolError
from kindctl.models import Forward
from kindctl.tools.forwards import RealForwards
from kindctl.tools.host import RealHost
from kindctl.tools.net import RealNet
from kindctl.tools.protocols import ApiAccess, Forwards, Net
from tests.fakes.forwards import FakeForwards
from tests.fakes.net import FakeNet

ENVIRONMENT = "contract-forwards-of-an-environment"


class Bench(Protocol):
    @property
    def forwards(self) -> Forwards: ...

    @property
    def net(self) -> Net: ...

    @property
    def access(self) -> ApiAccess: ...

    def take(self) -> int:
        """A port that this process has."""
        ...


class FakeBench:
    def __init__(self) -> None:
        self.net = FakeNet()
        self.forwards = FakeForwards(self.net, faults={"shop/web": "the API does not answer"})
        self.access = ApiAccess(Path("none"))

    def take(self) -> int:
        port = self.net.free_port("127.0.0.1", ())
        self.net.listen("127.0.0.1", port, "python", os.getpid())
        return port


class RealBench:
    def __init__(self, folder: Path) -> None:
        self.net = RealNet()
        self.forwards = RealForwards(RealHost())
        self.access = ApiAccess(folder / "kubeconfig", "x")
        self.taken: list[socket.socket] = []
        lists = {
            "clusters": [{"name": "x", "cluster": {"server": "https://127.0.0.1:1"}}],
            "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
            "users": [{"name": "x", "user": {"token": "none"}}],
        }
        config = {"apiVersion": "v1", "current-context": "x", **lists}
        self.access.kubeconfig.write_text(json.dumps(config))

    def take(self) -> int:
        made = socket.create_server(("127.0.0.1", 0))
        self.taken.append(made)
        return int(made.getsockname()[1])

    def free(self) -> None:
        for made in self.taken:
            made.close()

    def close(self) -> None:
        self.forwards.end(ENVIRONMENT)
        self.free()


@pytest.fixture
def real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RealBench]:
    deep = tmp_path / "a-folder-with-a-name-too-long-for-the-path-of-a-socket" / ("x" * 40)
    monkeypatch.setenv("XDG_DATA_HOME", str(deep))
    made = RealBench(tmp_path)
    yield made
    made.close()


@pytest.fixture(params=["fake", "real"])
def bench(request: pytest.FixtureRequest) -> Bench:
    if request.param == "fake":
        return FakeBench()
    found: RealBench = request.getfixturevalue("real")
    return found


def to(bench: Bench, service: str = "web", local: int = 0) -> Forward:
    return Forward("shop", service, 80, local or bench.net.free_port("127.0.0.1", ()))


def test_without_a_forward_there_is_nothing(bench: Bench) -> None:
    assert bench.forwards.list(ENVIRONMENT) == []
    assert bench.forwards.process(ENVIRONMENT) is None
    assert bench.forwards.probe(ENVIRONMENT, to(bench))
    bench.forwards.stop(ENVIRONMENT, [to(bench)])
    assert bench.forwards.end(ENVIRONMENT) is False


def test_a_port_is_forwarded_until_it_is_stopped(bench: Bench) -> None:
    web = to(bench)
    bench.forwards.add(ENVIRONMENT, bench.access, web, origin="file")
    bench.forwards.add(ENVIRONMENT, bench.access, web, origin="command")
    (state,) = bench.forwards.list(ENVIRONMENT)
    assert (state.forward, state.origin, state.connections) == (web, "file", 0)
    assert "not answer" in state.fault
    assert "not answer" in bench.forwards.probe(ENVIRONMENT, web)
    owner = bench.net.owner("127.0.0.1", web.local)
    assert owner
    assert owner.pid == bench.forwards.process(ENVIRONMENT)
    bench.forwards.stop(ENVIRONMENT, [web])
    assert bench.net.owner("127.0.0.1", web.local) is None
    assert bench.forwards.list(ENVIRONMENT) == []


def test_several_have_one_process_which_ends_with_all_of_them(bench: Bench) -> None:
    web, api = to(bench), to(bench, "api")
    bench.forwards.add(ENVIRONMENT, bench.access, web, origin="file")
    first = bench.forwards.process(ENVIRONMENT)
    api = to(bench, "api")
    bench.forwards.add(ENVIRONMENT, bench.access, api, origin="file")
    assert bench.forwards.process(ENVIRONMENT) == first
    assert [state.forward for state in bench.forwards.list(ENVIRONMENT)] == [web, api]
    assert bench.forwards.end(ENVIRONMENT) is True
    assert bench.forwards.process(ENVIRONMENT) is None
    assert bench.net.owner("127.0.0.1", web.local) is None
    bench.forwards.add(ENVIRONMENT, bench.access, web, origin="file")  # a new one
    assert bench.forwards.process(ENVIRONMENT)


def test_a_port_of_somebody_else_is_taken(bench: Bench) -> None:
    with pytest.raises(ToolError) as caught:
        bench.forwards.add(ENVIRONMENT, bench.access, to(bench, local=bench.take()), origin="file")
    assert caught.value.code == "port-taken"
    assert bench.forwards.list(ENVIRONMENT) == []


def test_an_address_that_the_machine_lacks_is_refused(bench: Bench) -> None:
    elsewhere = Forward("shop", "web", 80, 8080, "198.51.100.7")
    with pytest.raises(ToolError) as caught:
        bench.forwards.add(ENVIRONMENT, bench.access, elsewhere, origin="file")
    assert caught.value.code == "forward"
    assert bench.forwards.list(ENVIRONMENT) == []


def test_a_port_of_another_forward_is_forwarded(bench: Bench) -> None:
    web = to(bench)
    bench.forwards.add(ENVIRONMENT, bench.access, web, origin="file")
    other = to(bench, "api", web.local)
    with pytest.raises(ToolError) as caught:
        bench.forwards.add(ENVIRONMENT, bench.access, other, origin="file")
    assert caught.value.code == "forwarded"
    assert [state.forward for state in bench.forwards.list(ENVIRONMENT)] == [web]


def test_the_only_forward_gives_way_to_another_again_and_again(bench: Bench) -> None:
    """The process ends with the first; the next one is not told to it."""
    one = to(bench)
    for turn in range(12):
        bench.forwards.add(ENVIRONMENT, bench.access, one, origin="file")
        bench.forwards.stop(ENVIRONMENT, [one])
        if turn % 2:
            assert bench.forwards.list(ENVIRONMENT) == []
        one = to(bench, f"web-{turn}", one.local)
    bench.forwards.add(ENVIRONMENT, bench.access, one, origin="file")
    assert [state.forward for state in bench.forwards.list(ENVIRONMENT)] == [one]


def test_who_holds_a_forward_hears_that_it_was_stopped_and_ends_no_other(real: RealBench) -> None:
    forwards = real.forwards
    kept, web = (Forward("shop", name, 80, real.take()) for name in ("kept", "web"))
    real.free()
    forwards.add(ENVIRONMENT, real.access, kept, origin="file")
    held = forwards.hold(ENVIRONMENT, real.access, web)
    holder = threading.Thread(target=lambda: list(held), daemon=True)
    holder.start()
    while web not in [state.forward for state in forwards.list(ENVIRONMENT)]:
        assert holder.is_alive()
    forwards.stop(ENVIRONMENT, [web])
    api = replace(web, service="api")
    forwards.add(ENVIRONMENT, real.access, api, origin="file")
    holder.join(timeout=10)
    assert not holder.is_alive()
    assert [state.forward for state in forwards.list(ENVIRONMENT)] == [kept, api]


def test_the_current_folders_modules_are_not_the_supervisors(
    real: RealBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kindctl is called in projects, of which some come from strangers."""
    for name in ("argparse", "asyncio", "kindctl", "websockets", "yaml"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('not the one that is meant')")
    monkeypatch.chdir(tmp_path)
    web = to(real)
    real.forwards.add(ENVIRONMENT, real.access, web, origin="file")
    assert [state.forward for state in real.forwards.list(ENVIRONMENT)] == [web]
