"""The output for programs: one JSON object per line, as docs/events.md and events.schema.json describe
it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import Any, get_args

from kindctl.render.screen import Screen
from kindctl.runner.events import Event, RunStarted

VERSION = 1
"""The version of the format. It increases when the meaning of a line changes, but not for new fields or new
events."""

NAMES: dict[type[Event], str] = {
    kind: re.sub(r"\B([A-Z])", r"-\1", kind.__name__).lower() for kind in get_args(Event)
}
"""The `event` field of each class: StepStarted is "step-started". The schema fixes these names."""


class JsonLines(Screen):
    """The screen for programs. It writes every event as one line."""

    def show(self, event: Event) -> None:
        self._write(json.dumps(as_json(event)))


def as_json(event: Event) -> dict[str, Any]:
    """Return an event as a JSON object. Seconds are rounded to three decimal places."""
    line: dict[str, Any] = {"event": NAMES[type(event)], **_rounded(asdict(event))}
    if isinstance(event, RunStarted):
        line["version"] = VERSION
        line["steps"] = [
            {"name": name, "title": title, "needs": list(needs)}
            for name, title, needs in event.steps
        ]
    return line


def _rounded(value: Any) -> Any:
    match value:
        case float():
            return round(value, 3)
        case dict():
            return {key: _rounded(item) for key, item in value.items()}
        case list() | tuple():
            return [_rounded(item) for item in value]
    return value
