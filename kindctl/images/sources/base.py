"""An image source is one way to get an image into the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from kindctl.errors import KindctlError
from kindctl.images.recipe_book import RecipeBook
from kindctl.models import Say
from kindctl.tools.engine_protocol import ImageInfo
from kindctl.tools.protocols import Tools


@dataclass(frozen=True)
class Provided:
    """An image in the engine. `name` is what a node image or manifest uses; `done` says what was done
    to get it, empty when it was there."""

    name: str
    done: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceContext:
    """What sources are made with."""

    tools: Tools
    mirrors: Mapping[str, str]  # registry -> mirror
    book: RecipeBook

    @cached_property
    def architecture(self) -> str:
        return self.tools.engine.info().architecture


class ImageSource(Protocol):
    name: str  # as in images.sources of kindctl.yaml

    def find(self, reference: str) -> str | None:
        """The name in the engine of what this source has provided; looking only."""
        ...

    def provide(self, reference: str, say: Say) -> Provided:
        """Make it so. Raises KindctlError, whose `what` is this source's answer in the list of what
        was tried (code image-unavailable: it simply does not have it)."""
        ...


def unavailable(answer: str, *, fix: str = "") -> KindctlError:
    return KindctlError(answer, fix=fix, code="image-unavailable")


def check_architecture(image: ImageInfo, reference: str, architecture: str) -> None:
    """Raises KindctlError (code exec-format) for what the engine's machine cannot run: in the cluster
    it would only say "exec format error" (microservices-demo#2688)."""
    if image.architecture and image.architecture != architecture:
        raise KindctlError(
            f"{reference} is for {image.architecture}, this engine runs {architecture}",
            why="its programs would end with `exec format error`",
            fix=f"build or pull it for linux/{architecture}",
            code="exec-format",
        )
