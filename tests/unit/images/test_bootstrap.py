"""The root file system that the first recipe is built from."""

from __future__ import annotations

from pathlib import Path

import pytest

from kindctl.errors import KindctlError, MachineError
from kindctl.images import bootstrap
from kindctl.images.recipe_book import RECIPE_LABEL
from kindctl.models import Say
from tests.fakes.host import Failed, FakeHost
from tests.support.images_bench import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


def quiet(text: str) -> None:
    pass


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(bootstrap, "SCRATCH", str(folder))
    return folder


def refuse(say: Say) -> str:
    raise KindctlError("docker.io cannot be reached")


def with_debootstrap(bench: Bench) -> list[list[str]]:
    """A debootstrap and a tar that do on the disk what the real ones do; what they were called with."""
    calls: list[list[str]] = []

    def debootstrap(arguments: object, stdin: str, env: object) -> str:
        words = list(arguments)  # type: ignore[call-overload]
        calls.append(words)
        Path(words[-1]).mkdir()
        Path(words[-1], "etc").mkdir()
        return "I: Retrieving libc6\nI: Validating libc6\nI: Unpacking libc6\nI: Base system\n"

    def tar(arguments: object, stdin: str, env: object) -> str:
        words = list(arguments)  # type: ignore[call-overload]
        tree, archive = Path(words[words.index("-C") + 1]), Path(words[words.index("-cf") + 1])
        archive.write_text(" ".join(path.name for path in tree.iterdir()))
        return ""

    bench.host.programs |= {"debootstrap": debootstrap, "tar": tar}
    return calls


def test_debootstrap_makes_the_root_file_system_and_leaves_nothing(
    bench: Bench, scratch: Path
) -> None:
    calls = with_debootstrap(bench)
    said: list[str] = []
    name = bootstrap.rootfs(bench.tools, refuse, said.append)
    assert calls[0][:3] == ["--variant=minbase", "--include=ca-certificates", "trixie"]
    assert list(scratch.iterdir()) == []
    image = bench.engine.image(name)
    assert image
    assert image.labels[RECIPE_LABEL] == "debian-rootfs"
    assert said[:2] == ["debootstrap: retrieving packages", "debootstrap: unpacking packages"]

    assert bootstrap.rootfs(bench.tools, refuse, quiet) == name
    assert len(calls) == 1, "it stays in the engine"


def test_a_root_file_system_of_the_engine_is_used(bench: Bench) -> None:
    bench.engine.add_image(bootstrap.OFFICIAL)
    assert bootstrap.rootfs(bench.tools, refuse, quiet) == bootstrap.ROOTFS
    (build,) = bench.engine.built
    assert build.contexts == {"official": f"docker-image://{bootstrap.OFFICIAL}"}
    assert bootstrap.rootfs(bench.tools, refuse, quiet) == bootstrap.ROOTFS
    assert len(bench.engine.built) == 1


def test_an_interrupted_debootstrap_leaves_no_mounts_and_no_files(
    bench: Bench, scratch: Path
) -> None:
    unmounted: list[str] = []

    def debootstrap(arguments: object, stdin: str, env: object) -> str:
        tree = Path(list(arguments)[-1])  # type: ignore[call-overload]
        tree.mkdir()
        mounts = f"proc {tree}/proc proc rw 0 0\nsysfs {tree}/sys sysfs rw 0 0\nproc /proc proc\n"
        bench.host.files[Path("/proc/self/mounts")] = mounts
        raise Failed(1, "E: Couldn't download packages")

    def umount(arguments: object, stdin: str, env: object) -> str:
        (place,) = list(arguments)  # type: ignore[call-overload]
        unmounted.append(place)
        return ""

    bench.host.programs |= {"debootstrap": debootstrap, "umount": umount}
    with pytest.raises(KindctlError) as caught:
        bootstrap.rootfs(bench.tools, refuse, quiet)
    assert caught.value.code == "bootstrap"
    assert "Couldn't download" in caught.value.output
    assert [place.rpartition("/")[2] for place in unmounted] == ["sys", "proc"]
    assert list(scratch.iterdir()) == []


def test_nothing_is_deleted_below_a_mount_that_stays(bench: Bench, scratch: Path) -> None:
    def debootstrap(arguments: object, stdin: str, env: object) -> str:
        tree = Path(list(arguments)[-1])  # type: ignore[call-overload]
        (tree / "proc").mkdir(parents=True)
        bench.host.files[Path("/proc/self/mounts")] = f"proc {tree}/proc proc rw 0 0\n"
        raise Failed(1)

    def umount(arguments: object, stdin: str, env: object) -> str:
        raise Failed(32, "target is busy")

    bench.host.programs |= {"debootstrap": debootstrap, "umount": umount}
    with pytest.raises(KindctlError):
        bootstrap.rootfs(bench.tools, refuse, quiet)
    assert len(list(scratch.glob("*/rootfs/proc"))) == 1


@pytest.mark.parametrize(
    ("host", "why"),
    [
        (FakeHost(), "debootstrap is not installed"),
        (FakeHost(root=False), "debootstrap needs root"),
        (FakeHost(disk=1000), "is free"),
    ],
)
def test_without_debootstrap_the_official_image_is_pulled_or_the_error_says_both(
    scratch: Path, host: FakeHost, why: str
) -> None:
    bench = Bench(host=host)
    if "installed" not in why:
        with_debootstrap(bench)

    def pull(say: Say) -> str:
        bench.engine.add_image(bootstrap.OFFICIAL)
        return bootstrap.OFFICIAL

    assert bootstrap.rootfs(bench.tools, pull, quiet) == bootstrap.ROOTFS
    for name in (bootstrap.OFFICIAL, bootstrap.ROOTFS):
        bench.engine.remove_image(name)
    with pytest.raises(MachineError) as caught:
        bootstrap.rootfs(bench.tools, refuse, quiet)
    assert caught.value.code == "bootstrap"
    assert why in caught.value.why
    assert "docker.io cannot be reached" in caught.value.why
