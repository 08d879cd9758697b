"""The root file system that the first recipe starts from.

debootstrap makes it from a package registry; where that cannot run, it is the official image, with the
one package added that the recipe needs and that image lacks. It stays in the engine under a name of
ours, so that another set of CAs does not cost it again.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from kindctl.errors import KindctlError, MachineError, ToolError
from kindctl.images.recipe_book import RECIPE_LABEL, SOURCES_LABEL
from kindctl.models import Say
from kindctl.tools.engine_protocol import Build
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
    """The name in the engine of a bare Debian. `pull` gets the official image.

    Raises MachineError (code bootstrap) where neither can be had.
    """
    if tools.engine.image(ROOTFS) is not None:
        return ROOTFS
    if tools.engine.image(OFFICIAL) is not None:
        return _complete(tools, OFFICIAL, say)
    missing = _missing(tools)
    if not missing:
        return _debootstrap(tools, say)
    try:
        official = pull(say)
    except MachineError:
        raise
    except KindctlError as error:
        raise MachineError(
            "there is no Debian to build images from",
            why=f"{missing}; {OFFICIAL}: {error.what}",
            fix="on Debian or Ubuntu, as root: `kindctl doctor --fix` installs debootstrap; "
            f"elsewhere: make {OFFICIAL} pullable, or `docker load` it",
            output=error.output,
            code="bootstrap",
        ) from error
    return _complete(tools, official, say)


def _complete(tools: Tools, official: str, say: Say) -> str:
    say(f"adding ca-certificates to {official}")
    with tempfile.TemporaryDirectory(prefix="kindctl-") as folder:
        Path(folder, "Dockerfile").write_text(_COMPLETE)
        contexts = {"official": f"docker-image://{official}"}
        labels = {RECIPE_LABEL: "debian-rootfs", SOURCES_LABEL: f"{OFFICIAL}, ca-certificates"}
        build = Build(folder, ROOTFS, contexts=contexts, labels=labels)
        tools.engine.build(build, lambda _: None)
    return ROOTFS


def _missing(tools: Tools) -> str:
    """Why debootstrap cannot run here; empty when it can."""
    if tools.host.which("debootstrap") is None:
        return "debootstrap is not installed"
    if not tools.host.is_root():
        return "debootstrap needs root"
    if tools.host.free_disk(SCRATCH) < NEEDED_BYTES:
        return f"less than {NEEDED_BYTES / 1e9:.1f} GB are free in {SCRATCH}"
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
        say("importing the root file system")
        tools.host.run(["tar", "--numeric-owner", "-C", str(tree), "-cf", str(archive), "."])
        tools.engine.import_image(archive, ROOTFS, labels)
    finally:
        _remove(tools, folder)
    return ROOTFS


def _install(tools: Tools, tree: Path, say: Say) -> None:
    def heard(line: str) -> None:
        if phase := _phase(line):
            say(phase)

    command = ["debootstrap", "--variant=minbase", "--include=ca-certificates", SUITE, str(tree)]
    try:
        tools.host.run(command, say=heard)
    except ToolError as error:
        error.what = "debootstrap could not make a Debian root file system"
        error.code = "bootstrap"
        raise


def _phase(line: str) -> str | None:
    """What debootstrap is at, of a line that names one of hundreds of packages."""
    match = re.match(r"I: (Retrieving|Extracting|Unpacking|Configuring) ", line)
    return f"debootstrap: {match[1].lower()} packages" if match else None


def _remove(tools: Tools, folder: Path) -> None:
    """An interrupted debootstrap leaves /proc and /sys mounted in its tree: unmount before deleting,
    and delete nothing below a mount that stays."""
    for mount in reversed(_mounts(tools, folder)):
        try:
            tools.host.run(["umount", mount])
        except KindctlError:
            return
    shutil.rmtree(folder, ignore_errors=True)


def _mounts(tools: Tools, folder: Path) -> list[str]:
    table = tools.host.read(Path("/proc/self/mounts")) or ""
    places = [line.split()[1] for line in table.splitlines() if len(line.split()) > 1]
    return [place for place in places if place.startswith(f"{folder}/")]
