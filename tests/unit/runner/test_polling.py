"""Asking again until an answer will do, or time is up."""

from __future__ import annotations

import pytest

from kindctl.runner.polling import poll

NO_PAUSE = (0.0, 0.0)


def test_the_first_answer_that_will_do_is_returned() -> None:
    answers = iter([1, 2, 3])
    assert poll(lambda: next(answers), lambda n: n > 1, seconds=60, pause=NO_PAUSE) == 2


def test_the_last_answer_is_returned_when_time_is_up() -> None:
    assert poll(lambda: ["still there"], lambda left: not left, seconds=0) == ["still there"]


def test_an_error_ends_the_wait() -> None:
    def ask() -> int:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        poll(ask, bool, seconds=60, pause=NO_PAUSE)
