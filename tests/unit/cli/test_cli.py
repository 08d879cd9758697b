"""The command line: its help, its exit codes, where its words go, what it imports."""

from __future__ import annotations

import ast
import io
import json
import re
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import kindctl
from kindctl.__main__ import main
from kindctl.cli import common, exits, signals
from kindctl.cli.app import PANELS, app, command_name
from kindctl.cli.reference import as_markdown
from kindctl.errors import KindctlError, MachineError
from kindctl.paths import log_dir
from tests.fakes.trust import Programs
from tests.support.machine import BARE, World, fit_machine

ROOT = Path(kindctl.__file__).parents[1]
LIGHT = {*sys.stdlib_module_names, "kindctl", "typer"}
"""What every command may load. All that others have made is heavy: `--help` must not pay for it."""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = fit_machine(tmp_path, monkeypatch)
    monkeypatch.setattr("kindctl.tools.real.real_tools", lambda: world.tools)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    return world


def bare() -> None:
    Path("kindctl.yaml").write_text(BARE)


def commands() -> Iterator[tuple[str, Any]]:
    """Every command that does something, by its words."""

    def below(command: Any, path: str) -> Iterator[tuple[str, Any]]:
        children = getattr(command, "commands", None)
        if children is None:
            yield path.strip(), command
        for name, child in (children or {}).items():
            yield from below(child, f"{path} {name}")

    return below(typer.main.get_command(app), "")


COMMANDS = dict(commands())
COMMANDS_PAGE = (ROOT / "docs" / "cli.md").read_text()


# --- help ----------------------------------------------------------------------------------------


def help_of(*words: str) -> str:
    result = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "120", "TERM": "dumb"})
    assert result.exit_code == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", result.output)


def test_help_shows_every_command_in_its_group() -> None:
    text = help_of()
    found: dict[str, list[str]] = {}
    group = ""
    for line in text.splitlines():
        if heading := re.match(r"╭─ (.+?) ─", line):
            group = heading[1]
        elif command := re.match(r"│ ([a-z]+) ", line):
            found.setdefault(group, []).append(command[1])
    assert {name: sorted(of) for name, of in found.items()} == {
        name: sorted(map(command_name, of)) for name, of in PANELS.items()
    }


def test_every_module_of_a_command_is_in_the_tree() -> None:
    folder = ROOT / "kindctl" / "cli"
    defining = {
        path.stem
        for path in folder.glob("*.py")
        if re.search(r"^(def command\(|app = typer)", path.read_text(), re.MULTILINE)
    }
    listed = {it.__name__.rpartition(".")[2] for of in PANELS.values() for it in of}
    assert listed == defining - {"app"}


def test_without_arguments_there_is_help() -> None:
    result = CliRunner().invoke(app, [])
    assert "kindctl up --yes" in result.output


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_and_option_says_what_it_is_for(words: str) -> None:
    command = COMMANDS[words]
    assert command.help
    assert [p.name for p in command.params if not p.help] == []
    assert command.help.splitlines()[0] in COMMANDS_PAGE


def test_help_of_up_has_examples() -> None:
    text = help_of("up")
    assert "Examples" in text
    assert "kindctl up --yes" in text
    assert "[bold]" not in text


def test_examples_are_calls_that_exist() -> None:
    blocks = re.findall(r"```console\n(.*?)```", COMMANDS_PAGE, re.DOTALL)
    examples = re.findall(r"\bkindctl ([a-z][^#)&|\n]*)", "".join(blocks))
    assert len(examples) >= 12
    for call in examples:
        words = call.split()
        if words[0] == "forward" and words[1] not in ("list", "stop"):
            words.insert(1, "start")  # it may be left out
        names = [name for name in COMMANDS if words[: len(name.split())] == name.split()]
        assert names, call
        known = {opt for parameter in COMMANDS[names[0]].params for opt in parameter.opts}
        options = {word for word in words if word.startswith("-")}
        assert options <= known, call


