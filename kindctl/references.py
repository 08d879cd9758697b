"""Parses image references (registry, repository, tag, digest) as the engine and Kubernetes do.

The grammar is that of github.com/distribution/reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from kindctl.errors import UsageError

DEFAULT_REGISTRY = "docker.io"

_PATH = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REGISTRY = re.compile(
    r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
)
_REPOSITORY = re.compile(rf"{_PATH}(?:/{_PATH})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Reference:
    """A complete image reference. `tag` is empty only if `digest` is set."""

    registry: str  # docker.io
    repository: str  # library/postgres
    tag: str = ""
    digest: str = ""  # sha256:...

    @property
    def name(self) -> str:
        """The full name without tag and digest: docker.io/library/postgres."""
        return f"{self.registry}/{self.repository}"

    @property
    def familiar_name(self) -> str:
        """The short form that the engine shows and accepts: postgres."""
        if self.registry != DEFAULT_REGISTRY:
            return self.name
        return self.repository.removeprefix("library/")

    @property
    def tagged(self) -> str:
        """The short form with the tag, without the digest: postgres:17."""
        return f"{self.familiar_name}:{self.tag}" if self.tag else self.familiar_name

    @property
    def pull_name(self) -> str:
        """The name to pull. It contains the digest if there is one, because a tag can be moved."""
        return f"{self.familiar_name}@{self.digest}" if self.digest else self.tagged

    def __str__(self) -> str:
        """The full form, as containerd stores it: docker.io/library/postgres:17."""
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"


def parse(text: str) -> Reference:
    """Parse an image reference. Raises UsageError (code image-reference) if `text` is invalid."""
    rest, at, digest = text.partition("@")
    name, colon, tag = rest.rpartition(":")
    if "/" in tag or not colon:  # there is no tag; the colon, if any, precedes a registry's port
        name, colon, tag = rest, "", ""
    first, slash, path = name.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        first, path = DEFAULT_REGISTRY, name
    if first in ("index.docker.io", "registry-1.docker.io"):
        first = DEFAULT_REGISTRY
    if first == DEFAULT_REGISTRY and "/" not in path:
        path = f"library/{path}"
    good = (
        _REGISTRY.fullmatch(first)
        and _REPOSITORY.fullmatch(path)
        and (_TAG.fullmatch(tag) if colon else True)
        and (_DIGEST.fullmatch(digest) if at else True)
    )
    if not good:
        raise UsageError(
            f"{text!r} is not an image reference",
            fix="write [REGISTRY/]REPOSITORY[:TAG][@sha256:DIGEST], in lower case",
            code="image-reference",
        )
    return Reference(first, path, tag or ("" if digest else "latest"), digest)


def full_name(text: str) -> str:
    """Return the name that an image has in a node: docker.io/library/postgres:17 for postgres:17."""
    return str(parse(text))


def mirrored(reference: Reference, mirrors: Mapping[str, str]) -> tuple[Reference, ...]:
    """Return the references to try, in order.

    If `mirrors` names a mirror of the registry, the reference at the mirror comes before the original.

    `mirrors` is registry -> mirror. A mirror may contain a path: with `docker.io: mirror.example.com/hub`,
    postgres:17 is pulled as mirror.example.com/hub/library/postgres:17.
    """
    mirror = mirrors.get(reference.registry)
    if not mirror:
        return (reference,)
    bare = re.sub(r"^https?://", "", mirror).strip("/")
    host, _, prefix = bare.partition("/")
    path = f"{prefix}/{reference.repository}" if prefix else reference.repository
    return (replace(reference, registry=host, repository=path), reference)
