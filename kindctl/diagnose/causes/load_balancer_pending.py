"""A Service of type LoadBalancer has no external address: `kubectl` shows it as <pending>."""

from __future__ import annotations

from kindctl.diagnose.evidence import Evidence, strongest, title
from kindctl.models import Cause, Object

OTHER_EXPOSURES = "expose it with `via: node-port` or `via: port-forward`"


def explain(evidence: Evidence) -> Cause | None:
    return strongest(
        _cause(evidence, service) for service in evidence.services if _is_pending(service)
    )


def _is_pending(service: Object) -> bool:
    balancer = (service.get("status") or {}).get("loadBalancer") or {}
    return service["spec"].get("type") == "LoadBalancer" and not balancer.get("ingress")


def _cause(evidence: Evidence, service: Object) -> Cause:
    """Return the cause, which depends on whether a controller in this cluster assigns addresses.

    Such a controller at once creates an event about the Service (MetalLB, and the controllers of all
    clouds), or adds a finalizer to the Service, for its clean-up.
    """
    name = title({"kind": "Service", **service})
    events = evidence.events_about(service)
    if not events and not service["metadata"].get("finalizers"):
        return Cause(
            code="load-balancer-pending",
            what=f"{name} gets no external address: nothing in this cluster assigns them",
            fix="add `addons: [metallb]` to kindctl.yaml if the nodes run on this machine, "
            f"or {OTHER_EXPOSURES}",
            cites=("no event on the Service, no finalizer, no address",),
            permanent=True,
            sure=0.9,
        )
    return Cause(
        code="load-balancer-pending",
        what=f"{name} has no external address yet",
        fix="read the log of the load balancer's controller; free an address, "
        f"or {OTHER_EXPOSURES}",
        cites=events.messages[:1],
        sure=0.6,
        since=events.last_seen,
    )
