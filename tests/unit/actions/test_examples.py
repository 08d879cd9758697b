"""The folders of configs/ and the pages of docs/ways-in: each has its counterpart, and each is usable."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kindctl.actions.examples import FILE, copy_example, examples, page, summary, ways
from kindctl.actions.init import init
from kindctl.cli.app import app
from kindctl.config.load import load
from kindctl.errors import UsageError
from kindctl.planning.origins import builds_of
from kindctl.planning.plan import Plan, make_plan
from kindctl.runner.graph import graph_of
from tests import ROOT
from tests.fakes.host import FakeHost
from tests.fakes.renderers import RENDERERS
from tests.fakes.tools import fake_tools

PAGES = ROOT / "docs" / "ways-in"
FOLDERS = sorted(file.parent for file in (ROOT / "configs").glob(f"*/{FILE}"))
NAMES = ["sample", *(folder.name for folder in FOLDERS)]
LINK = re.compile(r"\[[^]]+\]\(([^)#]+)(?:#[^)]*)?\)")


def pages() -> list[Path]:
    return sorted(file for file in PAGES.glob("*.md") if file.name != "README.md")


def plan_of(file: Path) -> Plan:
    host = FakeHost()
    host.programs |= RENDERERS
    return make_plan(load(file), fake_tools(host))


# --- the pages -----------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.name))
def test_every_example_has_a_page(folder: Path) -> None:
    assert (PAGES / f"{folder.name}.md").is_file()


def test_every_folder_of_the_examples_is_one() -> None:
    assert sorted(p for p in (ROOT / "configs").iterdir() if p.is_dir()) == FOLDERS


@pytest.mark.parametrize("file", pages(), ids=lambda file: str(file.stem))
def test_a_page_has_a_sentence_and_a_picture(file: Path) -> None:
    text = file.read_text()
    assert text.startswith(f"# {file.stem}\n\n")
    said = summary(text)
    assert said.endswith(".")
    assert 20 < len(said) < 200
    picture = page(file.stem).picture
    assert len(picture.splitlines()) > 2
    assert max(map(len, picture.splitlines())) <= 108


@pytest.mark.parametrize("file", pages(), ids=lambda file: str(file.stem))
def test_a_page_has_an_example_or_says_why_not(file: Path) -> None:
    assert (file.stem in examples()) != ("\nNo example: " in file.read_text())


@pytest.mark.parametrize("file", [*pages(), PAGES / "README.md"], ids=lambda file: str(file.stem))
def test_links_of_a_page_lead_somewhere(file: Path) -> None:
    """The table names pages before they are there: those of examples that do not exist yet."""
    for target in LINK.findall(file.read_text()):
        if target.startswith("https://") or (file.parent / target).exists():
            continue
        assert file.parent / target == PAGES / Path(target).name, target
        assert Path(target).stem not in examples(), target


def test_the_table_has_every_page_once() -> None:
    names = re.findall(r"^\| \[([a-z0-9-]+)\]", (PAGES / "README.md").read_text(), re.MULTILINE)
    assert len(names) == len(set(names))
    assert {file.stem for file in pages()} == {way.name for way in ways()}
    assert set(NAMES) <= set(names)


# --- the examples --------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.name))
def test_an_example_says_first_what_it_is_and_the_command(folder: Path) -> None:
    lines = (folder / FILE).read_text().splitlines()
    comment = lines[: next(i for i, line in enumerate(lines) if not line.startswith("#"))]
    assert len(comment) >= 2
    assert any(f"kindctl up -f configs/{folder.name}" in line for line in comment)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_makes_a_plan(name: str) -> None:
    plan = plan_of(examples()[name] / FILE)
    assert plan.loaded.config.name == name
    assert graph_of(plan.steps)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_that_was_written_makes_the_same_plan_by_itself(
    name: str, tmp_path: Path
) -> None:
    file = init(tmp_path / "mine", example=name)
    text = file.read_text()
    assert "configs/" not in text
    assert "../" not in text
    there, here = plan_of(file), plan_of(examples()[name] / FILE)
    assert [step.name for step in there.steps] == [step.name for step in here.steps]
    contexts = [
        build.context
        for app in there.loaded.config.apps
        for build in builds_of(app, there.loaded.root)
    ]
    assert all(context.is_relative_to(tmp_path) for context in contexts)


def test_an_example_takes_another_name(tmp_path: Path) -> None:
    file = init(tmp_path, "mine", "other-ports")
    assert load(file).config.name == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == [FILE, "sample-app"]
    assert not (tmp_path / "sample-app" / FILE).exists()
    assert (tmp_path / "sample-app" / "backend" / ".dockerignore").is_file()  # else another image


def test_the_mode_of_a_folder_that_exists_stays(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir(mode=0o700)
    copy_example("apps", folder)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_an_example_is_copied_from_a_read_only_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the file that is written anew may not have the mode of the original."""
    installed = tmp_path / "installed"
    for folder in ("configs", "sample-app"):
        shutil.copytree(ROOT / folder, installed / folder)
    (installed / "configs" / "apps" / FILE).chmod(0o444)
    monkeypatch.setattr("kindctl.actions.examples.share_dir", lambda name: installed / name)
    assert copy_example("apps", tmp_path / "mine").stat().st_mode & 0o200


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "sample-app").mkdir()
    with pytest.raises(UsageError, match="sample-app already exists"):
        copy_example("other-ports", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["sample-app"]
    with pytest.raises(UsageError, match="is not a valid name"):
        init(tmp_path / "new", "My Shop", "other-ports")
    assert not (tmp_path / "new").exists()


# --- the commands --------------------------------------------------------------------------------


def test_an_unknown_example_is_answered_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no example 'traefic'") as error:
        init(tmp_path, example="traefic")
    listed = [line.split()[0] for line in error.value.why.splitlines()]
    assert sorted(listed) == sorted(NAMES)
    assert all(len(line.split()) > 2 for line in error.value.why.splitlines())
    assert list(tmp_path.iterdir()) == []


def test_the_list_of_examples_and_of_ways_in() -> None:
    listed = CliRunner().invoke(app, ["init", "--example", "list"])
    explained = CliRunner().invoke(app, ["explain"])
    assert {line.split()[0] for line in listed.output.splitlines()} == {"NAME", *NAMES}
    assert {way.name for way in ways()} < {
        line.split()[0] for line in explained.output.splitlines()
    }


def test_explain_prints_the_sentence_and_the_picture() -> None:
    result = CliRunner().invoke(app, ["explain", "other-ports"])
    assert result.output.startswith("The sample on ports 8080 and 8443")
    assert "browser ──► localhost:8080" in result.output
    with pytest.raises(UsageError, match="no way in named 'nodeport'"):
        page("nodeport")


def test_the_shell_completes_names() -> None:
    from kindctl.cli import explain
    from kindctl.cli import init as init_command

    assert [name for name, _ in init_command.complete_example("other")] == ["other-ports"]
    assert [name for name, _ in explain.complete_name("sam")] == ["sample"]


def test_the_wheel_has_the_pages() -> None:
    import tomllib

    hatch = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"][
        "targets"
    ]
    included = hatch["wheel"]["force-include"]
    assert included["docs/ways-in"] == "kindctl/_share/docs/ways-in"
    assert included["configs"] == "kindctl/_share/configs"
