"""One JSON object a line, as docs/events.md and events.schema.json describe it: for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from types import TracebackType
from typing import Any, Self, TextIO

from kindctl.runner.events import (
    Event,
    RunEnded,
    RunStarted,
    StepEnded,
    StepReached,
    StepSaid,
    StepStarted,
)

VERSION = 1
"""Goes up when a line changes its meaning. New fields and new events leave it as it is."""

NAMES: dict[type[Event], str] = {
    RunStarted: "run-started",
    StepStarted: "step-started",
    StepSaid: "step-said",
    StepReached: "step-reached",
    StepEnded: "step-ended",
    RunEnded: "run-ended",
}


class JsonLines:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return

    def __call__(self, event: Event) -> None:
        self._stream.write(json.dumps(as_json(event)) + "\n")
        self._stream.flush()


def as_json(event: Event) -> dict[str, Any]:
    """Seconds with three digits: more would be noise."""
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
