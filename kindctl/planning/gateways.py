"""Which Gateways of Gateway API the apps' routes can attach to."""

from __future__ import annotations

from collections.abc import Sequence

from kindctl.components.app import AppComponent
from kindctl.ingress.gateway_api import ServesGateways
from kindctl.manifests.http_routes import is_gateway_api
from kindctl.manifests.lint_gateways import GatewayContext, lint_gateways
from kindctl.manifests.manifest import Finding


def attach_gateways(
    apps: Sequence[AppComponent], controller: object, *, strangers: bool
) -> list[Finding]:
    """Set `gateways` and `gateway_classes` of the apps: the controller's, and those of all apps' manifests.
    Returns what is wrong with the routes. `strangers`: whether the cluster may have other Gateways."""
    context = GatewayContext(strangers=strangers)
    if isinstance(controller, ServesGateways):
        context = GatewayContext(
            controller.gateway_classes, controller.listener_ports, controller.gateways, strangers
        )
    parsed = [manifest for app in apps for manifest in app.parsed]
    own = [m.obj for m in parsed if m.kind == "Gateway" and is_gateway_api(m.obj)]
    classes = [m.name for m in parsed if m.kind == "GatewayClass"]
    for app in apps:
        app.gateways = (*context.gateways, *own)
        app.gateway_classes = (*context.classes, *classes)
    return lint_gateways({app.name: app.parsed for app in apps}, context)
