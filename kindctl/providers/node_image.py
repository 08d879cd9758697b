"""The derived image from which nodes are created, and its label with the settings of the cluster."""

from __future__ import annotations

import json
from collections.abc import Mapping

from kindctl.images import cas
from kindctl.images.building import build_dockerfile, content_hash
from kindctl.models import DOCKER_ENVIRONMENT_LABEL, EXTRA_CAS_LABEL
from kindctl.tools.engine_protocol import ContainerInfo, Engine

MADE_FOR_LABEL = "dev.kindctl.made-for"

_WITH_CAS = """\
COPY cas /usr/local/share/ca-certificates/
RUN update-ca-certificates
"""


def derived_image(
    engine: Engine,
    base: str,
    environment: str,
    *,
    made_for: Mapping[str, str],
    extra_cas: Mapping[str, str],
) -> str:
    """Return the name of an image that is `base` with labels and with `extra_cas` (file name -> PEM).

    The image is built if the engine lacks it. If `base` contains extra CAs already, these CAs and their
    label are kept, and no CAs are added. Raises KindctlError if the build fails.
    """
    labels = {
        DOCKER_ENVIRONMENT_LABEL: environment,
        MADE_FOR_LABEL: json.dumps(made_for, sort_keys=True),
    }
    found = engine.image(base)
    added = {} if found and found.labels.get(EXTRA_CAS_LABEL) else dict(extra_cas)
    if added:
        labels[EXTRA_CAS_LABEL] = cas.label(added)
    key = content_hash([found.id if found else base, labels, added])
    tag = f"kindctl.local/environment/{environment}:{key[:12]}"
    if engine.image(tag) is not None:
        return tag
    text = f"FROM {base}\n" + (_WITH_CAS if added else "")
    return build_dockerfile(engine, text, tag, labels=labels, files=cas.files(added, "cas/"))


def differences(node: ContainerInfo, made_for: Mapping[str, str]) -> list[str]:
    """Describe how this node's settings differ from `made_for`, the settings that a new node would get.

    The node's settings are read from its label. kind cannot change them in an existing node (kind#2720,
    kind#3668).
    """
    old = json.loads(node.labels.get(MADE_FOR_LABEL, "{}"))
    return [
        _difference(key, old.get(key, "none"), made_for.get(key, "none"))
        for key in {**made_for, **old}
        if _comparable(key, old.get(key)) != _comparable(key, made_for.get(key))
    ]


def _comparable(key: str, value: str | None) -> object:
    return _ports(value or "") if key == "ports" else value


def _ports(text: str) -> frozenset[str]:
    """Return the ports as a set, because their order in kindctl.yaml does not matter."""
    return frozenset(filter(None, text.split(", ")))


def _difference(key: str, old: str, new: str) -> str:
    """Describe one difference. If two lists of ports differ, only the ports that differ are named."""
    if key != "ports":
        return f"{key} changed from {old!r} to {new!r}"
    mapped, wanted = _ports(old), _ports(new)
    parts = [f"{port} is not mapped" for port in sorted(wanted - mapped)]
    parts += [f"{port} is mapped but no longer wanted" for port in sorted(mapped - wanted)]
    return "ports " + ", ".join(parts)
