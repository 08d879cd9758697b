"""Containers inside objects: found wherever a pod template stands, in custom objects too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kindctl.models import Object

LISTS = ("initContainers", "containers", "ephemeralContainers")

At = tuple[str | int, ...]

Resolve = Callable[[str], str]
"""An image reference as a manifest has it -> the name under which the nodes have that image."""


def containers(part: Any, at: At = ()) -> Iterator[tuple[At, dict[str, Any]]]:
    """(path, container) of every container in an object that names an image."""
    if isinstance(part, list):
        for index, item in enumerate(part):
            yield from containers(item, (*at, index))
    elif isinstance(part, dict):
        for key, value in part.items():
            if key in LISTS and isinstance(value, list):
                for index, item in enumerate(value):
                    if isinstance(item, dict) and isinstance(item.get("image"), str):
                        yield (*at, key, index), item
            elif isinstance(value, dict | list):
                yield from containers(value, (*at, key))


def on_node(part: Any) -> Iterator[tuple[At, int, dict[str, Any]]]:
    """(path, port of the node, entry) of every port of a container that its node has: a hostPort, or each
    one where the pods are in the node's network."""
    for at, container in containers(part):
        pod = part
        for key in at[:-2]:
            pod = pod[key]
        for index, port in _ports(container):
            key = (
                "hostPort"
                if port.get("hostPort") or not pod.get("hostNetwork")
                else "containerPort"
            )
            if isinstance(number := port.get(key), int) and number:
                yield (*at, "ports", index, key), number, port


def container_ports(obj: Object) -> Iterator[dict[str, Any]]:
    """Of every container."""
    for _, container in containers(obj):
        yield from (port for _, port in _ports(container))


def _ports(container: Object) -> Iterator[tuple[int, dict[str, Any]]]:
    """With their index. Custom objects may have anything in their place."""
    ports = container.get("ports")
    for index, port in enumerate(ports if isinstance(ports, list) else ()):
        if isinstance(port, dict):
            yield index, port


def image_volumes(part: Any) -> Iterator[dict[str, Any]]:
    """The `image` of every volume that is an image (Kubernetes 1.31)."""
    if isinstance(part, list):
        for item in part:
            yield from image_volumes(item)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key == "volumes" and isinstance(value, list):
                for volume in value:
                    image = volume.get("image") if isinstance(volume, dict) else None
                    if isinstance(image, dict) and isinstance(image.get("reference"), str):
                        yield image
            elif isinstance(value, dict | list):
                yield from image_volumes(value)


def images(obj: Object) -> Iterator[str]:
    """References, as the object has them; some more than once."""
    for _, container in containers(obj):
        yield str(container["image"])
    for volume in image_volumes(obj):
        yield str(volume["reference"])


def use_images_of_nodes(obj: Object, resolve: Resolve) -> None:
    """Point an object at the images that are in the nodes.

    Where it does not say when to pull, it is never when the image is there: Kubernetes' default for
    `:latest` would ask a registry that does not have it.
    """
    for _, container in containers(obj):
        container["image"] = resolve(container["image"])
        container.setdefault("imagePullPolicy", "IfNotPresent")
    for volume in image_volumes(obj):
        volume["reference"] = resolve(volume["reference"])
        volume.setdefault("pullPolicy", "IfNotPresent")


def is_latest(reference: str) -> bool:
    """Whether a registry may give another image for it tomorrow: `:latest`, said or not."""
    name = reference.rpartition("/")[2]
    return "@" not in name and (":" not in name or name.endswith(":latest"))
