"""As much of a Dockerfile as decides whether a build can start and which labels its image has."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from string import Template

from kindctl.tools.engine_protocol import Build


@dataclass(frozen=True)
class Recipe:
    bases: tuple[str, ...]  # references that the engine or a registry must have
    final_base: str  # the one that the last stage stands on; empty: scratch
    labels: Mapping[str, str]  # of the last stage


def read_dockerfile(text: str, build: Build) -> Recipe:
    """Build arguments, stages and named contexts are followed; `RUN` and `COPY` are not."""
    values: dict[str, str] = {}
    stages: dict[str, Recipe] = {}
    bases: list[str] = []
    stage, name = Recipe((), "", {}), ""
    for line in text.replace("\\\n", " ").splitlines():
        instruction, _, rest = line.strip().partition(" ")
        if instruction.upper() == "ARG":
            argument, _, default = rest.partition("=")
            values[argument] = build.args.get(argument, default)
        elif instruction.upper() == "FROM":
            if name and name == build.target:
                break
            words = [word for word in rest.split() if not word.startswith("--")]
            reference = Template(words[0]).safe_substitute(values)
            name = words[2] if len(words) == 3 else ""
            stage = stages.get(reference) or Recipe((), _in_context(reference, build), {})
            if stage.final_base not in ("", *bases):
                bases.append(stage.final_base)
            stages[name] = stage
        elif instruction.upper() == "LABEL":
            labels = dict(word.split("=", 1) for word in shlex.split(rest))
            stage = stages[name] = replace(stage, labels={**stage.labels, **labels})
    return replace(stage, bases=tuple(bases))


def _in_context(reference: str, build: Build) -> str:
    if reference == "scratch":
        return ""
    return build.contexts.get(reference, reference).removeprefix("docker-image://")
