"""Runs as events, for tests of the screens that show them."""

from __future__ import annotations

import io
from collections.abc import Sequence

from kindctl.models import Report, StepReport
from kindctl.render.screen import Screen
from kindctl.runner.events import (
    Event,
    RunEnded,
    RunStarted,
    StepEnded,
    StepReached,
    StepSaid,
    StepStarted,
)

REPORT = Report(
    "shop",
    (
        StepReport("image", "build the image", "ready", 12.0, 0.0, ("built shop:dev",)),
        StepReport(
            "cluster", "create | the cluster", "failed", 3.0, 0.0, note="<port> 80 is taken"
        ),
        StepReport("pods", "pods are ready", "cancelled", 1.0, 2.0),
        StepReport("page", "page answers", "skipped", 0.0, 12.0),
    ),
    12.0,
)


FAILED: list[Event] = [
    RunStarted(
        "shop",
        (
            ("image", "build the image", ()),
            ("cluster", "create | the cluster", ()),
            ("pods", "pods are ready", ("cluster:api",)),
            ("page", "page answers", ("pods",)),
        ),
    ),
    StepStarted("image", 0.0),
    StepStarted("cluster", 0.0),
    StepSaid("image", 0.1, "layer 1"),
    StepSaid("image", 0.4, "soon after"),
    StepReached("cluster", 1.0, "api"),
    StepSaid("image", 1.2, "layer 2"),
    StepStarted("pods", 2.0),
    StepEnded("cluster", 3.0, "failed", 3.0, note="<port> 80 is taken\nby nginx"),
    StepEnded("pods", 3.0, "cancelled", 1.0),
    StepEnded("page", 3.0, "skipped", 0.0),
    StepSaid("image", 6.0, "layer 3"),
    StepEnded("image", 12.0, "ready", 12.0, ("built shop:dev",), "sha256:1"),
    RunEnded(REPORT, 12.0),
]


def shown(screen: Screen, stream: io.StringIO, events: Sequence[Event] = FAILED) -> list[str]:
    with screen:
        for event in events:
            screen(event)
    return stream.getvalue().splitlines()
