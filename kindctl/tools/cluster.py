"""The real implementation of Cluster: the API of one Kubernetes cluster over HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Unpack

from kindctl.errors import ApiError
from kindctl.models import MANAGER, Object, ObjectRef, Wake
from kindctl.tools.cluster_discovery import Discovery, Resource
from kindctl.tools.cluster_rest import Answer, Content, Rest
from kindctl.tools.cluster_watch import Watches
from kindctl.tools.protocols import HttpAnswer

APPLY = {"Content-Type": "application/apply-patch+yaml"}  # JSON is YAML
MERGE = {"Content-Type": "application/merge-patch+json"}
JSON = {"Content-Type": "application/json"}
DELETE = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
ALIVE_SECONDS = 2.0
LOG_SECONDS = 10.0
PATCHER = f"{MANAGER}-patch"
WRITES = 5  # attempts, in case somebody else changes the same object at the same time


def open_cluster(kubeconfig: Path, context: str | None = None) -> ApiCluster:
    """Return the cluster of a kubeconfig's context, by default of the current context.

    The connection is made at the first request.
    """
    return ApiCluster(Rest(kubeconfig, context))


class ApiCluster:
    """Implements protocols.Cluster. Thread-safe, because many steps use it at the same time."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._discovery = Discovery(rest)
        self.watches = Watches(rest, self._discovery)

    def alive(self) -> bool:
        timeout = (ALIVE_SECONDS / 2, ALIVE_SECONDS / 2)
        try:
            self._rest.request(
                "GET", "/readyz", doing="ask for health", retry=False, timeout=timeout
            )
        except ApiError:
            return False
        return True

    def version(self) -> str:
        answer = self._rest.request("GET", "/version", doing="ask for the version")
        return str(answer.json()["gitVersion"]).removeprefix("v")

    def get(self, ref: ObjectRef) -> Object | None:
        answer = self._request("GET", ref, "read")
        return None if answer is None else dict(answer.json())

    def list(
        self,
        api_version: str,
        kind: str,
        *,
        namespace: str | None = None,
        labels: str = "",
        fields: str = "",
    ) -> list[Object]:
        resource = self._discovery.find(api_version, kind)
        if resource is None:
            return []
        selectors = {"labelSelector": labels, "fieldSelector": fields}
        query = {name: value for name, value in selectors.items() if value}
        doing = f"list {resource.plural}"
        try:
            answer = self._rest.request("GET", resource.path(namespace), doing=doing, query=query)
        except ApiError as error:
            if error.status == 404:  # the CRD was deleted a moment ago
                return []
            raise
        return [
            {"apiVersion": api_version, "kind": kind, **item}
            for item in answer.json().get("items") or ()
        ]

    def apply(self, obj: Object, *, dry_run: bool = False) -> Object:
        ref = ObjectRef.of(obj)
        query = {"fieldManager": MANAGER, "force": "true", "fieldValidation": "Strict"}
        query |= {"dryRun": "All"} if dry_run else {}
        path, doing = self._path(ref, "apply"), f"apply {ref}"
        answer = self._rest.request(
            "PATCH", path, doing=doing, query=query, body=obj, headers=APPLY
        )
        return dict(answer.json())

    def merge_patch(self, ref: ObjectRef, patch: Object, *, dry_run: bool = False) -> None:
        query = {"fieldManager": PATCHER} | ({"dryRun": "All"} if dry_run else {})
        path, doing = self._path(ref, "patch"), f"patch {ref}"
        answer = self._rest.request(
            "PATCH", path, doing=doing, query=query, body=patch, headers=MERGE
        )
        if not dry_run:
            self._disown(path, doing, answer.json())

    def _disown(self, path: str, doing: str, patched: Object) -> None:
        """Remove the field ownership that kindctl's patches created, as client-go's csaupgrade does.

        An apply removes only fields that no other manager owns. Without this function, a field that a
        patch has set would stay on the object even after the user removes the field from the manifest.
        """
        for _ in range(WRITES):
            meta = patched["metadata"]
            managers = meta.get("managedFields") or ()
            left = [entry for entry in managers if entry.get("manager") != PATCHER]
            if not left or len(left) == len(managers):  # the API ignores an empty list
                return
            body = {"metadata": {"managedFields": left, "resourceVersion": meta["resourceVersion"]}}
            try:
                self._rest.request("PATCH", path, doing=doing, body=body, headers=MERGE)
                return
            except ApiError as error:
                if error.status != 409:
                    raise
            # somebody else has changed it
            patched = self._rest.request("GET", path, doing=doing).json()

    def delete(self, ref: ObjectRef) -> bool:
        try:
            return self._request("DELETE", ref, "delete", body=DELETE, headers=JSON) is not None
        except ApiError as error:
            if error.status == 409:  # a namespace that is being deleted already
                return True
            raise

    def logs(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        tail: int = 20,
        previous: bool = False,
        follow: bool = False,
        timestamps: bool = False,
    ) -> Iterator[str]:
        query = {"container": container, "tailLines": str(tail)}
        flags = {"previous": previous, "follow": follow, "timestamps": timestamps}
        query |= {name: "true" for name, wanted in flags.items() if wanted}
        resource = Resource("v1", "Pod", "pods", True, frozenset())
        stream = self._rest.stream(
            f"{resource.path(namespace, pod)}/log",
            doing=f"read the log of {namespace}/{pod}/{container}",
            query=query,
            silence=None if follow else LOG_SECONDS,
        )

        def lines() -> Iterator[str]:
            with stream:
                for line in stream.lines():
                    yield line.decode(errors="replace")

        return lines()

    def http(
        self, namespace: str, service: str, port: str, path: str, *, host: str = ""
    ) -> HttpAnswer:
        scheme, _, number = port.rpartition(":")
        name = f"{scheme or 'http'}:{service}:{number}"
        try:
            answer = self._rest.request(
                "GET",
                f"/api/v1/namespaces/{namespace}/services/{name}/proxy{path}",
                doing=f"reach Service {namespace}/{service}",
                headers={"Accept": "*/*", **({"Host": host} if host else {})},
                retry=False,
                proxied=True,
            )
        except ApiError as error:
            if error.status == 404 and self.get(ObjectRef("v1", "Service", service, namespace)):
                error.status = 503  # the Service is so new that it has no Endpoints yet
            raise
        return HttpAnswer(answer.status, answer.headers, answer.data)

    def kinds(self) -> Sequence[tuple[str, str, bool]]:
        return [
            (resource.api_version, resource.kind, resource.namespaced)
            for resource in self._discovery.all()
            if resource.verbs >= {"list", "delete"}
        ]

    def watch(self, *kinds: tuple[str, str]) -> Wake:
        return self.watches.wake(*kinds)

    def close(self) -> None:
        self.watches.close()
        self._rest.close()

    def _request(
        self, method: str, ref: ObjectRef, verb: str, **options: Unpack[Content]
    ) -> Answer | None:
        """Send a request for one object. Returns None if the object or its kind does not exist."""
        resource = self._discovery.find(ref.api_version, ref.kind)
        if resource is None:
            return None
        path = resource.path(ref.namespace, ref.name)
        try:
            return self._rest.request(method, path, doing=f"{verb} {ref}", **options)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def _path(self, ref: ObjectRef, verb: str) -> str:
        """Return the API path of an object. Raises ApiError if the cluster does not know its kind."""
        resource = self._discovery.find(ref.api_version, ref.kind)
        if resource is None:
            raise ApiError(
                f"could not {verb} {ref}: the cluster has no {ref.kind} in {ref.api_version}",
                status=404,
                fix="check apiVersion and kind, or apply the CustomResourceDefinition first",
            )
        return resource.path(ref.namespace, ref.name)
