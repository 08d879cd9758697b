"""Images of the user's own, built from Dockerfiles that stay as they are.

What such an image is made from is in its tag: kindctl.local/NAME:HASH. A base that is served under
another name (a stand-in, or the base with this host's CAs) takes its place by a named build context.
Superseded tags stay until `purge`.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kindctl.errors import KindctlError, ToolError
from kindctl.images import cas, context, dockerfile
from kindctl.images.progress import BuildProgress
from kindctl.images.recipe_book import RECIPE_LABEL, SOURCES_LABEL, VERSIONS_LABEL
from kindctl.images.sources.base import Provided, SourceContext, check_architecture
from kindctl.images.sources.build import build_failed
from kindctl.models import AppBuild, Say
from kindctl.references import parse
from kindctl.tools.engine_protocol import Build

CONTEXT_LABEL = "dev.kindctl.context"
"""The folder that an image was built from."""


class AppImages:
    """`find` and `provide` serve the base images; `reachable` says whether a reference's registry is."""

    def __init__(
        self,
        surroundings: SourceContext,
        find: Callable[[str], str | None],
        provide: Callable[[str, Say], Provided],
        reachable: Callable[[str], bool],
    ) -> None:
        self._around = surroundings
        self._find = find
        self._provide = provide
        self._reachable = reachable

    def bases(self, build: AppBuild) -> tuple[str, ...]:
        """References that the Dockerfile starts from or copies from."""
        text = _read(build.dockerfile)
        # Few Dockerfiles ask for it, and it is the engine that has to be asked.
        architecture = self._around.architecture if dockerfile.asks_platform(text) else ""
        return dockerfile.bases(text, build.args, build.target, architecture)

    def tag(self, build: AppBuild) -> str | None:
        """The name of the image of what is in the context now. None when a base is not in the engine:
        then nobody can tell."""
        bases = {}
        for base in self.bases(build):
            name = self._find(base)
            image = self._around.tools.engine.image(name) if name else None
            if name is None or image is None:
                return None
            # A stand-in's name has a hash of what it is made from; upstream's tags move.
            bases[base] = name if name.startswith("kindctl.local/") else image.id
        ingredients = {
            "context": context.digest(build.context, build.dockerfile),
            "dockerfile": _read(build.dockerfile),
            "target": build.target,
            "args": dict(build.args),
            "bases": bases,
            "cas": cas.fingerprints(self._around.book.extra_cas),
        }
        key = hashlib.sha256(json.dumps(ingredients, sort_keys=True).encode()).hexdigest()
        return f"kindctl.local/{_own_name(build.image)}:{key[:12]}"

    def built(self, build: AppBuild) -> str | None:
        """The name of the image, if the engine has it."""
        tag = self.tag(build)
        return tag if tag and self._around.tools.engine.image(tag) is not None else None

    def provide(self, build: AppBuild, say: Say) -> Provided:
        """Build it, after its bases were provided. Raises ToolError (code image-build)."""
        engine = self._around.tools.engine
        done: list[str] = []
        served: dict[str, str] = {}
        for base in self.bases(build):
            provided = self._provide(base, say)
            served[base] = provided.name
            done += provided.done
        tag = self.tag(build)
        if tag is None:
            raise KindctlError(f"a base image of {build.image} has vanished while it was built")
        if engine.image(tag) is None:
            self._build(build, tag, served, say)
            done.append(f"built {tag}")
        return Provided(tag, tuple(done))

    def _build(self, build: AppBuild, tag: str, served: dict[str, str], say: Say) -> None:
        engine, extra_cas = self._around.tools.engine, self._around.book.extra_cas
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
                # What a stand-in says of itself is not true of what is built on it.
                labels={
                    CONTEXT_LABEL: str(build.context),
                    RECIPE_LABEL: "",
                    SOURCES_LABEL: "",
                    VERSIONS_LABEL: "",
                },
            )
            try:
                image = engine.build(wanted, progress)
            except ToolError as error:
                raise build_failed(build.image, error) from None
        check_architecture(image, build.image, self._around.architecture)

    @contextmanager
    def _dockerfile(self, build: AppBuild) -> Iterator[Path]:
        """The user's own; a copy without `# syntax=` where BuildKit could not pull what it names: the
        frontend that it has built in is the same program."""
        text = _read(build.dockerfile)
        frontend = (dockerfile.syntax(text) or "").split(" ")[0]
        official = frontend.removeprefix("docker.io/").startswith("docker/dockerfile")
        if not official or self._reachable(frontend):
            yield build.dockerfile
            return
        with tempfile.TemporaryDirectory(prefix="kindctl-") as folder:
            copy = Path(folder, build.dockerfile.name)
            copy.write_text(dockerfile.without_syntax(text))
            ignore = build.dockerfile.with_name(f"{build.dockerfile.name}.dockerignore")
            if ignore.is_file():
                copy.with_name(ignore.name).write_text(ignore.read_text())
            yield copy


def _own_name(image: str) -> str:
    """The repository under kindctl.local: a registry's port cannot stand in a path."""
    reference = parse(image)
    return reference.familiar_name.replace(":", "-").lower()


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise KindctlError(
            f"{file} cannot be read", why=str(error), code="build-context"
        ) from error
