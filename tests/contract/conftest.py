"""The same tests on the fakes and on the real tools. Where there is no engine, the real half fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.benches import EngineBench, FakeEngineBench, FakeNetBench, NetBench
from tests.support.real_cluster import RealCluster, real_cluster
from tests.support.real_engine import RealEngineBench
from tests.support.real_net import RealNetBench


@pytest.fixture(scope="session")
def real_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCluster]:
    """The API of a kind cluster that the whole session shares."""
    with real_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture(params=["fake", "real"])
def flavour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def engines(flavour: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineBench]:
    if flavour == "fake":
        yield FakeEngineBench(tmp_path)
        return
    with RealEngineBench.opened(tmp_path, monkeypatch) as bench:
        yield bench


@pytest.fixture
def nets(flavour: str) -> Iterator[NetBench]:
    if flavour == "fake":
        yield FakeNetBench()
        return
    with RealNetBench.opened() as bench:
        yield bench
