"""A Debian machine is set up and taken back: packages, sources, the daemon."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kindctl.errors import MachineError, ToolError
from kindctl.machine import daemon, debian
from kindctl.machine import debian_packages as packages
from kindctl.machine.debian_packages import DEBOOTSTRAP, ENGINE, KIND
from kindctl.machine.debian_sources import AptSource, archive, parse
from kindctl.models import DOCKER_ENVIRONMENT_LABEL
from kindctl.tools.engine_protocol import EngineInfo
from tests.fakes.apt import Package
from tests.fakes.container import FakeContainer
from tests.fakes.engine import FakeEngine
from tests.fakes.host import Failed, FakeHost

EVERYTHING = (*ENGINE, *KIND, *DEBOOTSTRAP)


def quiet(line: str) -> None:
    pass


class Machine(FakeHost):
    """With /proc."""

    def read(self, path: Path) -> str | None:
        if path.parts[:2] == ("/", "proc") and path.name == "comm":
            command = self.processes.get(int(path.parts[2]))
            return f"{Path(command[0]).name}\n" if command else None
        return super().read(path)


@dataclass
class EngineOf(FakeEngine):
    """Answers while a dockerd runs on its machine."""

    host: FakeHost = field(default_factory=FakeHost)

    def _check(self) -> None:
        if not any("dockerd" in command[0] for command in self.host.processes.values()):
            raise MachineError("the container engine does not answer", code="engine-down")


def set_up(host: Machine) -> None:
    for part in (ENGINE, KIND, DEBOOTSTRAP):
        debian.install(host, part, quiet)


def state(host: FakeHost) -> tuple[dict[Path, str], dict[str, Package]]:
    return dict(host.files), dict(host.apt.installed)


# --- package sources -------------------------------------------------------------------------------


def test_one_line_sources_are_read_with_their_options() -> None:
    text = """
    # deb http://old.example/debian buster main
    deb [arch=amd64 signed-by=/usr/share/keyrings/k.gpg] http://a.example/debian bookworm main contrib
    deb-src http://a.example/debian bookworm main
    deb http://b.example/debian-security bookworm-security main # comment
    deb
    """
    assert list(parse("sources.list", text)) == [
        AptSource(
            ("http://a.example/debian",),
            ("bookworm",),
            ("main", "contrib"),
            "/usr/share/keyrings/k.gpg",
        ),
        AptSource(("http://b.example/debian-security",), ("bookworm-security",), ("main",)),
    ]


def test_deb822_sources_are_read_with_embedded_keys_and_without_disabled_ones() -> None:
    text = """\
# a comment
Types: deb deb-src
URIs: mirror+file:/etc/apt/mirrors/debian.list
# in between
Suites: bookworm bookworm-updates
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEY

Types: deb
URIs: http://b.example/debian
Suites: trixie
Components: main
Enabled: no

