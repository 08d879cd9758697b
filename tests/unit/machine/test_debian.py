"""A Debian machine is set up and taken back: packages, sources, the daemon."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from kindctl.machine import daemon, debian
from kindctl.machine import debian_packages as packages
from kindctl.models import DOCKER_ENVIRONMENT_LABEL
from tests.fakes.apt import Package
from tests.fakes.container import FakeContainer
from tests.support.debian_machine import EngineOf, Machine, quiet, set_up, state


def test_undo_takes_back_exactly_what_was_added() -> None:
    host = Machine()
    engine = EngineOf(host=host)
    host.apt.installed["curl"] = Package("curl", "bookworm", "7.88")
    before = state(host)
    set_up(host)
    daemon.start(host, engine, quiet)
    wishes = "\n".join(debian.planned_removals(host, engine))
    assert "stop dockerd" in wishes
    assert "docker.io" in wishes
    assert "curl" not in wishes
    assert str(packages.SOURCES) in wishes

    debian.undo(host, engine, quiet)
    assert state(host) == before
    assert host.processes == {}
    assert host.apt.lists == {"bookworm", "bookworm-updates"}
    assert debian.planned_removals(host, engine) == []


def test_undo_of_nothing_does_nothing() -> None:
    host = Machine(processes={77: ("/usr/sbin/dockerd",)})
    engine = EngineOf(host=host)
    host.apt.installed["docker.io"] = Package("docker.io", "trixie", "26.1.5")
    before = state(host)
    assert debian.planned_removals(host, engine) == []
    debian.undo(host, engine, quiet)
    assert state(host) == before
    assert list(host.processes) == [77]


def test_undo_leaves_all_while_the_engine_holds_somebody_elses_containers() -> None:
    host = Machine()
    engine = EngineOf(host=host)
    set_up(host)
    daemon.start(host, engine, quiet)
    engine.add_image("image")
    own = {DOCKER_ENVIRONMENT_LABEL: "shop"}
    engine.add_container(FakeContainer("shop-control-plane", "image", labels=own))
    engine.add_container(FakeContainer("their-database", "image"))
    engine.volumes, engine.volume_labels = {"shop-data", "their-data"}, {"shop-data": own}
    before = state(host)
    (wish,) = debian.planned_removals(host, engine)
    assert "container their-database, volume their-data," in wish
    assert "shop" not in wish
    said: list[str] = []
    debian.undo(host, engine, said.append)
    assert "their-database" in said[0]
    assert state(host) == before
    assert host.processes


def test_undo_leaves_all_while_another_package_needs_them() -> None:
    host = Machine()
    engine = EngineOf(host=host)
    set_up(host)
    host.apt.installed["their-tool"] = Package("their-tool", "bookworm", "1", ("docker-cli",))
    before = state(host)
    debian.undo(host, engine, quiet)
    assert state(host) == before
    assert "their-tool" in debian.planned_removals(host, engine)[0]


def test_what_a_silent_engine_stored_is_kept() -> None:
    host = Machine()
    engine = EngineOf(host=host)
    set_up(host)
    actions: list[str] = []
    run = host.programs["apt-get"]

    def noted(arguments: Sequence[str], stdin: str, env: Mapping[str, str]) -> str:
        if "-s" not in arguments:
            actions.extend(word for word in arguments if word in ("remove", "purge"))
        return run(arguments, stdin, env)

    host.programs["apt-get"] = noted
    said: list[str] = []
    debian.undo(host, engine, said.append)
    assert actions == ["remove"]
    assert "/var/lib/docker" in said[0]
    assert "docker.io" not in host.apt.installed


def test_the_record_is_readable_and_complete() -> None:
    host = Machine()
    set_up(host)
    record = json.loads(host.files[packages.RECORD])
    assert set(record["packages"]) == set(host.apt.installed)
    assert set(record["files"]) == {str(packages.SOURCES), str(packages.PREFERENCES)}
