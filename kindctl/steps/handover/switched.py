"""Switches from one ingress controller to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import urlsplit

from kindctl.components.base import Controller
from kindctl.errors import ApiError, KindctlError, ToolError
from kindctl.ingress.answers import foreign_reason, mismatch, proof_answer
from kindctl.ingress.proof import CONTROLLER_HEADER, environment_id, witness
from kindctl.kube_objects import labels_of
from kindctl.live.applied import applied_objects, remove
from kindctl.models import (
    COMPONENT_LABEL,
    Change,
    Differs,
    ObjectRef,
    Progress,
    Ready,
    Route,
    State,
)
from kindctl.runner.polling import poll
from kindctl.steps.base import StepInCluster
from kindctl.steps.handover.outage import OutageMeter
from kindctl.steps.handover.takeover import Takeover
from kindctl.steps.workloads import WorkloadsReady
from kindctl.tools.protocols import Cluster, HttpAnswer, Net

PROVE_SECONDS = 30.0
TAKE_SECONDS = 120.0

LEFT_TO_PRUNE = {"Namespace", "CustomResourceDefinition"}
"""Deleting an object of these kinds can also delete objects that somebody else created. So this step leaves
them to the step `prune`, which checks for such objects first."""


@dataclass(kw_only=True)
class Switched(StepInCluster):
    """A step that is ready when no other controller has the entry point.

    `apply` makes the whole switch. It requests every URL through the new controller's own Service while the
    old controller still serves. If all answers are correct, it hands over the entry point and removes the
    old controller, starting with the old controller's webhook. During the switch, `apply` keeps requesting
    the first URL. The returned Change says for how long no correct answer came.
    """

    controller: Controller
    takeover: Takeover
    environment: str
    routes: Sequence[Route]  # those behind the controller
    net: Net
    ready: WorkloadsReady  # the new controller's step: asked again after the hand-over
    timeout: float = 300.0

    @property
    def name(self) -> str:
        return f"switch:{self.controller.name}"

    @property
    def title(self) -> str:
        return f"{self.controller.name} has the entry point"

    def observe_in(self, cluster: Cluster) -> State:
        old = self.takeover.holders(cluster)
        return Differs(f"{_names(old)} has the entry point") if old else Ready()

    def apply_in(self, cluster: Cluster, progress: Progress) -> Change:
        """Switch to the new controller. If the new controller does not answer correctly, the old controller
        stays as it was, and KindctlError (switch-refused) is raised. If the new controller has taken over
        the entry point but does not answer, KindctlError (not-ready) is raised."""
        old, new = self.takeover.holders(cluster), self.controller.name
        identity = environment_id(self.environment, cluster)
        progress.say(f"testing every URL with {new} while {_names(old)} still serves them")
        self._prove(cluster, identity, old)
        removed: Sequence[str] = ()
        with OutageMeter(partial(self.is_answered, identity)) as outage:
            can_overlap = self.takeover.can_overlap(cluster)
            if not can_overlap:
                progress.say(f"removing {_names(old)}, which uses the node's ports")
                removed = self._remove(cluster, old)
            progress.say(f"handing the entry point over to {new}")
            self.takeover.take_over(progress)
            if not poll(self._is_new_ready, bool, seconds=TAKE_SECONDS):
                raise KindctlError(
                    f"{new} has the entry point but does not answer",
                    fix="`kindctl status` shows what is missing; `kindctl up` continues",
                    code="not-ready",
                )
            if can_overlap:
                progress.say(f"removing {_names(old)}")
                removed = self._remove(cluster, old)
        return Change((f"switched from {_names(old)} to {new}: {outage}", *removed))

    def _prove(self, cluster: Cluster, identity: str, old: frozenset[str]) -> None:
        """Wait until the new controller answers every URL correctly through its own Service. Raises
        KindctlError (switch-refused)."""

        def wrong_answers() -> list[str]:
            found = (self._wrong_answer(cluster, route, identity) for route in self.routes)
            return [wrong for wrong in found if wrong]

        if wrong := poll(wrong_answers, lambda wrong: not wrong, seconds=PROVE_SECONDS):
            raise KindctlError(
                f"{self.controller.name} did not replace {_names(old)}, which still serves the URLs",
                why="wrong answers through its own Service: " + "; ".join(wrong[:3]),
                fix="correct what the new controller does not support, then run `kindctl up`; "
                "or change ingress.controller back",
                code="switch-refused",
            )

    def _wrong_answer(self, cluster: Cluster, route: Route, identity: str) -> str:
        """Return what is wrong with the new controller's answer for a URL, or an empty string if the answer
        is correct."""
        ask = partial(self._ask_service, cluster)
        try:
            answer = ask(route)
            proof = proof_answer(route, answer, ask)
        except ApiError as error:
            return f"{route.url}: {error.why or error.what}"
        wrong = foreign_reason(proof, identity, route.connect[1]) or mismatch(answer, route)
        return f"{route.url}: {wrong}" if wrong else ""

    def _ask_service(self, cluster: Cluster, route: Route) -> HttpAnswer:
        """Request the URL from the new controller's own Service. Raises ApiError."""
        parts = urlsplit(route.url)
        ports = {port.scheme: port.port for port in self.controller.exposure.ports}
        port = str(ports[parts.scheme])
        port = f"https:{port}" if parts.scheme == "https" else port
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        host = route.host or parts.netloc
        return cluster.http(*self.controller.service, port, path, host=host)

    def _remove(self, cluster: Cluster, old: frozenset[str]) -> Sequence[str]:
        """Remove the objects of the old controller, except those that the step `prune` handles later."""
        found = applied_objects(cluster, self.environment)
        return remove(
            cluster,
            (
                ObjectRef.of(obj)
                for obj in found
                if labels_of(obj).get(COMPONENT_LABEL) in old and obj["kind"] not in LEFT_TO_PRUNE
            ),
        )

    def is_answered(self, identity: str) -> bool:
        """Whether the old or the new controller answers the first URL correctly right now."""
        if not self.routes:
            return True
        route = self.routes[0]
        answer = self._ask(route)
        if answer is None or mismatch(answer, route):
            return False
        if not foreign_reason(answer, identity, route.connect[1]):
            return True
        # one of the two controllers may set no headers
        proof = self._ask(witness(replace(route, via_witness=True)))
        return proof is not None and not foreign_reason(proof, identity, route.connect[1])

    def _is_new_ready(self) -> bool:
        """Whether the new controller is ready and answers every URL itself."""
        is_ready = isinstance(self.ready.observe(), Ready)
        return is_ready and all(self._is_answered_by_new(route) for route in self.routes)

    def _is_answered_by_new(self, route: Route) -> bool:
        answer = self._ask(route)
        proof = proof_answer(route, answer, self._ask)
        return (
            answer is not None
            and proof is not None
            and proof.headers.get(CONTROLLER_HEADER.lower()) == self.controller.name
            and not mismatch(answer, route)
        )

    def _ask(self, route: Route) -> HttpAnswer | None:
        """Request the URL from this machine, as the user does. Return None if there is no answer."""
        try:
            return self.net.http(route.url, connect=route.connect, host=route.host, timeout=1.0)
        except ToolError:
            return None


def _names(components: frozenset[str]) -> str:
    return " and ".join(sorted(components))
