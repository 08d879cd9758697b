"""Every code that kindctl can print has a page, and every page is about such a code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from kindctl.diagnose.causes import CAUSES
from kindctl.diagnose.checks import CHECKS
from kindctl.tools import engine_words
from kindctl.tools import kind as kind_tool
from tests import ROOT

PAGES = ROOT / "docs" / "troubleshooting"
SECTIONS = ("## Symptom", "## Why", "## What kindctl does", "## What to do")
CODE = re.compile(r"[a-z]+(-[a-z0-9]+)*")
NAMES = ("code", "default_code")

OTHER_TOOLS = {
    "https://docs.docker.com/engine/install/",
    "https://docs.docker.com/engine/security/rootless/",
    "https://kind.sigs.k8s.io/docs/user/configuration/",
    "https://kind.sigs.k8s.io/docs/user/local-registry/",
    "https://kind.sigs.k8s.io/docs/user/quick-start/#installation",
    "https://kind.sigs.k8s.io/docs/user/rootless/",
}


def literals(tree: ast.AST) -> Iterator[str]:
    """`code="x"` in calls, `code = "x"` in classes, `error.code = "x"`; conditional ones too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg in NAMES:
                    yield from _texts(keyword.value)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _assigned(target, node.value)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            yield from _assigned(node.target, node.value)


def _assigned(target: ast.expr, value: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, its in zip(target.elts, value.elts, strict=False):
            yield from _assigned(one, its)
    elif getattr(target, "attr", getattr(target, "id", "")) in NAMES:
        yield from _texts(value)


def _texts(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.IfExp):
        yield from _texts(value.body)
        yield from _texts(value.orelse)
    elif isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
        yield value.value


@cache
def codes_in_code() -> set[str]:
    found: set[str] = set()
    for file in sorted((ROOT / "kindctl").rglob("*.py")):
        found.update(literals(ast.parse(file.read_text())))
    return found


def codes_in_tables() -> set[str]:
    """Of words that other programs say."""
    return {
        *(code for _, code, *_ in engine_words.CLIENT_ERRORS),
        *(code for code, *_ in engine_words.PULL_ERRORS),
        *(code for code, *_ in kind_tool.CREATION_ERRORS),
    }


@cache
def every_code() -> set[str]:
    causes = {name.replace("_", "-") for name in CAUSES}
    return {*CHECKS, *causes, *codes_in_code(), *codes_in_tables()}


def pages() -> list[Path]:
    found = (page for page in PAGES.glob("*.md") if page.name != "README.md")
    return sorted(found, key=lambda page: page.stem)


def test_codes_are_found_in_all_the_ways_that_they_are_written() -> None:
    text = """
class E: default_code: ClassVar[str] = "one"
class C: code = "two"
raise E("x", code="three")
error.code, error.fix = "four", "do"
raise E("x", code=given if given else "five")
def f(code: str = ""): pass
x = {"code": "not-this"}
"""
    assert set(literals(ast.parse(text))) == {"one", "two", "three", "four", "five"}


def test_the_codes_of_all_parts_are_found() -> None:
    found = every_code()
    assert {"port-taken", "usage", "image-pull", "disk-full", "kind-log-line", "inotify"} <= found
    assert [code for code in found if not CODE.fullmatch(code)] == []


def test_every_code_has_a_page() -> None:
    assert sorted(every_code() - {page.stem for page in pages()}) == []


def test_every_page_has_a_code() -> None:
    assert sorted({page.stem for page in pages()} - every_code()) == []


def test_the_index_lists_every_page_once_with_its_first_sentence() -> None:
    index = (PAGES / "README.md").read_text()
    listed = re.findall(
        r"^\| \[([a-z0-9-]+)\]\(([a-z0-9-]+)\.md\) \| (.+) \|$", index, re.MULTILINE
    )
    assert sorted(name for name, _, _ in listed) == [page.stem for page in pages()]
    for name, link, words in listed:
        assert name == link
        first = (PAGES / f"{name}.md").read_text().split("\n\n")[1].replace("\n", " ")
        assert words == first.rstrip(".")


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.stem))
def test_a_page_says_what_why_and_what_to_do(page: Path) -> None:
    text = page.read_text()
    assert text.startswith(f"# {page.stem}\n\n")
    parts = re.split(r"^(## .+)$", text, flags=re.MULTILINE)
    headings = parts[1::2]
    assert tuple(headings[:4]) == SECTIONS
    assert headings[4:] in ([], ["## Upstream"])
    assert all(part.strip() for part in parts[2::2])
    assert len(text.split()) < 250


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.stem))
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    for name, target in re.findall(r"\[([^]]+)\]\(([^)]+)\)", page.read_text()):
        if target.startswith("http"):
            issue = re.fullmatch(r"https://github\.com/[\w-]+/([\w-]+)/issues/(\d+)", target)
            assert target in OTHER_TOOLS or (issue and name == f"{issue[1]}#{issue[2]}"), target
        else:
            assert (PAGES / target).is_file()
