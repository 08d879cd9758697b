"""How an answer proves where it came from.

Any other program that listens on port 80 can answer 200, and so can another environment. So the controller
sets headers on every answer:

    X-Kindctl-Environment: shop.3f1c9a27b04e     the environment, and the cluster that it is in now
    X-Kindctl-Ingress: shop/frontend-ingress     the Ingress whose rule the request matched
    X-Kindctl-Controller: ingress-nginx          the component that answers

The first has the name, and a digest of the UID of namespace kube-system, which no other cluster has:
an environment of the same name elsewhere, or the one before the last `down`, does not pass. The second is
"/" where no rule matched: so an app's own 404 differs from the controller's. The third shows when one
controller has taken over from another.

A controller that the user brings sets no such headers. So the witness (components/witness) stands behind
it, reached by an Ingress of its class, and sets the first and the third.
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
"""Scheme -> host of the witness. No app has a rule for it: by RFC 6761 nobody owns these names. There are
two, as many controllers only redirect HTTP for a host with TLS, and serve no HTTPS for one without."""


def environment_id(environment: str, cluster: Cluster) -> str:
    """Return the value of X-Kindctl-Environment. Raises ApiError, which is not permanent, as long
    as namespace kube-system does not exist."""
    namespace = cluster.get(ObjectRef("v1", "Namespace", "kube-system"))
    if namespace is None:
        raise ApiError("the cluster has no namespace kube-system yet")
    uid = str(namespace["metadata"]["uid"])
    return f"{environment}.{hashlib.sha256(uid.encode()).hexdigest()[:12]}"


def witness(route: Route) -> Route:
    """Return the route that shows who answers at this route's address and port: the route itself,
    or the path of the witness."""
    if not route.via_witness:
        return route
    parts = urlsplit(route.url)
    port = f":{parts.port}" if parts.port else ""
    url = f"{parts.scheme}://{HOSTS[parts.scheme]}{port}{WELL_KNOWN}"
    return replace(route, url=url, host="", certified=False)
