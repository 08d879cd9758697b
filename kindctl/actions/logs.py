"""`logs`: the logs of a workload's pods, or of everything that kindctl applied."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from kindctl.diagnose.snapshot import WORKLOADS
from kindctl.errors import KindctlError, UsageError
from kindctl.kube_objects import namespace_of
from kindctl.live.readiness import selects
from kindctl.models import MANAGED_LABEL, MANAGER, Object
from kindctl.tools.protocols import Cluster


@dataclass(frozen=True)
class LogLine:
    source: str  # pod/container
    text: str


def log_lines(
    cluster: Cluster,
    workload: str | None = None,
    *,
    tail: int = 20,
    follow: bool = False,
    previous: bool = False,
) -> Iterator[LogLine]:
    """Return an iterator over the log lines of `workload`, which is NAME, NAMESPACE/NAME, KIND/NAME or the
    name of a pod. None means every workload that kindctl applied.

    Raises UsageError, which lists the workloads, if nothing has that name.
    """
    sources = [
        (namespace_of(pod), pod["metadata"]["name"], container["name"])
        for pod in pods_of(cluster, workload)
        for container in pod["spec"]["containers"]
    ]

    def lines(namespace: str, pod: str, container: str) -> Iterator[LogLine]:
        source = f"{pod}/{container}"
        try:
            for text in cluster.logs(
                namespace, pod, container, tail=tail, follow=follow, previous=previous
            ):
                yield LogLine(source, text)
        except KindctlError as error:
            if len(sources) == 1:
                raise
            yield LogLine(source, f"({error.what})")

    if not follow:
        for source in sources:
            yield from lines(*source)
        return
    merged: queue.Queue[LogLine | Exception | None] = queue.Queue()

    def pump(*source: str) -> None:
        try:
            for line in lines(*source):
                merged.put(line)
        except Exception as error:  # raised by the reader, which would wait forever otherwise
            merged.put(error)
        merged.put(None)

    for source in sources:
        threading.Thread(target=pump, args=source, daemon=True).start()
    for _ in sources:
        while (line := merged.get()) is not None:
            if isinstance(line, Exception):
                raise line
            yield line


def pods_of(cluster: Cluster, workload: str | None) -> list[Object]:
    """Return the pods of the workloads that `workload` names, or else the pods of that name. None means the
    pods of every workload that kindctl applied. Raises UsageError if nothing has that name."""
    known = [
        obj
        for kind in WORKLOADS
        for obj in cluster.list(*kind, labels=f"{MANAGED_LABEL}={MANAGER}")
    ]
    chosen = [obj for obj in known if workload is None or _matches(obj, workload)]
    pods = [
        pod
        for namespace in {namespace_of(obj) for obj in chosen}
        for pod in cluster.list("v1", "Pod", namespace=namespace)
        if any(selects(obj, pod) for obj in chosen)
    ]
    if workload is not None and not chosen:
        pods = [pod for pod in cluster.list("v1", "Pod") if pod["metadata"]["name"] == workload]
        if not pods:
            names = [f"{namespace_of(obj)}/{obj['metadata']['name']}" for obj in known]
            raise UsageError(
                f"no workload {workload!r}",
                why=f"known workloads: {', '.join(names) or 'none'}",
                fix="kindctl status",
            )
    return sorted(pods, key=lambda pod: (namespace_of(pod), pod["metadata"]["name"]))


def _matches(obj: Object, wanted: str) -> bool:
    """Return whether `wanted`, such as web, NAMESPACE/web or deploy/web, means this object.

    The last part must be the object's name. Every earlier part must be the object's namespace or the start
    of its kind.
    """
    name, namespace, kind = obj["metadata"]["name"], namespace_of(obj), obj["kind"]
    *scope, last = wanted.split("/")
    return last == name and all(
        part == namespace or kind.lower().startswith(part.lower()) for part in scope
    )
