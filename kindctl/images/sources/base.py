"""The interface of an image source, which finds images and gets them into the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from kindctl.errors import KindctlError
from kindctl.images.recipe_book import RecipeBook
from kindctl.models import Say
from kindctl.tools.engine_protocol import ImageInfo
from kindctl.tools.protocols import Tools

UNAVAILABLE = "image-unavailable"
"""The code of an error that only says that a source does not have the image."""


@dataclass(frozen=True)
class Provided:
    """An image in the engine. `name` is its name in the engine. `done` says what was done to get the image.

    If nothing had to be done, `done` is empty.
    """

    name: str
    done: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceContext:
    """The arguments of every image source."""

    tools: Tools
    mirrors: Mapping[str, str]  # registry -> mirror
    book: RecipeBook

    @cached_property
    def architecture(self) -> str:
        return self.tools.engine.info().architecture


class ImageSource(Protocol):
    name: str  # as in images.sources of kindctl.yaml

    def find(self, reference: str) -> str | None:
        """Return the name of the image in the engine, or None if this source has not provided the image."""

    def provide(self, reference: str, say: Say) -> Provided:
        """Get the image into the engine.

        Raises KindctlError. The code of this error is UNAVAILABLE if the source does not have the image. If
        all sources fail, a final error lists them, with `what` as the line for this source.
        """


def unavailable(answer: str) -> KindctlError:
    return KindctlError(answer, code=UNAVAILABLE)


def combined(
    what: str, errors: Sequence[KindctlError], *, why: str = "", fix: str = ""
) -> KindctlError:
    """Combine the errors of all places that were tried into one error, and return it.

    Errors with the code UNAVAILABLE are ignored. The combined error takes its code from the last other
    error, and its fix from the last other error that suggests a fix. If no error suggests a fix, `fix` is
    used.
    """
    failures = [error for error in errors if error.code != UNAVAILABLE]
    return KindctlError(
        what,
        why=why,
        fix=next((error.fix for error in reversed(failures) if error.fix), fix),
        output="\n".join(error.output for error in failures if error.output),
        code=failures[-1].code if failures else UNAVAILABLE,
    )


def check_architecture(image: ImageInfo, reference: str, architecture: str) -> None:
    """Raise KindctlError (code exec-format) for an image that the engine's machine cannot run.

    In the cluster, the image's containers would only report "exec format error" (microservices-demo#2688).
    """
    if image.architecture and image.architecture != architecture:
        raise KindctlError(
            f"{reference} is built for {image.architecture}, but this engine runs on {architecture}",
            why="the image's programs would fail with `exec format error`",
            fix=f"build or pull the image for linux/{architecture}",
            code="exec-format",
        )
