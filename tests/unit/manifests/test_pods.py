from __future__ import annotations

from kindctl.manifests.pods import images
from kindctl.models import Object


def container(name: str, **more: object) -> Object:
    return {"name": name, "image": f"{name}:1", **more}


def test_images_come_in_the_order_of_the_manifest() -> None:
    pod = {"containers": [container("app")], "initContainers": [container("init")]}
    assert list(images({"spec": {"template": {"spec": pod}}})) == ["app:1", "init:1"]


def test_a_container_ends_the_search() -> None:
    """A custom object may have anything in a container: `containers` there are no pod's."""
    nested = container("app", containers=[container("inner")])
    assert list(images({"spec": {"containers": [nested]}})) == ["app:1"]
