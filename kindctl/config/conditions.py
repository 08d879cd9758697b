"""Keys that only have an effect under a condition. Where it is not met they would be ignored silently, so
they are refused.

`ingress.custom` is not among them: people who switch controllers change the one word `controller`, and
change it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from kindctl.config.schema import Config, ExistingConfig


@dataclass(frozen=True)
class Condition:
    """The key at `path` has an effect only if `is_met`; `message` and `hint` say so otherwise."""

    path: tuple[str, ...]
    is_met: Callable[[Config], bool]
    message: str
    hint: str


def is_existing(config: Config) -> bool:
    """Whether the cluster exists already, and kindctl does not create it."""
    return isinstance(config.cluster.provider, ExistingConfig)


def _is_kind(config: Config) -> bool:
    return not is_existing(config)


KIND_KEYS = ("kubernetes", "image", "workers", "gateways", "registry", "kind")
"""Keys of `cluster` for clusters that kind creates."""

REGISTRY_KEYS = ("push", "pull")
"""Keys of `images` for existing clusters."""

CONDITIONS = (
    *(
        Condition(
            ("cluster", key),
            _is_kind,
            f"cluster.{key} has no effect on an existing cluster",
            "remove it",
        )
        for key in KIND_KEYS
    ),
    *(
        Condition(
            ("images", key),
            is_existing,
            f"images.{key} has no effect on a kind cluster, whose nodes get images directly",
            "remove it; if you want a registry, set cluster.registry",
        )
        for key in REGISTRY_KEYS
    ),
    Condition(
        ("images", "pull"),
        lambda config: config.images.push is not None or _is_kind(config),
        "images.pull has no effect without images.push",
        "set images.push to the registry's name on this machine",
    ),
    Condition(
        ("ingress", "expose", "nodePorts"),
        lambda config: config.ingress.expose.via == "node-port",
        "ingress.expose.nodePorts has no effect without `via: node-port`",
        "remove it, or set `via: node-port`",
    ),
)


def unmet(config: Config) -> Iterator[Condition]:
    """The conditions that are not met, whether the file has their keys or not."""
    return (condition for condition in CONDITIONS if not condition.is_met(config))


def is_given(config: Config, path: tuple[str, ...]) -> bool:
    """Whether the file sets a key to anything but null."""
    part: Any = config
    for key in path:
        if key not in part.model_fields_set:
            return False
        part = getattr(part, key)
        if part is None:
            return False
    return True
