"""Checks ask the machine one question each; causes explain why something is not ready.

One file per kind: a check in checks/, a cause in causes/. The registries in their __init__ name them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from kindctl.models import Say, Verdict
from kindctl.tools.protocols import Tools


@dataclass(frozen=True)
class WantedPort:
    """A port of this machine, and the key of kindctl.yaml by which another one could be had."""

    address: str
    port: int
    key: str = ""  # ingress.expose.http; empty: none


@dataclass(frozen=True)
class Wants:
    """What the environment at hand asks of the machine."""

    ports: Sequence[WantedPort] = ()
    """That a new cluster, its registry or its forwards would bind."""
    local: bool = True
    """Whether the cluster runs on this engine; else only images are made here."""
    kubernetes: str = "1.36"
    workers: int = 0
    environment: str = ""
    registries: Sequence[str] = ("https://registry-1.docker.io/v2/",)
    """Where base images could be pulled. None reachable: they are made with debootstrap."""


class Check(Protocol):
    """One question to the machine."""

    code: str  # stable; names its page in docs/troubleshooting
    title: str  # "inotify limits"

    def ask(self, tools: Tools, wants: Wants) -> Verdict:
        """Look, changing nothing. Never raises: what goes wrong is in the verdict, and a question that
        cannot be put yet is a warning that names what blocks it."""
        ...

    def plan(self, tools: Tools, wants: Wants) -> Sequence[str]:
        """What `fix` would install, add or set, one sentence each: shown before it is done."""
        ...

    def fix(self, tools: Tools, wants: Wants, say: Say) -> None:
        """Do it. Raises KindctlError when it cannot."""
        ...
