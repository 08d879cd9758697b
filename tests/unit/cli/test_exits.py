"""Tests of cli/exits.py."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from kindctl.cli import exits
from kindctl.errors import MachineError
from kindctl.paths import log_dir
from tests.support.command_line import bare
from tests.support.machine import World


def test_done_is_0(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert exits.run(["version"]) == 0
    assert "kindctl" in capsys.readouterr().out


def test_a_wrong_file_is_2_with_its_places(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("kindctl.yaml").write_text("name: shop\nclutser: {}\n")
    assert exits.run(["config", "validate"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "kindctl.yaml:2:1: unknown key 'clutser' (did you mean 'cluster'?)" in err


def test_a_wrong_option_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert exits.run(["up", "--colour"]) == 2
    assert "No such option: --colour" in capsys.readouterr().err


def test_an_unfit_machine_is_3(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    bare()
    assert exits.run(["doctor"]) == 0
    world.engine.problem = MachineError("no engine", code="engine-missing")
    assert exits.run(["doctor"]) == 3
    out, err = capsys.readouterr()
    assert "no engine" in out
    assert err == ""


def test_status_is_4_until_all_is_ready(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    bare()
    world.made()
    assert exits.run(["status"]) == 4
    assert exits.run(["up"]) == 0
    assert exits.run(["status"]) == 0
    world.engine.stop("shop-control-plane")
    assert exits.run(["status", "shop", "-o", "json"]) == 4
    assert '"seen": "exited"' in capsys.readouterr().out


def test_plan_is_5_while_there_are_changes(world: World) -> None:
    bare()
    assert exits.run(["plan"]) == 5
    assert world.engine.containers() == []
    assert exits.run(["up"]) == 0
    assert exits.run(["plan"]) == 0


def test_an_environment_that_is_not_there_is_2(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exits.run(["urls", "nowhere"]) == 2
    assert "code: no-environment" in capsys.readouterr().err


def test_interrupted_is_130(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kindctl.actions.version.versions", interrupted)
    assert exits.run(["version"]) == 130


def test_a_reader_that_went_away_is_no_defect(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr("kindctl.actions.version.versions", gone)
    monkeypatch.setattr("sys.stderr", io.StringIO())
    assert exits.run(["version"]) == 1
    assert not log_dir().exists()


def test_an_unknown_error_is_logged_and_its_log_named(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("kindctl.actions.version.versions", broken)
    assert exits.run(["version"]) == 1
    out, err = capsys.readouterr()
    (log,) = log_dir().iterdir()
    assert str(log) in err
    assert "ZeroDivisionError: a defect" in err
    assert "Traceback" not in out + err
    assert "Traceback" in log.read_text()
    assert "in broken" in log.read_text()


def test_a_full_disk_is_no_defect(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "/tmp/kindctl-x/Dockerfile")

    monkeypatch.setattr("kindctl.actions.version.versions", full)
    assert exits.run(["version"]) == 3
    err = capsys.readouterr().err
    assert "no disk space left for /tmp/kindctl-x/Dockerfile" in err
    assert "disk-full" in err
    assert not log_dir().exists()


def test_a_log_that_cannot_be_written_hides_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    log_dir().parent.mkdir(parents=True)
    log_dir().write_text("a file where the folder should be")
    monkeypatch.setattr("kindctl.actions.version.versions", broken)
    assert exits.run(["version"]) == 1
    err = capsys.readouterr().err
    assert "error: unexpected error: OSError" in err
    assert "in broken" in err
    assert "the log" not in err


@pytest.mark.parametrize(
    "how", [["-o", "json"], ["--output=json"], ["-ojson"], ["--output", "json"]]
)
def test_errors_are_json_on_standard_output_when_the_result_is(
    world: World, how: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("kindctl.yaml").write_text("name: [\n")
    assert exits.run(["plan", *how]) == 2
    out, err = capsys.readouterr()
    line = json.loads(out)
    assert (line["event"], line["code"], line["exit_code"]) == ("error", "config", 2)
    assert err == ""


@pytest.mark.parametrize(
    "how", [[], ["-o", "human"], ["--output=plain"], ["json"], ["-n", "json"], ["-o", "jsonx"]]
)
def test_other_errors_are_for_people(how: list[str]) -> None:
    assert not exits.wants_json(["up", *how])


def test_a_defect_is_json_too(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("kindctl.actions.version.versions", broken)
    assert exits.run(["version", "-o", "json"]) == 1
    line = json.loads(capsys.readouterr().out)
    assert (line["code"], line["exit_code"]) == ("unknown", 1)
    assert line["what"].endswith("ZeroDivisionError: a defect")
    assert str(log_dir()) in line["fix"]
