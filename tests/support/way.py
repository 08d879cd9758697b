"""One example of configs/, brought up as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kindctl.actions.examples import examples
from tests.support.harness import OUTPUT, Api, Kindctl, Result, http, node_ids, until


@dataclass
class Way:
    """`folder` has a copy of the example that a test may change."""

    name: str
    kindctl: Kindctl
    first: Result
    api: Api
    folder: Path

    @property
    def urls(self) -> list[str]:
        """That `up` printed."""
        return list(self.first.ended()["report"]["urls"])

    def up(self, *, code: int = 0) -> Result:
        """Of the copy."""
        return self.kindctl.run("up", "-f", str(self.folder), "-o", "json", code=code)

    def again(self) -> Result:
        """Of the example, as the first time."""
        return self.kindctl.run("up", "-f", str(examples()[self.name]), "-o", "json")

    def replace(self, old: str, new: str, file: str = "kindctl.yaml") -> None:
        path = self.folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def nodes(self) -> list[str]:
        return node_ids(self.name)

    def note(self, **figures: Any) -> None:
        """For the record of the run: tests/output/ways.jsonl."""
        with (OUTPUT / "ways.jsonl").open("a") as file:
            file.write(json.dumps({"way": self.name, **figures}) + "\n")


def everybody(url: str, wanted: set[str]) -> set[str]:
    """Who answers, in words, until all of these have. kube-proxy takes a second to hear of a new pod."""
    seen: set[str] = set()

    def complete() -> bool:
        seen.add(http(url).body.strip())
        return seen >= wanted

    until(complete, 30, f"all of {wanted} answer")
    return seen


@contextmanager
def way(
    name: str, kindctl: Kindctl, factory: pytest.TempPathFactory, *, file: Path | None = None
) -> Iterator[Way]:
    """Up, then down. `file`: another folder than the example's own."""
    kindctl.run("down", name)
    try:
        first = kindctl.run("up", "--yes", "-f", str(file or examples()[name]), "-o", "json")
        folder = factory.mktemp(name) / "mine"
        kindctl.run("init", "--example", name, str(folder))
        found = Way(name, kindctl, first, Api(name, factory.mktemp("api")), folder)
        found.note(up=round(first.seconds, 1), urls=found.urls)
        yield found
    finally:
        kindctl.run("down", name)
