"""What an answer shows, in words."""

from __future__ import annotations

import pytest

from kindctl.ingress.answers import summary
from kindctl.tools.protocols import HttpAnswer


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (HttpAnswer(200, {}, b"whatever"), "200 OK"),
        (HttpAnswer(599, {}, b""), "599"),
        (
            HttpAnswer(500, {}, b"<html><title> Oh\n\x1b[2Jno </title>"),
            "500 Internal Server Error: Oh [2Jno",
        ),
        (HttpAnswer(500, {}, b"\xff" * 200), "500 Internal Server Error: " + "\ufffd" * 100),
    ],
)
def test_an_answer_in_one_line(answer: HttpAnswer, words: str) -> None:
    assert summary(answer) == words
