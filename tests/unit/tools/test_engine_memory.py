"""The memory of which images there are: short enough to be true."""

from __future__ import annotations

from typing import cast

import pytest

from kindctl.tools.engine_memory import RememberedImages
from kindctl.tools.engine_protocol import Engine, ImageInfo
from tests.fakes.engine import FakeEngine


class CountingEngine(FakeEngine):
    asked = 0

    def image(self, reference: str) -> ImageInfo | None:
        self.asked += 1
        return super().image(reference)


@pytest.fixture
def real() -> CountingEngine:
    return CountingEngine()


@pytest.fixture
def engine(real: CountingEngine) -> Engine:
    return cast(Engine, RememberedImages(real))


def test_an_image_is_asked_for_once_whether_it_is_there_or_not(
    real: CountingEngine, engine: Engine
) -> None:
    real.add_image("postgres:17")
    for _ in range(3):
        assert engine.image("postgres:17")
        assert engine.image("redis:7") is None
    assert real.asked == 2


def test_what_is_done_through_it_is_seen(real: CountingEngine, engine: Engine) -> None:
    real.add_image("postgres:17")
    assert engine.image("db:1") is None
    engine.tag("postgres:17", "db:1")
    assert engine.image("db:1")
    engine.remove_image("db:1")
    assert engine.image("db:1") is None


def test_a_look_that_a_change_overtakes_is_not_remembered(real: CountingEngine) -> None:
    real.add_image("postgres:17")

    class Slow:
        def image(self, reference: str) -> ImageInfo | None:
            found = real.image(reference)
            if found is None:
                remembered.tag("postgres:17", reference)  # meanwhile, by another thread
            return found

        tag = real.tag

    remembered = RememberedImages(cast(Engine, Slow()))
    assert remembered.image("db:1") is None
    assert remembered.image("db:1")


def test_everything_else_is_the_engines(real: CountingEngine, engine: Engine) -> None:
    assert engine.info() == real.info()
    assert engine.containers() == []
