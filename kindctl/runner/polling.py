"""Polls what cannot be watched, until an answer is acceptable or the time is up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def poll(
    ask: Callable[[], T],
    until: Callable[[T], bool],
    *,
    seconds: float,
    pause: tuple[float, float] = (0.1, 0.2),
) -> T:
    """Call `ask` until its answer satisfies `until`, but for at most `seconds` from the first call.

    Returns the last answer, even if it does not satisfy `until`. `pause` is the minimum and the maximum
    number of seconds between two calls. An error that `ask` raises ends the wait.
    """
    from tenacity import Retrying, retry_if_result, stop_after_delay, wait_random

    retrying = Retrying(
        retry=retry_if_result(lambda answer: not until(answer)),
        wait=wait_random(*pause),
        stop=stop_after_delay(seconds),
        retry_error_callback=lambda state: state.outcome and state.outcome.result(),
    )
    answer: T = retrying(ask)
    return answer
