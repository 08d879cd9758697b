"""`logs`: lines of the pods behind a workload, or of all that the environment's apps run."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kindctl.errors import KindctlError, UsageError
from kindctl.models import MANAGED_LABEL, MANAGER, Object
from kindctl.tools.protocols import Cluster

WORKLOADS = (
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("batch/v1", "Job"),
)


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
    """`workload`: NAME, NAMESPACE/NAME or KIND/NAME; also the name of a pod. None: everything ours.

    Raises UsageError, with what there is, when nothing has that name.
    """
    sources = [
        (pod, container["name"])
        for pod in pods_of(cluster, workload)
        for container in pod["spec"]["containers"]
    ]

    def lines(pod: Object, container: str) -> Iterator[LogLine]:
        meta = pod["metadata"]
        try:
            for text in cluster.logs(
                meta["namespace"],
                meta["name"],
                container,
                tail=tail,
                follow=follow,
                previous=previous,
            ):
                yield LogLine(f"{meta['name']}/{container}", text)
        except KindctlError as error:
            if len(sources) == 1:
                raise
            yield LogLine(f"{meta['name']}/{container}", f"({error.what})")

    if not follow:
        for source in sources:
            yield from lines(*source)
        return
    merged: queue.Queue[LogLine | Exception | None] = queue.Queue()

    def pump(pod: Object, container: str) -> None:
        try:
            for line in lines(pod, container):
                merged.put(line)
        except Exception as error:  # a pump that ends without a word would hang its reader
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
    """The pods that a workload's selector selects, in all namespaces where we applied something."""
    known = [
        obj
        for api_version, kind in WORKLOADS
        for obj in cluster.list(api_version, kind, labels=f"{MANAGED_LABEL}={MANAGER}")
    ]
    chosen = [obj for obj in known if workload is None or _is(obj, workload)]
    pods: dict[str, Object] = {}
    for obj in chosen:
        namespace, selector = obj["metadata"]["namespace"], obj["spec"]["selector"]
        labels = ",".join(f"{k}={v}" for k, v in (selector.get("matchLabels") or {}).items())
        for pod in cluster.list("v1", "Pod", namespace=namespace, labels=labels):
            pods[f"{namespace}/{pod['metadata']['name']}"] = pod
    if not chosen and workload is not None:
        pods = {
            pod["metadata"]["name"]: pod
            for pod in cluster.list("v1", "Pod")
            if pod["metadata"]["name"] == workload
        }
        if not pods:
            raise UsageError(
                f"no workload {workload!r}", why="there are: " + _names(known), fix="kindctl status"
            )
    return [pods[key] for key in sorted(pods)]


def _is(obj: Object, wanted: str) -> bool:
    name, namespace, kind = obj["metadata"]["name"], obj["metadata"]["namespace"], obj["kind"]
    *scope, last = wanted.split("/")
    return last == name and all(
        part in (namespace, kind, kind.lower()) or kind.lower().startswith(part.lower())
        for part in scope
    )


def _names(objects: Sequence[Object]) -> str:
    return (
        ", ".join(f"{o['metadata']['namespace']}/{o['metadata']['name']}" for o in objects)
        or "none"
    )
