"""Build contexts: what .dockerignore leaves, and the digest of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

import pytest

from kindctl.errors import KindctlError
from kindctl.images.context import compile_patterns, digest, ignored


@pytest.mark.parametrize(
    ("patterns", "name", "out"),
    [
        (["*.pyc"], "a.pyc", True),
        (["*.pyc"], "x/a.pyc", False),
        (["**/*.pyc"], "a.pyc", True),
        (["**/*.pyc"], "x/y/a.pyc", True),
        (["build"], "build/a/b", True),
        (["/build/"], "build/a", True),
        (["build"], "rebuild", False),
        (["*"], "x/y", True),
        (["*", "!src"], "src/a.py", False),
        (["*", "!src", "src/*.log"], "src/a.log", True),
        (["*", "!src/keep"], "src/keep/a", False),
        (["*", "!src/keep"], "src/other", True),
        (["# a", "", "  b  "], "b", True),
        (["a?c"], "abc", True),
        (["a?c"], "a/c", False),
        (["[ab].txt"], "b.txt", True),
        (["[ab].txt"], "c.txt", False),
        (["a\\*"], "a*", True),
        (["a\\*"], "ab", False),
        (["docs/**"], "docs/a/b", True),
        (["**/node_modules"], "a/node_modules/b/c", True),
        (["a.b"], "aXb", False),
        (["./a"], "a", True),
        (["."], "a", False),
    ],
)
def test_the_last_pattern_that_matches_decides(patterns: list[str], name: str, out: bool) -> None:
    assert ignored(name, compile_patterns(patterns)) is out


# --- the digest ----------------------------------------------------------------------------------


def digest_of(folder: Path) -> str:
    return digest(folder, folder / "Dockerfile")


def test_what_the_build_sees_is_in_the_digest(folder: Path) -> None:
    digests = [digest_of(folder)]
    (folder / "src" / "main.py").write_text("print(2)\n")
    digests.append(digest_of(folder))
    (folder / "src" / "main.py").chmod(0o755)
    digests.append(digest_of(folder))
    (folder / "src" / "main.py").rename(folder / "src" / "app.py")
    digests.append(digest_of(folder))
    (folder / "src" / "link").symlink_to("app.py")
    digests.append(digest_of(folder))
    (folder / "src" / "empty").mkdir()
    digests.append(digest_of(folder))
    assert len(set(digests)) == len(digests)


def test_what_it_does_not_see_is_not(folder: Path) -> None:
    before = digest_of(folder)
    (folder / "README").write_text("x")
    (folder / "src" / "a.log").write_text("x")
    os.utime(folder / "src" / "main.py", (1, 1))
    assert digest_of(folder) == before


def test_the_dockerfiles_own_ignore_file_wins(folder: Path) -> None:
    (folder / "Dockerfile.dockerignore").write_text("**\n")
    before = digest_of(folder)
    (folder / "src" / "main.py").write_text("print(2)\n")
    assert digest_of(folder) == before


def test_a_file_that_cannot_be_read_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(file: BinaryIO, _: str) -> None:  # root, who may run this, may read everything
        raise PermissionError(13, "Permission denied", file.name)

    monkeypatch.setattr("hashlib.file_digest", refuse)
    with pytest.raises(KindctlError) as caught:
        digest_of(folder)
    assert caught.value.code == "build-context"
    assert "main.py" in caught.value.why
