"""Lists keys that only have an effect under a condition. If the condition is not met, the keys
would be ignored silently, so they are rejected.

`ingress.custom` is not among them: people who switch controllers change the one word `controller`,
and change it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from kindctl.problems import FieldPath, FieldProblem, dotted
from kindctl.schema import Config, ExistingConfig


@dataclass(frozen=True)
class Condition:
    """A key that only has an effect if `is_met`. `otherwise` says where the key has no effect, and `hint`
    says what to do in that case."""

    path: FieldPath
    is_met: Callable[[Config], bool]
    otherwise: str
    hint: str

    @property
    def problem(self) -> FieldProblem:
        message = f"{dotted(self.path)} has no effect {self.otherwise}"
        return FieldProblem(self.path, message, self.hint)


def is_existing(config: Config) -> bool:
    """Return whether the cluster exists already, and kindctl does not create it."""
    return isinstance(config.cluster.provider, ExistingConfig)


def _is_kind(config: Config) -> bool:
    return not is_existing(config)


KIND_KEYS = ("kubernetes", "image", "workers", "gateways", "registry", "kind")
"""Keys of `cluster` for clusters that kind creates."""

REGISTRY_KEYS = ("push", "pull")
"""Keys of `images` for existing clusters."""

KIND_REGISTRY = "remove it: kind's nodes get images directly; for a registry set cluster.registry"

CONDITIONS = (
    *(
        Condition(("cluster", key), _is_kind, "on an existing cluster", "remove it")
        for key in KIND_KEYS
    ),
    *(
        Condition(("images", key), is_existing, "on a kind cluster", KIND_REGISTRY)
        for key in REGISTRY_KEYS
    ),
    Condition(
        ("images", "pull"),
        lambda config: config.images.push is not None or _is_kind(config),
        "without images.push",
        "set images.push to the registry's name on this machine",
    ),
    Condition(
        ("ingress", "expose", "nodePorts"),
        lambda config: config.ingress.expose.via == "node-port",
        "without `via: node-port`",
        "remove it, or set `via: node-port`",
    ),
)


def unmet(config: Config) -> Iterator[Condition]:
    """Return the conditions that are not met, whether the file has their keys or not."""
    return (condition for condition in CONDITIONS if not condition.is_met(config))


def is_given(config: Config, path: FieldPath) -> bool:
    """Return whether the file sets a key to anything but null."""
    part: Any = config
    for key in path:
        if key not in part.model_fields_set:
            return False
        part = getattr(part, str(key))
        if part is None:
            return False
    return True
