"""Config -> the ingress controller, with the exposure of the entry point that it declares."""

from __future__ import annotations

from collections.abc import Sequence

from kindctl.components import controller_class
from kindctl.components.base import Controller, ControllerSetup, CustomSettings, Setup
from kindctl.config.load import Loaded
from kindctl.errors import Problem
from kindctl.ingress.handover import Handover
from kindctl.ingress.replicas import Scaling
from kindctl.manifests.manifest import read_manifests
from kindctl.manifests.sources import Renderer
from kindctl.planning.exposing import controller_exposure
from kindctl.planning.images import image_reader
from kindctl.tools.protocols import Tools
from kindctl.trust.serving import Serving


def make_controller(
    loaded: Loaded,
    tools: Tools,
    setup: Setup,
    *,
    handover: Handover,
    certificate: Serving,
    renderer: Renderer,
) -> Controller | None:
    """None for `controller: none`. Raises ConfigError with every problem of the user's own manifests."""
    config, ingress = loaded.config, loaded.config.ingress
    if ingress.controller == "none":
        return None
    made_by = controller_class(ingress.controller)
    custom = _custom_settings(loaded, renderer)
    entry_point = made_by.entry_point(custom, node_ports=ingress.expose.via == "node-port")
    scale = ingress.autoscale
    return made_by(
        ControllerSetup(
            setup.environment,
            setup.neighbours,
            exposure=controller_exposure(config, entry_point),
            handover=handover,
            certificate=certificate,
            scaling=Scaling(
                ingress.replicas,
                (scale.max, scale.cpu) if scale else None,
                config.cluster.gateways,
            ),
            gateway_api=ingress.gatewayAPI,
            read_image=image_reader(loaded, tools),
            fresh_cluster=config.cluster.provider == "kind",
            custom=custom,
        )
    )


def _custom_settings(loaded: Loaded, renderer: Renderer) -> CustomSettings | None:
    """`ingress.custom`, with its manifests read. Raises ConfigError for manifests that cannot be."""
    ingress = loaded.config.ingress
    custom = ingress.custom
    if ingress.controller != "custom" or custom is None:
        return None

    def problem(at: Sequence[str | int], message: str, hint: str) -> Problem:
        return loaded.problem(("ingress", "custom", *at), message, hint)

    manifests = read_manifests(
        loaded.root,
        custom.manifests,
        custom.namespace,
        render=renderer,
        entry_problem=lambda index, message, hint: problem(("manifests", index), message, hint),
    )
    ports = (("http", custom.ports.http), ("https", custom.ports.https))
    return CustomSettings(
        custom.namespace,
        custom.ingressClass,
        custom.service,
        tuple((scheme, number) for scheme, number in ports if number is not None),
        custom.ready or "",
        manifests,
        problem,
    )