def test_the_page_of_commands_is_the_command_tree() -> None:
    assert as_markdown() == COMMANDS_PAGE, "python -m kindctl.cli.reference > docs/cli.md"


# --- exit codes ----------------------------------------------------------------------------------


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


# --- errors for programs -------------------------------------------------------------------------


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


# --- commands ------------------------------------------------------------------------------------


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
    assert "run it without sudo" in capsys.readouterr().err
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


# --- signals -------------------------------------------------------------------------------------


def test_the_first_signal_asks_and_the_second_ends() -> None:
    before = signal.getsignal(signal.SIGINT)
    with signals.interruptible() as stop:
        assert not stop.is_set()
        signal.raise_signal(signal.SIGTERM)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_what_still_runs_is_ended_when_the_body_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []
    monkeypatch.setattr("kindctl.tools.process.stop_children", lambda: ended.append("all"))
    with signals.interruptible():
        pass
    assert ended == []
    with pytest.raises(KindctlError), signals.interruptible():
        raise KindctlError("failed")
    assert ended == ["all"]


# --- what the start costs ------------------------------------------------------------------------


def imports(path: Path) -> Iterator[str]:
    """Modules that a module imports when it is imported: not those in functions or for types alone."""

    def walk(nodes: list[ast.stmt]) -> Iterator[str]:
        for node in nodes:
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                module = node.module or ""
                yield module
                yield from (f"{module}.{alias.name}" for alias in node.names)
            elif isinstance(node, ast.If):
                if "TYPE_CHECKING" not in ast.unparse(node.test):
                    yield from walk(node.body)
                yield from walk(node.orelse)
            elif isinstance(node, ast.ClassDef | ast.With | ast.Try):
                yield from walk(node.body)

    return walk(ast.parse(path.read_text()).body)


def file_of(module: str) -> Path | None:
    place = ROOT / module.replace(".", "/")
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.is_file():
            return path
    return None


def reached(module: str) -> set[str]:
    """All modules that importing this one imports, ours and the first level of others'."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if path := file_of(name):
            waiting += [found for found in imports(path) if found.partition(".")[0] == "kindctl"]
            waiting += [name.rpartition(".")[0]] if "." in name else []
            seen.update(f for f in imports(path) if f.partition(".")[0] != "kindctl")
    return seen


def heavy(start: str) -> set[str]:
    """Packages that importing a module of ours imports, of those that are not light."""
    return {name.partition(".")[0] for name in reached(start)} - LIGHT


@pytest.mark.parametrize("start", ["kindctl.__main__", "kindctl.cli.exits", "kindctl.cli.app"])
def test_the_command_tree_loads_nothing_heavy(start: str) -> None:
    assert heavy(start) == set()
    assert "kindctl.config.schema" not in reached(start)


def test_errors_load_nothing_heavy_either() -> None:
    """What every command that fails pays for."""
    assert heavy("kindctl.errors") == set()


def test_the_look_at_imports_sees_what_is_heavy() -> None:
    assert "pydantic" in heavy("kindctl.config.schema")
    assert "kindctl.config.schema" in reached("kindctl.planning.plan")
    assert "yaml" in heavy("kindctl.actions.down")
    assert "kindctl.cli.logs" in reached("kindctl.cli.app")


def test_a_stopped_run_does_not_wait_for_the_apply_that_it_left_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An interrupt in the middle of a native call once ended in SIGABRT."""
    left: list[int] = []
    over = threading.Event()
    monkeypatch.setattr("kindctl.cli.exits.run", lambda arguments: 130)
    monkeypatch.setattr("kindctl.tools.process.stop_children", lambda: None)
    monkeypatch.setattr("os._exit", left.append)
    thread = threading.Thread(target=over.wait, daemon=True)
    thread.start()
    with pytest.raises(SystemExit):
        main()
    over.set()
    thread.join()
    assert left == [130]
