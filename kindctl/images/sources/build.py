"""Built from package registries by a recipe: where no image registry can be reached, or when asked to."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kindctl.errors import KindctlError, MachineError, ToolError
from kindctl.images import cas
from kindctl.images.bootstrap import OFFICIAL, rootfs
from kindctl.images.progress import BuildProgress
from kindctl.images.recipe_book import Recipe
from kindctl.images.sources.base import Provided, SourceContext, unavailable
from kindctl.images.sources.registry import Source as RegistrySource
from kindctl.models import Say
from kindctl.tools.engine_protocol import Build


class Source:
    name = "build"

    def __init__(self, surroundings: SourceContext) -> None:
        self._around = surroundings
        self._queue = Queue()

    def find(self, reference: str) -> str | None:
        recipe = self._around.book.for_reference(reference)
        return self.built(recipe) if recipe else None

    def provide(self, reference: str, say: Say) -> Provided:
        recipe = self._around.book.for_reference(reference)
        if recipe is None:
            raise unavailable("no recipe builds it")
        return self.provide_recipe(recipe, say)

    def built(self, recipe: Recipe) -> str | None:
        """The image of the recipe as it is now, if the engine has it."""
        tag = self._around.book.tag(recipe)
        return tag if self._around.tools.engine.image(tag) is not None else None

    def provide_recipe(self, recipe: Recipe, say: Say) -> Provided:
        """Build it, after what it needs and the engine lacks."""
        tag = self._around.book.tag(recipe)
        with self._queue.turn(recipe.seconds, lambda: say("waiting for another build")):
            missing = self._missing(recipe, {})
            left = sum(needed.seconds for needed in missing.values())
            for needed in missing.values():
                with BuildProgress(say, needed.name, left) as progress:
                    self._build(needed, progress)
                left -= needed.seconds
        return Provided(tag, tuple(f"built {self._around.book.tag(r)}" for r in missing.values()))

    def _missing(self, recipe: Recipe, found: dict[str, Recipe]) -> dict[str, Recipe]:
        """The recipes to build, needs first. What only a present image needs is not asked for."""
        if recipe.name not in found and self.built(recipe) is None:
            for need in recipe.needs:
                self._missing(self._around.book.get(need), found)
            found[recipe.name] = recipe
        return found

    def _build(self, recipe: Recipe, progress: BuildProgress) -> None:
        book = self._around.book
        contexts = {need: f"docker-image://{book.tag(book.get(need))}" for need in recipe.needs}
        with tempfile.TemporaryDirectory(prefix="kindctl-") as folder:
            if recipe.bootstrap:
                cas.write_folder(book.extra_cas, Path(folder))
                base = rootfs(self._around.tools, self._official, progress.note)
                contexts |= {"rootfs": f"docker-image://{base}", "cas": folder}
            build = Build(
                str(recipe.folder),
                book.tag(recipe),
                args=recipe.args,
                contexts=contexts,
                labels=book.labels(recipe),
            )
            try:
                self._around.tools.engine.build(build, progress)
            except ToolError as error:
                raise build_failed(recipe.name, error) from None

    def _official(self, say: Say) -> str:
        return RegistrySource(self._around).provide(OFFICIAL, say).name


class Queue:
    """One build at a time: compilers side by side gain nothing on two cores. Of those that wait the
    longest is next: that is the node, and the cluster waits for it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._busy = False
        self._waiting: list[float] = []

    @contextmanager
    def turn(self, seconds: float, waits: Callable[[], None]) -> Iterator[None]:
        """`waits` is told when it is not at once."""
        with self._changed:
            self._waiting.append(seconds)
            try:
                if self._busy:
                    waits()
                self._changed.wait_for(lambda: not self._busy and seconds >= max(self._waiting))
                self._busy = True
            finally:
                self._waiting.remove(seconds)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._busy = False
                self._changed.notify_all()


def build_failed(name: str, error: ToolError) -> KindctlError:
    """Whose build failed, and BuildKit's sentence on which instruction did. MachineError where the disk
    is full: no other source will do better."""
    lines = [line.strip() for line in error.output.splitlines()]
    why = next((line for line in reversed(lines) if line.startswith("ERROR:")), error.why)
    if error.code == "disk-full":
        return MachineError(
            f"no disk space left while {name} was built",
            why=error.why,
            fix=error.fix,
            output=error.output,
            code=error.code,
        )
    error.what = f"the build of {name} failed"
    error.why = why.removeprefix("ERROR: ")
    error.fix = error.fix or "see the build's last lines; containers must reach package registries"
    return error
