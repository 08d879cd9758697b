"""As much of a Dockerfile as decides whether a build can start and which labels its image has."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from string import Template

from kindctl.models import Build


@dataclass(frozen=True)
class Recipe:
    bases: tuple[str, ...]  # references that the engine or a registry must have
    final_base: str  # the one that the last stage stands on; empty: scratch
    labels: Mapping[str, str]  # of the last stage


def read_dockerfile(text: str, build: Build) -> Recipe:
    """Build arguments, stages and named contexts are followed; `RUN` and `COPY` are not."""
    values: dict[str, str] = {}
    stages: dict[str, str] = {}  # name -> the reference at its bottom
    bases: list[str] = []
    base = ""
    labels: dict[str, str] = {}
    for line in text.replace("\\\n", " ").splitlines():
        instruction, _, rest = line.strip().partition(" ")
        if instruction.upper() == "ARG":
            name, _, default = rest.partition("=")
            values[name] = build.args.get(name, default)
        elif instruction.upper() == "FROM":
            words = [word for word in rest.split() if not word.startswith("--")]
            reference = Template(words[0]).safe_substitute(values)
            base = stages.get(reference) or _in_context(reference, build)
            if base not in ("", *bases):
                bases.append(base)
            labels = {}
            if len(words) == 3:
                stages[words[2]] = base
                if words[2] == build.target:
                    break
        elif instruction.upper() == "LABEL":
            labels |= dict(re.split("=", word, maxsplit=1) for word in shlex.split(rest))
    return Recipe(tuple(bases), base, labels)


def _in_context(reference: str, build: Build) -> str:
    if reference == "scratch":
        return ""
    return build.contexts.get(reference, reference).removeprefix("docker-image://")
