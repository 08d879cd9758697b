"""An image cannot be pulled: it is not there, it may not be had, or the way to it is blocked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kindctl.diagnose.base import Evidence
from kindctl.diagnose.causes.looking import (
    Container,
    containers,
    events_of,
    happened,
    latest,
    moment,
    strongest,
    words,
)
from kindctl.models import Cause, Object

REASONS = (
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
)


@dataclass(frozen=True)
class Kind:
    pattern: re.Pattern[str]
    why: str
    fix: str
    permanent: bool


def _kind(pattern: str, why: str, fix: str, *, permanent: bool) -> Kind:
    return Kind(re.compile(pattern, re.IGNORECASE), why, fix, permanent)


NAME_IT = "correct the name and tag, or build it: `apps[].build` in kindctl.yaml"
KINDS = (
    _kind(
        r"toomanyrequests|too many requests|\b429 ",
        "the registry's rate limit is reached",
        "wait, log in on the host (docker login), or set `images.mirrors`",
        permanent=False,
    ),
    _kind(
        r"no such host|server misbehaving|i/o timeout|timed? ?out|deadline exceeded|refused|reset by"
        r"|unreachable|handshake|unexpected EOF|: EOF|\b50[0234] ",
        "the registry cannot be reached",
        "check the network, or let images come from elsewhere: `images.sources`, `images.mirrors`",
        permanent=False,
    ),
    _kind(
        "x509|certificate",
        "the registry's certificate is not trusted",
        "name its authority in `extraCAs`",
        permanent=False,
    ),
    _kind(
        "ErrImageNeverPull|pull policy of Never|no such image",
        "it is not in the node, and its pull policy forbids to fetch it",
        NAME_IT,
        permanent=True,
    ),
    _kind(
        "InvalidImageName|invalid reference", "its name is not a valid one", NAME_IT, permanent=True
    ),
    _kind(
        r"denied|unauthorized|authentication required|insufficient_scope|\b403 ",
        "the registry refuses it: it does not exist there, or needs a login",
        NAME_IT,
        permanent=True,
    ),
    _kind(
        "no match for platform|no matching manifest",
        "it is not there for this processor",
        "use a tag that has this platform, or build it: `apps[].build`",
        permanent=True,
    ),
    _kind(
        "not ?found|manifest unknown|does not exist",
        "it does not exist there",
        NAME_IT,
        permanent=True,
    ),
)
"""The words of containerd and of registries, the passing ones first: they may quote a name."""

UNKNOWN = Kind(re.compile(""), "its registry gives no reason that kindctl knows", NAME_IT, False)


def explain(evidence: Evidence) -> Cause | None:
    return strongest(
        _cause(evidence, container)
        for container in containers(evidence)
        if container.waiting[0] in REASONS
    )


def _cause(evidence: Evidence, container: Container) -> Cause:
    image = str(container.spec.get("image", container.status.get("image", "")))
    events = [
        event
        for event in events_of(
            evidence, container.pod, "Failed", "ErrImageNeverPull", "InspectFailed"
        )
        if image in event.get("message", "")
    ]
    said = (*container.waiting, *words(events))
    kind = _classify(said, image)
    arrived = _is_in_node(evidence.nodes, container.pod, image)
    return Cause(
        code="image-pull",
        what=f"{container.where} cannot pull image {image}: {kind.why}"
        + (" (it is in the node by now: the next try will find it)" if arrived else ""),
        fix=kind.fix,
        cites=tuple(
            dict.fromkeys(line for line in (*words(events[:1]), container.waiting[1]) if line)
        )[:2],
        permanent=kind.permanent and not arrived,
        sure=0.4 if arrived else 0.95,
        since=latest(
            *(happened(event) for event in events_of(evidence, container.pod, "Failed", "BackOff")),
            moment(container.pod.get("status", {}).get("startTime")),
        ),
    )


def _classify(said: Sequence[str], image: str) -> Kind:
    """The image's own name must not decide: it may be called "not-found"."""
    text = "\n".join(said).replace(image, "IMAGE") if image else "\n".join(said)
    return next((kind for kind in KINDS if kind.pattern.search(text)), UNKNOWN)


def _is_in_node(nodes: Sequence[Object], pod: Object, image: str) -> bool:
    """Whether it was brought in since: the kubelet then still sits out its pause."""
    wanted = _full(image)
    return any(
        wanted in entry.get("names", ())
        for node in nodes
        if node["metadata"]["name"] == pod.get("spec", {}).get("nodeName")
        for entry in node.get("status", {}).get("images", ())
    )


def _full(image: str) -> str:
    """ "nginx" -> "docker.io/library/nginx:latest" """
    first, slash, _ = image.partition("/")
    if not slash:
        image = f"docker.io/library/{image}"
    elif "." not in first and ":" not in first and first != "localhost":
        image = f"docker.io/{image}"
    tagged = ":" in image.rsplit("/", 1)[-1] or "@" in image
    return image if tagged else f"{image}:latest"
