"""How an answer shows where it came from.

Whatever else listens on port 80 can answer 200, and so can another environment. So the controller
puts headers on every answer of its own:

    X-Kindctl-Environment: shop.3f1c9a27b04e     the environment, and the cluster that it is in now
    X-Kindctl-Ingress: shop/frontend-ingress     the Ingress whose rule the request matched
    X-Kindctl-Controller: ingress-nginx          the component that answers

The first has the name and a digest of the UID of namespace kube-system, which no other cluster has:
an environment of the same name elsewhere, or the one before the last `down`, does not pass. The
second is "/" where no rule matched: that tells an app's own 404 from the controller's. The third tells
when one controller has taken over from another.

A controller that the user brings sets no such headers. So a pod of ours stands behind it, reached by an
Ingress of its class, and sets the first and the third: `witness` says what is asked instead.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from urllib.parse import urlsplit

from kindctl.errors import ApiError
from kindctl.models import ObjectRef, Route
from kindctl.tools.protocols import Cluster

ENVIRONMENT_HEADER = "X-Kindctl-Environment"
INGRESS_HEADER = "X-Kindctl-Ingress"
CONTROLLER_HEADER = "X-Kindctl-Controller"
NO_INGRESS = "/"

WELL_KNOWN = "/.well-known/kindctl/environment"
HOSTS = {"http": "kindctl.invalid", "https": "tls.kindctl.invalid"}
"""Of our own, so that no rule of an app stands in the way; two, since many controllers serve a host with
TLS by a redirect alone, and one without it not at all. By RFC 6761 nobody else's."""


def environment_id(environment: str, cluster: Cluster) -> str:
    """The value of X-Kindctl-Environment. Raises ApiError (passing) while kube-system is not there."""
    namespace = cluster.get(ObjectRef("v1", "Namespace", "kube-system"))
    if namespace is None:
        raise ApiError("the cluster has no namespace kube-system yet")
    uid = str(namespace["metadata"]["uid"])
    return f"{environment}.{hashlib.sha256(uid.encode()).hexdigest()[:12]}"


def witness(route: Route) -> Route:
    """What is asked, at the same address and port, for who answers there: the URL itself, or the path at
    which the pod of ours answers."""
    if not route.via_witness:
        return route
    parts = urlsplit(route.url)
    port = f":{parts.port}" if parts.port else ""
    url = f"{parts.scheme}://{HOSTS[parts.scheme]}{port}{WELL_KNOWN}"
    return replace(route, url=url, host="", certified=False)
