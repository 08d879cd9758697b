"""An engine whose images are asked for once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from kindctl.tools.engine_protocol import Engine, ImageInfo

CHANGES_IMAGES = {"pull", "push", "build", "import_image", "tag", "remove_image"}


class RememberedImages:
    """Engine, for one plan: its steps ask for the same images again and again, at a process each time.

    What is done to images through this forgets all of them. What others do to them meanwhile is not
    seen, so that one `up` has one image for one name.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._seen: dict[str, ImageInfo | None] = {}

    def image(self, reference: str) -> ImageInfo | None:
        seen = self._seen  # another dict takes its place when something changes before the answer
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
