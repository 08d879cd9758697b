"""Hashes the files of a build context. Leaves out files that .dockerignore excludes, as BuildKit does.

Patterns work as in github.com/moby/patternmatcher: the last pattern that matches a path, or a parent folder
of the path, decides.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from kindctl.errors import KindctlError

_TOKEN = re.compile(r"\*\*/?|\[.[^\]]*\]|\\.|.", re.DOTALL)
_WILDCARDS = {"*": "[^/]*", "?": "[^/]"}

Pattern = tuple[re.Pattern[str], bool]
"""A pair: the expression that paths must match, and whether the pattern starts with `!`.

A pattern that starts with `!` includes files again."""


def digest(context: Path, dockerfile: Path) -> str:
    """Return a SHA-256 of the names, modes and contents of all files that the build can see.

    Raises KindctlError (code build-context) for a file that cannot be read.
    """
    whole = hashlib.sha256()
    try:
        patterns = read_ignore(context, dockerfile)
        for name, status in _walk(context, patterns):
            path = context / name
            whole.update(f"{name}\0{stat.S_IFMT(status.st_mode)}\0".encode())
            whole.update(f"{status.st_mode & 0o777:o}\0".encode())
            if stat.S_ISLNK(status.st_mode):
                whole.update(os.readlink(path).encode())
            elif stat.S_ISREG(status.st_mode):
                with path.open("rb") as file:
                    whole.update(hashlib.file_digest(file, "sha256").digest())
    except OSError as error:
        raise KindctlError(
            f"the build context {context} cannot be read",
            why=f"{error.filename}: {error.strerror}",
            fix="make the file readable, or add it to .dockerignore",
            code="build-context",
        ) from error
    return whole.hexdigest()


def read_ignore(context: Path, dockerfile: Path) -> list[Pattern]:
    """Return the patterns in DOCKERFILE.dockerignore, or in the context's .dockerignore if the former is
    missing."""
    own = dockerfile.with_name(f"{dockerfile.name}.dockerignore")
    file = own if own.is_file() else context / ".dockerignore"
    return compile_patterns(file.read_text().splitlines()) if file.is_file() else []


def compile_patterns(lines: Sequence[str]) -> list[Pattern]:
    patterns = []
    for line in lines:
        text = line.strip()
        if not text or line.startswith("#"):
            continue
        again = text.startswith("!")
        clean = posixpath.normpath(text.removeprefix("!").strip()).lstrip("/")
        if clean not in ("", "."):
            patterns.append((re.compile(_regex(clean)), again))
    return patterns


def ignored(name: str, patterns: Sequence[Pattern]) -> bool:
    """Return whether the patterns exclude `name`, a path relative to the context, with slashes."""
    parts = name.split("/")
    paths = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    out = False
    for pattern, again in patterns:
        # Skip patterns that would not change the result.
        if again == out and any(pattern.fullmatch(path) for path in reversed(paths)):
            out = not again
    return out


def _walk(context: Path, patterns: Sequence[Pattern]) -> Iterator[tuple[str, os.stat_result]]:
    may_come_back = any(again for _, again in patterns)

    def visit(folder: Path, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            name = prefix + entry.name
            out = ignored(name, patterns)
            if not out:
                yield name, entry.stat(follow_symlinks=False)
            if entry.is_dir(follow_symlinks=False) and (may_come_back or not out):
                yield from visit(Path(entry.path), f"{name}/")

    return visit(context, "")


def _regex(pattern: str) -> str:
    def translated(match: re.Match[str]) -> str:
        token = match[0]
        if token.startswith("**"):
            return "(?:.*/)?" if match.end() < len(pattern) else ".*"
        if token in _WILDCARDS:
            return _WILDCARDS[token]
        if token.startswith("[") and len(token) > 1:
            return token
        return re.escape(token[-1])  # without the backslash in front of it

    return _TOKEN.sub(translated, pattern)
