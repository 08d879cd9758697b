"""The image source that uses images that are already in the container engine."""

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


class EngineSource:
    name = "engine"

    def __init__(self, context: SourceContext) -> None:
        self._context = context

    def find(self, reference: str) -> str | None:
        wanted = parse(official(reference))
        for name in names(wanted):
            image = self._context.tools.engine.image(name)
            if image is not None and self._refusal(image, wanted) is None:
                return name
        return None

    def provide(self, reference: str, say: Say) -> Provided:
        wanted = parse(official(reference))
        engine = self._context.tools.engine
        if name := self.find(reference):
            image = engine.image(name)
            if wanted.digest and image and not image.digests:
                say(f"{name} was loaded from an archive, so its digest cannot be verified")
            return Provided(name)
        if wanted.digest and (image := engine.image(wanted.pull_name)):
            check_architecture(image, str(wanted), self._context.architecture)
            name = give_name(engine, image, wanted)
            return Provided(name, (f"named {name}",))
        image = engine.image(wanted.tagged) if wanted.tag else None
        raise (self._refusal(image, wanted) if image else None) or unavailable("no such image")

    def _refusal(self, image: ImageInfo, wanted: Reference) -> KindctlError | None:
        """Return an error that says why an image with the right name is unusable, or None if it is
        usable."""
        if not has_digest(image, wanted):
            return unavailable(f"{wanted.tagged} in the engine has a different digest")
        try:
            check_architecture(image, wanted.tagged, self._context.architecture)
        except KindctlError as error:
            return error
        return None


def names(wanted: Reference) -> list[str]:
    """Return the names that the image may have in the engine.

    In a node, an imported image can only be found by a tag. So an image that is wanted by digest needs a
    tag too. This is upstream's tag, or a tag below kindctl.local/pinned if upstream's tag already points to
    another image.
    """
    tags = [wanted.tagged] if wanted.tag else []
    if wanted.digest:
        version = f"{wanted.tag[:80]}-" if wanted.tag else ""
        short = wanted.digest.removeprefix("sha256:")[:12]
        tags.append(f"kindctl.local/pinned/{wanted.repository}:{version}{short}")
    return tags


def give_name(engine: Engine, image: ImageInfo, wanted: Reference) -> str:
    """Tag an image that was pulled from a mirror or by digest, and return the tag.

    If a digest is wanted, a tag that already points to another image is left alone: that image may be the
    user's. Otherwise the tag is moved, as `docker pull` does. Raises KindctlError if every possible tag
    points to another image.
    """
    for name in names(wanted):
        holder = engine.image(name)
        if holder is not None and holder.id == image.id:
            return name
        if holder is None or not wanted.digest:
            engine.tag(image.id, name)
            return name
    raise unavailable(f"other images already use the names {', '.join(names(wanted))}")


def has_digest(image: ImageInfo, wanted: Reference) -> bool:
    """Return whether the image has the wanted digest. Any repository counts: the image may be from a
    mirror.

    An image that was loaded from an archive has no digest. For such an image, this returns True.
    """
    digests = {digest.partition("@")[2] for digest in image.digests}
    return not wanted.digest or not digests or wanted.digest in digests
