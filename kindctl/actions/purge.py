"""`purge`: take back all that kindctl has left on this machine."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from kindctl.actions.down import down
from kindctl.actions.environments import nodes_by_environment
from kindctl.actions.trust import untrust
from kindctl.errors import KindctlError, MachineError
from kindctl.machine.debian import planned_removals, undo
from kindctl.paths import cache_dir, data_dir
from kindctl.providers.existing import all_remembered
from kindctl.tools.engine_protocol import ImageInfo
from kindctl.tools.protocols import Tools
from kindctl.trust.stores import ever_trusted_by

OWN_IMAGES = "kindctl.local/"


def purge_intentions(tools: Tools, *, keep_engine: bool) -> list[str]:
    """One sentence for each thing that `purge` would remove."""
    wishes = []
    try:
        wishes += [f"environment {name}" for name in nodes_by_environment(tools)]
        if images := _own_images(tools):
            size = sum(image.size for image in images) / 1e9
            wishes.append(f"{len(images)} images that kindctl built ({size:.1f} GB)")
    except MachineError:
        pass  # no engine that answers: nothing of it to remove
    wishes += [f"the trust of {name} in the local authority" for name in _trusting(tools)]
    wishes += [f"folder {folder}" for folder in (data_dir(), cache_dir()) if folder.exists()]
    return wishes if keep_engine else wishes + planned_removals(tools.host, tools.engine)


def purge(tools: Tools, *, keep_engine: bool, say: Callable[[str], None]) -> None:
    """Environments first, then images, then the engine if kindctl installed it, then its own files."""
    try:
        for name in nodes_by_environment(tools):
            down(name, tools, say=say)
            say(f"removed environment {name}")
        for image in _own_images(tools):
            for tag in filter(_is_own, image.tags):  # the user may have given it another name
                tools.engine.remove_image(tag)
                say(f"removed image {tag}")
    except MachineError as error:
        say(f"left the engine alone: {error.what}")
    for name in all_remembered():
        say(f"left environment {name}, which is in an existing cluster: kindctl down -f its file")
    if not keep_engine:
        undo(tools.host, tools.engine, say)
    _untrust(tools, say)
    for folder in (data_dir(), cache_dir()):
        if folder.exists():
            shutil.rmtree(folder)
            say(f"removed {folder}")


def _trusting(tools: Tools) -> list[str]:
    try:
        return ever_trusted_by(tools.host, Path.home())
    except KindctlError:  # not the authority that we made: nobody was told by us to trust it
        return []


def _untrust(tools: Tools, say: Callable[[str], None]) -> None:
    """Before its files go: a trusted authority without them could not be named any more."""
    if not _trusting(tools):
        return
    for line in untrust(tools.host, Path.home(), agree=lambda _: True, say=say).left:
        say(f"left to you: {line}")


def _own_images(tools: Tools) -> list[ImageInfo]:
    return [image for image in tools.engine.images() if any(map(_is_own, image.tags))]


def _is_own(tag: str) -> bool:
    return tag.startswith(OWN_IMAGES)
