"""The images of an environment: which name serves a reference, and how it gets into the engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from kindctl.errors import Interrupted, KindctlError, MachineError
from kindctl.images.app_builds import AppImages
from kindctl.images.listing import ImageRow, name_of, row
from kindctl.images.recipe_book import RecipeBook
from kindctl.images.sources import load_source
from kindctl.images.sources.base import Provided, SourceContext
from kindctl.images.sources.registry import Source as RegistrySource
from kindctl.models import AppBuild, Progress, Say
from kindctl.references import full_name
from kindctl.tools.protocols import Tools


class Images:
    """Safe to use from several threads. Cheap to make: nothing is asked or read before it is needed.

    `sources` are asked in their order. `mirrors`: registry -> mirror. `extra_cas`: file name -> PEM of
    the CAs that builds trust beside the distribution's own. `builds`: the user's own images.
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
        self._around = SourceContext(tools, mirrors or {}, self.book)
        self._sources = [load_source(name, self._around) for name in sources]
        # What was pulled is found as what was there: looking once is enough.
        again = [source for source in self._sources if source.name in ("engine", "registry")][1:]
        self._looking = [source for source in self._sources if source not in again]
        self._builds = {full_name(build.image): build for build in builds}
        self._registry = RegistrySource(self._around)
        self.apps = AppImages(
            self._around, self._find, self._from_sources, self._registry.reachable
        )

    def only(self, sources: Sequence[str]) -> Images:
        """The same images, had from these sources alone."""
        around, builds = self._around, self._builds.values()
        return Images(around.tools, sources, around.mirrors, builds=builds, book=self.book)

    def name(self, reference: str) -> str:
        """What `images list` calls it: its role ("node"), else what its repository is called."""
        return name_of(reference, self.book.for_reference(reference))

    def resolve(self, reference: str) -> str | None:
        """The name in the engine (and so in the nodes) that serves for a reference of a manifest; None
        as long as there is none. Looks, changes nothing."""
        build = self._builds.get(full_name(reference))
        return self.apps.built(build) if build else self._find(reference)

    def provide(self, reference: str, progress: Progress) -> Provided:
        """Get it into the engine.

        Raises KindctlError that lists what each source answered: code image-unavailable; image-pull
        where a registry refused, image-build where a build failed, exec-format where it is there for
        another architecture.
        """
        build = self._builds.get(full_name(reference))
        if build:
            return self.apps.provide(build, progress.say)
        return self._from_sources(reference, progress.say)

    def needed(self, references: Iterable[str]) -> tuple[str, ...]:
        """What must be had from elsewhere: these references, each build replaced by its bases."""
        wanted: dict[str, None] = {}
        for reference in references:
            build = self._builds.get(full_name(reference))
            wanted |= dict.fromkeys(self.apps.bases(build) if build else (reference,))
        return tuple(wanted)

    def rows(self, references: Iterable[str]) -> list[ImageRow]:
        """What `kindctl images list` shows: these references and the bases of those that are built."""
        references = tuple(references)
        every = dict.fromkeys((*self.needed(references), *references))
        engine = self._around.tools.engine
        rows = []
        for reference in every:
            served = self.resolve(reference)
            image = engine.image(served) if served else None
            rows.append(row(reference, served, image, self.book.for_reference(reference)))
        return rows

    def _find(self, reference: str) -> str | None:
        for source in self._looking:
            if name := source.find(reference):
                return name
        return None

    def _from_sources(self, reference: str, say: Say) -> Provided:
        """What has been provided once goes on serving: the base of an image that was built does not
        change because a registry has come back."""
        answers: list[tuple[str, KindctlError]] = []
        serving = next((source for source in self._looking if source.find(reference)), None)
        for source in [serving] if serving else self._sources:
            try:
                return source.provide(reference, say)
            except (MachineError, Interrupted):
                raise
            except KindctlError as error:
                answers.append((source.name, error))
        raise _nothing_provides(reference, answers)


def _nothing_provides(reference: str, answers: list[tuple[str, KindctlError]]) -> KindctlError:
    telling = [error for _, error in answers if error.code != "image-unavailable"]
    fixes = [error.fix for error in reversed(telling) if error.fix]
    return KindctlError(
        f"image {reference} cannot be had",
        why="\n".join(
            f"{name}: {error.what}" + (f": {error.why}" if error.why else "")
            for name, error in answers
        ),
        fix=fixes[0]
        if fixes
        else "check the name; pull or `docker load` it yourself; configure images.mirrors or a proxy",
        output="\n".join(error.output for error in telling if error.output),
        code=telling[-1].code if telling else "image-unavailable",
    )
