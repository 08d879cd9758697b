"""Finds containers in objects: wherever a pod template is, in custom objects too."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from kindctl.models import Object
from kindctl.problems import FieldPath

LISTS = ("initContainers", "containers", "ephemeralContainers")

Resolve = Callable[[str], str]
"""Takes an image reference as a manifest has it, gives the name under which the nodes have that image."""


def _mappings(
    part: Any, ends: Collection[str], path: FieldPath = ()
) -> Iterator[tuple[FieldPath, dict[str, Any]]]:
    """Yield (path, mapping) for the object itself and for every mapping inside it, but for nothing inside
    a list whose key is one of `ends`."""
    if isinstance(part, dict):
        yield path, part
    pairs = part.items() if isinstance(part, dict) else enumerate(part)
    for key, value in pairs:
        if isinstance(value, dict) or (isinstance(value, list) and key not in ends):
            yield from _mappings(value, ends, (*path, key))


def _items(mapping: Object, key: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (index, item) for each mapping in the list at `key`. A custom object may have anything
    there."""
    items = mapping.get(key)
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield index, item


def _pod_containers(
    part: Any,
) -> Iterator[tuple[FieldPath, dict[str, Any], dict[str, Any]]]:
    """Yield (path of the container, container, pod spec) of every container that names an image."""
    for path, pod in _mappings(part, LISTS):
        for key in (key for key in pod if key in LISTS):
            for index, container in _items(pod, key):
                if isinstance(container.get("image"), str):
                    yield (*path, key, index), container, pod


def containers(part: Any) -> Iterator[tuple[FieldPath, dict[str, Any]]]:
    """Return (path, container) of every container that names an image in this object."""
    return ((path, container) for path, container, _ in _pod_containers(part))


def on_node(part: Any) -> Iterator[tuple[FieldPath, int, dict[str, Any]]]:
    """Yield (path, port of the node, entry of `ports`) of every container port that takes a port of
    the node: each hostPort, and every port of pods in the node's network."""
    for path, container, pod in _pod_containers(part):
        for index, port in _items(container, "ports"):
            by_pod = pod.get("hostNetwork") and not port.get("hostPort")
            key = "containerPort" if by_pod else "hostPort"
            if isinstance(number := port.get(key), int) and number:
                yield (*path, "ports", index, key), number, port


def container_ports(obj: Object) -> Iterator[dict[str, Any]]:
    """Yield the entries of `ports` of every container."""
    for _, container in containers(obj):
        yield from (port for _, port in _items(container, "ports"))


def image_volumes(part: Any) -> Iterator[dict[str, Any]]:
    """Yield the `image` of every volume that is an image (Kubernetes 1.31)."""
    for _, pod in _mappings(part, ["volumes"]):
        for _, volume in _items(pod, "volumes"):
            image = volume.get("image")
            if isinstance(image, dict) and isinstance(image.get("reference"), str):
                yield image


def images(obj: Object) -> Iterator[str]:
    """Yield the image references in an object; the same one may come more than once."""
    for _, container in containers(obj):
        yield str(container["image"])
    for volume in image_volumes(obj):
        yield str(volume["reference"])


def use_images_of_nodes(obj: Object, resolve: Resolve) -> None:
    """Point an object at the images that are in the nodes.

    A pull policy that is not set becomes IfNotPresent: Kubernetes' default for `:latest` would ask a
    registry that does not have the image.
    """
    for _, container in containers(obj):
        container["image"] = resolve(container["image"])
        container.setdefault("imagePullPolicy", "IfNotPresent")
    for volume in image_volumes(obj):
        volume["reference"] = resolve(volume["reference"])
        volume.setdefault("pullPolicy", "IfNotPresent")


def is_latest(reference: str) -> bool:
    """Return whether the registry may store a different image under this reference tomorrow. This is so if
    the tag is `:latest`, written or implied."""
    name = reference.rpartition("/")[2]
    return "@" not in name and (":" not in name or name.endswith(":latest"))
