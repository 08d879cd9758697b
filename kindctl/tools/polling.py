"""Ask until the answer is the right one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def poll(
    ask: Callable[[], T],
    *,
    until: Callable[[T], bool],
    seconds: float,
    pause: tuple[float, float] = (0.02, 0.1),
) -> T:
    """Ask until `until` holds of the answer, for at most `seconds`. The last answer, whether right or not.

    `pause`: the shortest and the longest time between two questions, in seconds.
    """
    from tenacity import Retrying, retry_if_not_result, stop_after_delay, wait_random

    return Retrying(
        retry=retry_if_not_result(until),
        wait=wait_random(*pause),
        stop=stop_after_delay(seconds),
        retry_error_callback=lambda state: state.outcome and state.outcome.result(),
    )(ask)
