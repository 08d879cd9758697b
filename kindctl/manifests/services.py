"""Says why a kind of exposure cannot reach a Service."""

from __future__ import annotations

from kindctl.kube_objects import is_tcp, spec_of
from kindctl.manifests.manifest import Manifest
from kindctl.models import Exposure, Object

GIVES = {"NodePort": "node port", "LoadBalancer": "external address", "": "pods to forward to"}
"""Type of Service that an exposure needs -> how it is then reached. No type: through its pods."""


def unreachable_reason(
    service: Manifest, port: Object, exposure: Exposure
) -> tuple[str, str] | None:
    """Return the (message, hint) that says why an exposure cannot reach this port of a Service;
    None if it can."""
    if not is_tcp(port):
        message = f"port {port['port']} of Service {service.name!r} speaks {port['protocol']}"
        return message, "only TCP ports can be exposed"
    if exposure.on_node:
        return None
    spec = spec_of(service.obj)
    kind = ""
    if spec.get("type") == "ExternalName":
        kind = "is an ExternalName"
    elif spec.get("clusterIP") == "None" and exposure.service_type:
        kind = "is headless"
    elif not spec.get("selector") and exposure.forwards():
        message = f"Service {service.name!r} has no selector, so there are no pods to forward to"
        return message, f"add a selector in {service.where(('spec',))}"
    if not kind:
        return None
    message = f"Service {service.name!r} {kind}, so it has no {GIVES[exposure.service_type]}"
    where = service.where(("spec", "ports"))
    return (
        message,
        f"expose a second Service, with a cluster IP and a selector; this one is at {where}",
    )
