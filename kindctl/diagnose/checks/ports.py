"""Are the ports free that a new cluster would bind?

The ports of a node are fixed when it is created, and the engine fails with status 125 if one is taken
(kind#3681). So they are checked before that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kindctl.diagnose.base import Check, WantedPort, Wants
from kindctl.errors import KindctlError, MachineError
from kindctl.models import DOCKER_ENVIRONMENT_LABEL, Verdict
from kindctl.tools.engine_protocol import ContainerInfo
from kindctl.tools.protocols import PortOwner, Tools

FIRST_UNPRIVILEGED = 1024
UNPRIVILEGED = 8000
"""To suggest another port, this number is added to a privileged port: 80 -> 8080, 443 -> 8443."""

ANYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - compared with, not bound


@dataclass(frozen=True)
class Conflict:
    """The reason why a port cannot be used, and what to do."""

    code: str
    seen: str
    remedy: str  # what to do, other than choosing another port


class Ports(Check):
    code = "ports"
    title = "ports"

    def ask(self, tools: Tools, wants: Wants) -> Verdict:
        holders = _holders(tools)
        conflicts = {
            wanted: conflict
            for wanted in wants.ports
            if (conflict := _conflict(tools, wants, holders, wanted.address, wanted.port))
        }
        if not conflicts:
            names = ", ".join(f"{wanted.address}:{wanted.port}" for wanted in wants.ports)
            return self.ok(f"{names} can be used" if names else "none needed")
        remedies = dict.fromkeys(conflict.remedy for conflict in conflicts.values())
        movable = [w for w, conflict in conflicts.items() if conflict.code != "port-address"]
        return self.failed(
            "; ".join(conflict.seen for conflict in conflicts.values()),
            "; ".join([*remedies, *_free_instead(tools, wants, movable)]),
            code=next(iter(conflicts.values())).code,
        )


def _conflict(
    tools: Tools, wants: Wants, holders: Sequence[ContainerInfo], address: str, port: int
) -> Conflict | None:
    """Return why a port cannot be used. Return None if it is free, or if this environment itself uses
    it."""
    holder = next((c for c in holders if _publishes(c, address, port)), None)
    label = holder.labels.get(DOCKER_ENVIRONMENT_LABEL, "") if holder else ""
    if label and label == wants.environment:
        return None
    try:
        owner = tools.net.owner(address, port)
    except MachineError as error:
        if holder is None:
            return _unbindable(tools, error)
        owner = PortOwner(None, "")
    if owner is None or _is_own_forward(tools, wants, owner):
        return None
    name = _name(owner, holder, label)
    return Conflict(
        code="port-taken",
        seen=f"{address}:{port} is taken by {name}",
        remedy=f"kindctl down --name {label}" if label else f"stop {name}",
    )


def _is_own_forward(tools: Tools, wants: Wants, owner: PortOwner) -> bool:
    if not wants.environment or owner.pid is None:
        return False
    return owner.pid == tools.forwards.process(wants.environment)


def _unbindable(tools: Tools, error: MachineError) -> Conflict | None:
    if error.code == "port-privileged":
        try:
            if not tools.engine.info().rootless:
                return None  # an engine that runs as root may bind what this user may not
        except MachineError:
            pass
    return Conflict(error.code, error.what, error.fix)


def _free_instead(tools: Tools, wants: Wants, taken: Iterable[WantedPort]) -> Iterator[str]:
    """Yield a sentence with the keys of kindctl.yaml that set the taken ports, each with a free port.

    Yields nothing if no key sets the taken ports.
    """
    asked = {wanted.port for wanted in wants.ports}
    keys = []
    for wanted in (wanted for wanted in taken if wanted.key):
        start = wanted.port + (UNPRIVILEGED if wanted.port < FIRST_UNPRIVILEGED else 1)
        candidates = [port for port in range(start, start + 20) if port not in asked]
        free = tools.net.free_port(wanted.address, candidates)
        asked.add(free)
        keys.append(f"`{wanted.key}: {free}`")
    if keys:
        yield f"or use {', '.join(keys)} in kindctl.yaml"


def _name(owner: PortOwner, holder: ContainerInfo | None, label: str) -> str:
    if holder and label:
        return f"kindctl's environment {label} (container {holder.name})"
    if holder:
        return f"container {holder.name} of image {holder.image}"
    program = owner.program or "another program"
    return f"{program} (process {owner.pid})" if owner.pid else program


def _holders(tools: Tools) -> list[ContainerInfo]:
    try:
        return [c for c in tools.engine.containers() if c.state in ("running", "paused")]
    except KindctlError:
        return []  # the check of the engine reports that; ports of other programs are still found


def _publishes(container: ContainerInfo, address: str, port: int) -> bool:
    return any(
        host_port == port and (bound == address or bound in ANYWHERE or address in ANYWHERE)
        for published in container.ports.values()
        for bound, host_port in published
    )


CHECK = Ports()
