"""Judges the answer to a request for a route: who sent it, and whether it is the right one."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar

from kindctl.errors import ToolError
from kindctl.ingress.proof import ENVIRONMENT_HEADER, INGRESS_HEADER, NO_INGRESS, witness
from kindctl.models import Cause, Route
from kindctl.tools.protocols import HttpAnswer

Answer = TypeVar("Answer")


def proof_answer(route: Route, answer: Answer, ask: Callable[[Route], Answer]) -> Answer:
    """Return the answer whose headers tell which controller answers at the address of `route`. This is
    `answer`, the route's own answer, or the witness's answer. To get the witness's answer, this function
    calls `ask`."""
    asked = witness(route)
    return answer if asked is route else ask(asked)


def certificate_cause(error: ToolError, route: Route) -> Cause | None:
    """Return why the TLS handshake for `route` failed, if its certificate was the reason.

    The cause is not permanent: until it has read the Secret, a controller serves a certificate of
    its own.
    """
    if error.code != "certificate":
        return None
    return Cause(
        code="certificate",
        what=f"port {route.connect[1]} does not serve kindctl's certificate for {route.url}",
        fix="see which certificate it serves: "
        f"openssl s_client -connect {route.connect[0]}:{route.connect[1]} </dev/null | "
        "openssl x509 -noout -subject -issuer -ext subjectAltName",
        cites=(error.why,) if error.why else (),
    )


def witness_cause(route: Route) -> Cause | None:
    """Return what to do when the witness did not answer; None for a route without a witness.

    The cause is not permanent: the controller may not have read the Ingress of the witness yet.
    """
    if not route.via_witness:
        return None
    asked = witness(route)
    return Cause(
        code="not-proven",
        what=f"there is no proof that port {route.connect[1]} leads to this environment's controller",
        fix="check whether the controller serves the Ingress objects in kindctl-system: "
        f"curl -ik --connect-to ::{route.connect[0]}:{route.connect[1]} {asked.url}; kindctl logs",
    )


def foreign_reason(answer: HttpAnswer, identity: str, port: int) -> str:
    """Return why this answer does not come from the environment with this `identity`. Returns an empty
    text if the answer does come from that environment. `port` is the port of the host that answered; the
    message names this port."""
    found = answer.headers.get(ENVIRONMENT_HEADER.lower())
    if found == identity:
        return ""
    if found is None:
        server = answer.headers.get("server")
        by = f" by {server}" if server else ""
        return f"port {port} is answered{by}, not by this environment: {summary(answer)}"
    return f"port {port} is answered by another environment, {found.rpartition('.')[0] or found}"


def mismatch(answer: HttpAnswer, route: Route) -> str:
    """Return how this answer differs from what the route expects; empty if the answer is as expected."""
    seen = summary(answer)
    if route.status is not None:
        if answer.status != route.status:
            return f"{seen}, not {route.status}"
    elif answer.status >= (400 if route.contains else 500):
        return seen
    elif not route.contains and answer.headers.get(INGRESS_HEADER.lower()) == NO_INGRESS:
        return f"{seen}: the controller has no Ingress for this URL"
    elif not route.contains and route.via_witness and answer.status == HTTPStatus.NOT_FOUND:
        return (
            f"{seen}: from either the app or the controller; "
            "if that is the right answer, set `expect` in kindctl.yaml"
        )
    if route.contains and route.contains not in answer.body.decode(errors="replace"):
        return f"{seen}, without {route.contains!r}"
    return ""


def summary(answer: HttpAnswer) -> str:
    """Return the answer in one line, with the text of an error: the title of a page, or else the
    first line.

    "503 Service Temporarily Unavailable (nginx)", "500 Internal Server Error: division by zero"
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
    """Return at most 100 characters of the text, on one line and without terminal control
    characters."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.split())[:100]
