"""Config -> the provider of the cluster."""

from __future__ import annotations

from collections.abc import Sequence

from kindctl import kubeconfig
from kindctl.config.load import Loaded
from kindctl.images.pins import node_reference
from kindctl.images.store import Images
from kindctl.models import PortMapping
from kindctl.providers import load_provider
from kindctl.providers.base import Provider
from kindctl.schema import ExistingConfig
from kindctl.tools.protocols import Tools


def provider_of(
    loaded: Loaded, tools: Tools, images: Images, mappings: Sequence[PortMapping]
) -> Provider:
    """The provider that `cluster.provider` names. `mappings`: the host's ports that lead to the nodes."""
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
