"""What differs from the stock kind flavour where ports of a node are not the way in, or there are several
replicas. Functions on the Deployment."""

from __future__ import annotations

from kindctl.ingress import replicas
from kindctl.ingress.replicas import Scaling
from kindctl.models import Object

WITHDRAWN = 10
"""Seconds that a pod which is to go still takes requests: until every node has heard that it is to go.
kube-proxy passes changes on once a second; a busy machine takes longer."""

GRACE = 300
"""Seconds until it is killed. Long connections are given 240 (nginx' worker-shutdown-timeout)."""


def leave_the_node(deployment: Object, *, service: str) -> None:
    """Reached through its Service, it needs no ports of a node, and no node in particular. `service`:
    whose address its Ingresses get; empty: localhost."""
    spec = deployment["spec"]["template"]["spec"]
    spec["nodeSelector"].pop("ingress-ready")
    for port in spec["containers"][0]["ports"]:
        port.pop("hostPort", None)
    if service:
        args = spec["containers"][0]["args"]
        args[args.index("--publish-status-address=localhost")] = (
            f"--publish-service=$(POD_NAMESPACE)/{service}"
        )


def in_replicas(deployment: Object, scaling: Scaling) -> list[Object]:
    """Several of them, each going without a request being lost; with the objects that belong to that.

    The stock flavour gives a pod no time at all. Here it is taken out of the Services first, then stops to
    listen: /wait-shutdown, the preStop hook, lasts for both.
    """
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    # Healthy is a pod whose backends are known; its workers look them up once a second, and answer 503
    # until then. Nobody sees that where there is one pod: here others answer meanwhile.
    container["readinessProbe"]["successThreshold"] = 3
    args = container["args"]
    args += [f"--shutdown-grace-period={WITHDRAWN}", "--post-shutdown-grace-period=0"]
    return replicas.replicate(deployment, scaling, grace=GRACE)
