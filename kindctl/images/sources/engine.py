"""What is already in the container engine."""

from __future__ import annotations

from kindctl.errors import KindctlError
from kindctl.images.pins import official
from kindctl.images.sources.base import (
    Provided,
    SourceContext,
    check_architecture,
    unavailable,
)
from kindctl.models import Say
from kindctl.references import Reference, parse
from kindctl.tools.engine_protocol import Engine, ImageInfo


class Source:
    name = "engine"

    def __init__(self, surroundings: SourceContext) -> None:
        self._around = surroundings

    def find(self, reference: str) -> str | None:
        wanted = parse(official(reference))
        for name in names(wanted):
            image = self._around.tools.engine.image(name)
            if image is not None and self._refusal(image, wanted) is None:
                return name
        return None

    def provide(self, reference: str, say: Say) -> Provided:
        wanted = parse(official(reference))
        engine = self._around.tools.engine
        if name := self.find(reference):
            image = engine.image(name)
            if wanted.digest and image and not image.digests:
                say(f"{name} came from an archive: its digest cannot be verified")
            return Provided(name)
        if wanted.digest and (image := engine.image(wanted.pull_name)):
            check_architecture(image, str(wanted), self._around.architecture)
            name = give_name(engine, image, wanted)
            return Provided(name, (f"named {name}",))
        image = engine.image(wanted.tagged) if wanted.tag else None
        raise (self._refusal(image, wanted) if image else None) or unavailable("not there")

    def _refusal(self, image: ImageInfo, wanted: Reference) -> KindctlError | None:
        """Why an image that has the right name is not what is wanted."""
        if not has_digest(image, wanted):
            return unavailable(f"{wanted.tagged} is there, with another digest")
        try:
            check_architecture(image, wanted.tagged, self._around.architecture)
        except KindctlError as error:
            return error
        return None


def names(wanted: Reference) -> list[str]:
    """What the engine may call it. A node knows an imported image by its tag only, so one that is
    asked for by digest needs a tag: upstream's, or one of ours where upstream's is taken."""
    tags = [wanted.tagged] if wanted.tag else []
    if wanted.digest:
        version = f"{wanted.tag[:80]}-" if wanted.tag else ""
        short = wanted.digest.removeprefix("sha256:")[:12]
        tags.append(f"kindctl.local/pinned/{wanted.repository}:{version}{short}")
    return tags


def give_name(engine: Engine, image: ImageInfo, wanted: Reference) -> str:
    """Tag an image that was pulled from a mirror or by digest. Where a digest is wanted, a tag that is
    another image's, the user's perhaps, stays that image's; else it moves, as a pull moves it."""
    for name in names(wanted):
        holder = engine.image(name)
        if holder is not None and holder.id == image.id:
            return name
        if holder is None or not wanted.digest:
            engine.tag(image.id, name)
            return name
    raise unavailable(f"its names in the engine are taken: {', '.join(names(wanted))}")


def has_digest(image: ImageInfo, wanted: Reference) -> bool:
    """An image that was loaded from an archive has no digest: then its tag has to do. The repository
    does not matter: the same digest from a mirror is the same image."""
    digests = {digest.partition("@")[2] for digest in image.digests}
    return not wanted.digest or not digests or wanted.digest in digests
