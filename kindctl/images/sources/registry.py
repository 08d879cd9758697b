"""Pulled from the reference's registry, or from the mirror that is configured for it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable

from kindctl.errors import Interrupted, KindctlError, MachineError, ToolError
from kindctl.images.pins import CATALOGUE, official
from kindctl.images.sources.base import (
    Provided,
    SourceContext,
    check_architecture,
    unavailable,
)
from kindctl.images.sources.engine import Source as EngineSource
from kindctl.images.sources.engine import give_name
from kindctl.models import Say
from kindctl.references import Reference, mirrored, parse
from kindctl.tools.engine_protocol import ImageInfo
from kindctl.tools.protocols import Net

PROBE_SECONDS = 3.0
ATTEMPTS = 4

_API = {"docker.io": "registry-1.docker.io"}
_MAY_BE_PLAIN = re.compile(r":\d+$|^localhost$|^127\.")
_PASSING = re.compile(
    r"toomanyrequests|\b429\b|\b50[0234]\b|connection reset|unexpected EOF"
    r"|i/o timeout|TLS handshake timeout|Client\.Timeout|deadline exceeded|temporary failure",
    re.IGNORECASE,
)
"""What the engine says of a pull that may succeed a moment later; in the words of Go's net package and
of the distribution API."""


OWN_REGISTRY = "kindctl.local"
"""In the names of what is built here; no registry."""


class Source:
    name = "registry"

    def __init__(
        self, surroundings: SourceContext, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._around = surroundings
        self._pause = pause
        self._probes = Probes(surroundings.tools.net)
        self._engine = EngineSource(surroundings)

    def find(self, reference: str) -> str | None:
        return self._engine.find(reference)

    def provide(self, reference: str, say: Say) -> Provided:
        if name := self.find(reference):
            return Provided(name)
        wanted = parse(official(reference))
        if wanted.registry == OWN_REGISTRY:
            raise unavailable("it is built, and published nowhere")
        places = mirrored(wanted, self._around.mirrors)
        self._probes.start(*(place.registry for place in (*places, *self._usual())))
        refusals: list[KindctlError] = []
        for place in places:
            if not self._probes.reachable(place.registry):
                refusals.append(unavailable(f"{place.registry} cannot be reached"))
                continue
            try:
                image = self._pull(place, say)
                check_architecture(image, str(wanted), self._around.architecture)
                name = give_name(self._around.tools.engine, image, wanted)
                return Provided(name, (f"pulled {place.pull_name}",))
            except (MachineError, Interrupted):
                raise
            except KindctlError as error:
                refusals.append(error)
        raise _together(refusals)

    def reachable(self, reference: str) -> bool:
        return self._probes.reachable(parse(reference).registry)

    def _usual(self) -> list[Reference]:
        """The default environment's, so that one wait of 3 s covers all of its registries."""
        return [
            place
            for reference in CATALOGUE.values()
            for place in mirrored(parse(reference), self._around.mirrors)
        ]

    def _pull(self, place: Reference, say: Say) -> ImageInfo:
        from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random

        def passing(error: BaseException) -> bool:
            if not isinstance(error, ToolError) or not _PASSING.search(error.output):
                return False
            say(f"{place.registry}: {error.why or error.what}, trying again")
            return True

        retrying = Retrying(
            retry=retry_if_exception(passing),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random(1, 3),
            sleep=self._pause,
            reraise=True,
        )
        image = retrying(self._around.tools.engine.pull, place.pull_name, say)
        if place.digest and not any(place.digest in digest for digest in image.digests):
            raise KindctlError(f"{place.pull_name} came with another digest", code="image-pull")
        return image


class Probes:
    """Which registries answer. Each is asked once; those that are started together are asked side by
    side."""

    def __init__(self, net: Net) -> None:
        self._net = net
        self._lock = threading.Lock()
        self._answers: dict[str, threading.Event] = {}
        self._reachable: set[str] = set()

    def start(self, *registries: str) -> None:
        with self._lock:
            for registry in registries:
                if registry not in self._answers:
                    self._answers[registry] = threading.Event()
                    threading.Thread(target=self._ask, args=(registry,), daemon=True).start()

    def reachable(self, registry: str) -> bool:
        self.start(registry)
        self._answers[registry].wait(PROBE_SECONDS)
        return registry in self._reachable

    def _ask(self, registry: str) -> None:
        host = _API.get(registry, registry)
        until = time.monotonic() + PROBE_SECONDS
        try:
            # The engine speaks plain HTTP to registries that it was told to, and on loopback.
            for scheme in ("https", "http") if _MAY_BE_PLAIN.search(host) else ("https",):
                left = until - time.monotonic()
                if left > 0 and self._net.reachable(f"{scheme}://{host}/v2/", left):
                    self._reachable.add(registry)
                    return
        finally:
            self._answers[registry].set()


def _together(refusals: list[KindctlError]) -> KindctlError:
    """One answer: code image-pull where a registry was reached and refused."""
    last = refusals[-1]
    refused = [error for error in refusals if error.code != "image-unavailable"]
    code = refused[-1].code if refused else "image-unavailable"
    return KindctlError(
        "; ".join(error.why or error.what for error in refusals),
        fix=(refused or [last])[-1].fix,
        output="\n".join(error.output for error in refusals if error.output),
        code=code if code in ("image-unavailable", "exec-format") else "image-pull",
    )
