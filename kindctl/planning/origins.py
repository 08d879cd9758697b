"""Makes the sources of images, rendered manifests and the cluster from the Config: the image store,
the programs that render kustomizations and charts, and the provider."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from kindctl import kubeconfig
from kindctl.config.load import Loaded
from kindctl.errors import KindctlError
from kindctl.images.objects import objects_in
from kindctl.images.pins import HELM, node_reference
from kindctl.images.store import Images
from kindctl.ingress.gateway_api import ReadImage
from kindctl.manifests.rendering import Programs
from kindctl.manifests.sources import Renderer
from kindctl.models import AppBuild, Object, PortMapping
from kindctl.providers import load_provider
from kindctl.providers.base import Provider
from kindctl.schema import AppConfig, ExistingConfig
from kindctl.tools.protocols import Tools


def images_of(loaded: Loaded, tools: Tools) -> Images:
    """Return the store that finds all images and builds those of the apps."""
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
    """Return the images that are built for an app. `root`: the folder of kindctl.yaml."""
    for build in app.build:
        context = (root / build.context).resolve()
        yield AppBuild(
            build.image, context, context / build.dockerfile, build.target, dict(build.args)
        )


def image_reader(loaded: Loaded, tools: Tools) -> ReadImage:
    """Return a function that reads Kubernetes objects from files in an image."""

    def read(image: str, folder: str) -> Sequence[Object]:
        found = images_of(loaded, tools).resolve(image)
        return objects_in(tools.engine, found, folder) if found else ()

    return read


def renderer_of(loaded: Loaded, tools: Tools) -> Renderer:
    """Return a renderer that runs kubectl and helm: those of this machine, or those in images (a node image
    contains kubectl). It looks for them only when a kustomization or a chart needs them."""
    cluster = loaded.config.cluster
    node_image = cluster.image or node_reference(cluster.kubernetes)

    def find(reference: str) -> str | None:
        try:
            return images_of(loaded, tools).resolve(reference)
        except KindctlError:  # no engine
            return None

    own_node = cluster.image is not None or cluster.provider != "kind"
    folders = (loaded.root, *loaded.root.parents)
    return Programs(
        tools.host,
        # a kustomization may have its base outside of the file's folder
        mount=next((folder for folder in folders if (folder / ".git").exists()), loaded.root),
        kubectl_image=lambda: find(node_image),
        helm_image=lambda: find(HELM),
        kubernetes="" if own_node else cluster.kubernetes,
    )


def provider_of(
    loaded: Loaded, tools: Tools, images: Images, mappings: Sequence[PortMapping]
) -> Provider:
    """Return the provider that `cluster.provider` names. `mappings` are the host ports that kind maps to
    ports of the nodes."""
    config = loaded.config
    cluster = config.cluster
    made: Provider
    if isinstance(cluster.provider, ExistingConfig):
        made = load_provider("existing")(
            tools,
            config.name,
            cluster.provider.existing,
            kubeconfig.user_files(),
            cluster.provider.server or "",
            (config.images.push or "").rstrip("/"),
            (config.images.pull or "").rstrip("/"),
        )
        return made
    made = load_provider("kind")(
        tools,
        config.name,
        node_image=cluster.image or node_reference(cluster.kubernetes),
        resolve=images.resolve,
        mappings=mappings,
        workers=cluster.workers,
        gateways=cluster.gateways,
        extra=cluster.kind,
        extra_cas=images.book.extra_cas,
        registry_port=cluster.registry.port if cluster.registry else 0,
    )
    return made
