"""The words of problems: paths of fields, and guesses at misspelt names."""

from __future__ import annotations

import pytest

from kindctl.problems import FieldPath, did_you_mean, dotted


@pytest.mark.parametrize(
    ("path", "text"),
    [((), ""), (("name",), "name"), (("apps", 0, "expose", 1, "via"), "apps[0].expose[1].via")],
)
def test_a_path_is_written_with_dots_and_brackets(path: FieldPath, text: str) -> None:
    assert dotted(path) == text


def test_a_similar_name_is_guessed_else_all_are_listed() -> None:
    known = ("nginx", "traefik")
    assert did_you_mean("ngnix", known) == "did you mean 'nginx'?"
    assert did_you_mean("alb", known) == "available: nginx, traefik"
    assert did_you_mean("alb", known, "see the list") == "see the list"
    assert did_you_mean("alb", ()) == ""
