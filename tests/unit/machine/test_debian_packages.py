"""Tests of machine/debian_packages.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from kindctl.errors import MachineError, ToolError
from kindctl.machine import debian
from kindctl.machine import debian_packages as packages
from kindctl.machine.debian_packages import DEBOOTSTRAP, ENGINE, KIND
from kindctl.machine.debian_sources import parse
from tests.fakes.apt import Package
from tests.fakes.host import Failed, FakeHost
from tests.support.debian_machine import Machine, quiet, set_up, state

EVERYTHING = (*ENGINE, *KIND, *DEBOOTSTRAP)


def test_the_plan_names_packages_releases_mirror_and_files() -> None:
    plan = debian.plan(FakeHost(), EVERYTHING)
    text = "\n".join(plan)
    assert "trixie and sid at http://mirror.example.com/debian" in plan[0]
    assert str(packages.SOURCES) in plan[0]
    assert "docker.io, docker-cli, docker-buildx from Debian trixie" in text
    assert "tini, iptables from Debian bookworm" in text
    assert "kind from Debian sid" in text


def test_planning_changes_nothing() -> None:
    host = FakeHost()
    before = state(host)
    debian.plan(host, EVERYTHING)
    assert state(host) == before


def test_everything_is_installed_from_the_release_that_it_is_meant_to_come_from() -> None:
    host = Machine()
    set_up(host)
    releases = {name: package.release for name, package in host.apt.installed.items()}
    assert releases["docker.io"] == releases["docker-cli"] == "trixie"
    assert releases["kind"] == "sid"
    assert releases["tini"] == releases["runc"] == releases["debootstrap"] == "bookworm"
    assert debian.plan(host, EVERYTHING) == []


def test_the_sources_are_the_machines_own_mirror_and_key_and_are_pinned() -> None:
    host = FakeHost()
    del host.files[Path("/etc/apt/sources.list")]
    host.files[Path("/etc/apt/sources.list.d/debian.sources")] = (
        "Types: deb\nURIs: http://own.example/debian\nSuites: bookworm bookworm-updates\n"
        "Components: main\nSigned-By: /usr/share/keyrings/own.gpg\n"
    )
    debian.install(host, KIND, quiet)
    (source,) = parse("x.sources", host.files[packages.SOURCES])
    assert source.uris == ("http://own.example/debian",)
    assert source.signed_by == "/usr/share/keyrings/own.gpg"
    assert "Check-Valid-Until: no" in host.files[packages.SOURCES]
    pins = host.files[packages.PREFERENCES]
    assert "release n=trixie\nPin-Priority: 50\n" in pins
    assert "release n=sid\nPin-Priority: 40\n" in pins


def test_no_source_is_added_for_what_the_own_release_has() -> None:
    host = FakeHost()
    debian.install(host, DEBOOTSTRAP, quiet)
    assert "debootstrap" in host.apt.installed
    assert packages.SOURCES not in host.files


def test_what_is_there_is_not_installed_again_nor_recorded() -> None:
    host = Machine()
    tini = Package("tini", "bookworm", "0.19.0")
    host.apt.installed["tini"] = tini
    set_up(host)
    assert host.apt.installed["tini"] is tini
    assert "tini" not in packages.read_record(host).packages
    assert {"docker.io", "containerd", "runc"} <= set(packages.read_record(host).packages)


def test_a_package_that_is_there_is_never_upgraded() -> None:
    host = FakeHost()
    old = Package("containerd", "bookworm", "1.6.20")
    host.apt.installed["containerd"] = old
    host.apt.archive = [
        Package("docker.io", "trixie", "26.1.5", ("libnew",)),
        Package("libnew", "bookworm", "2"),
        Package("containerd", "bookworm", "1.6.24"),
    ]
    wanted = ["docker.io/trixie", "containerd"]
    host.apt.lists.add("trixie")
    with pytest.raises(MachineError, match="would change packages") as caught:
        packages.would_install(host, wanted)
    assert caught.value.code == "packages"
    assert "containerd" in caught.value.why
    assert host.apt.installed == {"containerd": old}


def test_lists_that_were_never_fetched_are_fetched() -> None:
    host = FakeHost()
    host.apt.lists = set()
    debian.install(host, DEBOOTSTRAP, quiet)
    assert "debootstrap" in host.apt.installed


def test_a_failed_installation_leaves_no_claim_on_packages_that_did_not_come() -> None:
    host = FakeHost()
    debian.install(host, DEBOOTSTRAP, quiet)

    def broken(arguments: Sequence[str], stdin: str, env: Mapping[str, str]) -> str:
        if "install" in arguments and "-s" not in arguments:
            raise Failed(100, "E: Failed to fetch")
        return host.apt.get(arguments)

    host.programs["apt-get"] = broken
    with pytest.raises(ToolError):
        debian.install(host, KIND, quiet)
    assert packages.read_record(host).packages == ("debootstrap",)


@pytest.mark.parametrize(
    ("release", "from_sid"),
    [
        ({"ID": "debian", "VERSION_ID": "13", "VERSION_CODENAME": "trixie"}, "kind"),
        ({"ID": "debian", "VERSION_CODENAME": "forky"}, "kind"),
    ],
)
def test_later_releases_take_their_own_engine(release: Mapping[str, str], from_sid: str) -> None:
    codename = release["VERSION_CODENAME"]
    host = FakeHost(release=release)
    host.files[Path("/etc/apt/sources.list")] = f"deb http://m.example/debian {codename} main\n"
    plan = "\n".join(debian.plan(host, EVERYTHING))
    assert f"docker.io, docker-cli, docker-buildx, tini, iptables from Debian {codename}" in plan
    assert f"{from_sid} from Debian sid" in plan


def test_the_sources_that_were_added_do_not_make_a_machine_unstable() -> None:
    host = FakeHost(release={"ID": "debian", "VERSION_CODENAME": "forky"})
    host.files[Path("/etc/apt/sources.list")] = "deb http://m.example/debian forky main\n"
    debian.install(host, KIND, quiet)
    assert host.apt.installed.pop("kind").release == "sid"
    assert debian.plan(host, KIND) == ["install kind from Debian sid, with their dependencies"]


def test_unstable_needs_no_other_release() -> None:
    host = FakeHost(release={"ID": "debian", "VERSION_CODENAME": "forky"})
    host.files[Path("/etc/apt/sources.list")] = "deb http://m.example/debian sid main\n"
    (sentence,) = debian.plan(host, EVERYTHING)
    assert sentence.startswith("install docker.io")


@pytest.mark.parametrize(
    ("host", "words"),
    [
        (FakeHost(release={"ID": "ubuntu", "VERSION_ID": "24.04"}), "install kind (https://kind"),
        (FakeHost(release={}), "kind.sigs.k8s.io"),
        (FakeHost(root=False), "as root"),
        (FakeHost(release={"ID": "debian", "VERSION_ID": "11"}), "upgrade to Debian 12"),
    ],
)
def test_elsewhere_there_is_advice_and_nothing_is_done(host: FakeHost, words: str) -> None:
    before = state(host)
    assert words in debian.obstacle(host, KIND)
    assert debian.plan(host, EVERYTHING) == []
    with pytest.raises(MachineError) as caught:
        debian.install(host, KIND, quiet)
    assert words in caught.value.fix
    assert state(host) == before


def test_without_a_source_for_main_that_is_said() -> None:
    host = FakeHost()
    host.files[Path("/etc/apt/sources.list")] = "deb http://other.example/ stable contrib\n"
    with pytest.raises(MachineError, match="no package source"):
        debian.plan(host, KIND)


def test_the_advice_names_only_what_is_missing() -> None:
    host = FakeHost(release={"ID": "ubuntu", "VERSION_ID": "24.04"})
    docker = "install Docker (https://docs.docker.com/engine/install/)"
    assert debian.obstacle(host, ENGINE) == docker
    assert debian.obstacle(host, DEBOOTSTRAP) == "install debootstrap"
    assert debian.obstacle(host).startswith(f"{docker} and kind (")
