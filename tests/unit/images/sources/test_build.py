"""Images that are built from package registries: recipes in order, the root file system, what is told."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from kindctl.errors import KindctlError, MachineError
from kindctl.images import bootstrap, cas
from kindctl.images.progress import BuildProgress, duration, instruction, time_left
from kindctl.images.recipe_book import RECIPE_LABEL, RecipeBook
from kindctl.images.sources import load_source
from kindctl.images.sources.base import SourceContext
from kindctl.images.sources.build import Queue
from kindctl.images.sources.build import Source as BuildSource
from kindctl.tools.protocols import Say
from tests.fakes.host import Failed, FakeHost
from tests.support.images_bench import CORPORATE_CA, Bench, write_recipes


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def book(tmp_path: Path) -> RecipeBook:
    return RecipeBook(write_recipes(tmp_path / "recipes"))


def around(bench: Bench, book: RecipeBook) -> SourceContext:
    return SourceContext(bench.tools, {}, book)


def quiet(text: str) -> None:
    pass


# --- build ---------------------------------------------------------------------------------------


@pytest.fixture
def debian(bench: Bench) -> Bench:
    bench.engine.add_image(bootstrap.ROOTFS)
    return bench


def test_what_a_recipe_needs_is_built_first(debian: Bench, book: RecipeBook) -> None:
    source = load_source("build", around(debian, book))
    provided = source.provide("kindest/node:v1.36", quiet)
    tags = [book.tag(book.get(name)) for name in ("debian", "go", "node")]
    assert [build.tag for build in debian.engine.built] == tags
    assert provided.name == tags[-1]
    assert provided.done == tuple(f"built {tag}" for tag in tags)
    node = debian.engine.built[-1]
    assert node.contexts == {
        "debian": f"docker-image://{tags[0]}",
        "go": f"docker-image://{tags[1]}",
    }
    assert node.args == {"VERSION": "1.36.3"}


def test_what_is_built_is_found_and_stays(debian: Bench, book: RecipeBook) -> None:
    source = load_source("build", around(debian, book))
    name = source.provide("python:3.13-slim", quiet).name
    count = len(debian.engine.built)
    assert source.find("python:3.13-slim-bookworm") == name
    assert source.provide("python:3.13-slim", quiet).done == ()
    assert len(debian.engine.built) == count


def test_a_removed_image_is_built_alone(debian: Bench, book: RecipeBook) -> None:
    source = load_source("build", around(debian, book))
    source.provide("kindest/node:v1.36", quiet)
    tag = source.provide("python:3.13-slim", quiet).name
    debian.engine.remove_image(tag)
    assert source.provide("python:3.13-slim", quiet).done == (f"built {tag}",)


def test_an_edited_recipe_is_built_alone(debian: Bench, book: RecipeBook) -> None:
    load_source("build", around(debian, book)).provide("kindest/node:v1.36", quiet)
    (book.folder / "node" / "Dockerfile").write_text("FROM debian\nFROM go\nRUN true\n")
    edited = RecipeBook(book.folder)
    source = load_source("build", around(debian, edited))
    assert source.find("kindest/node:v1.36") is None
    provided = source.provide("kindest/node:v1.36", quiet)
    assert provided.done == (f"built {edited.tag(edited.get('node'))}",)


def test_what_a_present_image_was_made_from_is_not_missed(debian: Bench, book: RecipeBook) -> None:
    source = load_source("build", around(debian, book))
    source.provide("kindest/node:v1.36", quiet)
    debian.engine.remove_image(book.tag(book.get("go")))
    assert source.provide("kindest/node:v1.36", quiet).done == ()


def test_no_upstream_name_is_ever_given_to_what_is_built(debian: Bench, book: RecipeBook) -> None:
    load_source("build", around(debian, book)).provide("kindest/node:v1.36", quiet)
    tags = [tag for image in debian.engine.images() for tag in image.tags]
    assert tags
    assert all(tag.startswith("kindctl.local/") for tag in tags)


def test_a_reference_without_a_recipe_is_not_built(bench: Bench, book: RecipeBook) -> None:
    with pytest.raises(KindctlError) as caught:
        load_source("build", around(bench, book)).provide("redis:7", quiet)
    assert caught.value.code == "image-unavailable"


def test_a_build_that_fails_says_which_and_why(debian: Bench, book: RecipeBook) -> None:
    tag = book.tag(book.get("python"))
    debian.engine.build_failures[tag] = (
        "#7 1.2 E: Unable to locate package python3\n"
        'ERROR: failed to solve: process "/bin/sh -c apt-get install" did not complete'
    )
    with pytest.raises(KindctlError) as caught:
        load_source("build", around(debian, book)).provide("python:3.13-slim", quiet)
    assert caught.value.code == "image-build"
    assert "python" in caught.value.what
    assert caught.value.why.startswith("failed to solve")
    assert "Unable to locate" in caught.value.output


def test_a_full_disk_ends_the_search(debian: Bench, book: RecipeBook) -> None:
    tag = book.tag(book.get("python"))
    debian.engine.build_failures[tag] = "ERROR: write /x: no space left on device"
    with pytest.raises(MachineError) as caught:
        load_source("build", around(debian, book)).provide("python:3.13-slim", quiet)
    assert caught.value.code == "disk-full"


def test_cas_go_into_the_base_and_are_labelled_in_all(debian: Bench, tmp_path: Path) -> None:
    extra = {"corp.crt": CORPORATE_CA}
    book = RecipeBook(write_recipes(tmp_path / "recipes"), extra_cas=extra)
    name = load_source("build", around(debian, book)).provide("python:3.13-slim", quiet).name
    image = debian.engine.image(name)
    assert image
    assert cas.carries_cas(image) == cas.fingerprints(extra)
    assert debian.engine.built[0].contexts["rootfs"] == f"docker-image://{bootstrap.ROOTFS}"


def test_builds_wait_for_one_another_and_are_not_done_twice(
    debian: Bench, book: RecipeBook
) -> None:
    source = BuildSource(around(debian, book))
    threads = [
        threading.Thread(target=source.provide, args=(reference, quiet))
        for reference in ("python:3.13-slim", "kindest/node:v1.36", "python:3.13-slim")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    tags = [build.tag for build in debian.engine.built]
    assert sorted(tags) == sorted(book.tag(recipe) for recipe in book.recipes.values())


def test_the_longest_of_the_waiting_builds_is_next() -> None:
    queue, order = Queue(), []
    arrived = threading.Semaphore(0)

    def build(seconds: float) -> None:
        with queue.turn(seconds, arrived.release):
            order.append(seconds)

    threads = [threading.Thread(target=build, args=(seconds,)) for seconds in (10, 480, 25)]
    with queue.turn(1, lambda: None):
        for thread in threads:
            thread.start()
        for _ in threads:
            assert arrived.acquire(timeout=20)
    for thread in threads:
        thread.join(20)
    assert order == [480, 25, 10]


def test_a_build_that_fails_gives_its_turn_away() -> None:
    queue = Queue()
    with pytest.raises(ValueError, match="broken"), queue.turn(1, lambda: None):
        raise ValueError("broken")
    with queue.turn(1, lambda: pytest.fail("nobody builds")):
        pass


# --- bootstrap -----------------------------------------------------------------------------------


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
        (FakeHost(disk=1000), "are free"),
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


# --- progress ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (
            "#9 [compile 3/4] RUN --mount=type=cache,id=a,target=/x set -eu;   go build -o /out/ ./k",
            "RUN go build -o /out/ ./k",
        ),
        ("#5 [2/3] COPY --chown=1:1 files /", "COPY files /"),
        ("#4 [system 2/4] RUN apt-get update", "RUN apt-get update"),
        ("#1 [internal] load build definition from Dockerfile", None),
        ("#9 12.34 go: downloading k8s.io/api", None),
        ("#9 DONE 3.1s", None),
        ("", None),
    ],
)
def test_a_line_of_buildkit_is_its_instruction(line: str, shown: str | None) -> None:
    assert instruction(line) == shown


def test_a_long_instruction_is_cut() -> None:
    shown = instruction("#9 [1/1] RUN " + "x " * 200)
    assert shown
    assert len(shown) <= 60
    assert shown.endswith("…")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1, "5 s"), (42, "40 s"), (99, "1 min 40 s"), (118, "2 min"), (480, "8 min"), (340, "6 min")],
)
def test_an_estimate_is_rounded(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_the_time_left_shrinks_and_then_admits_that_nothing_is_known() -> None:
    assert time_left(480, 0) == "about 8 min left"
    assert time_left(480, 380) == "about 1 min 40 s left"
    assert time_left(480, 481) == "taking longer than the usual 8 min"
    assert time_left(0, 10) == ""


def test_progress_is_told_once_per_change() -> None:
    said: list[str] = []
    at = [0.0]
    with BuildProgress(said.append, "node", 480, now=lambda: at[0]) as progress:
        progress("#5 [compile 2/3] RUN go build ./kube")
        progress("#5 1.0 go: downloading a")
        progress("#5 1.1 go: downloading b")
        at[0] = 240.0
        progress("#5 240.0 compiling")
    assert said == [
        "node: RUN go build ./kube (about 8 min left)",
        "node: RUN go build ./kube (about 4 min left)",
    ]


def test_a_recipe_tells_the_time_of_what_it_needs_too(debian: Bench, book: RecipeBook) -> None:
    said: list[str] = []
    load_source("build", around(debian, book)).provide("kindest/node:v1.36", said.append)
    assert said[0].startswith("debian: ")
    assert "about 9 min left" in said[0], "45 + 15 + 480 s"
