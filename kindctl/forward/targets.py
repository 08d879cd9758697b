"""Watches which pods of a Service are ready, so that a new connection need not ask the API server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from kindctl.forward.access import Access, ApiRefused
from kindctl.kube_objects import entries, is_tcp, section
from kindctl.models import Object

SERVICE_LABEL = "kubernetes.io/service-name"
PAUSES = (0.05, 2.0)
"""Seconds between two attempts to watch. The time starts at the lower number and doubles up to the
higher."""

NOT_KNOWN_YET = "not known yet"


@dataclass(frozen=True)
class Target:
    """A pod, and the number of the port to connect to."""

    pod: str
    port: int


@dataclass
class Targets:
    """The pods behind one port of a Service.

    They are read from the Service's EndpointSlices, in which Kubernetes has already resolved the selector,
    readiness and named ports (KEP-752).
    """

    access: Access
    namespace: str
    service: str
    port: int | str

    fault: str = NOT_KNOWN_YET  # why the watch failed; what was known before is kept
    _service: Object | None = None
    _slices: dict[str, Object] = field(default_factory=dict)
    _turn: int = 0

    def __post_init__(self) -> None:
        self._changed = asyncio.Event()

    # --- what is known ---------------------------------------------------------------------------

    def ready(self) -> list[Target]:
        """Return the ready pods."""
        if self._service is None:
            return []
        name = self._port_name()
        found = {
            Target(endpoint["targetRef"]["name"], int(port["port"])): _holds(endpoint, "serving")
            for part in self._slices.values()
            for port in part.get("ports") or ()
            if name is not None and (port.get("name") or "") == name and port.get("port")
            for endpoint in _pods(part)
            if _holds(endpoint, "ready")
        }
        # A Service may publish addresses that are not ready; pods that serve are preferred then.
        return [target for target, serves in found.items() if serves] or list(found)

    def choose(self, avoid: Collection[str] = ()) -> Target | None:
        """Return the next ready pod in turn, or None if no pod is ready. Pods in `avoid` are the last
        choice."""
        ready = self.ready()
        fitting = [target for target in ready if target.pod not in avoid] or ready
        if not fitting:
            return None
        self._turn += 1
        return fitting[self._turn % len(fitting)]

    def why_none(self) -> str:
        """Return why no pod is ready, or "" if one is."""
        where = f"{self.namespace}/{self.service}"
        if self.fault:
            return self.fault
        if self.ready():
            return ""
        if self._service is None:
            return f"there is no Service {where}"
        if self._port_name() is None:
            known_ports = entries(self._service, "spec", "ports")
            ports = ", ".join(str(port.get("name") or port["port"]) for port in known_ports)
            return f"Service {where} has no port {self.port}: its ports are {ports or 'none'}"
        known = {e["targetRef"]["name"] for s in self._slices.values() for e in _pods(s)}
        if known:
            return f"none of the {len(known)} pods of Service {where} is ready"
        return f"Service {where} has no pods"

    async def changed(self, seconds: float) -> None:
        """Wait for a change, for at most `seconds`."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)

    async def known(self, seconds: float) -> None:
        """Wait until both watches have delivered their first objects, for at most `seconds`."""
        clock = asyncio.get_running_loop().time
        end = clock() + seconds
        while self.fault in ("", NOT_KNOWN_YET) and not self.ready():
            if (left := end - clock()) <= 0:
                return
            await self.changed(left)

    def _port_name(self) -> str | None:
        """Return the name, possibly empty, of the port in the Service and its EndpointSlices.

        Returns None if the Service has no such port.
        """
        for port in entries(self._service or {}, "spec", "ports"):
            if is_tcp(port) and self.port in (port.get("port"), port.get("name")):
                return port.get("name") or ""
        return None

    # --- watching --------------------------------------------------------------------------------

    async def watch(self) -> None:
        """Watch the Service and its EndpointSlices until cancelled."""
        core = f"/api/v1/namespaces/{self.namespace}/services"
        slices = f"/apis/discovery.k8s.io/v1/namespaces/{self.namespace}/endpointslices"
        async with asyncio.TaskGroup() as group:
            group.create_task(
                self._follow(core, {"fieldSelector": f"metadata.name={self.service}"})
            )
            group.create_task(
                self._follow(slices, {"labelSelector": f"{SERVICE_LABEL}={self.service}"})
            )

    async def _follow(self, path: str, query: dict[str, str]) -> None:
        pause, longest = PAUSES
        while True:
            try:
                await self._read(path, query)
                pause = PAUSES[0]
            except Exception as error:  # any error: without the watch nothing is known
                self.fault = str(error) or type(error).__name__
                self._note()
                pause = min(2 * pause, longest)
            await asyncio.sleep(pause)

    async def _read(self, path: str, query: dict[str, str]) -> None:
        """Run one watch until the server ends it. The first events are the objects that exist."""
        from websockets.exceptions import ConnectionClosed

        socket = await self.access.open(path, {**query, "watch": "true"})
        self.fault = ""
        if "endpointslices" in path:
            self._slices.clear()  # some may have been deleted before this watch began
        else:
            self._service = None
        try:
            with suppress(ConnectionClosed):
                while True:
                    self.hear(json.loads(await socket.recv()))
        finally:
            await socket.close()

    def hear(self, event: dict[str, Any]) -> None:
        kind, obj = event["type"], event["object"]
        if kind == "ERROR":
            raise ApiRefused(obj.get("message") or "the watch has ended")
        gone = kind == "DELETED"
        if obj["kind"] == "Service":
            self._service = None if gone else obj
        elif gone:
            self._slices.pop(obj["metadata"]["name"], None)
        else:
            self._slices[obj["metadata"]["name"]] = obj
        self._note()

    def _note(self) -> None:
        self._changed.set()
        self._changed.clear()


def _pods(part: Object) -> list[Object]:
    return [e for e in entries(part, "endpoints") if section(e, "targetRef").get("kind") == "Pod"]


def _holds(endpoint: Object, condition: str) -> bool:
    """Return whether an endpoint's condition is true. As in Kubernetes, a missing condition counts as
    true."""
    return section(endpoint, "conditions").get(condition) is not False
