"""Functions on the objects of components: shipped manifests, and manifests of the user."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any

from kindctl.kube_objects import WEBHOOK_CONFIGURATIONS
from kindctl.manifests.manifest import Manifest
from kindctl.manifests.pods import Resolve, container_ports, containers, images
from kindctl.models import Exposure, Object


def shipped_objects(
    package: str, files: Iterable[str], by_container: Mapping[str, str], resolve: Resolve = str
) -> list[Object]:
    """Return copies of the objects in these files of the package's folder `manifests`, in order.

    `by_container` maps the name of a container to the image that replaces the one in the manifest.
    `resolve` returns the name under which the nodes store an image. Raises LookupError for a container
    that `by_container` does not list.
    """
    objects = [obj for file in files for obj in copy.deepcopy(_parsed(package, file))]
    for _, container in containers(objects):
        name = container["name"]
        if name not in by_container:
            raise LookupError(f"container {name!r} has no image: add it to container_images")
        container["image"] = resolve(by_container[name])
    return objects


@cache
def _parsed(package: str, file: str) -> list[Object]:
    import yaml

    text = resources.files(package).joinpath("manifests", file).read_text()
    return list(yaml.safe_load_all(text))


def is_late(manifest: Manifest) -> bool:
    """Return whether the object is applied only when the pods of its component are ready."""
    return manifest.kind in WEBHOOK_CONFIGURATIONS


def copies(manifests: Iterable[Manifest], *, late: bool) -> list[Object]:
    """Return copies of the late objects only, or of all other objects only."""
    return [copy.deepcopy(manifest.obj) for manifest in manifests if is_late(manifest) == late]


def images_in(manifests: Iterable[Manifest]) -> tuple[str, ...]:
    """Return the images that the manifests name, each once, in the order of the manifests."""
    found = (image for manifest in manifests for image in images(manifest.obj))
    return tuple(dict.fromkeys(found))


def shape_if_exposed(obj: Object, exposure: Exposure) -> None:
    """Change the exposed Service as its exposure needs, and leave all other objects alone."""
    meta = obj["metadata"]
    exposed = {(port.namespace, port.service) for port in exposure.ports}
    if obj["kind"] == "Service" and (meta.get("namespace"), meta["name"]) in exposed:
        exposure.shape(obj)


def leave_node(workload: Object) -> None:
    """Remove host ports and hostNetwork from a workload's pods.

    An object without a pod template may have any shape: it can be the user's custom resource.
    """
    pod: Any = workload
    for key in ("spec", "template", "spec"):
        pod = pod.get(key) if isinstance(pod, dict) else None
    if isinstance(pod, dict):
        pod.pop("hostNetwork", None)
    for port in container_ports(workload):
        port.pop("hostPort", None)
