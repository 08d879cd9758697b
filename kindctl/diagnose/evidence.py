"""Takes snapshots of a part of a cluster, for causes to be found in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from kindctl.diagnose.base import Evidence
from kindctl.errors import ApiError
from kindctl.models import Object
from kindctl.tools.engine_protocol import EngineInfo
from kindctl.tools.protocols import Cluster

WORKLOADS = (
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "ReplicaSet"),
    ("batch/v1", "Job"),
)
THREADS = 8
LOG_LINES = 20

Kind = tuple[str, str]


def snapshot(
    cluster: Cluster, namespaces: Iterable[str], *, workloads: Sequence[Kind] = WORKLOADS
) -> Evidence:
    """What there is: pods, workloads and claims of these namespaces. Cheap enough for every look.

    Raises ApiError.
    """
    found = _lists(
        cluster, namespaces, [("v1", "Pod"), ("v1", "PersistentVolumeClaim"), *workloads]
    )
    return Evidence(
        pods=found["v1", "Pod"],
        claims=found["v1", "PersistentVolumeClaim"],
        workloads=[obj for kind in workloads for obj in found[kind]],
    )


def collect(
    cluster: Cluster, namespaces: Iterable[str], *, engine: EngineInfo | None = None
) -> Evidence:
    """A snapshot with what explains it: events, nodes, and the last lines of containers that fail. Raises
    ApiError."""
    names = list(namespaces)
    evidence = snapshot(cluster, names)
    found = _lists(cluster, names, [("v1", "Event")])
    return replace(
        evidence,
        events=found["v1", "Event"],
        nodes=cluster.list("v1", "Node"),
        logs=_logs(cluster, evidence.pods),
        engine=engine,
    )


def _lists(
    cluster: Cluster, namespaces: Iterable[str], kinds: Sequence[Kind]
) -> dict[Kind, list[Object]]:
    names = list(namespaces)
    asked = [(kind, namespace) for kind in kinds for namespace in names]
    found: dict[Kind, list[Object]] = {kind: [] for kind in kinds}
    with ThreadPoolExecutor(THREADS) as pool:
        lists = pool.map(lambda ask: cluster.list(*ask[0], namespace=ask[1]), asked)
        for (kind, _), objects in zip(asked, lists, strict=True):
            found[kind] += objects
    return found


def _logs(cluster: Cluster, pods: Iterable[Object]) -> Mapping[str, Sequence[str]]:
    asked = [(pod, *container) for pod in pods for container in failing_containers(pod)]

    def read(ask: tuple[Object, str, bool]) -> tuple[str, list[str]]:
        pod, container, previous = ask
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        lines = _lines(
            lambda: cluster.logs(namespace, name, container, tail=LOG_LINES, previous=previous)
        )
        return f"{namespace}/{name}/{container}", lines

    with ThreadPoolExecutor(THREADS) as pool:
        return {where: lines for where, lines in pool.map(read, asked) if lines}


def _lines(read: Callable[[], Iterator[str]]) -> list[str]:
    """Empty where the pod or the container's log is gone by now."""
    try:
        return list(read())
    except ApiError:
        return []


def failing_containers(pod: Object) -> Iterator[tuple[str, bool]]:
    """(name, whether it is the log of the run before that tells why) of containers that ended in an
    error, init containers too."""
    status = pod.get("status") or {}
    for field in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(field) or ():
            now = container.get("state") or {}
            ended = (container.get("lastState") or {}).get("terminated")
            if (now.get("terminated") or {}).get("exitCode"):
                yield container["name"], False
            elif ended and not container.get("ready"):
                # while it waits for its next start, its log is still that of the last run
                yield container["name"], "running" in now
