"""Makes the root file system from which the first recipe is built.

debootstrap makes the root file system from a package registry. If debootstrap cannot run, kindctl takes the
official image and adds the only package that the recipe needs. The result stays in the engine as ROOTFS, so
kindctl need not make the root file system again when the CAs change.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from kindctl.errors import KindctlError, MachineError, ToolError
from kindctl.images.building import build_dockerfile
from kindctl.images.recipe_book import RECIPE_LABEL, SOURCES_LABEL
from kindctl.models import Say
from kindctl.tools.protocols import Tools

SUITE = "trixie"
OFFICIAL = f"debian:{SUITE}-slim"
ROOTFS = f"kindctl.local/debian-rootfs:{SUITE}"

SCRATCH = "/var/tmp"  # noqa: S108 - /tmp may be mounted nodev or noexec, which debootstrap refuses
NEEDED_BYTES = 1_500_000_000

_COMPLETE = """\
FROM official
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends ca-certificates
"""


def rootfs(tools: Tools, pull: Callable[[Say], str], say: Say) -> str:
    """Return the name of a minimal Debian image in the engine. The image is made if necessary.

    `pull` pulls the official image and returns its name. Raises MachineError (code bootstrap) if neither
    debootstrap nor the official image is available.
    """
    if tools.engine.image(ROOTFS) is not None:
        return ROOTFS
    if tools.engine.image(OFFICIAL) is not None:
        return _complete(tools, OFFICIAL, say)
    obstacle = _obstacle(tools)
    if not obstacle:
        return _debootstrap(tools, say)
    try:
        official = pull(say)
    except MachineError:
        raise
    except KindctlError as error:
        raise MachineError(
            "there is no Debian base image to build images from",
            why=f"{obstacle}; {OFFICIAL}: {error.what}",
            fix="on Debian, run `kindctl doctor --fix` as root to install debootstrap; on other systems, "
            f"get {OFFICIAL} with `docker pull` or `docker load`",
            output=error.output,
            code="bootstrap",
        ) from error
    return _complete(tools, official, say)


def _complete(tools: Tools, official: str, say: Say) -> str:
    say(f"adding ca-certificates to {official}")
    return build_dockerfile(
        tools.engine,
        _COMPLETE,
        ROOTFS,
        labels={RECIPE_LABEL: "debian-rootfs", SOURCES_LABEL: f"{OFFICIAL}, ca-certificates"},
        contexts={"official": f"docker-image://{official}"},
    )


def _obstacle(tools: Tools) -> str:
    """Return why debootstrap cannot run here, or "" if it can."""
    if tools.host.which("debootstrap") is None:
        return "debootstrap is not installed"
    if not tools.host.is_root():
        return "debootstrap needs root"
    if tools.host.free_disk(SCRATCH) < NEEDED_BYTES:
        return f"less than {NEEDED_BYTES / 1e9:.1f} GB is free in {SCRATCH}"
    return ""


def _debootstrap(tools: Tools, say: Say) -> str:
    folder = Path(tempfile.mkdtemp(prefix="kindctl-", dir=SCRATCH))
    tree, archive = folder / "rootfs", folder / "rootfs.tar"
    labels = {
        RECIPE_LABEL: "debian-rootfs",
        SOURCES_LABEL: f"Debian {SUITE}: packages of main, by debootstrap --variant=minbase",
    }
    try:
        _install(tools, tree, say)
        say("importing Debian's root file system into the engine")
        tools.host.run(["tar", "--numeric-owner", "-C", str(tree), "-cf", str(archive), "."])
        tools.engine.import_image(archive, ROOTFS, labels)
    finally:
        _remove(tools, folder)
    return ROOTFS


def _install(tools: Tools, tree: Path, say: Say) -> None:
    def report_phase(line: str) -> None:
        # debootstrap writes a line for each of hundreds of packages
        if match := re.match(r"I: (Retrieving|Extracting|Unpacking|Configuring) ", line):
            say(f"debootstrap: {match[1].lower()} packages")

    command = ["debootstrap", "--variant=minbase", "--include=ca-certificates", SUITE, str(tree)]
    try:
        tools.host.run(command, say=report_phase)
    except ToolError as error:
        error.what = "debootstrap could not make a Debian root file system"
        error.code = "bootstrap"
        raise


def _remove(tools: Tools, folder: Path) -> None:
    """Delete a folder, after unmounting everything below it. If unmounting fails, delete nothing.

    An interrupted debootstrap leaves /proc and /sys mounted.
    """
    table = tools.host.read(Path("/proc/self/mounts")) or ""
    places = [line.split()[1] for line in table.splitlines() if len(line.split()) > 1]
    for mount in reversed([place for place in places if place.startswith(f"{folder}/")]):
        try:
            tools.host.run(["umount", mount])
        except KindctlError:
            return
    shutil.rmtree(folder, ignore_errors=True)
