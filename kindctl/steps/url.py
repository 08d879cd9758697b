"""Waits until a URL that `up` prints gets the right answer from this environment."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from kindctl.errors import ApiError, ToolError
from kindctl.ingress.answers import (
    certificate_cause,
    foreign_reason,
    mismatch,
    proof_answer,
    summary,
    witness_cause,
)
from kindctl.ingress.proof import environment_id
from kindctl.live.addresses import located
from kindctl.models import (
    UNCHANGED,
    Absent,
    Change,
    Differs,
    NotReady,
    Progress,
    Ready,
    Route,
    State,
)
from kindctl.steps.base import BaseStep
from kindctl.tools.protocols import Cluster, HttpAnswer, Net

STUCK_SECONDS = 5.0
RELOAD_SECONDS = 4.0
"""The time after a change during which a controller may still answer from its earlier state, in seconds:
ingress-nginx applies changes at most every 3.3 s (--sync-rate-limit, 0.3 a second)."""


@dataclass(kw_only=True)
class UrlAnswers(BaseStep):
    """A step that is ready when a request to the URL gets the route's expected answer from this
    environment.

    Three things are checked. First, the answer has this environment's own header, which no other program on
    the port can send (see ingress.proof), or the same port leads to a pod that sends this header. Second, a
    rule of an Ingress matched. Third, the status and the text are those of the route. Over TLS, only the
    local certificate authority is trusted. The server's certificate must be signed by that authority and
    valid for the host. The request goes to the host's port, as the user's requests do. HTTP cannot be
    watched, so the URL is polled.

    A controller can miss an event: ingress-nginx drops an event that arrives while it syncs, and then
    answers 503 for a Service that has endpoints, until the next event. So after STUCK_SECONDS of 503 the
    step's state is Differs, and `apply` makes the controller read everything again. A controller can also
    give a correct answer from an outdated state, so after a repair an answer counts only after
    RELOAD_SECONDS.
    """

    route: Route
    net: Net
    cluster: Callable[[], Cluster | None]
    environment: str
    resync: Callable[[Cluster], None] | None = None  # the controller's, where it has one
    ca: Callable[[], str | None] = lambda: None  # PEM of the local certificate authority
    mended: Callable[[], float | None] = lambda: None  # when this run changed what leads to the URL
    timeout: float = 120.0
    clock: Callable[[], float] = time.monotonic
    _unavailable_since: float | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        return f"url:{self.route.url}" + (f"@{self.route.which}" if self.route.which else "")

    @property
    def title(self) -> str:
        kind = "Host: " if self.route.host else "Service "
        which = f" ({kind}{self.route.which})" if self.route.which else ""
        return f"{self.route.url}{which} answers"

    def observe(self) -> State:
        cluster = self.cluster()
        if cluster is None:
            return Absent("no cluster")
        try:
            route = located(self.route, cluster)
            if route is None:  # it had one: an earlier step waited for it
                return NotReady(f"Service {self.route.external} has no external address")
            return self._observe_route(route, cluster)
        except ApiError as error:
            return NotReady(error.what)
        except ToolError as error:
            return NotReady(error.why or error.what, certificate_cause(error, self.route))

    def _observe_route(self, route: Route, cluster: Cluster) -> State:
        """Request the URL, or open the port of a TCP route. Raises ApiError and ToolError."""
        if route.url.startswith("tcp:"):
            self.net.opens(route.connect)
            return Ready("open")
        if route.certified and self.ca() is None:
            return NotReady("there is no local certificate authority yet")
        return self._judge(route, self._ask(route), cluster)

    def _judge(self, route: Route, answer: HttpAnswer, cluster: Cluster) -> State:
        """Return the step's state, judged by this answer. Raises ApiError and ToolError."""
        if route.via_controller:
            identity = environment_id(self.environment, cluster)
            proof = proof_answer(route, answer, self._ask)
            if foreign := foreign_reason(proof, identity, route.connect[1]):
                return NotReady(foreign, witness_cause(route))
        if self._is_stuck(answer):
            return Differs(f"{summary(answer)}, for {STUCK_SECONDS:.0f} s")
        if wrong := mismatch(answer, route):
            return NotReady(wrong)
        if route.via_controller and self._may_be_outdated():
            return NotReady(f"{summary(answer)}; the controller may not have seen the repair yet")
        return Ready(summary(answer))

    def _ask(self, route: Route) -> HttpAnswer:
        """Request the URL from the host's port. Raises ToolError."""
        ca = self.ca() if route.certified else None
        return self.net.http(route.url, connect=route.connect, host=route.host, ca=ca)

    def _may_be_outdated(self) -> bool:
        since = self.mended()
        return since is not None and self.clock() - since < RELOAD_SECONDS

    def _is_stuck(self, answer: HttpAnswer) -> bool:
        """Whether the answers have been 503 for so long that the controller must have missed an event."""
        if answer.status != HTTPStatus.SERVICE_UNAVAILABLE or self.resync is None:
            self._unavailable_since = None
            return False
        if self._unavailable_since is None:
            self._unavailable_since = self.clock()
        return self.clock() - self._unavailable_since >= STUCK_SECONDS

    def apply(self, progress: Progress) -> Change:
        cluster = self.cluster()
        self._unavailable_since = None
        if cluster is None or self.resync is None:
            return UNCHANGED
        self.resync(cluster)
        return Change((f"made the controller read its configuration again, for {self.route.url}",))
