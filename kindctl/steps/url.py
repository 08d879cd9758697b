"""The last word of `up`: a request through the printed URL, answered rightly by this environment."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from kindctl.errors import ApiError, ToolError
from kindctl.ingress.proof import (
    ENVIRONMENT_HEADER,
    INGRESS_HEADER,
    NO_INGRESS,
    environment_id,
    witness,
)
from kindctl.live.addresses import located
from kindctl.models import (
    UNCHANGED,
    Absent,
    Cause,
    Change,
    Differs,
    NotReady,
    Progress,
    Ready,
    Route,
    State,
    Wake,
)
from kindctl.tools.protocols import Cluster, HttpAnswer, Net

STUCK_SECONDS = 5.0
SETTLE_SECONDS = 4.0
"""By then a controller answers by what was changed: ingress-nginx takes up changes once in 3.3 s
(--sync-rate-limit, 0.3 a second), and answers by what it knew before until then."""


@dataclass
class UrlAnswers:
    """Holds when a request to the URL got the answer that the route wants, from this environment.

    Three things are looked at: that the answer carries this environment's own header (see
    ingress.proof; whatever else listens on the port cannot give it), or that the same port leads to
    a pod that gives it; that a rule of an Ingress matched; and the route's status and text. Over TLS
    the local authority alone is trusted: a certificate that it did not sign for that host is no
    answer. The request goes to the host's port, as the user's does. No watch tells of HTTP, so it is
    polled.

    A controller can miss an event: ingress-nginx drops one that arrives while it syncs what it read
    before, and then answers 503 for a Service that has endpoints, until the next event. So a 503 of
    some seconds is met by asking the controller to look again. And it can answer rightly by what it
    has not yet heard of: after a repair the answer has to be right for as long as that may take.
    """

    route: Route
    net: Net
    cluster: Callable[[], Cluster | None]
    environment: str
    needs: frozenset[str]
    resync: Callable[[Cluster], None] | None = None  # the controller's, where it has one
    ca: Callable[[], str | None] = lambda: None  # PEM of the local certificate authority
    mended: Callable[[], float | None] = lambda: None  # when this run changed what leads to it
    timeout: float = 120.0
    clock: Callable[[], float] = time.monotonic

    wake: Wake | None = None
    _unavailable_since: float | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        return f"url:{self.route.url}" + (f"@{self.route.which}" if self.route.which else "")

    @property
    def title(self) -> str:
        of = "Host: " if self.route.host else "Service "
        which = f" ({of}{self.route.which})" if self.route.which else ""
        return f"{self.route.url}{which} answers"

    def observe(self) -> State:
        cluster = self.cluster()
        if cluster is None:
            return Absent("no cluster")
        try:
            route = located(self.route, cluster)
            if route is None:  # it had one, or this step would not have begun
                return NotReady(f"Service {self.route.external} has no external address")
            return self._ask(route, cluster)
        except ApiError as error:
            return NotReady(error.what)
        except ToolError as error:
            return NotReady(error.why or error.what, certificate_cause(error, self.route))

    def _ask(self, route: Route, cluster: Cluster) -> State:
        """Raises ApiError and ToolError."""
        if route.url.startswith("tcp:"):
            self.net.opens(route.connect)
            return Ready("open")
        ca = self.ca() if route.certified else None
        if route.certified and ca is None:
            return NotReady("there is no local certificate authority yet")
        answer = self.net.http(route.url, connect=route.connect, host=route.host, ca=ca)
        return self._judge(route, answer, cluster)

    def _judge(self, route: Route, answer: HttpAnswer, cluster: Cluster) -> State:
        """Raises ApiError and ToolError."""
        stranger = ""
        if route.via_controller:
            identity = environment_id(self.environment, cluster)
            asked = witness(route)
            told = answer if asked is route else self.net.http(asked.url, connect=asked.connect)
            stranger = foreign(told, identity, route.connect[1])
        if not stranger and self._stuck(answer):
            return Differs(f"{summary(answer)}, for {STUCK_SECONDS:.0f} s")
        if stranger:
            return NotReady(stranger, witness_cause(route))
        if fault := wrong(answer, route):
            return NotReady(fault)
        if route.via_controller and self._unsettled():
            return NotReady(
                f"{summary(answer)}; the controller may not have heard of the repair yet"
            )
        return Ready(summary(answer))

    def _unsettled(self) -> bool:
        since = self.mended()
        return since is not None and self.clock() - since < SETTLE_SECONDS

    def _stuck(self, answer: HttpAnswer) -> bool:
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
        return Change((f"asked the controller to look again, for {self.route.url}",))


def certificate_cause(error: ToolError, route: Route) -> Cause | None:
    """Not permanent: a controller serves one of its own until it has seen the Secret."""
    if error.code != "certificate":
        return None
    return Cause(
        code="certificate",
        what=f"what port {route.connect[1]} serves for {route.url} is not the certificate of kindctl",
        fix="look who serves it: "
        f"openssl s_client -connect {route.connect[0]}:{route.connect[1]} </dev/null | "
        "openssl x509 -noout -subject -issuer -ext subjectAltName",
        cites=(error.why,) if error.why else (),
    )


def witness_cause(route: Route) -> Cause | None:
    """Not permanent: a controller may only not have seen its Ingress yet."""
    if not route.via_witness:
        return None
    asked = witness(route)
    return Cause(
        code="not-proven",
        what=f"nothing shows that port {route.connect[1]} leads to the controller of this environment",
        fix="look whether it serves the Ingress objects in kindctl-system: "
        f"curl -ik --connect-to ::{route.connect[0]}:{route.connect[1]} {asked.url}; kindctl logs",
    )


def foreign(answer: HttpAnswer, identity: str, port: int) -> str:
    """Why this answer is not from this environment; empty when it is."""
    found = answer.headers.get(ENVIRONMENT_HEADER.lower())
    if found == identity:
        return ""
    if found is None:
        server = answer.headers.get("server")
        by = f" by {server}" if server else ""
        return f"port {port} is answered{by}, not by this environment: {summary(answer)}"
    return f"port {port} is answered by another environment, {found.rpartition('.')[0] or found}"


def wrong(answer: HttpAnswer, route: Route) -> str:
    """Why this answer is not the one that the route wants; empty when it is."""
    seen = summary(answer)
    if route.status is not None:
        if answer.status != route.status:
            return f"{seen}, not {route.status}"
    elif answer.status >= (400 if route.contains else 500):
        return seen
    elif not route.contains and answer.headers.get(INGRESS_HEADER.lower()) == NO_INGRESS:
        return f"{seen}: the controller has no Ingress for it"
    elif not route.contains and route.via_witness and answer.status == HTTPStatus.NOT_FOUND:
        return f"{seen}: the app's or the controller's own; `expect` can say what is right"
    if route.contains and route.contains not in answer.body.decode(errors="replace"):
        return f"{seen}, without {route.contains!r}"
    return ""


def summary(answer: HttpAnswer) -> str:
    """ "503 Service Temporarily Unavailable (nginx)", "500 Internal Server Error: division by zero".

    An error's own words count: its title where it is a page, else its first line.
    """
    try:
        phrase = HTTPStatus(answer.status).phrase
    except ValueError:
        phrase = ""
    line = f"{answer.status} {phrase}".strip()
    text = answer.body[:4096].decode(errors="replace").strip()
    if answer.status < 400 or not text:
        return line
    found = re.search(r"<title>(.*?)</title>", text, re.DOTALL | re.IGNORECASE)
    title = _one_line(found.group(1)) if found else ""
    if "<center>nginx" in text and title:  # the controller's own page has the status in its title
        return f"{title} (nginx)"
    words = title or ("" if text.startswith("<") else _one_line(text.splitlines()[0]))
    return f"{line}: {words}" if words else line


def _one_line(text: str) -> str:
    """What a terminal may be shown of it."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.split())[:100]
