"""The image source that builds images from package registries, by recipes.

It is used if no image registry can be reached, or if kindctl.yaml prefers it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from kindctl.images import cas
from kindctl.images.bootstrap import OFFICIAL, rootfs
from kindctl.images.building import run_build, temporary_folder
from kindctl.images.progress import BuildProgress
from kindctl.images.recipe_book import Recipe
from kindctl.images.sources.base import Provided, SourceContext, unavailable
from kindctl.images.sources.registry import RegistrySource
from kindctl.models import Say, Turn
from kindctl.tools.engine_protocol import Build


class BuildSource:
    name = "build"

    def __init__(self, context: SourceContext) -> None:
        self._context = context
        self._queue = Queue()

    def find(self, reference: str) -> str | None:
        recipe = self._context.book.for_reference(reference)
        return self.built(recipe) if recipe else None

    def provide(self, reference: str, say: Say) -> Provided:
        recipe = self._context.book.for_reference(reference)
        if recipe is None:
            raise unavailable("no recipe builds this image")
        return self.provide_recipe(recipe, say)

    def built(self, recipe: Recipe) -> str | None:
        """Return the name of the image that the current recipe builds, or None if the engine lacks this
        image."""
        tag = self._context.book.tag(recipe)
        return tag if self._context.tools.engine.image(tag) is not None else None

    def provide_recipe(self, recipe: Recipe, say: Say) -> Provided:
        """Build the missing images that the recipe needs, then the recipe's own image. Raises
        KindctlError."""
        tag = self._context.book.tag(recipe)
        with self._queue.turn(recipe.seconds, say):
            missing = self._missing(recipe, {})
            left = sum(needed.seconds for needed in missing.values())
            for needed in missing.values():
                with BuildProgress(say, needed.name, left) as progress:
                    self._build(needed, progress)
                left -= needed.seconds
        return Provided(tag, tuple(f"built {self._context.book.tag(r)}" for r in missing.values()))

    def _missing(self, recipe: Recipe, found: dict[str, Recipe]) -> dict[str, Recipe]:
        """Add the recipes that have to be built to `found`, in build order, and return `found`.

        If a recipe's image exists already, the recipes that it needs are not added.
        """
        if recipe.name not in found and self.built(recipe) is None:
            for need in recipe.needs:
                self._missing(self._context.book.get(need), found)
            found[recipe.name] = recipe
        return found

    def _build(self, recipe: Recipe, progress: BuildProgress) -> None:
        book = self._context.book
        contexts = {need: f"docker-image://{book.tag(book.get(need))}" for need in recipe.needs}
        with temporary_folder(cas.files(book.extra_cas)) as folder:
            if recipe.bootstrap:
                base = rootfs(self._context.tools, self._official, progress.note)
                contexts |= {"rootfs": f"docker-image://{base}", "cas": str(folder)}
            build = Build(
                str(recipe.folder),
                book.tag(recipe),
                args=recipe.args,
                contexts=contexts,
                labels=book.labels(recipe),
            )
            run_build(self._context.tools.engine, build, recipe.name, progress)

    def _official(self, say: Say) -> str:
        return RegistrySource(self._context).provide(OFFICIAL, say).name


class Queue:
    """Runs one build at a time, because two builds at once are not faster on two cores.

    The longest of the waiting builds runs next: the build of the node image, because the cluster waits for
    it.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._busy = False
        self._waiting: list[float] = []

    @contextmanager
    def turn(self, seconds: float, say: Say) -> Iterator[None]:
        """Wait until a build that takes `seconds` may run. The build's turn ends with the `with` block.

        `say` gets Turn.WAITING if the build has to wait, and Turn.TAKEN when its turn begins.
        """
        with self._changed:
            self._waiting.append(seconds)
            try:
                if self._busy or seconds < max(self._waiting):
                    say(Turn.WAITING)
                self._changed.wait_for(lambda: not self._busy and seconds >= max(self._waiting))
                say(Turn.TAKEN)
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
