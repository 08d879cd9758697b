"""CONTRIBUTING.md has a checklist for every kind of plug-in, with every rule and with paths that exist."""

from __future__ import annotations

import re
from collections.abc import Collection

import pytest

from tests import ROOT
from tests.unit.conformance import (
    test_addons,
    test_commands,
    test_controllers,
    test_diagnose,
    test_exposures,
    test_image_sources,
    test_providers,
    test_recipes,
)

TEXT = (ROOT / "CONTRIBUTING.md").read_text()
FILE = re.compile(r"[\w./-]*/[\w./-]*|[\w-]+\.(md|py|toml|txt|yaml)")
RULES: dict[str, Collection[str]] = {
    "ingress controller": {*test_controllers.BRINGS, *test_controllers.APPLIES},
    "add-on": {*test_addons.BRINGS, *test_addons.APPLIES},
    "exposure": set(test_exposures.BRINGS),
    "provider": set(test_providers.BRINGS),
    "image source": set(test_image_sources.BRINGS),
    "image recipe": set(test_recipes.BRINGS),
    "check": set(test_diagnose.CHECK_BRINGS),
    "cause": set(test_diagnose.CAUSE_BRINGS),
    "command": set(test_commands.BRINGS),
}
"""Kind of plug-in -> names of the rules that its registered plug-ins keep."""


def section(kind: str) -> str:
    _, _, rest = TEXT.partition(f"\n### {kind.capitalize()}\n")
    return rest.partition("\n### ")[0]


def test_every_kind_of_plug_in_has_a_row_and_every_row_a_kind() -> None:
    rows = re.findall(r"^\| \[([a-z -]+)\]\(#([a-z-]+)\) \|", TEXT, re.MULTILINE)
    assert [kind for kind, _ in rows] == list(RULES)
    assert [anchor for _, anchor in rows] == [kind.replace(" ", "-") for kind in RULES]


@pytest.mark.parametrize("kind", RULES)
def test_every_rule_stands_in_the_checklist_of_its_kind(kind: str) -> None:
    missing = [rule for rule in RULES[kind] if f"`{rule}`" not in section(kind)]
    assert missing == [], f"add them to {kind.capitalize()} in CONTRIBUTING.md"
    known = set().union(*RULES.values())
    cells = re.findall(r"^\| \d+ \|.*\| (.*) \|$", section(kind), re.MULTILINE)
    named = {rule for cell in cells for rule in re.findall(r"`(\w+)`", cell)}
    assert named <= known, "rules that are no longer there"


def test_every_path_is_there() -> None:
    """NAME stands for the name of any plug-in; a new one's tests and pages stand beside those of others."""
    prose = re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)
    named = {*re.findall(r"`([^`\s]+)`", prose), *re.findall(r"\]\(([^)#]+)\)", prose)}
    paths = {name for name in named if FILE.fullmatch(name)} - {"kindctl.yaml"}
    assert len(paths) > 30
    gone = [path for path in paths if not list(ROOT.glob(path.replace("NAME", "*").rstrip("/")))]
    assert gone == []
