"""The steps of images: what the report says of a build that waited for another one."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from kindctl.images import bootstrap
from kindctl.images.recipe_book import RecipeBook
from kindctl.models import AppBuild, Say, Step, Turn
from kindctl.runner.events import StepSaid
from kindctl.runner.run import run
from kindctl.steps.app_image import AppImageBuilt
from kindctl.steps.image import ImagePresent
from kindctl.tools.engine_protocol import Build, ImageInfo
from tests.fakes.engine import FakeEngine
from tests.fakes.steps import PATIENCE, Journal
from tests.support.images_bench import Bench, write_recipes

NODE, PYTHON, APP = "kindest/node:v1.36.3", "python:3.13-slim", "shop:dev"


class SlowEngine(FakeEngine):
    """Its first build ends when another step waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.awaited = threading.Event()

    def build(self, build: Build, say: Say) -> ImageInfo:
        assert self.awaited.wait(PATIENCE)
        return super().build(build, say)


@pytest.mark.parametrize("second", ["image", "build"])
def test_a_recipe_and_a_dockerfile_wait_for_the_build_of_a_recipe(
    second: str, tmp_path: Path
) -> None:
    engine = SlowEngine()
    engine.add_image(bootstrap.ROOTFS)
    bench = Bench(engine)
    dockerfile = tmp_path / "app" / "Dockerfile"
    dockerfile.parent.mkdir()
    dockerfile.write_text(f"FROM {PYTHON}\n")
    build = AppBuild(APP, dockerfile.parent, dockerfile)
    book = RecipeBook(write_recipes(tmp_path / "recipes"))
    images = bench.images(book=book, builds=[build])
    node = ImagePresent(images=images, reference=NODE, needs=frozenset())
    other: Step = (
        ImagePresent(images=images, reference=PYTHON, needs=frozenset())
        if second == "image"
        else AppImageBuilt(images=images, reference=APP, needs=frozenset())
    )
    journal = Journal()
    journal.on(
        lambda event: isinstance(event, StepSaid) and event.text == Turn.WAITING,
        engine.awaited.set,
    )
    reports = run("shop", [node, other], emit=journal, stop=threading.Event()).steps

    waits = {report.name: [wait.after for wait in report.waits] for report in reports}
    assert sorted(waits.values()) in ([[], [node.name]], [[], [other.name]])
    assert sum(report.seconds_waited for report in reports) > 0
    assert all(report.seconds_waited <= report.seconds for report in reports)
