"""Which images kind's nodes have, by identity: a name may have moved on since it was delivered."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence

from kindctl.errors import ToolError
from kindctl.references import full_name
from kindctl.tools.engine_protocol import Engine

Names = Mapping[str, str]
"""Full name -> digest."""


class NodeImages:
    """Asked of each node once, until something is delivered: every image of an `up` wants the lists."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], Names] = {}

    def forget(self) -> None:
        with self._lock:
            self._known.clear()

    def has(self, node: str, image: str, engine_id: str) -> bool:
        """`engine_id` is the engine's ID of the image: the digest of its configuration, or with the
        containerd image store (Docker 29's default) of its manifest."""
        name = full_name(image)
        return (
            self._ask(node, self._configurations).get(name) == engine_id
            or self._ask(node, self._manifests).get(name) == engine_id
        )

    def _ask(self, node: str, question: Callable[[str], Names]) -> Names:
        with self._lock:
            key = (node, question.__name__)
            names = self._known.get(key) or question(node)
            if names:  # none at all: containerd is not up yet
                self._known[key] = names
            return names

    def _configurations(self, node: str) -> Names:
        text = self._exec(node, ["crictl", "images", "--no-trunc", "-o", "json"])
        return {
            name: image["id"]
            for image in json.loads(text or "{}").get("images", [])
            for name in image.get("repoTags", [])
        }

    def _manifests(self, node: str) -> Names:
        text = self._exec(node, ["ctr", "--namespace", "k8s.io", "images", "ls"])
        rows = [line.split() for line in text.splitlines()[1:]]
        return {row[0]: row[2] for row in rows if len(row) > 2}  # REF TYPE DIGEST ...

    def _exec(self, node: str, command: Sequence[str]) -> str:
        try:
            return self._engine.exec(node, command)
        except ToolError:
            return ""
