"""A cluster in memory that behaves: kinds and CRDs, server-side apply with owners, namespaces that must
exist, selectors, immutable fields. Its failures and its controllers' work are scripted by tests."""

from __future__ import annotations

import base64
import copy
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kindctl.errors import ApiError
from kindctl.models import MANAGER, Object, ObjectRef
from kindctl.tools.cluster_watch import Changes, ChangeWake
from kindctl.tools.protocols import HttpAnswer
from tests.fakes import merge
from tests.fakes.kinds import FIELDS, IMMUTABLE, KINDS

IDENTITY = {"apiVersion", "kind", "metadata", "status"}
SERVER_METADATA = {"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"} | {
    "deletionTimestamp"
}
GIVEN = {"uid", "creationTimestamp", "deletionTimestamp", "generation"}  # a test may say these
NOW = "2026-11-24T06:00:00Z"

Key = tuple[str, str, str | None, str]  # group, kind, namespace, name


@dataclass
class Stored:
    """One object. `server`: metadata that the API sets by itself."""

    leaves: merge.Leaves
    owners: dict[str, frozenset[merge.Path]]
    server: dict[str, Any]
    status: Any = None


@dataclass
class Failure:
    """`times` more calls of `operation` on a `kind` fail."""

    operation: str  # get, list, apply, merge_patch, delete, logs
    kind: str
    times: int
    error: ApiError


