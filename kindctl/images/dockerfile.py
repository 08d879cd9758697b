"""Finds the base images of a Dockerfile, which it parses as BuildKit does.

Stages that the target does not need are ignored, because BuildKit skips them.
Dockerfile reference: https://docs.docker.com/reference/dockerfile/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_DIRECTIVE = re.compile(r"#\s*(?P<name>[A-Za-z]+)\s*=\s*(?P<value>\S.*?)\s*$")
_HEREDOC = re.compile(r"<<-?\s*([\"']?)([A-Za-z_]\w*)\1")
_FROM = re.compile(
    r"FROM\s+(?:--\S+\s+)*(?P<image>\S+)(?:\s+AS\s+(?P<name>\S+))?\s*$", re.IGNORECASE
)
_COPY_FROM = re.compile(r"--from=(\S+)")
_MOUNT_FROM = re.compile(r"--mount=\S*?\bfrom=([^,\s]+)")
_VARIABLE = re.compile(
    r"\$(?:(?P<plain>\w+)|\{(?P<name>\w+)(?:(?P<how>:?[-+])(?P<other>[^}]*))?\})"
)


@dataclass
class _Stage:
    image: str
    name: str
    others: list[str] = field(default_factory=list)  # COPY --from=..., RUN --mount=from=...


def bases(text: str, args: Mapping[str, str], target: str | None, arch: str) -> tuple[str, ...]:
    """Return the references of the images that a build of `target` starts or copies from.

    Variables are substituted; references that contain unknown variables (`$UNSET`) are left out. If
    `target` is None, the target is the last stage.
    """
    stages = _stages(text, args, arch)
    index = {stage.name.lower(): place for place, stage in enumerate(stages) if stage.name}
    start = index.get(target.lower(), len(stages) - 1) if target else len(stages) - 1
    found: dict[str, None] = {}

    def visit(place: int) -> None:
        for name in (stages[place].image, *stages[place].others):
            earlier = index.get(name.lower(), place)
            if name.isdecimal() and int(name) < place:  # COPY --from=0
                visit(int(name))
            elif earlier < place:
                visit(earlier)
            elif name and name.lower() != "scratch" and "$" not in name:
                found[name] = None

    if stages:
        visit(start)
    return tuple(found)


def asks_platform(text: str) -> bool:
    """Return whether a Dockerfile uses BuildKit's platform arguments. Its base images may depend on
    these."""
    return bool(re.search(r"\b(BUILD|TARGET)(OS|ARCH|PLATFORM)\b", text))


def syntax(text: str) -> str | None:
    """Return the frontend image that BuildKit would pull because of a `# syntax=` line, or None."""
    for line in text.splitlines():
        directive = _DIRECTIVE.match(line.strip())
        if directive is None:
            return None
        if directive["name"].lower() == "syntax":
            return directive["value"]
    return None


def without_syntax(text: str) -> str:
    """Return the Dockerfile without its `# syntax=` line. BuildKit then uses its built-in frontend."""
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not re.match(r"#\s*syntax\s*=", line.strip(), re.I))


def _stages(text: str, args: Mapping[str, str], arch: str) -> list[_Stage]:
    platform = {"OS": "linux", "ARCH": arch, "PLATFORM": f"linux/{arch}"}
    known = {f"{side}{what}": v for side in ("BUILD", "TARGET") for what, v in platform.items()}
    stages: list[_Stage] = []
    for line in _instructions(text):
        word = line.split(maxsplit=1)[0].upper()
        if word == "ARG" and not stages:  # only those before the first FROM count in FROM
            for name, default in re.findall(r"(\w+)(?:=(\"[^\"]*\"|'[^']*'|\S*))?", line[3:]):
                given = args.get(name, default.strip("\"'"))
                if given:
                    known[name] = _substitute(given, known)
        elif word == "FROM" and (match := _FROM.match(line)):
            image = _substitute(match["image"].strip("\"'"), known)
            stages.append(_Stage(image, match["name"] or ""))
        elif stages and word in ("COPY", "ADD"):
            flags = re.match(r"\w+((?:\s+--\S+)*)", line)
            stages[-1].others += _COPY_FROM.findall(flags[1] if flags else "")
        elif stages and word == "RUN":
            stages[-1].others += _MOUNT_FROM.findall(line)
    return stages


def _instructions(text: str) -> Iterator[str]:
    """Yield the logical lines. Continuation lines are joined; comments and here-documents are left out."""
    escape = "\\"
    lines = iter(text.splitlines())
    parts: list[str] = []
    directives = True
    for line in lines:
        stripped = line.strip()
        directive = _DIRECTIVE.match(stripped) if directives else None
        directives = directive is not None
        if directive and directive["name"].lower() == "escape":
            escape = directive["value"]
        if not stripped or stripped.startswith("#"):
            continue
        if stripped.endswith(escape):
            parts.append(stripped[:-1])
            continue
        whole = " ".join([*parts, stripped]).strip()
        parts = []
        if re.match(r"(RUN|COPY|ADD)\b", whole, re.IGNORECASE):
            for _, end in _HEREDOC.findall(whole):
                for body in lines:
                    if body.strip("\t") == end:
                        break
        if whole:
            yield whole
    if parts:
        yield " ".join(parts).strip()


def _substitute(text: str, known: Mapping[str, str]) -> str:
    """Replace $NAME, ${NAME}, ${NAME:-default} and ${NAME:+other}; unknown names are left as they are."""

    def value(match: re.Match[str]) -> str:
        found = known.get(match["plain"] or match["name"])
        how, other = match["how"], match["other"] or ""
        if how in (":+", "+"):
            return other if found else ""
        if how in (":-", "-"):
            return found or other
        return match[0] if found is None else found

    return _VARIABLE.sub(value, text)
