"""What a Service has to be like to be reached by a way."""

from __future__ import annotations

from kindctl.kube_objects import is_tcp
from kindctl.manifests.manifest import Manifest
from kindctl.models import Exposure, Object

GIVES = {"NodePort": "node port", "LoadBalancer": "external address", "": "pods to forward to"}
"""What a Service of that type is reached by; of no type of its own: its pods."""


def unreachable_reason(service: Manifest, port: Object, way: Exposure) -> tuple[str, str] | None:
    """Why this port of a Service cannot be reached by that way (message and hint)."""
    if not is_tcp(port):
        message = f"port {port['port']} of Service {service.name!r} speaks {port['protocol']}"
        return message, "only TCP is mapped, forwarded and verified"
    if way.on_node:
        return None
    spec = service.obj.get("spec") or {}
    kind = ""
    if spec.get("type") == "ExternalName":
        kind = "is an ExternalName"
    elif spec.get("clusterIP") == "None" and way.service_type:
        kind = "is headless"
    elif not spec.get("selector") and way.forwards():
        message = f"Service {service.name!r} selects no pods, and so has none to forward to"
        return message, f"give it a selector: {service.where(('spec',))}"
    if not kind:
        return None
    message = f"Service {service.name!r} {kind}, and so has no {GIVES[way.service_type]}"
    where = service.where(("spec", "ports"))
    return message, f"expose a second Service, one with a cluster IP and a selector: {where}"
