"""Functions on Kubernetes objects that several components share."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from kindctl.manifests.pods import Resolve, container_ports, containers
from kindctl.models import Object

LATE = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
"""Kinds that are applied when the component's pods are ready: earlier they would refuse other objects."""


def shipped_objects(package: str, *names: str) -> list[Object]:
    """Copies of the objects in files of the package's folder `manifests`, in order."""
    return [obj for name in names for obj in copy.deepcopy(_parsed(package, name))]


@cache
def _parsed(package: str, name: str) -> list[Object]:
    import yaml

    return list(yaml.safe_load_all(files(package).joinpath("manifests", name).read_text()))


def set_images(objects: Iterable[Object], images: Mapping[str, str], resolve: Resolve) -> None:
    """Set the image of every container. `images`: name of a container -> its image; `resolve` gives the
    name under which the nodes have that. Raises KeyError for a container without an image."""
    for obj in objects:
        for _, container in containers(obj):
            container["image"] = resolve(images[container["name"]])


def leave_node(workload: Object) -> None:
    """Take from a workload's pods the ports of their node and the choice of the node. An object without
    a pod template may be of any shape: it is a custom resource of the user's."""
    pod: Any = workload
    for key in ("spec", "template", "spec"):
        pod = pod.get(key) if isinstance(pod, dict) else None
    if isinstance(pod, dict):
        pod.pop("hostNetwork", None)
    for port in container_ports(workload):
        port.pop("hostPort", None)
