"""Reads the package sources of a Debian machine, in both formats of sources.list(5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class AptSource:
    """A source of binary packages."""

    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str = ""  # path, fingerprint, or a multi-line key; empty for apt's own keys


def parse(name: str, text: str) -> Iterator[AptSource]:
    """Yield the enabled sources in a file. The format depends on its name: *.sources (deb822) or *.list."""
    return _stanzas(text) if name.endswith(".sources") else _lines(text)


def archive(sources: Iterable[AptSource], suites: Iterable[str]) -> AptSource | None:
    """Return the first source that provides the main packages of one of these suites, or None."""
    wanted = set(suites)
    for source in sources:
        if "main" in source.components and wanted & set(source.suites):
            return source
    return None


def _lines(text: str) -> Iterator[AptSource]:
    """Read lines such as `deb [signed-by=/path arch=amd64] URI SUITE COMPONENT...`."""
    for line in text.splitlines():
        match = re.match(r"\s*deb\s+(?:\[([^]]*)\]\s+)?([^#]+)", line)
        if not match:
            continue
        words = match[2].split()
        if len(words) < 2:
            continue
        options = dict(option.split("=", 1) for option in (match[1] or "").split() if "=" in option)
        yield AptSource((words[0],), (words[1],), tuple(words[2:]), options.get("signed-by", ""))


def _stanzas(text: str) -> Iterator[AptSource]:
    """Read paragraphs of "Field: value" lines. A line that starts with a space continues a value."""
    uncommented = re.sub(r"^#.*\n?", "", text, flags=re.MULTILINE)
    for stanza in re.split(r"\n\s*\n", uncommented):
        fields = {
            match[1].lower(): match[2].strip()
            for match in re.finditer(r"^([\w-]+):(.*(?:\n[ \t].*)*)", stanza, re.MULTILINE)
        }
        if "deb" not in fields.get("types", "").split() or fields.get("enabled") == "no":
            continue
        yield AptSource(
            uris=tuple(fields.get("uris", "").split()),
            suites=tuple(fields.get("suites", "").split()),
            components=tuple(fields.get("components", "").split()),
            signed_by=fields.get("signed-by", ""),
        )
