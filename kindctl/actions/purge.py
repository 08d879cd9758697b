"""`purge`: remove everything that kindctl has put on this machine."""

from __future__ import annotations

import shutil
from pathlib import Path

from kindctl.actions.down import down
from kindctl.actions.environments import nodes_by_environment
from kindctl.actions.trust import untrust
from kindctl.errors import KindctlError, MachineError
from kindctl.machine import debian
from kindctl.models import Say
from kindctl.paths import cache_dir, data_dir
from kindctl.providers.existing import saved_environments
from kindctl.tools.engine_protocol import ImageInfo
from kindctl.tools.protocols import Tools
from kindctl.trust.stores import ever_trusted_by

OWN_IMAGES = "kindctl.local/"


def planned_removals(tools: Tools, *, keep_engine: bool) -> list[str]:
    """Return one line for each thing that `purge` would remove."""
    removals = []
    try:
        removals += [f"environment {name}" for name in nodes_by_environment(tools)]
        if images := _own_images(tools):
            size = sum(image.size for image in images) / 1e9
            removals.append(f"{len(images)} images that kindctl built ({size:.1f} GB)")
    except MachineError:
        pass  # no engine answers, so there is nothing to remove from it
    removals += [f"the local certificate authority from {name}" for name in _trusting(tools)]
    removals += [f"folder {folder}" for folder in _own_folders()]
    return (
        removals
        if keep_engine
        else removals + list(debian.planned_removals(tools.host, tools.engine))
    )


def purge(tools: Tools, *, keep_engine: bool, say: Say) -> None:
    """Remove all environments, then images, then the engine if kindctl installed it, and kindctl's own
    files."""
    try:
        for name in nodes_by_environment(tools):
            down(name, tools, say=say)
            say(f"removed environment {name}")
        for image in _own_images(tools):
            for tag in filter(_is_own, image.tags):  # the user may have tagged it as well
                tools.engine.remove_image(tag)
                say(f"removed image {tag}")
    except MachineError as error:
        say(f"left the engine alone: {error.what}")
    for name in saved_environments():
        say(
            f"kept environment {name}, which is in an existing cluster: remove it with"
            " `kindctl down -f` and its kindctl.yaml"
        )
    if not keep_engine:
        debian.undo(tools.host, tools.engine, say)
    _untrust(tools, say)
    for folder in _own_folders():
        shutil.rmtree(folder)
        say(f"removed {folder}")


def _own_folders() -> list[Path]:
    return [folder for folder in (data_dir(), cache_dir()) if folder.exists()]


def _trusting(tools: Tools) -> list[str]:
    """Return the stores that trust the local certificate authority. Returns no stores if kindctl did not
    create this authority."""
    try:
        return ever_trusted_by(tools.host, Path.home())
    except KindctlError:
        return []


def _untrust(tools: Tools, say: Say) -> None:
    """Remove the authority from the stores. This runs before the authority's files are deleted, because the
    files identify it."""
    if not _trusting(tools):
        return
    for line in untrust(tools.host, Path.home(), agree=lambda _: True, say=say).left:
        say(f"run this yourself: {line}")


def _own_images(tools: Tools) -> list[ImageInfo]:
    return [image for image in tools.engine.images() if any(map(_is_own, image.tags))]


def _is_own(tag: str) -> bool:
    return tag.startswith(OWN_IMAGES)
