"""The package manager of tests/fakes behaves like apt."""

from __future__ import annotations

from pathlib import Path

import pytest

from kindctl.errors import ToolError
from tests.fakes.host import FakeHost

SID = "Types: deb\nURIs: http://mirror.example.com/debian\nSuites: trixie sid\nComponents: main\n"


def test_packages_of_later_releases_need_their_source_and_an_update() -> None:
    machine = FakeHost()
    machine.files[Path("/etc/apt/sources.list.d/later.sources")] = SID
    with pytest.raises(ToolError) as caught:
        machine.run(["apt-get", "-q", "-o", "A=b", "install", "-y", "kind/sid"])
    assert "Release 'sid' for 'kind' was not found" in caught.value.output
    machine.run(["apt-get", "update"])
    assert "Inst kind (0.33.0" in machine.run(["apt-get", "-s", "install", "kind/sid"])
    assert machine.which("kind") is None
    machine.run(["apt-get", "install", "-y", "kind/sid"])
    assert machine.which("kind")
    assert "kind\tinstalled" in machine.run(["dpkg-query", "-W"])


def test_a_removal_takes_along_what_depends_on_it() -> None:
    machine = FakeHost()
    machine.run(["apt-get", "install", "-y", "docker.io"])
    assert "Purg docker.io" in machine.run(["apt-get", "-s", "purge", "runc"])
    machine.run(["apt-get", "purge", "-y", "runc"])
    assert machine.which("dockerd") is None
    with pytest.raises(ToolError):
        FakeHost(root=False).run(["apt-get", "install", "-y", "runc"])
