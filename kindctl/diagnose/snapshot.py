"""Takes snapshots of a part of a cluster, in which the modules of causes/ look for causes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from kindctl.diagnose.evidence import Evidence
from kindctl.errors import ApiError
from kindctl.models import Object
from kindctl.tools.engine_protocol import EngineInfo
from kindctl.tools.protocols import Cluster, ObjectKind

WORKLOADS = (
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "ReplicaSet"),
    ("batch/v1", "Job"),
)
POD, CLAIM, EVENT = ("v1", "Pod"), ("v1", "PersistentVolumeClaim"), ("v1", "Event")
THREADS = 8
LOG_LINES = 20


def snapshot(
    cluster: Cluster, namespaces: Iterable[str], *, workloads: Sequence[ObjectKind] = WORKLOADS
) -> Evidence:
    """Return the pods, workloads and PersistentVolumeClaims in these namespaces.

    This function is fast enough to be called at every poll.

    Raises ApiError.
    """
    found = _lists(cluster, namespaces, [POD, CLAIM, *workloads])
    objects = [obj for kind in workloads for obj in found[kind]]
    return Evidence(pods=found[POD], claims=found[CLAIM], workloads=objects)


def collect(
    cluster: Cluster, namespaces: Iterable[str], *, engine: EngineInfo | None = None
) -> Evidence:
    """Return a snapshot that also contains events, nodes, and the last log lines of failing containers.

    Raises ApiError.
    """
    names = list(namespaces)
    evidence = snapshot(cluster, names)
    return replace(
        evidence,
        events=_lists(cluster, names, [EVENT])[EVENT],
        nodes=cluster.list("v1", "Node"),
        logs=_logs(cluster, evidence.pods),
        engine=engine,
    )


def _lists(
    cluster: Cluster, namespaces: Iterable[str], kinds: Sequence[ObjectKind]
) -> dict[ObjectKind, list[Object]]:
    """Return the objects in these namespaces, by kind. The lists are requested in parallel."""
    names = list(namespaces)
    requests = [(kind, namespace) for kind in kinds for namespace in names]
    found: dict[ObjectKind, list[Object]] = {kind: [] for kind in kinds}
    with ThreadPoolExecutor(THREADS) as pool:
        lists = pool.map(lambda request: cluster.list(*request[0], namespace=request[1]), requests)
        for (kind, _), objects in zip(requests, lists, strict=True):
            found[kind] += objects
    return found


def _logs(cluster: Cluster, pods: Iterable[Object]) -> Mapping[str, Sequence[str]]:
    """Return the last log lines of failing containers, as NAMESPACE/POD/CONTAINER -> lines.

    Logs that no longer exist are left out.
    """
    requests = [(pod, *container) for pod in pods for container in failing_containers(pod)]

    def read(request: tuple[Object, str, bool]) -> tuple[str, list[str]]:
        pod, container, previous = request
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        try:
            lines = cluster.logs(namespace, name, container, tail=LOG_LINES, previous=previous)
            return f"{namespace}/{name}/{container}", list(lines)
        except ApiError:
            return "", []

    with ThreadPoolExecutor(THREADS) as pool:
        return {key: lines for key, lines in pool.map(read, requests) if lines}


def failing_containers(pod: Object) -> Iterator[tuple[str, bool]]:
    """Yield the containers and init containers that exited with an error.

    Each item is (name, whether the reason is in the log of the previous run).
    """
    status = pod.get("status") or {}
    for field in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(field) or ():
            now = container.get("state") or {}
            ended = (container.get("lastState") or {}).get("terminated")
            if (now.get("terminated") or {}).get("exitCode"):
                yield container["name"], False
            elif ended and not container.get("ready"):
                # until the container starts again, its log is still the one of the failed run
                yield container["name"], "running" in now
