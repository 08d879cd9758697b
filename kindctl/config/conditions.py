"""Keys that count under a condition alone. Elsewhere they would silently do nothing, and so are refused.

Not `ingress.custom`: who switches controllers changes one word, `controller`, and changes it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from kindctl.config.schema import Config, ExistingConfig


@dataclass(frozen=True)
class Condition:
    loc: tuple[str, ...]
    holds: Callable[[Config], bool]
    message: str
    hint: str


def _exists(config: Config) -> bool:
    return isinstance(config.cluster.provider, ExistingConfig)


def _is_made(config: Config) -> bool:
    return not _exists(config)


OF_KIND = ("kubernetes", "image", "workers", "gateways", "registry", "kind")
OF_EXISTING = ("push", "pull")

CONDITIONS = (
    *(
        Condition(
            ("cluster", key),
            _is_made,
            f"cluster.{key} is of a cluster that kind makes, and this one exists",
            "remove it",
        )
        for key in OF_KIND
    ),
    *(
        Condition(
            ("images", key),
            _exists,
            f"images.{key} is for existing clusters",
            "kind's nodes get images directly; for a registry set cluster.registry",
        )
        for key in OF_EXISTING
    ),
    Condition(
        ("images", "pull"),
        lambda config: config.images.push is not None or _is_made(config),
        "images.pull is another name of the registry images.push, and there is none",
        "set images.push: this machine's name of it",
    ),
    Condition(
        ("ingress", "expose", "nodePorts"),
        lambda config: config.ingress.expose.via == "node-port",
        "ingress.expose.nodePorts are for `via: node-port`",
        "leave them out, or set via: node-port",
    ),
)


def idle(config: Config) -> Iterator[Condition]:
    """Those that do not hold, whether the key is given or not."""
    return (condition for condition in CONDITIONS if not condition.holds(config))


def is_given(config: Config, loc: tuple[str, ...]) -> bool:
    part: Any = config
    for key in loc:
        if key not in part.model_fields_set:
            return False
        part = getattr(part, key)
        if part is None:
            return False
    return True
