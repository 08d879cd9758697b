"""Provides what all builds use: content hashes, temporary folders, and the error for a failed build."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kindctl.errors import KindctlError, MachineError, ToolError
from kindctl.models import Say
from kindctl.tools.engine_protocol import Build, Engine, ImageInfo


def content_hash(content: object) -> str:
    """Return the SHA-256 of `content` as JSON. The hash becomes part of the image's name."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@contextmanager
def temporary_folder(files: Mapping[str, str]) -> Iterator[Path]:
    """Yield a folder with these files (relative path -> text), and delete it at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="kindctl-") as name:
        folder = Path(name)
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        yield folder


def build_dockerfile(
    engine: Engine,
    text: str,
    tag: str,
    *,
    labels: Mapping[str, str],
    contexts: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
) -> str:
    """Build an image from the text of a Dockerfile and return its tag.

    `contexts` are named build contexts. The Dockerfile can copy `files` (relative path -> text). Raises
    KindctlError.
    """
    with temporary_folder({**(files or {}), "Dockerfile": text}) as folder:
        build = Build(str(folder), tag, contexts=contexts or {}, labels=labels)
        engine.build(build, lambda _: None)
    return tag


def run_build(engine: Engine, build: Build, name: str, progress: Say) -> ImageInfo:
    """Run a build. If the build fails, raise KindctlError with BuildKit's error message.

    The error calls the image `name`. It is a MachineError if the disk is full, because then no other image
    source will work either.
    """
    try:
        return engine.build(build, progress)
    except ToolError as error:
        raise _build_failed(name, error) from None


def _build_failed(name: str, error: ToolError) -> KindctlError:
    lines = [line.strip() for line in error.output.splitlines()]
    why = next((line for line in reversed(lines) if line.startswith("ERROR:")), error.why)
    if error.code == "disk-full":
        return MachineError(
            f"the disk filled up during the build of {name}",
            why=error.why,
            fix=error.fix,
            output=error.output,
            code=error.code,
        )
    error.what = f"the build of {name} failed"
    error.why = why.removeprefix("ERROR: ")
    error.fix = error.fix or (
        "see the last lines of the build; containers must be able to reach package registries"
    )
    return error
