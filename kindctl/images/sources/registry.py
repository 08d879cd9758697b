"""The image source that pulls from the reference's registry, or from the mirror configured for it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable

from kindctl.errors import Interrupted, KindctlError, MachineError, ToolError
from kindctl.images.pins import CATALOGUE, official
from kindctl.images.sources.base import (
    UNAVAILABLE,
    Provided,
    SourceContext,
    check_architecture,
    combined,
    unavailable,
)
from kindctl.images.sources.engine import EngineSource, give_name
from kindctl.models import Say
from kindctl.references import Reference, mirrored, parse
from kindctl.tools.engine_protocol import ImageInfo
from kindctl.tools.protocols import Net

PROBE_SECONDS = 3.0
ATTEMPTS = 4

_API = {"docker.io": "registry-1.docker.io"}
_MAY_USE_HTTP = re.compile(r":\d+$|^localhost$|^127\.")
_TRANSIENT = re.compile(
    r"toomanyrequests|\b429\b|\b50[0234]\b|connection reset|unexpected EOF"
    r"|i/o timeout|TLS handshake timeout|Client\.Timeout|deadline exceeded|temporary failure",
    re.IGNORECASE,
)
"""Messages from Go's net package and from registries. A pull with such an error may soon succeed."""

OWN_REGISTRY = "kindctl.local"
"""The registry part in the names of images that kindctl builds. No such registry exists."""


class RegistrySource(EngineSource):
    """Finds images in the engine, and pulls those that the engine lacks."""

    name = "registry"

    def __init__(self, context: SourceContext, pause: Callable[[float], None] = time.sleep) -> None:
        super().__init__(context)
        self._pause = pause
        self._probes = Probes(context.tools.net)

    def provide(self, reference: str, say: Say) -> Provided:
        if name := self.find(reference):
            return Provided(name)
        wanted = parse(official(reference))
        if wanted.registry == OWN_REGISTRY:
            raise unavailable("the image is not published: kindctl builds it")
        places = mirrored(wanted, self._context.mirrors)
        self._probes.start(*(place.registry for place in (*places, *self._default_places())))
        refusals: list[KindctlError] = []
        for place in places:
            if not self._probes.reachable(place.registry):
                refusals.append(unavailable(f"{place.registry} cannot be reached"))
                continue
            try:
                image = self._pull(place, say)
                check_architecture(image, str(wanted), self._context.architecture)
                name = give_name(self._context.tools.engine, image, wanted)
                return Provided(name, (f"pulled {place.pull_name}",))
            except (MachineError, Interrupted):
                raise
            except KindctlError as error:
                refusals.append(error)
        failure = combined("; ".join(error.why or error.what for error in refusals), refusals)
        if failure.code not in (UNAVAILABLE, "exec-format"):
            failure.code = "image-pull"  # a registry answered with a refusal
        raise failure

    def reachable(self, reference: str) -> bool:
        """Return whether the registry of this reference answers."""
        return self._probes.reachable(parse(reference).registry)

    def _default_places(self) -> list[Reference]:
        """Return the references of the images in the default environment.

        All their registries are probed at once. If no registry answers, the probes take 3 s in
        total, not 3 s for each image.
        """
        return [
            place
            for reference in CATALOGUE.values()
            for place in mirrored(parse(reference), self._context.mirrors)
        ]

    def _pull(self, place: Reference, say: Say) -> ImageInfo:
        from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random

        def transient(error: BaseException) -> bool:
            if not isinstance(error, ToolError) or not _TRANSIENT.search(error.output):
                return False
            say(f"{place.registry}: {error.why or error.what}, trying again")
            return True

        retrying = Retrying(
            retry=retry_if_exception(transient),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random(1, 3),
            sleep=self._pause,
            reraise=True,
        )
        image = retrying(self._context.tools.engine.pull, place.pull_name, say)
        if place.digest and not any(place.digest in digest for digest in image.digests):
            raise KindctlError(
                f"the image pulled as {place.pull_name} has a different digest", code="image-pull"
            )
        return image


class Probes:
    """Finds out which registries answer. Each registry is probed only once, and all in parallel."""

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
            # The engine uses plain HTTP on loopback, and for registries that are configured so.
            for scheme in ("https", "http") if _MAY_USE_HTTP.search(host) else ("https",):
                left = until - time.monotonic()
                if left > 0 and self._net.reachable(f"{scheme}://{host}/v2/", left):
                    self._reachable.add(registry)
                    return
        finally:
            self._answers[registry].set()
