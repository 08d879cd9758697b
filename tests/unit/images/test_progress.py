"""The progress of a build, as one short line."""

from __future__ import annotations

import pytest

from kindctl.images.progress import BuildProgress, duration, instruction, time_left


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (
            "#9 [compile 3/4] RUN --mount=type=cache,id=a,target=/x set -eu;   go build -o /out/ ./k",
            "RUN go build -o /out/ ./k",
        ),
        ("#5 [2/3] COPY --chown=1:1 files /", "COPY files /"),
        ("#4 [system 2/4] RUN apt-get update", "RUN apt-get update"),
        ("#1 [internal] load build definition from Dockerfile", None),
        ("#9 12.34 go: downloading k8s.io/api", None),
        ("#9 DONE 3.1s", None),
        ("", None),
    ],
)
def test_a_line_of_buildkit_is_its_instruction(line: str, shown: str | None) -> None:
    assert instruction(line) == shown


def test_a_long_instruction_is_cut() -> None:
    shown = instruction("#9 [1/1] RUN " + "x " * 200)
    assert shown
    assert len(shown) <= 60
    assert shown.endswith("…")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1, "5 s"), (42, "40 s"), (99, "1 min 40 s"), (118, "2 min"), (480, "8 min"), (340, "6 min")],
)
def test_an_estimate_is_rounded(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_the_time_left_shrinks_and_then_admits_that_nothing_is_known() -> None:
    assert time_left(480, 0) == "about 8 min left"
    assert time_left(480, 380) == "about 1 min 40 s left"
    assert time_left(480, 481) == "taking longer than the usual 8 min"
    assert time_left(0, 10) == ""


def test_progress_is_told_once_per_change() -> None:
    said: list[str] = []
    at = [0.0]
    with BuildProgress(said.append, "node", 480, now=lambda: at[0]) as progress:
        progress("#5 [compile 2/3] RUN go build ./kube")
        progress("#5 1.0 go: downloading a")
        progress("#5 1.1 go: downloading b")
        at[0] = 240.0
        progress("#5 240.0 compiling")
    assert said == [
        "node: RUN go build ./kube (about 8 min left)",
        "node: RUN go build ./kube (about 4 min left)",
    ]
