"""One sample environment for the tests that look at it; the tests that break things make their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.harness import OUTPUT, Api, Kindctl, Result, docker, node_ids

NAME = "e2e-sample"
FOREIGN = "e2e-foreign"


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    """Without an engine these tests fail; they are never skipped."""
    docker("version")
    OUTPUT.mkdir(exist_ok=True)


@pytest.fixture(scope="session")
def kindctl(tmp_path_factory: pytest.TempPathFactory) -> Kindctl:
    """kindctl with data of its own, in a folder without kindctl.yaml: the sample is meant."""
    home = tmp_path_factory.mktemp("home")
    folder = tmp_path_factory.mktemp("elsewhere")
    return Kindctl(folder, home)


@dataclass
class Sample:
    """The sample, brought up from nothing."""

    kindctl: Kindctl
    first: Result
    api: Api
    folder: Path

    url = "http://localhost"
    name = NAME

    @property
    def node(self) -> str:
        (node,) = node_ids(NAME)
        return node


@pytest.fixture(scope="session")
def sample(kindctl: Kindctl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    kindctl.run("down", NAME)
    folder = tmp_path_factory.mktemp("sample")
    first = kindctl.run("up", "--name", NAME, "--yes", "-o", "json")
    (OUTPUT / "first-up.jsonl").write_text(first.out)
    yield Sample(kindctl, first, Api(NAME, folder), folder)
    kindctl.run("down", NAME)
