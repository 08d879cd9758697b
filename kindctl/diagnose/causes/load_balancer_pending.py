"""A Service of type LoadBalancer has no external address: `kubectl` shows it as <pending>."""

from __future__ import annotations

from kindctl.diagnose.base import Evidence
from kindctl.diagnose.causes.looking import events_of, happened, of, strongest, words
from kindctl.models import Cause, Object

WAYS_OUT = (
    "add `addons: [metallb]` where the nodes are on this machine; "
    "or reach it by `via: node-port`, or by `via: port-forward`"
)


def explain(evidence: Evidence) -> Cause | None:
    return strongest(
        _cause(evidence, service) for service in evidence.services if _is_pending(service)
    )


def _is_pending(service: Object) -> bool:
    balancer = (service.get("status") or {}).get("loadBalancer") or {}
    return service["spec"].get("type") == "LoadBalancer" and not balancer.get("ingress")


def _cause(evidence: Evidence, service: Object) -> Cause:
    """Whoever gives addresses leaves a trace at once: an event (MetalLB, and every cloud's controller), or
    the finalizer by which it will clean up."""
    name = of({"kind": "Service", **service})
    events = events_of(evidence, service)
    if not events and not service["metadata"].get("finalizers"):
        return Cause(
            code="load-balancer-pending",
            what=f"{name} gets no external address: nobody hands them out in this cluster",
            fix=WAYS_OUT,
            cites=("no event on the Service, no finalizer, no address",),
            permanent=True,
            sure=0.9,
        )
    return Cause(
        code="load-balancer-pending",
        what=f"{name} has no external address yet",
        fix="see what its controller says; free an address, or " + WAYS_OUT.partition("; or ")[2],
        cites=words(events[:1]),
        sure=0.6,
        since=happened(events[0]) if events else None,
    )
