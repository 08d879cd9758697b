"""Tests of steps/handover/."""

from __future__ import annotations

import threading

from kindctl.steps.handover.outage import OutageMeter


def test_the_gap_is_from_the_last_right_answer_to_the_next_one() -> None:
    answers = iter([True, True, False, False, True, True])
    times = iter(float(second) for second in range(100))
    gap = OutageMeter(lambda: next(answers, True), clock=lambda: next(times, 100.0))
    for _ in range(6):
        gap.request()
    assert (gap.requests, gap.lost, gap.seconds) == (6, 2, 3.0)
    assert str(gap) == "3.0 s without a correct answer (2 of 6 requests lost)"


def test_a_gap_that_is_still_open_at_the_end_counts() -> None:
    lost = threading.Event()
    now = 0.0

    def holds() -> bool:
        nonlocal now
        if now:
            lost.set()
            return False
        now = 4.0
        return True

    gap = OutageMeter(holds, clock=lambda: now)
    with gap:
        lost.wait(5)
        now = 6.0
    assert gap.seconds == 2.0


def test_a_way_in_that_always_answers_has_no_gap() -> None:
    with OutageMeter(lambda: True) as gap:
        pass
    assert gap.lost == 0
    assert str(gap) == f"none of {gap.requests} requests was lost"