@dataclass
class FakeCluster:
    """See protocols.Cluster for its public methods; the rest is for tests."""

    down: bool = False  # nothing answers
    establish: bool = True  # CRDs become Established at once
    applied: list[str] = field(default_factory=list)  # str(ref) of real applies, in their order
    deleted: list[str] = field(default_factory=list)
    servers: dict[tuple[str, str], Callable[[str, str, str], HttpAnswer]] = field(
        default_factory=dict
    )  # (namespace, Service) -> what its pods answer to (port, path, host)

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        self._objects: dict[Key, Stored] = {}
        self._kinds = dict(KINDS)
        self._failures: list[Failure] = []
        self._held: set[Key] = set()
        self._logs: dict[tuple[str, str, str, bool], list[str]] = {}
        self.changes = Changes()
        self._counter = 0
        for name in ("default", "kube-system"):
            self.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    # --- the protocol ----------------------------------------------------------------------------

    def alive(self) -> bool:
        return not self.down

    def version(self) -> str:
        self._call("version", "")
        return "1.36.3"

    def get(self, ref: ObjectRef) -> Object | None:
        with self._lock:
            self._call("get", ref.kind)
            stored = self._objects.get(self._key(ref))
            return self._whole(ref, stored) if stored else None

    def list(
        self,
        api_version: str,
        kind: str,
        *,
        namespace: str | None = None,
        labels: str = "",
        fields: str = "",
    ) -> list[Object]:
        with self._lock:
            self._call("list", kind)
            group = api_version.rpartition("/")[0]
            found = [
                self._whole(ObjectRef(api_version, kind, key[3], key[2]), stored)
                for key, stored in sorted(self._objects.items(), key=lambda kv: str(kv[0]))
                if key[:2] == (group, kind) and namespace in (None, key[2])
            ]
        return [obj for obj in found if _selected(obj, labels) and _has_fields(obj, fields)]

    def apply(self, obj: Object, *, dry_run: bool = False) -> Object:
        with self._lock:
            ref = ObjectRef.of(obj)
            self._call("apply", ref.kind)
            key = self._admit(ref, obj)
            before = self._objects.get(key)
            wanted = _leaves(obj)
            live, owners = (before.leaves, before.owners) if before else ({}, {})
            leaves, owners = merge.apply(live, owners, MANAGER, wanted)
            _check_immutable(ref, live, leaves)
            _check_port_names(ref, leaves)
            _check_strategy(ref, leaves)
            self._check_node_ports(key, ref, leaves)
            after = self._stored(ref, before, leaves, owners)
            if not dry_run:
                self.applied.append(str(ref))
                self._store(key, after)
            return self._whole(ref, after)

    def merge_patch(self, ref: ObjectRef, patch: Object, *, dry_run: bool = False) -> None:
        with self._lock:
            self._call("merge_patch", ref.kind)
            obj = self.get(ref)
            if obj is None:
                raise _refused(f"patch {ref}", 404, "NotFound", f'"{ref.name}" not found')
            patched = merge.json_patch(obj, patch)
            _check_immutable(ref, _leaves(obj), _leaves(patched))
            _check_port_names(ref, _leaves(patched))
            _check_strategy(ref, _leaves(patched))
            self._check_node_ports(self._key(ref), ref, _leaves(patched))
            if not dry_run:
                self.put(patched, manager="")

    def delete(self, ref: ObjectRef) -> bool:
        with self._lock:
            self._call("delete", ref.kind)
            key = self._key(ref)
            stored = self._objects.get(key)
            if stored is None:
                return False
            self.deleted.append(str(ref))
            if key in self._held:
                self._terminate(key, stored)
            else:
                self._remove(key)
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
        with self._lock:
            self._call("logs", "Pod")
            if ("", "Pod", namespace, pod) not in self._objects:
                doing = f"read the log of {namespace}/{pod}/{container}"
                raise _refused(doing, 404, "NotFound", f'pods "{pod}" not found')
            lines = self._logs.get((namespace, pod, container, previous), [])[-tail:]
        stamp = f"{NOW} " if timestamps else ""
        return iter([stamp + line for line in lines])

    def http(
        self, namespace: str, service: str, port: str, path: str, *, host: str = ""
    ) -> HttpAnswer:
        self._call("http", "Service")
        doing = f"reach Service {namespace}/{service}"
        if ("", "Service", namespace, service) not in self._objects:
            raise _refused(doing, 404, "NotFound", f'services "{service}" not found')
        if (namespace, service) not in self.servers:
            why = f'no endpoints available for service "{service}"'
            raise _refused(doing, 503, "ServiceUnavailable", why)
        return self.servers[namespace, service](port, path, host)

    def kinds(self) -> Sequence[tuple[str, str, bool]]:
        self._call("kinds", "")
        return [(*kind, namespaced) for kind, namespaced in self._kinds.items()]

    def watch(self, *kinds: tuple[str, str]) -> ChangeWake:
        return ChangeWake(self.changes, kinds)

    def close(self) -> None:
        self.changes.close()

    # --- what tests do to it ---------------------------------------------------------------------

    def put(self, obj: Object, *, manager: str = "somebody") -> Object:
        """Create or replace an object as another client; of a new one its status and
        times are set too. Without a manager, nobody owns what is new in it."""
        with self._lock:
            ref = ObjectRef.of(obj)
            key = self._admit(ref, obj)
            before = self._objects.get(key)
            live, owners = (before.leaves, before.owners) if before else ({}, {})
            leaves = _leaves(obj)
            owners = merge.update(live, owners, manager, leaves)
            owners.pop("", None)
            after = self._stored(ref, before, leaves, owners)
            if before is None:
                after.status = copy.deepcopy(obj.get("status", after.status))
                after.server |= {
                    name: value for name, value in obj["metadata"].items() if name in GIVEN
                }
            self._store(key, after)
            return self._whole(ref, after)

    def edit(self, ref: ObjectRef, change: Callable[[Object], object]) -> None:
        """What `kubectl edit` does: `change` gets the object and alters it."""
        obj = self.get(ref)
        assert obj is not None, f"no {ref}"
        change(obj)
        self.put(obj, manager="kubectl-edit")

    def set_status(self, ref: ObjectRef, status: Mapping[str, Any]) -> None:
        """What a controller does."""
        with self._lock:
            stored = self._objects[self._key(ref)]
            self._counter += 1
            stored.status = copy.deepcopy(dict(status))
            stored.server["resourceVersion"] = str(self._counter)
            self._note(self._key(ref))

    def hold(self, ref: ObjectRef) -> None:
        """Deleting it only marks it (a finalizer), until release()."""
        self._held.add(self._key(ref))

    def release(self, ref: ObjectRef) -> None:
        with self._lock:
            self._held.discard(self._key(ref))
            self._remove(self._key(ref))

    def fail(self, operation: str, kind: str, error: ApiError, times: int = 1) -> None:
        self._failures.append(Failure(operation, kind, times, error))

    def webhook_down(self, kind: str, times: int = 1) -> None:
        """The next applies of this kind meet an admission webhook that does not answer."""
        error = _refused(
            f"apply {kind}",
            500,
            "InternalError",
            'Internal error occurred: failed calling webhook "validate.nginx.ingress.kubernetes.io": '
            "connection refused",
        )
        self.fail("apply", kind, error, times)

    def set_log(
        self,
        namespace: str,
        pod: str,
        container: str,
        lines: Sequence[str],
        *,
        previous: bool = False,
    ) -> None:
        self._logs[namespace, pod, container, previous] = list(lines)

    # --- inside ----------------------------------------------------------------------------------

    def _call(self, operation: str, kind: str) -> None:
        if self.down:
            raise ApiError(
                f"the Kubernetes API did not answer: could not {operation} {kind}",
                why="connection refused",
            )
        for failure in self._failures:
            if (failure.operation, failure.kind) == (operation, kind) and failure.times > 0:
                failure.times -= 1
                raise failure.error

    def _key(self, ref: ObjectRef) -> Key:
        namespaced = self._kinds.get((ref.api_version, ref.kind), True)
        namespace = (ref.namespace or "default") if namespaced else None
        return ref.api_version.rpartition("/")[0], ref.kind, namespace, ref.name

    def _admit(self, ref: ObjectRef, obj: Object) -> Key:
        if (ref.api_version, ref.kind) not in self._kinds:
            raise ApiError(
                f"could not apply {ref}: the cluster has no {ref.kind} in {ref.api_version}",
                status=404,
            )
        unknown = obj.keys() - IDENTITY - FIELDS.get(ref.kind, obj.keys())
        if unknown:
            why = f"failed to create typed patch object: .{min(unknown)}: field not declared in schema"
            raise _refused(f"apply {ref}", 422, "", why)
        key = self._key(ref)
        if key[2] is None:
            return key
        namespace = self._objects.get(("", "Namespace", None, key[2]))
        if namespace is None:
            raise _refused(f"apply {ref}", 404, "NotFound", f'namespaces "{key[2]}" not found')
        if "deletionTimestamp" in namespace.server and key not in self._objects:
            why = (
                f"unable to create new content in namespace {key[2]} because it is being terminated"
            )
            raise _refused(f"apply {ref}", 403, "Forbidden", why)
        return key

    def _check_node_ports(self, key: Key, ref: ObjectRef, leaves: merge.Leaves) -> None:
        """One that is being deleted keeps its ports until it has gone."""
        if ref.kind != "Service":
            return
        others = [
            stored.leaves
            for other, stored in self._objects.items()
            if other[:2] == ("", "Service") and other != key
        ]
        taken = {port for other in others for port in _node_ports(other)}
        for index, port in enumerate(_node_ports(leaves)):
            if port in taken:
                why = (
                    f'Service "{ref.name}" is invalid: spec.ports[{index}].nodePort: '
                    f"Invalid value: {port}: provided port is already allocated"
                )
                raise _refused(f"apply {ref}", 422, "Invalid", why)

    def _stored(
        self,
        ref: ObjectRef,
        before: Stored | None,
        leaves: merge.Leaves,
        owners: dict[str, frozenset[merge.Path]],
    ) -> Stored:
        """The object after a write, as a new Stored; the same version when nothing has changed."""
        if before and before.leaves == leaves and before.owners == owners:
            return copy.deepcopy(before)
        self._counter += 1
        old: dict[str, Any] = (
            before.server if before else {"uid": f"uid-{self._counter}", "creationTimestamp": NOW}
        )
        server = old | {"resourceVersion": str(self._counter)}
        spec = {path: value for path, value in leaves.items() if path[0] != "metadata"}
        if not before or spec != {p: v for p, v in before.leaves.items() if p[0] != "metadata"}:
            server["generation"] = old.get("generation", 0) + 1
        status = before.status if before else _first_status(ref, self.establish)
        return Stored(dict(leaves), owners, server, copy.deepcopy(status))

    def _store(self, key: Key, stored: Stored) -> None:
        before = self._objects.get(key)
        self._objects[key] = stored
        if key[1] == "CustomResourceDefinition":
            self._define(merge.unflatten(stored.leaves))
        if before != stored:
            self._note(key)

    def _define(self, crd: Object) -> None:
        spec = crd["spec"]
        for version in spec["versions"]:
            kind = (f"{spec['group']}/{version['name']}", spec["names"]["kind"])
            self._kinds[kind] = spec["scope"] == "Namespaced"

    def _terminate(self, key: Key, stored: Stored) -> None:
        self._counter += 1
        stored.server |= {"deletionTimestamp": NOW, "resourceVersion": str(self._counter)}
        self._note(key)

    def _remove(self, key: Key) -> None:
        """With what lives in it, if it is a namespace, and what it owns."""
        stored = self._objects.pop(key, None)
        if stored is None:
            return
        self._note(key)
        for other, child in list(self._objects.items()):
            owners = child.leaves.get(("metadata", "ownerReferences"), ())
            if (key[1] == "Namespace" and other[2] == key[3]) or any(
                owner["uid"] == stored.server["uid"] for owner in owners
            ):
                self._remove(other)

    def _note(self, key: Key) -> None:
        for api_version, kind in self._kinds:
            if (api_version.rpartition("/")[0], kind) == key[:2]:
                self.changes.note((api_version, kind))

    def _whole(self, ref: ObjectRef, stored: Stored) -> Object:
        obj = merge.unflatten(stored.leaves)
        obj |= {"apiVersion": ref.api_version, "kind": ref.kind}
        key = self._key(ref)
        meta = obj.setdefault("metadata", {})
        meta |= {"name": ref.name, **stored.server}
        if key[2] is not None:
            meta["namespace"] = key[2]
        meta["managedFields"] = [
            {"manager": name, "operation": "Apply" if name == MANAGER else "Update"}
            for name in stored.owners
        ]
        if stored.status is not None:
            obj["status"] = stored.status
        return copy.deepcopy(obj)


