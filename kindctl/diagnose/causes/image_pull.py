"""An image cannot be pulled: it does not exist, access is denied, or the registry cannot be reached."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from kindctl.diagnose.evidence import Container, Evidence, latest, parse_time, strongest
from kindctl.errors import UsageError
from kindctl.models import Cause, Object
from kindctl.references import full_name

REASONS = (
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
)
CORRECT_IT = "correct the image's name and tag, or build it: `apps[].build` in kindctl.yaml"


class Failure(NamedTuple):
    """A reason why pulls fail."""

    pattern: str  # matches the message of containerd or a registry, ignoring case
    why: str
    fix: str = CORRECT_IT
    permanent: bool = True


FAILURES = (
    Failure(
        r"toomanyrequests|too many requests|\b429 ",
        "the registry's rate limit is exceeded",
        "wait, log in on the host (`docker login`), or set `images.mirrors`",
        permanent=False,
    ),
    Failure(
        r"no such host|server misbehaving|i/o timeout|timed? ?out|deadline exceeded|refused|reset by"
        r"|unreachable|handshake|unexpected EOF|: EOF|\b50[0234] ",
        "the registry cannot be reached",
        "check the network, or get images from elsewhere: `images.sources`, `images.mirrors`",
        permanent=False,
    ),
    Failure(
        "x509|certificate",
        "the registry's certificate is not trusted",
        "add its certificate authority to `extraCAs`",
        permanent=False,
    ),
    Failure(
        "ErrImageNeverPull|pull policy of Never|no such image",
        "the image is not on the node, and its pull policy is Never",
    ),
    Failure("InvalidImageName|invalid reference", "the name of the image is not valid"),
    Failure(
        r"denied|unauthorized|authentication required|insufficient_scope|\b403 ",
        "the registry denies access: the image does not exist, or you must log in to pull it",
    ),
    Failure(
        "no match for platform|no matching manifest",
        "the image is not available for this architecture",
        "use a tag that supports this architecture, or build the image: `apps[].build`",
    ),
    Failure("not ?found|manifest unknown|does not exist", "the registry has no such image"),
)
"""Temporary failures come first, because their messages may contain a name that matches another pattern."""

UNKNOWN = Failure("", "kindctl does not recognize the reason", permanent=False)


def explain(evidence: Evidence) -> Cause | None:
    return strongest(
        _cause(container)
        for container in evidence.unready_containers()
        if container.waiting[0] in REASONS
    )


def _cause(container: Container) -> Cause:
    image = container.image
    messages = (
        container.events("Failed", "ErrImageNeverPull", "InspectFailed").containing(image).messages
    )
    failure = _classify((*container.waiting, *messages), image)
    arrived = _is_on_node(container.evidence.nodes, container.pod, image)
    note = " (the image is on the node now: the next attempt will find it)" if arrived else ""
    return Cause(
        code="image-pull",
        what=f"{container.title} cannot pull image {image}: {failure.why}{note}",
        fix=failure.fix,
        cites=tuple(dict.fromkeys(filter(None, (*messages[:1], container.waiting[1])))),
        permanent=failure.permanent and not arrived,
        sure=0.4 if arrived else 0.95,
        since=latest(
            container.events("Failed", "BackOff").last_seen,
            parse_time(container.pod.get("status", {}).get("startTime")),
        ),
    )


def _classify(texts: Sequence[str], image: str) -> Failure:
    """Return the failure that the texts describe, ignoring the image's name, which may contain
    "not-found"."""
    text = "\n".join(texts)
    if image:
        text = text.replace(image, "IMAGE")
    matching = (entry for entry in FAILURES if re.search(entry.pattern, text, re.IGNORECASE))
    return next(matching, UNKNOWN)


def _is_on_node(nodes: Sequence[Object], pod: Object, image: str) -> bool:
    """Return whether the image is on the node now. The kubelet may not have noticed that yet."""
    with suppress(UsageError):  # not a valid name
        wanted = full_name(image)
        return any(
            wanted in entry.get("names", ())
            for node in nodes
            if node["metadata"]["name"] == pod.get("spec", {}).get("nodeName")
            for entry in node.get("status", {}).get("images", ())
        )
    return False
