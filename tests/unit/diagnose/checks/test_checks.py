"""Tests of diagnose/checks/."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from kindctl.diagnose.base import Check
from kindctl.diagnose.checks import (
    CHECKS,
    examine,
    load,
    planned_repairs,
    raise_for,
    repair,
)
from kindctl.errors import MachineError, ToolError
from kindctl.models import Verdict
from kindctl.tools.engine_protocol import EngineInfo
from tests.fakes.engine import FakeEngine
from tests.support.checked_machine import DOWN, MISSING, WANTS, World, without


def test_a_fit_machine_passes_every_check_in_the_order_of_the_list(world: World) -> None:
    verdicts = examine(world.tools, WANTS)
    assert [verdict.code for verdict in verdicts] == list(CHECKS)
    assert [verdict for verdict in verdicts if verdict.level != "ok"] == []
    raise_for(verdicts)


def test_every_check_is_what_its_file_says() -> None:
    for code in CHECKS:
        check: Check = load(code)
        assert check.code == code
        assert check.title
    with pytest.raises(KeyError):
        load("common")


def test_the_engine_is_asked_once_a_round(world: World) -> None:
    asked = []

    class Counting(FakeEngine):
        def info(self) -> EngineInfo:
            asked.append(1)
            return super().info()

    examine(replace(world.tools, engine=Counting()), WANTS)
    assert len(asked) == 1


def test_without_an_engine_the_checks_that_need_it_say_so_and_the_others_answer(
    world: World,
) -> None:
    world.engine.problem = DOWN
    verdicts = {verdict.code: verdict for verdict in examine(world.tools, WANTS)}
    assert verdicts["engine-down"].level == "failed"
    blocked = {code for code, verdict in verdicts.items() if verdict.blocked_by}
    assert blocked == {"architecture", "cgroup", "disk", "subnets"}
    assert {verdicts[code].blocked_by for code in blocked} == {"engine"}
    assert verdicts["memory"].level == verdicts["kind"].level == verdicts["ports"].level == "ok"
    with pytest.raises(MachineError) as caught:
        raise_for(verdicts.values())
    assert caught.value.code == "engine-down"
    assert caught.value.why == ""


def test_a_tool_that_fails_unexpectedly_is_a_failed_verdict_not_a_crash(world: World) -> None:
    def free_disk(path: str) -> int:
        raise ToolError("cannot measure /", why="Input/output error", code="host")

    world.host.free_disk = free_disk  # type: ignore[method-assign]
    (verdict,) = [v for v in examine(world.tools, WANTS) if v.level == "failed"]
    assert verdict.code == "host"
    assert "Input/output error" in verdict.seen


def test_raise_for_names_the_first_and_lists_the_others() -> None:
    verdicts = [
        Verdict("disk", "warning", "little room", "make room"),
        Verdict("memory", "failed", "1.0 GB available", "stop something"),
        Verdict("port-taken", "failed", "80 is taken", "use 8080"),
        Verdict("cgroup", "warning", "not checked yet", blocked_by="engine"),
    ]
    with pytest.raises(MachineError) as caught:
        raise_for(verdicts)
    error = caught.value
    assert (error.what, error.code, error.exit_code) == ("1.0 GB available", "memory", 3)
    assert "80 is taken" in error.why
    assert "little room" not in error.why
    assert error.fix.splitlines() == ["stop something", "use 8080"]


def test_a_bare_machine_is_made_fit_and_told_beforehand(world: World) -> None:
    """Debian 12, root, no engine, no systemd, no registry: machine kind 2."""
    without(world, "docker", "dockerd", "kind", "debootstrap")
    world.engine.problem, world.kind.installed = MISSING, False
    world.host.sysctls["fs.inotify.max_user_instances"] = "128"
    started: list[Sequence[str]] = []

    def dockerd(arguments: Sequence[str], stdin: str, env: Mapping[str, str]) -> str:
        started.append(arguments)
        world.engine.problem = None
        return ""

    def apt(arguments: Sequence[str], stdin: str, env: Mapping[str, str]) -> str:
        said = world.host.apt.get(arguments)
        world.kind.installed = "kind" in world.host.apt.installed
        if "docker.io" in world.host.apt.installed:
            world.host.programs["dockerd"] = dockerd
        return said

    world.host.programs["apt-get"] = apt
    verdicts = examine(world.tools, WANTS)
    wishes = planned_repairs(world.tools, WANTS, verdicts)
    text = "\n".join(wishes)
    assert len(wishes) == len(set(wishes))
    for words in ("add Debian trixie and sid", "docker.io", "kind from Debian sid", "debootstrap"):
        assert words in text
    assert "dockerd, in the background" in text
    assert "max_user_instances from 128 to 1024" in text
    assert world.host.apt.installed == {}
    assert started == []

    done = list(repair(world.tools, WANTS, verdicts, lambda line: None))
    assert any("Docker 28.2.2" in sentence for sentence in done)
    assert len(started) == 1
    assert [v for v in examine(world.tools, WANTS) if v.level != "ok"] == []


def test_what_was_blocked_is_asked_again_once_the_way_is_free(world: World) -> None:
    """A client that comes with the engine, and has no buildx."""
    without(world, "docker", "dockerd")
    world.engine.problem = MISSING

    def dockerd(arguments: Sequence[str], stdin: str, env: Mapping[str, str]) -> str:
        world.engine.problem, world.engine.builder = None, ""
        del world.host.apt.installed["docker-buildx"]
        return ""

    def apt(arguments: Sequence[str], stdin: str, env: Mapping[str, str]) -> str:
        said = world.host.apt.get(arguments)
        world.host.programs["dockerd"] = dockerd
        world.engine.builder = "0.13.1" if "docker-buildx" in world.host.apt.installed else ""
        return said

    verdicts = examine(world.tools, WANTS)
    world.host.programs["apt-get"] = apt
    done = list(repair(world.tools, WANTS, verdicts, lambda line: None))
    assert "image builder: buildx 0.13.1" in done


def test_what_cannot_be_mended_among_warnings_does_not_stop_the_rest(world: World) -> None:
    del world.host.sysctls["fs.inotify.max_user_instances"]
    world.host.sysctls["fs.inotify.max_user_watches"] = "1000"

    def set_sysctl(name: str, value: str) -> None:
        raise ToolError(f"cannot set {name}", why="Read-only file system")

    world.host.set_sysctl = set_sysctl  # type: ignore[method-assign]
    verdicts = examine(world.tools, WANTS)
    said: list[str] = []
    assert list(repair(world.tools, WANTS, verdicts, said.append)) == []
    assert "not repaired: cannot set fs.inotify.max_user_watches" in said[-1]


def test_what_failed_and_cannot_be_mended_is_an_error(world: World) -> None:
    world.kind.installed = False
    world.host.apt.mirror_down = True
    with pytest.raises(ToolError):
        list(repair(world.tools, WANTS, examine(world.tools, WANTS), lambda line: None))


def test_a_fit_machine_is_left_alone(world: World) -> None:
    before = dict(world.host.files), dict(world.host.sysctls), dict(world.host.apt.installed)
    verdicts = examine(world.tools, WANTS)
    assert planned_repairs(world.tools, WANTS, verdicts) == []
    assert list(repair(world.tools, WANTS, verdicts, lambda line: None)) == []
    after = dict(world.host.files), dict(world.host.sysctls), dict(world.host.apt.installed)
    assert after == before
