"""The images of an environment: finds the image to use for a reference, and gets it into the engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from kindctl.errors import Interrupted, KindctlError, MachineError
from kindctl.images.app_builds import AppImages
from kindctl.images.listing import ImageRow, name_of, row
from kindctl.images.recipe_book import RecipeBook
from kindctl.images.sources import load_source
from kindctl.images.sources.base import Provided, SourceContext, combined
from kindctl.images.sources.engine import EngineSource
from kindctl.images.sources.registry import RegistrySource
from kindctl.models import AppBuild, Progress, Say
from kindctl.references import full_name
from kindctl.tools.protocols import Tools


class Images:
    """Finds and provides images.

    Instances are thread-safe. They are cheap to create, because no file is read and no engine or registry
    is asked before a method is called.

    `sources` are tried in order. `mirrors` maps registries to their mirrors. `extra_cas` maps file names
    to PEM: builds trust these CAs in addition to the distribution's own. `builds` are the images of the
    user's Dockerfiles.
    """

    def __init__(
        self,
        tools: Tools,
        sources: Sequence[str] = ("engine", "registry", "build"),
        mirrors: Mapping[str, str] | None = None,
        extra_cas: Mapping[str, str] | None = None,
        builds: Iterable[AppBuild] = (),
        *,
        book: RecipeBook | None = None,
    ) -> None:
        self.book = book or RecipeBook(extra_cas=extra_cas)
        self._context = SourceContext(tools, mirrors or {}, self.book)
        self._sources = [load_source(name, self._context) for name in sources]
        engines = [source for source in self._sources if isinstance(source, EngineSource)]
        # a registry source looks into the engine as an engine source does: the engine is asked once
        self._finders = [source for source in self._sources if source not in engines[1:]]
        self._builds = {full_name(build.image): build for build in builds}
        registry = RegistrySource(self._context)
        self.apps = AppImages(self._context, self._find, self._from_sources, registry.reachable)

    def only(self, sources: Sequence[str]) -> Images:
        """Return a copy of this object that uses only these sources."""
        context, builds = self._context, self._builds.values()
        return Images(context.tools, sources, context.mirrors, builds=builds, book=self.book)

    def name(self, reference: str) -> str:
        """Return the image's name in `images list`: its role ("node"), or its repository's last part."""
        return name_of(reference, self.book.for_reference(reference))

    def resolve(self, reference: str) -> str | None:
        """Return the name of the image to use for a reference in a manifest. Changes nothing.

        The image has this name in the engine and in the nodes. Returns None if the engine has no such image
        yet.
        """
        build = self._builds.get(full_name(reference))
        return self.apps.built(build) if build else self._find(reference)

    def provide(self, reference: str, progress: Progress) -> Provided:
        """Get the image into the engine.

        Raises a KindctlError that lists the answer of each source. Its code is image-unavailable, or
        image-pull if a registry refused the pull, image-build if a build failed, exec-format if the image
        is for another architecture.
        """
        build = self._builds.get(full_name(reference))
        if build:
            return self.apps.provide(build, progress.say)
        return self._from_sources(reference, progress.say)

    def needed(self, references: Iterable[str]) -> tuple[str, ...]:
        """Return these references, with images of the user's Dockerfiles replaced by their base images."""
        wanted: dict[str, None] = {}
        for reference in references:
            build = self._builds.get(full_name(reference))
            wanted |= dict.fromkeys(self.apps.bases(build) if build else (reference,))
        return tuple(wanted)

    def rows(self, references: Iterable[str]) -> list[ImageRow]:
        """Return the rows of `kindctl images list`: these references, and the bases of the builds."""
        references = tuple(references)
        every = dict.fromkeys((*self.needed(references), *references))
        engine = self._context.tools.engine
        rows = []
        for reference in every:
            served = self.resolve(reference)
            image = engine.image(served) if served else None
            rows.append(row(reference, served, image, self.book.for_reference(reference)))
        return rows

    def _find(self, reference: str) -> str | None:
        return next(filter(None, (source.find(reference) for source in self._finders)), None)

    def _from_sources(self, reference: str, say: Say) -> Provided:
        """Get an image from the source that already has it, else from the first source that can provide it.

        If only the order of the sources counted, the base of a built image would change as soon as a
        registry can be reached again.
        """
        answers: list[tuple[str, KindctlError]] = []
        serving = next((source for source in self._finders if source.find(reference)), None)
        for source in [serving] if serving else self._sources:
            try:
                return source.provide(reference, say)
            except (MachineError, Interrupted):
                raise
            except KindctlError as error:
                answers.append((source.name, error))
        raise combined(
            f"no source provides image {reference}",
            [error for _, error in answers],
            why="\n".join(
                f"{name}: {error.what}" + (f": {error.why}" if error.why else "")
                for name, error in answers
            ),
            fix="check the name; or get the image yourself with `docker pull` or `docker load`; "
            "or configure images.mirrors or a proxy",
        )
