"""Finds, reads and copies what ships with kindctl: the examples, and the pages about ways in."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kindctl.errors import UsageError
from kindctl.paths import share_dir

FILE = "kindctl.yaml"
SAMPLE = "sample-app"
SAMPLE_FROM_CONFIGS = f"../../{SAMPLE}"
"""The path of the sample in the kindctl.yaml of an example: several examples share it."""

CACHES = {"__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
NAME_LINE = re.compile(r"^name: *\S+", re.MULTILINE)
COMMAND = re.compile(r"(kindctl \w+) -f configs/[\w-]+")
PICTURE = re.compile(
    r"^## The way of a request\n.*?^```[a-z]*\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
ROW = re.compile(r"^\| \[([a-z0-9-]+)\]\(\1\.md\) \| (.+?) \| (.+?) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Way:
    """One row of the table in docs/ways-in: a page, and usually an example of the same name."""

    name: str
    way_in: str
    choose_it_when: str


@dataclass(frozen=True)
class Page:
    """What `kindctl explain NAME` shows of a page."""

    summary: str  # one sentence
    picture: str  # lines that draw the path of a request


def ways() -> list[Way]:
    """Return the rows of the table that have a page, in the order of the table."""
    folder = _pages()
    table = (folder / "README.md").read_text()
    return [Way(*row) for row in ROW.findall(table) if (folder / f"{row[0]}.md").is_file()]


def page(name: str) -> Page:
    """Return the page about a way in. Raises UsageError if there is no page of that name."""
    known = ways()
    if name not in [way.name for way in known]:
        raise _unknown(f"there is no way in named {name!r}", known)
    text = (_pages() / f"{name}.md").read_text()
    found = PICTURE.search(text)
    return Page(summary(text), found[1].rstrip("\n") if found else "")


def summary(text: str) -> str:
    """Return the first paragraph below the title of a page, as one line."""
    paragraphs = text.split("\n\n")
    return " ".join(paragraphs[1].split()) if len(paragraphs) > 1 else ""


def examples() -> Mapping[str, Path]:
    """Return a mapping from the name of each example to its folder, with the sample first."""
    folders = sorted(file.parent for file in share_dir("configs").glob(f"*/{FILE}"))
    return {"sample": share_dir(SAMPLE)} | {folder.name: folder for folder in folders}


def example_rows() -> list[Way]:
    """Return a row for each example. Examples without a page come last and have only a name."""
    described = {way.name: way for way in ways()}
    known = examples()
    return [*(way for way in described.values() if way.name in known)] + [
        Way(name, "", "") for name in known if name not in described
    ]


def copy_example(example: str, folder: Path, name: str | None = None) -> Path:
    """Copy an example to `folder`, together with the sample if the example uses it, and return the path of
    the example's kindctl.yaml.

    `name` replaces the example's own environment name. Raises UsageError for an unknown example, and if any
    file would be overwritten.
    """
    known = examples()
    if example not in known:
        raise _unknown(f"no example {example!r}", example_rows())
    source = known[example]
    text = (source / FILE).read_text()
    copies = {path: folder / path.name for path in sorted(source.iterdir()) if path.name != FILE}
    if SAMPLE_FROM_CONFIGS in text:
        copies[share_dir(SAMPLE)] = folder / SAMPLE
    if existing := [target for target in (*copies.values(), folder / FILE) if target.exists()]:
        raise UsageError(
            f"{existing[0]} already exists",
            fix="choose an empty folder, or remove what is there first",
        )
    folder.mkdir(parents=True, exist_ok=True)  # copytree would give it the mode of the example
    for original, copy in copies.items():
        if original.is_dir():
            shutil.copytree(original, copy, ignore=_left_out)
        else:
            shutil.copy2(original, copy)
    (folder / FILE).write_text(_moved(text, name))
    return folder / FILE


def _moved(text: str, name: str | None) -> str:
    text = COMMAND.sub(r"\1", text.replace(SAMPLE_FROM_CONFIGS, f"./{SAMPLE}"))
    return NAME_LINE.sub(f"name: {name}", text, count=1) if name else text


def _left_out(folder: str, names: list[str]) -> set[str]:
    """Return the files that are not copied: caches, and the sample's kindctl.yaml, because the example has
    its own."""
    own = {FILE} if Path(folder).name == SAMPLE else set()
    return own | {name for name in names if name in CACHES}


def _pages() -> Path:
    return share_dir("docs/ways-in")


def _unknown(what: str, known: Sequence[Way]) -> UsageError:
    width = max(len(way.name) for way in known)
    return UsageError(what, why="\n".join(f"{w.name:{width}}  {w.way_in}".rstrip() for w in known))
