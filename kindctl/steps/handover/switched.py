"""The step in which one ingress controller takes over from another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import urlsplit

from kindctl.components.base import Controller
from kindctl.errors import ApiError, KindctlError, ToolError
from kindctl.ingress.proof import CONTROLLER_HEADER, environment_id, witness
from kindctl.live.access import ask
from kindctl.live.applied import ours, remove
from kindctl.models import (
    COMPONENT_LABEL,
    UNCHANGED,
    Change,
    Differs,
    Progress,
    Ready,
    Route,
    State,
    Wake,
)
from kindctl.providers.base import Provider
from kindctl.steps.handover.gap import Gap
from kindctl.steps.handover.takeover import Takeover
from kindctl.steps.url import foreign, wrong
from kindctl.steps.workloads import WorkloadsReady
from kindctl.tools.protocols import Cluster, HttpAnswer, Net

PROVE_SECONDS = 30.0
TAKE_SECONDS = 120.0

LEFT_TO_PRUNE = {"Namespace", "CustomResourceDefinition"}
"""What takes others' objects along when it goes: prune looks whether there are any."""


@dataclass(kw_only=True)
class Switched:
    """Holds when no other controller has the way in.

    `apply` is the whole of a switch: the new one is asked for every URL through its own Service while
    the old one still serves; only then is the way in handed over, and the old one removed, its webhook
    first. Meanwhile the first URL is asked all the time, and the report says for how long it was not
    answered. `ready`: the new controller's own step, to be gone through again with the way in.
    """

    controller: Controller
    takeover: Takeover
    provider: Provider
    environment: str
    routes: Sequence[Route]  # behind the controller
    net: Net
    ready: WorkloadsReady
    needs: frozenset[str]
    timeout: float = 300.0
    wake: Wake | None = None

    @property
    def name(self) -> str:
        return f"switch:{self.controller.name}"

    @property
    def title(self) -> str:
        return f"{self.controller.name} has the way in"

    def observe(self) -> State:
        return ask(self.provider, self._look)

    def _look(self, cluster: Cluster) -> State:
        others = self.takeover.others(cluster)
        return Differs(f"{_names(others)} has it") if others else Ready()

    def apply(self, progress: Progress) -> Change:
        """Raises KindctlError (switch-refused) when the new one does not answer rightly: the old one
        stays as it was."""
        cluster = self.provider.cluster()
        if cluster is None:
            return UNCHANGED
        old, new = self.takeover.others(cluster), self.controller.name
        identity = environment_id(self.environment, cluster)
        progress.say(f"asking {new} for every URL while {_names(old)} still serves")
        self._prove(cluster, identity, old)
        with Gap(partial(self._right, identity)) as gap:
            if not self.takeover.is_soft(cluster):
                progress.say(f"removing {_names(old)}, which has the node's ports")
                removed = self._remove(cluster, old)
                self.takeover.take(progress)
                self._await(self._answers, f"{new} does not answer after it took over")
            else:
                progress.say(f"turning the way in over to {new}")
                self.takeover.take(progress)
                self._await(self._answers, f"{new} does not answer after it took over")
                progress.say(f"removing {_names(old)}")
                removed = self._remove(cluster, old)
        return Change((f"switched from {_names(old)} to {new}: {gap}", *removed))

    # --- its parts, in the order in which they come -----------------------------------------------

    def _prove(self, cluster: Cluster, identity: str, old: frozenset[str]) -> None:
        faults: list[str] = []

        def proven() -> bool:
            faults[:] = [
                fault for route in self.routes if (fault := self._fault(cluster, route, identity))
            ]
            return not faults

        if not _holds_within(PROVE_SECONDS, proven):
            raise KindctlError(
                f"{self.controller.name} was not put in the place of {_names(old)}, which still serves",
                why="asked through its own Service: " + "; ".join(faults[:3]),
                fix="correct what the new controller does not understand, then kindctl up; "
                "or set ingress.controller back",
                code="switch-refused",
            )

    def _fault(self, cluster: Cluster, route: Route, identity: str) -> str:
        """Of the new controller's answer for a URL; empty when it is right."""
        asked = witness(route)
        try:
            answer = self._through_service(cluster, route)
            told = answer if asked is route else self._through_service(cluster, asked)
        except ApiError as error:
            return f"{route.url}: {error.why or error.what}"
        fault = foreign(told, identity, route.connect[1]) or wrong(answer, route)
        return f"{route.url}: {fault}" if fault else ""

    def _through_service(self, cluster: Cluster, route: Route) -> HttpAnswer:
        """Raises ApiError."""
        parts = urlsplit(route.url)
        ports = {port.scheme: port.port for port in self.controller.exposure.ports}
        port = str(ports[parts.scheme])
        port = f"https:{port}" if parts.scheme == "https" else port
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        host = route.host or parts.netloc
        return cluster.http(*self.controller.service, port, path, host=host)

    def _remove(self, cluster: Cluster, old: frozenset[str]) -> Sequence[str]:
        """All but what the new one has too, and what prune sees to at the end."""
        going = [
            ref
            for ref, labels in ours(cluster, self.environment)
            if labels.get(COMPONENT_LABEL) in old and ref.kind not in LEFT_TO_PRUNE
        ]
        return remove(cluster, going)

    def _right(self, identity: str) -> bool:
        """Whether the first URL is answered rightly at this moment, by whichever controller."""
        if not self.routes:
            return True
        route = self.routes[0]
        answer = self._ask(route)
        if answer is None or wrong(answer, route):
            return False
        if not foreign(answer, identity, route.connect[1]):
            return True
        told = self._ask(
            witness(replace(route, via_witness=True))
        )  # one of the two sets no headers
        return told is not None and not foreign(told, identity, route.connect[1])

    def _answers(self) -> bool:
        """Whether it is the new one that answers by now."""
        if not isinstance(self.ready.observe(), Ready):
            return False
        return all(self._is_new(route) for route in self.routes)

    def _is_new(self, route: Route) -> bool:
        asked = witness(route)
        answer = self._ask(route)
        told = answer if asked is route else self._ask(asked)
        return (
            answer is not None
            and told is not None
            and told.headers.get(CONTROLLER_HEADER.lower()) == self.controller.name
            and not wrong(answer, route)
        )

    def _ask(self, route: Route) -> HttpAnswer | None:
        try:
            return self.net.http(route.url, connect=route.connect, host=route.host, timeout=1.0)
        except ToolError:
            return None

    def _await(self, holds: Callable[[], bool], otherwise: str) -> None:
        if not _holds_within(TAKE_SECONDS, holds):
            raise KindctlError(
                otherwise, fix="kindctl up goes on; kindctl status", code="not-ready"
            )


def _holds_within(seconds: float, holds: Callable[[], bool]) -> bool:
    from tenacity import Retrying, retry_if_result, stop_after_delay, wait_random

    retrying = Retrying(
        retry=retry_if_result(lambda held: not held),
        wait=wait_random(0.1, 0.2),
        stop=stop_after_delay(seconds),
        retry_error_callback=lambda state: False,
    )
    return bool(retrying(holds))


def _names(components: frozenset[str]) -> str:
    return " and ".join(sorted(components))
