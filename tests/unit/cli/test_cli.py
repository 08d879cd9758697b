"""The command line: its help, its exit codes, where its words go, what it imports."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kindctl.cli import common, exits
from kindctl.cli.app import app
from tests.fakes.trust import Programs
from tests.support.command_line import bare
from tests.support.machine import World


def test_up_then_down_on_the_command_line(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    bare()
    assert exits.run(["up", "-o", "json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[-1]["event"] == "run-ended"
    assert exits.run(["list", "-o", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["name"], row["state"]) == ("shop", "running")
    assert exits.run(["down"]) == 0
    assert "removed shop" in capsys.readouterr().err
    assert exits.run(["down"]) == 0
    assert "nothing to do" in capsys.readouterr().err
    assert exits.run(["list"]) == 0
    assert "no environments" in capsys.readouterr().err


def test_kubeconfig_prints_a_path_or_the_line_for_eval(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(world.made().kubeconfig)
    assert exits.run(["kubeconfig", "shop"]) == 0
    assert capsys.readouterr().out == f"{path}\n"
    assert exits.run(["kubeconfig", "shop", "--export"]) == 0
    assert capsys.readouterr().out == f"export KUBECONFIG={path}\n"
    assert exits.run(["kubeconfig", "shop", "--merge"]) == 0
    out, err = capsys.readouterr()
    assert out.endswith("kubectl\n")
    assert "added context kind-shop to:" in err


def test_logs_of_an_unknown_workload_say_what_there_is(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.made()
    assert exits.run(["logs", "web", "-n", "shop"]) == 2
    assert "known workloads: none" in capsys.readouterr().err


def test_purge_asks_before_it_removes(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.made()
    result = CliRunner().invoke(app, ["purge", "--keep-engine"], input="n\n")
    assert "environment shop" in result.stderr
    assert len(world.engine.containers()) == 1
    assert exits.run(["purge", "--yes", "--keep-engine"]) == 0
    assert world.engine.containers() == []
    assert exits.run(["purge", "--keep-engine"]) == 0
    assert "nothing to remove" in capsys.readouterr().err


def test_trust_is_1_until_every_store_has_it(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path("/home/ada"))
    monkeypatch.setenv("SUDO_USER", "ada")
    assert exits.run(["trust", "--yes"]) == 2
    assert "run `kindctl trust` without sudo" in capsys.readouterr().err
    monkeypatch.delenv("SUDO_USER")
    assert exits.run(["trust", "--status"]) == 1
    assert "kindctl has no certificate authority on this machine yet" in capsys.readouterr().err
    assert exits.run(["trust", "--remove", "--yes"]) == 0
    assert exits.run(["trust", "--remove", "--status"]) == 2
    capsys.readouterr()

    assert exits.run(["trust", "--yes"]) == 1
    out, err = capsys.readouterr()
    assert re.search(r"this system .* no +update-ca-certificates is not installed", out)
    assert "create a certificate authority, only for names of this machine" in err
    assert "sudo install -m 0644" in err
    Programs(world.host)
    assert exits.run(["trust", "--yes", "-o", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["store"], row["trust"], row["note"]) == ("this system", "yes", "")
    assert exits.run(["trust", "--status"]) == 0
    assert exits.run(["trust", "--remove", "--yes"]) == 0
    assert exits.run(["trust", "--status"]) == 1


def test_nobody_at_a_terminal_agrees_to_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert not common.ask(["install kind"], yes=False)
    assert common.ask(["install kind"], yes=True)
    out, err = capsys.readouterr()
    assert "  - install kind" in err
    assert out == ""
