"""Config -> the sources of manifests, and the programs that render kustomizations and charts."""

from __future__ import annotations

from kindctl.config.load import Loaded
from kindctl.errors import KindctlError
from kindctl.images.pins import HELM, node_reference
from kindctl.manifests.rendering import Programs
from kindctl.manifests.sources import Renderer
from kindctl.planning.images import images_of
from kindctl.tools.protocols import Tools


def renderer_of(loaded: Loaded, tools: Tools) -> Renderer:
    """Renders by kubectl and helm, of this machine or of images: kubectl is in a node image. Neither is
    looked for before a kustomization or a chart needs it."""
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