def _leaves(obj: Object) -> merge.Leaves:
    body = {name: value for name, value in obj.items() if name not in IDENTITY}
    if obj["kind"] == "Secret" and "stringData" in body:
        encoded = {
            name: base64.b64encode(text.encode()).decode()
            for name, text in body.pop("stringData").items()
        }
        body["data"] = body.get("data", {}) | encoded
    body["metadata"] = {
        name: value for name, value in obj["metadata"].items() if name not in SERVER_METADATA
    } | {"name": obj["metadata"]["name"]}
    return dict(merge.flatten(copy.deepcopy(body)))


def _first_status(ref: ObjectRef, establish: bool) -> Any:
    if ref.kind == "Namespace":
        return {"phase": "Active"}
    if ref.kind == "CustomResourceDefinition" and establish:
        return {"conditions": [{"type": "Established", "status": "True"}]}
    return None


def _check_immutable(ref: ObjectRef, live: merge.Leaves, wanted: merge.Leaves) -> None:
    if not live:
        return
    for name in IMMUTABLE.get(ref.kind, ()):
        prefix = tuple(name.split("."))
        old, new = (
            {path: value for path, value in leaves.items() if path[: len(prefix)] == prefix}
            for leaves in (live, wanted)
        )
        if old != new:
            why = f'{ref.kind} "{ref.name}" is invalid: {name}: Invalid value: field is immutable'
            raise _refused(f"apply {ref}", 422, "Invalid", why)


