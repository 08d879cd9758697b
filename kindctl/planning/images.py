"""Config -> the images that an environment is made of: where they come from, and which are built."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from kindctl.config.load import Loaded
from kindctl.images.objects import objects_in
from kindctl.images.store import Images
from kindctl.ingress.gateway_api import ReadImage
from kindctl.models import AppBuild, Object
from kindctl.schema import AppConfig
from kindctl.tools.protocols import Tools


def images_of(loaded: Loaded, tools: Tools) -> Images:
    """The store of all images, which builds those of the apps."""
    config, root = loaded.config, loaded.root
    own = {Path(file).name: (root / file).read_text() for file in config.extraCAs}
    return Images(
        tools,
        config.images.sources,
        config.images.mirrors,
        {**tools.host.trusted_cas(), **own},
        [build for app in config.apps for build in builds_of(app, root)],
    )


def builds_of(app: AppConfig, root: Path) -> Iterator[AppBuild]:
    """The images that are built for an app. `root`: the folder of kindctl.yaml."""
    for build in app.build:
        context = (root / build.context).resolve()
        yield AppBuild(
            build.image, context, context / build.dockerfile, build.target, dict(build.args)
        )


def image_reader(loaded: Loaded, tools: Tools) -> ReadImage:
    """A function that reads Kubernetes objects from the files of an image."""

    def read(image: str, folder: str) -> Sequence[Object]:
        found = images_of(loaded, tools).resolve(image)
        return objects_in(tools.engine, found, folder) if found else ()

    return read
