"""A cache for the engine's answers about images."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from kindctl.tools.engine_protocol import Engine, ImageInfo

CHANGES_IMAGES = {"pull", "push", "build", "import_image", "tag", "remove_image"}


class RememberedImages:
    """An Engine that caches the answers of `image`, for the steps of one plan.

    The steps ask for the same images repeatedly, and without the cache each query would start a process.
    Every method that changes images clears the cache. Changes by other programs are not noticed, so a name
    always means the same image during one `up`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._seen: dict[str, ImageInfo | None] = {}

    def image(self, reference: str) -> ImageInfo | None:
        seen = self._seen  # an image that changes during the query replaces this dict
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