def _check_port_names(ref: ObjectRef, leaves: merge.Leaves) -> None:
    """Ports merge by number and protocol, and yet their names must differ."""
    if ref.kind != "Service":
        return
    ports = merge.unflatten(leaves).get("spec", {}).get("ports", ())
    names = [port.get("name", "") for port in ports]
    for i, name in enumerate(names):
        if name in names[:i]:
            why = (
                f'Service "{ref.name}" is invalid: spec.ports[{i}].name: Duplicate value: "{name}"'
            )
            raise _refused(f"apply {ref}", 422, "Invalid", why)


def _node_ports(leaves: merge.Leaves) -> list[int]:
    spec = merge.unflatten(leaves).get("spec") or {}
    return [port["nodePort"] for port in spec.get("ports") or () if "nodePort" in port]


def _check_strategy(ref: ObjectRef, leaves: merge.Leaves) -> None:
    strategy = merge.unflatten(leaves).get("spec", {}).get("strategy") or {}
    if (
        ref.kind == "Deployment"
        and strategy.get("type") == "Recreate"
        and "rollingUpdate" in strategy
    ):
        fault = "Forbidden: may not be specified when strategy `type` is 'Recreate'"
        why = f'Deployment.apps "{ref.name}" is invalid: spec.strategy.rollingUpdate: {fault}'
        raise _refused(f"apply {ref}", 422, "Invalid", why)


def _refused(doing: str, status: int, reason: str, why: str) -> ApiError:
    what = f"the Kubernetes API refused to {doing}: {status} {reason}".rstrip()
    return ApiError(what, status=status, why=why)


def _selected(obj: Object, selector: str) -> bool:
    """Equality-based selectors: a=b, a==b, a!=b, a, !a."""
    labels = obj["metadata"].get("labels") or {}

    def holds(term: str) -> bool:
        if "!=" in term:
            name, value = term.split("!=")
            return bool(labels.get(name) != value)
        if "=" in term:
            name, value = term.replace("==", "=").split("=")
            return bool(labels.get(name) == value)
        return (term[1:] not in labels) if term.startswith("!") else (term in labels)

    return all(holds(term) for term in selector.split(",") if term)


def _has_fields(obj: Object, selector: str) -> bool:
    for term in filter(None, selector.split(",")):
        path, value = term.replace("==", "=").split("=")
        found: Any = obj
        for name in path.split("."):
            found = (found or {}).get(name)
        if str(found) != value:
            return False
    return True
