"""Finds out which kinds of objects an API server serves, and at which paths.

The API server lists them in two documents, one for the core group and one for all other groups (since
Kubernetes 1.26; without a feature gate since 1.30). The documents have an ETag, so reading them again is
cheap if nothing has changed.
https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from kindctl.errors import ApiError
from kindctl.kube_objects import api_group
from kindctl.tools.cluster_rest import Rest

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
ROOTS = ("/api", "/apis")


@dataclass(frozen=True)
class Resource:
    """A kind of object that the API server serves."""

    api_version: str  # "v1", "apps/v1"
    kind: str
    plural: str
    namespaced: bool
    verbs: frozenset[str]

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """Return the API path of an object, or of the list of objects in one or all namespaces."""
        root = "/apis" if "/" in self.api_version else "/api"
        parts = [root, self.api_version]
        if self.namespaced and (namespace or name):
            parts += ["namespaces", quote(namespace or "default")]
        parts.append(self.plural)
        if name:
            parts.append(quote(name, safe=""))
        return "/".join(parts)


class Discovery:
    """Caches the resources of an API server.

    If a requested kind is missing, the resources are read again, because the CRD of that kind may just
    have been created.
    """

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._lock = threading.Lock()
        self._found: dict[str, list[Resource]] = {}  # root -> resources, preferred versions first
        self._etags: dict[str, str] = {}
        self._index: dict[tuple[str, str], Resource] = {}

    def find(self, api_version: str, kind: str) -> Resource | None:
        """Return the resource of a kind, or None if the server does not serve it."""
        return self._index.get((api_version, kind)) or self._refreshed().get((api_version, kind))

    def all(self) -> list[Resource]:
        """Read the resources again and return all of them, each in its preferred version."""
        preferred: dict[tuple[str, str], Resource] = {}
        for resource in self._refreshed().values():
            group = api_group(resource.api_version)
            preferred.setdefault((group, resource.kind), resource)
        return list(preferred.values())

    def _refreshed(self) -> dict[tuple[str, str], Resource]:
        with self._lock:
            changed = [self._refresh(root) for root in ROOTS]
            if any(changed):
                self._index = {
                    (resource.api_version, resource.kind): resource
                    for root in ROOTS
                    for resource in self._found[root]
                }
            return self._index

    def _refresh(self, root: str) -> bool:
        """Read the resources under the path `root` again, and return whether they have changed."""
        headers = {"Accept": AGGREGATED}
        if root in self._etags:
            headers["If-None-Match"] = self._etags[root]
        answer = self._rest.request("GET", root, doing="list the API's resources", headers=headers)
        if answer.status == 304:
            return False
        document = answer.json()
        if document.get("kind") != "APIGroupDiscoveryList":
            raise ApiError(
                "this version of Kubernetes is too old: it does not support aggregated discovery",
                command=("GET", root),
                status=answer.status,
                fix="use Kubernetes 1.30 or newer",
            )
        self._found[root] = [
            resource for group in document["items"] for resource in _resources(group)
        ]
        if etag := answer.headers.get("etag"):
            self._etags[root] = etag
        return True


def _resources(group: dict[str, Any]) -> list[Resource]:
    name = group["metadata"].get("name", "")
    return [
        Resource(
            f"{name}/{version['version']}" if name else version["version"],
            resource["responseKind"]["kind"],
            resource["resource"],
            resource["scope"] == "Namespaced",
            frozenset(resource.get("verbs", ())),
        )
        for version in group["versions"]
        for resource in version.get("resources", ())
        if resource.get("responseKind")
    ]
