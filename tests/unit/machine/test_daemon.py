"""Tests of machine/daemon.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from kindctl.errors import MachineError
from kindctl.machine import daemon
from kindctl.tools.engine_protocol import EngineInfo
from tests.fakes.engine import FakeEngine
from tests.fakes.host import Failed
from tests.support.debian_machine import EngineOf, Machine, quiet, set_up


def test_the_daemon_is_started_and_waited_for() -> None:
    host = Machine()
    set_up(host)
    said: list[str] = []
    daemon.start(host, EngineOf(host=host), said.append)
    assert [Path(command[0]).name for command in host.processes.values()] == ["dockerd"]
    assert daemon.own_pid(host) in host.processes
    assert str(daemon.LOG) in said[-1]


def test_a_daemon_that_is_coming_up_already_is_not_started_twice() -> None:
    host = Machine(processes={77: ("/usr/sbin/dockerd",)})
    host.files[daemon.DOCKERS_OWN_PID] = "77\n"
    daemon.start(host, EngineOf(host=host), quiet)
    assert list(host.processes) == [77]
    assert daemon.own_pid(host) is None


def test_a_stale_pid_file_of_another_program_does_not_count() -> None:
    host = Machine(processes={77: ("/usr/bin/editor",)})
    host.programs["dockerd"] = lambda arguments, stdin, env: ""
    host.files[daemon.DOCKERS_OWN_PID] = host.files[daemon.PID] = "77\n"
    assert daemon.own_pid(host) is None
    daemon.start(host, EngineOf(host=host), quiet)
    assert len(host.processes) == 2
    assert host.files.get(daemon.DOCKERS_OWN_PID) != "77\n"  # dockerd would refuse to start over it


def test_with_systemd_its_service_is_started() -> None:
    host = Machine(systemd=True)
    engine = EngineOf(host=host)

    def systemctl(arguments: Sequence[str], stdin: str, env: Mapping[str, str]) -> str:
        assert list(arguments) == ["start", "docker"]
        host.processes[1] = ("/usr/sbin/dockerd",)
        return ""

    host.programs["systemctl"] = systemctl
    daemon.start(host, engine, quiet)
    assert daemon.own_pid(host) is None
    assert "systemctl start docker" in daemon.plan(host)


def test_a_daemon_that_cannot_run_is_an_error_with_its_last_words() -> None:
    host = Machine()

    def dockerd(arguments: Sequence[str], stdin: str, env: Mapping[str, str]) -> str:
        raise Failed(1, "failed to start daemon: Devices cgroup isn't mounted\n")

    host.programs["dockerd"] = dockerd
    with pytest.raises(MachineError) as caught:
        daemon.start(host, EngineOf(host=host), quiet)
    assert caught.value.code == "engine-start"
    assert caught.value.exit_code == 3
    assert "Devices cgroup" in caught.value.output
    assert str(daemon.LOG) in caught.value.fix


def test_a_daemon_that_dies_is_not_waited_for() -> None:
    host = Machine()
    host.programs["dockerd"] = lambda arguments, stdin, env: "level=error msg=dying\n"
    asked = []

    class Dying(FakeEngine):
        def info(self) -> EngineInfo:
            asked.append(1)
            host.processes.clear()
            raise MachineError("the container engine does not answer")

    with pytest.raises(MachineError, match="has exited"):
        daemon.start(host, Dying(), quiet, timeout=5)
    assert len(asked) == 1


def test_a_daemon_that_never_answers_is_given_up() -> None:
    host = Machine()
    host.programs["dockerd"] = lambda arguments, stdin, env: "level=info msg=starting\n"
    deaf = FakeEngine(problem=MachineError("the container engine does not answer"))
    with pytest.raises(MachineError, match="does not answer") as caught:
        daemon.start(host, deaf, quiet, timeout=0.01)
    assert caught.value.code == "engine-start"
    assert "msg=starting" in caught.value.output
