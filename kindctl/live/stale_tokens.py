"""Finds pods whose token belongs to a ServiceAccount that was deleted.

A token is bound to the UID of its ServiceAccount. If somebody deletes the account and it is created again
under the same name, the API answers the running pods with 401 from then on, because only new pods get new
tokens. An ingress controller then logs "Unauthorized" but still looks Ready.
"""

from __future__ import annotations

from collections.abc import Sequence

from kindctl.kube_objects import entries
from kindctl.models import Object
from kindctl.tools.protocols import Cluster


def stale_pods(cluster: Cluster, pods: Sequence[Object]) -> list[Object]:
    """Return the pods that have a token and are older than their ServiceAccount. Raises ApiError."""
    users = [pod for pod in pods if _has_token(pod)]
    namespaces = {pod["metadata"]["namespace"] for pod in users}
    accounts = {
        (account["metadata"]["namespace"], account["metadata"]["name"]): account["metadata"]
        for namespace in namespaces
        for account in cluster.list("v1", "ServiceAccount", namespace=namespace)
    }
    return [
        pod
        for pod in users
        if (account := accounts.get((pod["metadata"]["namespace"], _account(pod))))
        and pod["metadata"]["creationTimestamp"] < account["creationTimestamp"]
    ]


def _account(pod: Object) -> str:
    return str(pod["spec"].get("serviceAccountName") or "default")


def _has_token(pod: Object) -> bool:
    return any(
        "serviceAccountToken" in source
        for volume in entries(pod, "spec", "volumes")
        for source in entries(volume, "projected", "sources")
    )
