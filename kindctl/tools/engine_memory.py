"""An engine that remembers the images that it was asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from kindctl.tools.engine_protocol import Engine, ImageInfo

CHANGES_IMAGES = {"pull", "push", "build", "import_image", "tag", "remove_image"}


class RememberedImages:
    """The engine for one plan, whose steps ask for the same images again and again: each question costs a
    process.

    Any change of images through this object makes it forget all of them. Changes by others are not seen, so
    that during one `up` a name always stands for the same image.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._seen: dict[str, ImageInfo | None] = {}

    def image(self, reference: str) -> ImageInfo | None:
        seen = self._seen  # a change before the answer replaces this dict
        if reference not in seen:
            seen[reference] = self._engine.image(reference)
        return seen[reference]

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._engine, name)
        return self._forgetting(method) if name in CHANGES_IMAGES else method

    def _forgetting(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def change(*args: Any, **kwargs: Any) -> Any:
            try:
                return method(*args, **kwargs)
            finally:
                self._seen = {}

        return change
