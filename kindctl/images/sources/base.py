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
    """An image in the engine: its name there, and what was done to get it (empty if nothing)."""

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
        """Return the name in the engine of the image that this source has provided, or None."""

    def provide(self, reference: str, say: Say) -> Provided:
        """Get the image into the engine.

        Raises KindctlError, whose `what` becomes this source's line in the error that lists all sources.
        The error's code is UNAVAILABLE if the source does not have the image.
        """


def unavailable(answer: str) -> KindctlError:
    return KindctlError(answer, code=UNAVAILABLE)


def combined(
    what: str, errors: Sequence[KindctlError], *, why: str = "", fix: str = ""
) -> KindctlError:
    """Combine the errors of all places that were tried into one error, and return it.

    Its code is that of the last error whose code is not UNAVAILABLE, and its fix that of the last such
    error with a fix. If there is none, `fix` is used.
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
