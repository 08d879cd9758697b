"""What every Engine does. What needs a kind node (`load_into`) is in test_kind.py."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kindctl.errors import MachineError, ToolError
from kindctl.models import PortMapping
from kindctl.tools.engine_protocol import Build, ImageInfo, Run
from kindctl.tools.net import RealNet
from tests.support.benches import TEST_LABEL, EngineBench

AWKWARD = 'it\'s "quoted", costs $HOME and \\n'


@pytest.fixture
def base(engines: EngineBench) -> ImageInfo:
    """An image with a few programs."""
    tag = f"kindctl.local/{engines.prefix}:base"
    return engines.engine.import_image(engines.root_archive(), tag, engines.labels)


def build(engines: EngineBench, folder: Path, dockerfile: str) -> Build:
    folder.mkdir(exist_ok=True)
    (folder / "Dockerfile").write_text(dockerfile)
    tag = f"kindctl.local/{engines.prefix}:built"
    return Build(str(folder), tag, labels=engines.labels)


def heard(_: str) -> None:
    """For progress that is not looked at."""


# --- the engine ----------------------------------------------------------------------------------


def test_the_engine_introduces_itself(engines: EngineBench) -> None:
    info = engines.engine.info()
    assert info.product in ("docker", "podman")
    assert info.version[0].isdigit()
    assert "://" in info.host
    assert info.architecture in ("amd64", "arm64")
    assert info.cgroup_version in (1, 2)
    assert info.cpus > 0
    assert info.memory > 1 << 28


def test_every_method_says_that_there_is_no_engine(
    engines: EngineBench, base: ImageInfo, tmp_path: Path
) -> None:
    engine = engines.engine
    to_build = build(engines, tmp_path / "context", "FROM scratch\nCOPY . .\n")
    engines.shut_down()
    for call in (
        engine.info,
        lambda: engine.image("x"),
        engine.images,
        lambda: engine.pull("127.0.0.1:9/x", heard),
        lambda: engine.build(to_build, heard),
        lambda: engine.import_image(tmp_path / "root.tar", "x", {}),
        lambda: engine.read_files("x", "/y"),
        lambda: engine.tag("x", "y"),
        lambda: engine.remove_image("x"),
        engine.containers,
        lambda: engine.exec("x", ["true"]),
        lambda: engine.load_into("x", ["y"]),
        lambda: engine.start("x"),
        lambda: engine.stop("x"),
        lambda: engine.remove("x"),
        lambda: engine.logs("x"),
        engine.networks,
        engine.unused_volumes,
        lambda: engine.push("x", heard),
        lambda: engine.run(Run("x", "y")),
        lambda: engine.volume("x"),
        lambda: engine.remove_volume("x"),
    ):
        with pytest.raises(MachineError) as caught:
            call()
        assert caught.value.code == "engine-down"


def test_networks_have_subnets(engines: EngineBench) -> None:
    networks = engines.engine.networks()
    assert networks["host"].subnets == ()
    assert "/" in networks["bridge"].subnets[0]


def test_a_network_tells_how_its_addresses_are_given_out(engines: EngineBench) -> None:
    bridge = engines.engine.networks()["bridge"]
    assert bridge.ranges == ()
    assert ipaddress.ip_address(bridge.reserved[0]) in ipaddress.ip_network(bridge.subnets[0])
    assert "no-such-network-of-kindctl" not in engines.engine.networks()


def test_the_builder_has_a_version(engines: EngineBench) -> None:
    assert engines.engine.builder_version()[0].isdigit()


# --- images --------------------------------------------------------------------------------------


def test_an_unknown_image_is_none(engines: EngineBench) -> None:
    assert engines.engine.image(f"kindctl.local/{engines.prefix}:none") is None


def test_an_archive_becomes_an_image(engines: EngineBench) -> None:
    tag = f"kindctl.local/{engines.prefix}:imported"
    labels = {**engines.labels, "dev.kindctl.sources": AWKWARD}
    image = engines.engine.import_image(engines.root_archive(), tag, labels)
    assert image.id.startswith("sha256:")
    assert image.tags == (tag,)
    assert dict(image.labels) == labels
    assert image.size > 0
    assert image.architecture == engines.engine.info().architecture
    assert engines.engine.image(tag) == image
    assert engines.engine.image(image.id) == image


def test_images_are_found_by_label(engines: EngineBench, base: ImageInfo) -> None:
    assert engines.engine.images(engines.labels) == [base]
    assert engines.engine.images({**engines.labels, "dev.kindctl.none": ""}) == []
    assert base in engines.engine.images({TEST_LABEL: ""})
    assert base in engines.engine.images()


def test_a_tag_is_another_name(engines: EngineBench, base: ImageInfo) -> None:
    other = f"{engines.prefix}/other"
    engines.engine.tag(base.id, other)
    tagged = engines.engine.image(f"docker.io/{other}:latest")
    assert tagged is not None
    assert set(tagged.tags) == {*base.tags, f"{other}:latest"}
    engines.engine.remove_image(other)
    assert engines.engine.image(other) is None
    assert engines.engine.image(base.id) == base


def test_an_image_is_removed_and_may_be_gone(engines: EngineBench, base: ImageInfo) -> None:
    engines.engine.remove_image(base.tags[0])
    assert engines.engine.image(base.id) is None
    engines.engine.remove_image(base.tags[0])


def test_only_what_exists_can_be_tagged(engines: EngineBench) -> None:
    with pytest.raises(ToolError) as caught:
        engines.engine.tag(f"kindctl.local/{engines.prefix}:none", "x")
    assert "No such image" in caught.value.why


def test_an_image_is_pulled_from_its_registry(engines: EngineBench) -> None:
    reference = engines.publish(engines.labels)
    lines: list[str] = []
    image = engines.engine.pull(reference, lines.append)
    assert image.tags == (reference,)
    assert dict(image.labels) == engines.labels
    assert lines
    assert engines.engine.image(reference) == image


def test_a_pull_that_fails_says_why(engines: EngineBench) -> None:
    port = RealNet().free_port("127.0.0.1", ())
    with pytest.raises(ToolError) as caught:
        engines.engine.pull(f"127.0.0.1:{port}/{engines.prefix}:1", heard)
    assert caught.value.code in ("pull-unreachable", "pull-not-found")
    assert caught.value.fix


def test_a_pushed_image_is_in_its_registry_by_digest(engines: EngineBench, base: ImageInfo) -> None:
    repository = f"{engines.empty_registry()}/{engines.prefix}"
    name, lines = f"{repository}:1", list[str]()
    engines.engine.tag(base.id, name)
    digest = engines.engine.push(name, lines.append)
    assert digest.startswith("sha256:")
    assert lines
    image = engines.engine.image(name)
    assert image is not None
    assert f"{repository}@{digest}" in image.digests
    assert engines.engine.in_registry(f"{repository}@{digest}")
    assert not engines.engine.in_registry(f"{repository}@sha256:{'0' * 64}")
    assert engines.engine.push(name, heard) == digest


def test_a_push_that_fails_says_what_to_do(engines: EngineBench, base: ImageInfo) -> None:
    name = f"{engines.no_registry()}/{engines.prefix}:1"
    engines.engine.tag(base.id, name)
    with pytest.raises(ToolError) as caught:
        engines.engine.push(name, heard)
    assert caught.value.code == "image-push"
    assert "images.push" in caught.value.fix


# --- builds --------------------------------------------------------------------------------------


def test_a_build_is_loaded_under_its_tag(engines: EngineBench, tmp_path: Path) -> None:
    wanted = build(engines, tmp_path / "context", "FROM scratch\nCOPY . /app/\n")
    lines: list[str] = []
    image = engines.engine.build(wanted, lines.append)
    assert image.tags == (wanted.tag,)
    assert dict(image.labels) == engines.labels
    assert any("load build definition" in line for line in lines)
    assert engines.engine.build(wanted, heard).id == image.id


def test_bases_may_come_from_the_engine(
    engines: EngineBench, base: ImageInfo, tmp_path: Path
) -> None:
    """By their name, by an argument, and by a named context in place of what the Dockerfile says."""
    named = build(engines, tmp_path / "one", f"FROM {base.tags[0]}\nLABEL a=b\n")
    image = engines.engine.build(named, heard)
    assert image.labels == {**base.labels, "a": "b"}
    by_argument = build(engines, tmp_path / "two", "ARG BASE=none\nFROM ${BASE}\n")
    image = engines.engine.build(replace(by_argument, args={"BASE": base.tags[0]}), heard)
    assert image.labels == base.labels
    by_context = build(engines, tmp_path / "three", "FROM python:3.13-slim\n")
    contexts = {"python:3.13-slim": f"docker-image://{base.tags[0]}"}
    image = engines.engine.build(replace(by_context, contexts=contexts), heard)
    assert image.labels == base.labels


def test_a_stage_can_be_the_target(engines: EngineBench, tmp_path: Path) -> None:
    recipe = "FROM scratch AS first\nLABEL stage=1\nCOPY . .\nFROM first AS second\nLABEL stage=2\n"
    wanted = replace(build(engines, tmp_path / "context", recipe), target="first")
    assert engines.engine.build(wanted, heard).labels["stage"] == "1"


def test_a_dockerfile_may_lie_elsewhere(engines: EngineBench, tmp_path: Path) -> None:
    wanted = build(engines, tmp_path / "context", "FROM nowhere.invalid/none\n")
    elsewhere = tmp_path / "other.Dockerfile"
    elsewhere.write_text("FROM scratch\nCOPY . .\nLABEL other=yes\n")
    image = engines.engine.build(replace(wanted, dockerfile=str(elsewhere)), heard)
    assert image.labels["other"] == "yes"


def test_a_build_without_a_dockerfile_fails(engines: EngineBench, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ToolError) as caught:
        engines.engine.build(
            Build(str(tmp_path / "empty"), f"kindctl.local/{engines.prefix}"), heard
        )
    assert caught.value.code == "image-build"
    assert "Dockerfile" in caught.value.output


def test_a_base_that_cannot_be_had_is_named(engines: EngineBench, tmp_path: Path) -> None:
    port = RealNet().free_port("127.0.0.1", ())
    missing = f"127.0.0.1:{port}/{engines.prefix}:none"
    with pytest.raises(ToolError) as caught:
        engines.engine.build(build(engines, tmp_path / "context", f"FROM {missing}\n"), heard)
    assert caught.value.code == "build-base"
    assert missing in caught.value.fix


def test_files_are_read_out_of_an_image_that_has_no_program(engines: EngineBench) -> None:
    files = {"a.yaml": "kind: A\n", "b.yaml": "kind: Ä\n"}
    reference = engines.image_of("/crds", files)
    assert engines.engine.read_files(reference, "/crds") == files
    assert engines.engine.containers(labels=engines.labels) == []
    for image, folder in ((reference, "/others"), (f"kindctl.local/{engines.prefix}:no", "/crds")):
        with pytest.raises(ToolError):
            engines.engine.read_files(image, folder)


# --- containers ----------------------------------------------------------------------------------


def test_a_container_is_described(engines: EngineBench, base: ImageInfo) -> None:
    name, port = f"{engines.prefix}-a", RealNet().free_port("127.0.0.1", ())
    own = {**engines.labels, "a": "b"}
    engines.run(name, base.tags[0], {"a": "b"}, port=port, volume=True)
    (container,) = engines.engine.containers(labels=engines.labels)
    assert container.name == name
    assert container.image == base.tags[0]
    assert container.labels == own
    assert container.state == "running"
    assert container.started_at is not None
    assert abs(datetime.now(UTC) - container.started_at) < timedelta(minutes=5)
    assert container.ports == {"8080/tcp": (("127.0.0.1", port),)}
    assert set(container.addresses) == {"bridge"}
    assert len(container.volumes) == 1
    assert engines.engine.containers(name=name) == [container]


def test_a_container_is_run_with_a_labelled_volume(engines: EngineBench, base: ImageInfo) -> None:
    name, port = f"{engines.prefix}-a", RealNet().free_port("127.0.0.1", ())
    tag = engines.endless(base)
    wanted = Run(
        name,
        tag,
        labels=engines.labels,
        ports=[PortMapping(port, 8080)],
        volumes={f"{name}-data": "/data"},
    )
    made = engines.engine.run(wanted)
    assert made == engines.engine.containers(name=name)[0]
    assert (made.image, made.state) == (tag, "running")
    assert made.ports == {"8080/tcp": (("127.0.0.1", port),)}
    assert made.volumes == (f"{name}-data",)
    assert engines.labels.items() <= made.labels.items()
    assert engines.engine.volume(f"{name}-data") == engines.labels
    assert f"{name}-data" not in engines.engine.unused_volumes()
    with pytest.raises(ToolError):
        engines.engine.run(wanted)
    engines.engine.remove(name)
    assert engines.engine.volume(f"{name}-data") is not None, "its data stays"
    assert engines.engine.unused_volumes()[f"{name}-data"] == engines.labels
    engines.engine.remove_volume(f"{name}-data")
    assert engines.engine.volume(f"{name}-data") is None
    engines.engine.remove_volume(f"{name}-data")


def test_a_container_needs_a_network_that_is_there(engines: EngineBench, base: ImageInfo) -> None:
    name = f"{engines.prefix}-a"
    with pytest.raises(ToolError) as caught:
        engines.engine.run(Run(name, engines.endless(base), engines.labels, network=name))
    assert "not found" in caught.value.output


def test_containers_are_found_by_exact_name_and_labels(
    engines: EngineBench, base: ImageInfo
) -> None:
    first, second = f"{engines.prefix}-a", f"{engines.prefix}-a-b"
    engines.run(first, base.tags[0], {"n": "1"})
    engines.run(second, base.tags[0], {"n": "2"})

    def names(**query: object) -> set[str]:
        return {found.name for found in engines.engine.containers(**query)}  # type: ignore[arg-type]

    assert names(labels=engines.labels) == {first, second}
    assert names(labels={**engines.labels, "n": ""}) == {first, second}
    assert names(labels={**engines.labels, "n": "2"}) == {second}
    assert names(name=first) == {first}
    assert names(name=first, labels={"n": "2"}) == set()
    assert names(name=engines.prefix) == set()
    assert names(name=engines.engine.containers(name=first)[0].id[:12]) == set()


def test_a_stopped_container_keeps_its_ports_and_starts_again(
    engines: EngineBench, base: ImageInfo
) -> None:
    name, port = f"{engines.prefix}-a", RealNet().free_port("127.0.0.1", ())
    engines.run(name, base.tags[0], {}, port=port)
    (before,) = engines.engine.containers(name=name)
    engines.engine.stop(name)
    (stopped,) = engines.engine.containers(name=name)
    assert stopped.state == "exited"
    assert stopped.ports == before.ports
    assert stopped.addresses == {}
    engines.engine.start(name)
    (after,) = engines.engine.containers(name=name)
    assert (after.id, after.state) == (before.id, "running")
    assert after.started_at is not None
    assert before.started_at is not None
    assert after.started_at > before.started_at


def test_a_taken_port_keeps_a_container_from_starting(
    engines: EngineBench, base: ImageInfo
) -> None:
    port = RealNet().free_port("127.0.0.1", ())
    for name in ("a", "b"):
        if name == "b":
            engines.engine.stop(f"{engines.prefix}-a")
        engines.run(f"{engines.prefix}-{name}", base.tags[0], {}, port=port)
    with pytest.raises(ToolError) as caught:
        engines.engine.start(f"{engines.prefix}-a")
    assert "port is already allocated" in caught.value.output


def test_a_container_goes_with_its_volumes(engines: EngineBench, base: ImageInfo) -> None:
    name = f"{engines.prefix}-a"
    engines.run(name, base.tags[0], {}, volume=True)
    (container,) = engines.engine.containers(name=name)
    assert engines.has_volume(container.volumes[0])
    engines.engine.remove(container.id)
    assert engines.engine.containers(name=name) == []
    assert not engines.has_volume(container.volumes[0])
    engines.engine.remove(container.id)


def test_programs_run_in_a_container(engines: EngineBench, base: ImageInfo) -> None:
    name = f"{engines.prefix}-a"
    engines.run(name, base.tags[0], {})
    engine = engines.engine
    assert engine.exec(name, ["cat"], stdin=b"one\ntwo") == "one\ntwo"
    engine.exec(name, ["touch", "/marker"])
    engine.exec(name, ["test", "-e", "/marker"])
    assert engine.exec(name, ["cat", "/marker"]) == ""
    for command, statuses in (
        (["test", "-e", "/none"], [1]),
        (["no-such-program"], [126, 127]),  # 126 before Docker 27
    ):
        with pytest.raises(ToolError) as caught:
            engine.exec(name, command)
        assert caught.value.status in statuses


def test_nothing_runs_where_no_container_runs(engines: EngineBench, base: ImageInfo) -> None:
    name = f"{engines.prefix}-a"
    with pytest.raises(ToolError) as caught:
        engines.engine.exec(name, ["cat"])
    assert "No such container" in caught.value.why
    engines.run(name, base.tags[0], {})
    engines.engine.stop(name)
    with pytest.raises(ToolError) as caught:
        engines.engine.exec(name, ["cat"])
    assert "is not running" in caught.value.why


def test_the_last_lines_of_both_streams_are_the_log(engines: EngineBench, base: ImageInfo) -> None:
    name = f"{engines.prefix}-a"
    engines.run(name, base.tags[0], {})
    engines.engine.stop(name)  # by then it has said all
    assert sorted(engines.engine.logs(name).split()) == ["one", "three", "two"]
    assert len(engines.engine.logs(name, tail=2).split()) == 2
    with pytest.raises(ToolError):
        engines.engine.logs(f"{engines.prefix}-none")
