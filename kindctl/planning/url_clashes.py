"""Refuses a file in which two entries have the same URL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kindctl.components.app import AppComponent
from kindctl.config.load import Loaded
from kindctl.errors import ConfigError, Problem
from kindctl.models import Endpoint, Route
from kindctl.problems import FieldPath, dotted

HINTS = {
    "expect": "put status and contains into one `expect`: each URL has only one",
    "expose": "remove one of the two entries",
    "manifests": "set another host or path in one of the two",
}
"""Key that the later one is under -> hint."""


def refuse_url_clashes(
    loaded: Loaded, apps: Sequence[AppComponent], endpoints: Sequence[Endpoint]
) -> None:
    """Raises ConfigError, with the place of the later one, where two have the same URL: `up`
    knows a route by its URL."""
    problems = list(_clashes(loaded, apps, endpoints))
    if problems:
        raise ConfigError(problems)


def _clashes(
    loaded: Loaded, apps: Sequence[AppComponent], endpoints: Sequence[Endpoint]
) -> Iterator[Problem]:
    first: dict[tuple[str, str], tuple[FieldPath, Route]] = {}
    for index, app in enumerate(apps):
        for below, route in app.placed_routes(endpoints):
            loc: FieldPath = ("apps", index, *below)
            other, known = first.setdefault((route.url, route.which), (loc, route))
            if known is route:
                continue
            url = f"{route.url} ({route.which})" if route.which else route.url
            whose = f"app {known.app!r}" if known.app != route.app else dotted(other)
            hint = HINTS["manifests" if known.app != route.app else str(below[0])]
            yield loaded.problem(loc, f"{url} is already used by {whose}", hint)
