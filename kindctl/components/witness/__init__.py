"""The witness: a pod of kindctl's that proves the answers of a controller that sets no headers.

It stands behind the controller, reached by an Ingress of the controller's class, and sets the headers of
ingress/proof.py. Its answer shows that the address and port lead to this controller, and that the
controller serves the class in this cluster.
"""

from __future__ import annotations

from kindctl.components.objects import shipped_objects
from kindctl.images.pins import NGINX
from kindctl.ingress.proof import (
    CONTROLLER_HEADER,
    ENVIRONMENT_HEADER,
    WELL_KNOWN,
    environment_id,
)
from kindctl.manifests.pods import Resolve
from kindctl.models import SYSTEM_NAMESPACE, Object
from kindctl.tools.protocols import Cluster

IMAGES = (NGINX,)


def objects(
    cluster: Cluster, resolve: Resolve, environment: str, controller: str, ingress_class: str
) -> list[Object]:
    """Return the objects of the witness that stands behind `controller`. `controller` is the name of a
    component, and `ingress_class` is the class that this component serves. Raises ApiError."""
    found = shipped_objects(__name__, ("witness.yaml",), {"nginx": NGINX}, resolve)
    for obj in found:
        obj["metadata"]["namespace"] = SYSTEM_NAMESPACE
        if obj["kind"] == "ConfigMap":
            identity = environment_id(environment, cluster)
            obj["data"] = {"default.conf": _server(identity, controller)}
        elif obj["kind"] == "Ingress":
            obj["spec"]["ingressClassName"] = ingress_class
    return found


def _server(identity: str, controller: str) -> str:
    """Return the configuration of the witness's nginx."""
    return f"""server {{
  listen 8080;
  default_type text/plain;
  location = {WELL_KNOWN} {{
    add_header {ENVIRONMENT_HEADER} "{identity}";
    add_header {CONTROLLER_HEADER} "{controller}";
    return 200 "{identity}\\n";
  }}
  location = /ready {{ return 204; }}
}}
"""