Types: deb-src
URIs: http://c.example/debian
Suites: bookworm
Components: main
"""
    (source,) = parse("debian.sources", text)
    assert source.uris == ("mirror+file:/etc/apt/mirrors/debian.list",)
    assert source.suites == ("bookworm", "bookworm-updates")
    assert source.signed_by.splitlines()[-1] == " mDMEY"


def test_the_archive_is_the_first_with_main_of_a_suite() -> None:
    sources = [
        AptSource(("http://contrib.example",), ("bookworm",), ("contrib",)),
        AptSource(("http://security.example",), ("bookworm-security",), ("main",)),
        AptSource(("http://main.example",), ("bookworm",), ("main",)),
    ]
    assert archive(sources, ["bookworm"]) == sources[2]
    assert archive(sources, ["sid"]) is None


# --- plan and install ------------------------------------------------------------------------------


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
        (FakeHost(release={"ID": "ubuntu", "VERSION_ID": "24.04"}), "docs.docker.com"),
        (FakeHost(release={}), "kind.sigs.k8s.io"),
        (FakeHost(root=False), "as root"),
        (FakeHost(release={"ID": "debian", "VERSION_ID": "11"}), "upgrade to Debian 12"),
    ],
)
def test_elsewhere_there_is_advice_and_nothing_is_done(host: FakeHost, words: str) -> None:
    before = state(host)
    assert words in debian.obstacle(host)
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


# --- the daemon ------------------------------------------------------------------------------------


def test_the_daemon_is_started_and_waited_for() -> None:
    host = Machine()
    set_up(host)
    said: list[str] = []
    daemon.start(host, EngineOf(host=host), said.append)
    assert [Path(command[0]).name for command in host.processes.values()] == ["dockerd"]
    assert daemon.own_pid(host) in host.processes
    assert str(daemon.LOG) in said[-1]


def test_a_daemon_that_is_coming_up_already_is_not_started_twice() -> None:
    host = Machine(processes={77: ("/usr/sbin/dockerd",)})
    host.files[daemon.DOCKERS_OWN_PID] = "77\n"
    daemon.start(host, EngineOf(host=host), quiet)
    assert list(host.processes) == [77]
    assert daemon.own_pid(host) is None


def test_a_stale_pid_file_of_another_program_does_not_count() -> None:
    host = Machine(processes={77: ("/usr/bin/editor",)})
    host.programs["dockerd"] = lambda arguments, stdin, env: ""
    host.files[daemon.DOCKERS_OWN_PID] = host.files[daemon.PID] = "77\n"
    assert daemon.own_pid(host) is None
    daemon.start(host, EngineOf(host=host), quiet)
    assert len(host.processes) == 2
    assert host.files.get(daemon.DOCKERS_OWN_PID) != "77\n"  # dockerd would refuse to start over it


def test_with_systemd_its_service_is_started() -> None:
    host = Machine(systemd=True)
    engine = EngineOf(host=host)

    def systemctl(arguments: Sequence[str], stdin: str, env: Mapping[str, str]) -> str:
        assert list(arguments) == ["start", "docker"]
        host.processes[1] = ("/usr/sbin/dockerd",)
        return ""

    host.programs["systemctl"] = systemctl
    daemon.start(host, engine, quiet)
    assert daemon.own_pid(host) is None
    assert "systemctl start docker" in daemon.plan(host)


def test_a_daemon_that_cannot_run_is_an_error_with_its_last_words() -> None:
    host = Machine()

    def dockerd(arguments: Sequence[str], stdin: str, env: Mapping[str, str]) -> str:
        raise Failed(1, "failed to start daemon: Devices cgroup isn't mounted\n")

    host.programs["dockerd"] = dockerd
    with pytest.raises(MachineError) as caught:
        daemon.start(host, EngineOf(host=host), quiet)
    assert caught.value.code == "engine-start"
    assert caught.value.exit_code == 3
    assert "Devices cgroup" in caught.value.output
    assert str(daemon.LOG) in caught.value.fix


def test_a_daemon_that_dies_is_not_waited_for() -> None:
    host = Machine()
    host.programs["dockerd"] = lambda arguments, stdin, env: "level=error msg=dying\n"
    asked = []

    class Dying(FakeEngine):
        def info(self) -> EngineInfo:
            asked.append(1)
            host.processes.clear()
            raise MachineError("the container engine does not answer")

    with pytest.raises(MachineError, match="has ended"):
        daemon.start(host, Dying(), quiet, timeout=5)
    assert len(asked) == 1


def test_a_daemon_that_never_answers_is_given_up() -> None:
    host = Machine()
    host.programs["dockerd"] = lambda arguments, stdin, env: "level=info msg=starting\n"
    deaf = FakeEngine(problem=MachineError("the container engine does not answer"))
    with pytest.raises(MachineError, match="does not answer") as caught:
        daemon.start(host, deaf, quiet, timeout=0.01)
    assert caught.value.code == "engine-start"
    assert "msg=starting" in caught.value.output


# --- and back --------------------------------------------------------------------------------------


def test_undo_takes_back_exactly_what_was_added() -> None:
    host = Machine()
    engine = EngineOf(host=host)
    host.apt.installed["curl"] = Package("curl", "bookworm", "7.88")
    before = state(host)
    set_up(host)
    daemon.start(host, engine, quiet)
    wishes = "\n".join(debian.planned_removals(host, engine))
    assert "stop dockerd" in wishes
    assert "docker.io" in wishes
    assert "curl" not in wishes
    assert str(packages.SOURCES) in wishes

    debian.undo(host, engine, quiet)
    assert state(host) == before
    assert host.processes == {}
    assert host.apt.lists == {"bookworm", "bookworm-updates"}
    assert debian.planned_removals(host, engine) == []


def test_undo_of_nothing_does_nothing() -> None:
    host = Machine(processes={77: ("/usr/sbin/dockerd",)})
    engine = EngineOf(host=host)
    host.apt.installed["docker.io"] = Package("docker.io", "trixie", "26.1.5")
    before = state(host)
    assert debian.planned_removals(host, engine) == []
    debian.undo(host, engine, quiet)
    assert state(host) == before
    assert list(host.processes) == [77]


def test_undo_leaves_all_while_the_engine_holds_somebody_elses_containers() -> None:
    host = Machine()
    engine = EngineOf(host=host)
    set_up(host)
    daemon.start(host, engine, quiet)
    engine.add_image("image")
    own = {DOCKER_ENVIRONMENT_LABEL: "shop"}
    engine.add_container(FakeContainer("shop-control-plane", "image", labels=own))
    engine.add_container(FakeContainer("their-database", "image"))
    engine.volumes, engine.volume_labels = {"shop-data", "their-data"}, {"shop-data": own}
    before = state(host)
    (wish,) = debian.planned_removals(host, engine)
    assert "container their-database, volume their-data," in wish
    assert "shop" not in wish
    said: list[str] = []
    debian.undo(host, engine, said.append)
    assert "their-database" in said[0]
    assert state(host) == before
    assert host.processes


def test_undo_leaves_all_while_another_package_needs_them() -> None:
    host = Machine()
    engine = EngineOf(host=host)
    set_up(host)
    host.apt.installed["their-tool"] = Package("their-tool", "bookworm", "1", ("docker-cli",))
    before = state(host)
    debian.undo(host, engine, quiet)
    assert state(host) == before
    assert "their-tool" in debian.planned_removals(host, engine)[0]


def test_what_a_silent_engine_stored_is_kept() -> None:
    host = Machine()
    engine = EngineOf(host=host)
    set_up(host)
    actions: list[str] = []
    run = host.programs["apt-get"]

    def noted(arguments: Sequence[str], stdin: str, env: Mapping[str, str]) -> str:
        if "-s" not in arguments:
            actions.extend(word for word in arguments if word in ("remove", "purge"))
        return run(arguments, stdin, env)

    host.programs["apt-get"] = noted
    said: list[str] = []
    debian.undo(host, engine, said.append)
    assert actions == ["remove"]
    assert "/var/lib/docker" in said[0]
    assert "docker.io" not in host.apt.installed


def test_the_record_is_readable_and_complete() -> None:
    host = Machine()
    set_up(host)
    record = json.loads(host.files[packages.RECORD])
    assert set(record["packages"]) == set(host.apt.installed)
    assert set(record["files"]) == {str(packages.SOURCES), str(packages.PREFERENCES)}
