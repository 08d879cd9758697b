"""The real Cluster: see protocols.Cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from kindctl.errors import ApiError
from kindctl.models import MANAGER, Object, ObjectRef, Wake
from kindctl.tools.cluster_discovery import Discovery, Resource
from kindctl.tools.cluster_rest import Rest
from kindctl.tools.cluster_watch import Watches
from kindctl.tools.protocols import HttpAnswer

APPLY = {"Content-Type": "application/apply-patch+yaml"}  # JSON is YAML
MERGE = {"Content-Type": "application/merge-patch+json"}
DELETE = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
ALIVE_SECONDS = 2.0
LOG_SECONDS = 10.0
PATCHER = f"{MANAGER}-patch"
WRITES = 5  # tries, where somebody else writes the same object


def open_cluster(kubeconfig: Path, context: str | None = None) -> ApiCluster:
    """Connects at the first request. `context`: the file's current one when None."""
    return ApiCluster(Rest(kubeconfig, context))


class ApiCluster:
    """Thread-safe: many steps ask at once."""

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
        resource = self._discovery.find(ref.api_version, ref.kind)
        if resource is None:
            return None
        path = resource.path(ref.namespace, ref.name)
        try:
            found: Object = self._rest.request("GET", path, doing=f"read {ref}").json()
        except ApiError as error:
            if error.status == 404:
                return None
            raise
        return found

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
            if error.status == 404:  # its CRD went a moment ago
                return []
            raise
        return [
            {"apiVersion": api_version, "kind": kind, **item}
            for item in answer.json().get("items") or ()
        ]

    def apply(self, obj: Object, *, dry_run: bool = False) -> Object:
        ref = ObjectRef.of(obj)
        query = {"fieldManager": MANAGER, "force": "true", "fieldValidation": "Strict"}
        if dry_run:
            query["dryRun"] = "All"
        path = self._resource(ref, f"apply {ref}").path(ref.namespace, ref.name)
        answer = self._rest.request(
            "PATCH", path, doing=f"apply {ref}", query=query, body=obj, headers=APPLY
        )
        applied: Object = answer.json()
        return applied

    def merge_patch(self, ref: ObjectRef, patch: Object, *, dry_run: bool = False) -> None:
        query = {"fieldManager": PATCHER}
        if dry_run:
            query["dryRun"] = "All"
        doing = f"patch {ref}"
        path = self._resource(ref, doing).path(ref.namespace, ref.name)
        answer = self._rest.request(
            "PATCH", path, doing=doing, query=query, body=patch, headers=MERGE
        )
        if not dry_run:
            self._disown(path, doing, answer.json())

    def _disown(self, path: str, doing: str, patched: Object) -> None:
        """What the patch owns would outlive the manifest that wants it: an apply takes away only what
        nobody else owns. As client-go's csaupgrade does it."""
        for _ in range(WRITES):
            meta = patched["metadata"]
            managers = meta.get("managedFields") or ()
            left = [entry for entry in managers if entry.get("manager") != PATCHER]
            if not left or len(left) == len(managers):  # an empty list would mean: as it was
                return
            body = {"metadata": {"managedFields": left, "resourceVersion": meta["resourceVersion"]}}
            try:
                self._rest.request("PATCH", path, doing=doing, body=body, headers=MERGE)
                return
            except ApiError as error:
                if error.status != 409:
                    raise
            patched = self._rest.request("GET", path, doing=doing).json()  # somebody was quicker

    def delete(self, ref: ObjectRef) -> bool:
        resource = self._discovery.find(ref.api_version, ref.kind)
        if resource is None:
            return False
        path = resource.path(ref.namespace, ref.name)
        headers = {"Content-Type": "application/json"}
        try:
            self._rest.request("DELETE", path, doing=f"delete {ref}", body=DELETE, headers=headers)
        except ApiError as error:
            if error.status == 404:
                return False
            if error.status == 409:  # a namespace that is being emptied already
                return True
            raise
        return True

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
                whole=True,
            )
        except ApiError as error:
            if error.status == 404 and self.get(ObjectRef("v1", "Service", service, namespace)):
                error.status = 503  # it is there, and so new that it has no Endpoints yet
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

    def _resource(self, ref: ObjectRef, doing: str) -> Resource:
        resource = self._discovery.find(ref.api_version, ref.kind)
        if resource is None:
            raise ApiError(
                f"could not {doing}: the cluster has no {ref.kind} in {ref.api_version}",
                status=404,
                fix="check apiVersion and kind, or apply the CustomResourceDefinition first",
            )
        return resource
