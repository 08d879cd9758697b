"""Builds images from the user's Dockerfiles, without changing the Dockerfiles.

The tag, kindctl.local/NAME:HASH, contains a hash of everything that the image is made from. Sometimes
another image has to replace a base image: an image that a recipe built, or a copy of the base image with
this host's CAs. kindctl passes this other image to BuildKit as a named build context. Old tags stay until
`kindctl purge`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kindctl.errors import KindctlError
from kindctl.images import cas, context, dockerfile
from kindctl.images.building import content_hash, run_build, temporary_folder
from kindctl.images.progress import BuildProgress
from kindctl.images.recipe_book import RECIPE_LABEL, SOURCES_LABEL, VERSIONS_LABEL
from kindctl.images.sources.base import Provided, SourceContext, check_architecture
from kindctl.models import AppBuild, Say
from kindctl.references import parse
from kindctl.tools.engine_protocol import Build

CONTEXT_LABEL = "dev.kindctl.context"
"""Label with the folder from which an image was built."""


class AppImages:
    """Finds and builds the user's images.

    `find` returns the name of a base image in the engine. `provide` gets a base image into the engine.
    `reachable` returns whether the registry of an image reference answers.
    """

    def __init__(
        self,
        source_context: SourceContext,
        find: Callable[[str], str | None],
        provide: Callable[[str, Say], Provided],
        reachable: Callable[[str], bool],
    ) -> None:
        self._context = source_context
        self._find = find
        self._provide = provide
        self._reachable = reachable

    def bases(self, build: AppBuild) -> tuple[str, ...]:
        """Return the references of the images that the Dockerfile starts or copies from."""
        text = _read(build.dockerfile)
        # The engine is asked for its architecture only if the Dockerfile uses it, which few do.
        architecture = self._context.architecture if dockerfile.asks_platform(text) else ""
        return dockerfile.bases(text, build.args, build.target, architecture)

    def tag(self, build: AppBuild) -> str | None:
        """Return the name that the image has for the current content of the build context.

        Returns None if a base image is not in the engine, because the name depends on the base images.
        """
        bases = {}
        for base in self.bases(build):
            name = self._find(base)
            image = self._context.tools.engine.image(name) if name else None
            if name is None or image is None:
                return None
            # The name of kindctl's own image contains a hash; an upstream tag may be moved.
            bases[base] = name if name.startswith("kindctl.local/") else image.id
        ingredients = {
            "context": context.digest(build.context, build.dockerfile),
            "dockerfile": _read(build.dockerfile),
            "target": build.target,
            "args": dict(build.args),
            "bases": bases,
            "cas": cas.fingerprints(self._context.book.extra_cas),
        }
        return f"kindctl.local/{_own_name(build.image)}:{content_hash(ingredients)[:12]}"

    def built(self, build: AppBuild) -> str | None:
        """Return the name of the build's image, or None if the engine does not have this image."""
        tag = self.tag(build)
        return tag if tag and self._context.tools.engine.image(tag) is not None else None

    def provide(self, build: AppBuild, say: Say) -> Provided:
        """Get the base images, then build the image unless it exists.

        Raises ToolError (code image-build).
        """
        engine = self._context.tools.engine
        done: list[str] = []
        served: dict[str, str] = {}
        for base in self.bases(build):
            provided = self._provide(base, say)
            served[base] = provided.name
            done += provided.done
        tag = self.tag(build)
        if tag is None:
            raise KindctlError(
                f"a base image of {build.image} disappeared from the engine before the build"
            )
        if engine.image(tag) is None:
            self._build(build, tag, served, say)
            done.append(f"built {tag}")
        return Provided(tag, tuple(done))

    def _build(self, build: AppBuild, tag: str, served: dict[str, str], say: Say) -> None:
        engine, extra_cas = self._context.tools.engine, self._context.book.extra_cas
        names = {base: cas.with_cas(engine, name, extra_cas, say) for base, name in served.items()}
        with self._dockerfile(build) as file, BuildProgress(say, build.image, 0) as progress:
            wanted = Build(
                str(build.context),
                tag,
                dockerfile=str(file),
                target=build.target,
                args=build.args,
                contexts={
                    base: f"docker-image://{name}"
                    for base, name in names.items()
                    if parse(name) != parse(base)
                },
                # The last three would be inherited from a base that a recipe has built, and be wrong.
                labels={
                    CONTEXT_LABEL: str(build.context),
                    RECIPE_LABEL: "",
                    SOURCES_LABEL: "",
                    VERSIONS_LABEL: "",
                },
            )
            image = run_build(engine, wanted, build.image, progress)
        check_architecture(image, build.image, self._context.architecture)

    @contextmanager
    def _dockerfile(self, build: AppBuild) -> Iterator[Path]:
        """Yield the Dockerfile, or a copy without its `# syntax=` line.

        The copy is used if BuildKit cannot pull the frontend that this line names. BuildKit contains the
        official frontend, so the copy builds the same image.
        """
        text = _read(build.dockerfile)
        frontend = (dockerfile.syntax(text) or "").split(" ")[0]
        official = frontend.removeprefix("docker.io/").startswith("docker/dockerfile")
        if not official or self._reachable(frontend):
            yield build.dockerfile
            return
        files = {build.dockerfile.name: dockerfile.without_syntax(text)}
        ignore = build.dockerfile.with_name(f"{build.dockerfile.name}.dockerignore")
        if ignore.is_file():
            files[ignore.name] = ignore.read_text()
        with temporary_folder(files) as folder:
            yield folder / build.dockerfile.name


def _own_name(image: str) -> str:
    """Turn the user's name for an image into the repository name that follows `kindctl.local/`.

    A repository name cannot contain the colon before a registry's port. The colon becomes a hyphen.
    """
    reference = parse(image)
    return reference.familiar_name.replace(":", "-").lower()


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise KindctlError(
            f"{file} cannot be read", why=str(error), code="build-context"
        ) from error
