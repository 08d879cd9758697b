"""Each check on fit machines and unfit ones; examine, planned_repairs, repair, raise_for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from kindctl.diagnose.base import Check, WantedPort, Wants
from kindctl.diagnose.checks import (
    CHECKS,
    examine,
    is_repairable,
    load,
    planned_repairs,
    raise_for,
    repair,
)
from kindctl.diagnose.checks.inotify import LIMITS
from kindctl.errors import MachineError, ToolError
from kindctl.models import DOCKER_ENVIRONMENT_LABEL, Verdict
from kindctl.tools.engine_protocol import EngineInfo
from kindctl.tools.protocols import Tools
from tests.fakes.container import FakeContainer
from tests.fakes.engine import INFO, FakeEngine
from tests.fakes.forwards import FakeForwards
from tests.fakes.host import FakeHost
from tests.fakes.kind import FakeKind
from tests.fakes.net import FakeNet

GB = 10**9
REGISTRY = "https://registry-1.docker.io/v2/"
WANTS = Wants(
    ports=(
        WantedPort("127.0.0.1", 80, "ingress.expose.http"),
        WantedPort("127.0.0.1", 443, "ingress.expose.https"),
    ),
    kubernetes="1.36",
    environment="shop",
)

MISSING = MachineError("no container engine", code="engine-missing")
DOWN = MachineError("the container engine does not answer", fix="start it", code="engine-down")
DENIED = MachineError(
    "this user may not use the engine", fix="join the group", code="engine-denied"
)


@dataclass
class World:
    """A machine that is fit for everything, until a test changes something."""

    host: FakeHost
    engine: FakeEngine
    kind: FakeKind
    net: FakeNet
    forwards: FakeForwards = field(default_factory=FakeForwards)

    @property
    def tools(self) -> Tools:
        return Tools(
            self.engine, self.kind, self.net, self.host, _no_cluster, forwards=self.forwards
        )

    def verdict(self, code: str, wants: Wants = WANTS) -> Verdict:
        return load(code).ask(self.tools, wants)

    def has_engine(self, **changes: object) -> None:
        self.engine.engine_info = replace(INFO, **changes)  # type: ignore[arg-type]

    def runs(self, name: str, *, of: str = "", port: int = 0, state: str = "running") -> None:
        self.engine.add_image("image")
        labels = {DOCKER_ENVIRONMENT_LABEL: of} if of else {}
        container = FakeContainer(name, "image", labels=labels)
        if port:
            container.ports["80/tcp"] = (("127.0.0.1", port),)
        self.engine.add_container(container).state = state
        if port and state == "running":
            self.net.listen("127.0.0.1", port, "docker-proxy")


def _no_cluster(*_: object) -> object:
    raise AssertionError("checks do not look into clusters")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    host, engine = FakeHost(), FakeEngine()
    for program in ("docker", "dockerd", "kind", "debootstrap"):
        host.programs[program] = lambda arguments, stdin, env: ""
    host.sysctls |= {name: str(value) for name, (_, value) in LIMITS.items()}
    return World(host, engine, FakeKind(engine, host), FakeNet())


def without(world: World, *programs: str) -> None:
    for program in programs:
        del world.host.programs[program]


# --- all of them -----------------------------------------------------------------------------------


def test_a_fit_machine_passes_every_check_in_the_order_of_the_list(world: World) -> None:
    verdicts = examine(world.tools, WANTS)
    assert [verdict.code for verdict in verdicts] == list(CHECKS)
    assert [verdict for verdict in verdicts if verdict.level != "ok"] == []
    raise_for(verdicts)


def test_every_check_is_what_its_file_says() -> None:
    for code in CHECKS:
        check: Check = load(code)
        assert check.code == code
        assert check.title
    with pytest.raises(KeyError):
        load("common")


def test_the_engine_is_asked_once_a_round(world: World) -> None:
    asked = []

    class Counting(FakeEngine):
        def info(self) -> EngineInfo:
            asked.append(1)
            return super().info()

    examine(replace(world.tools, engine=Counting()), WANTS)
    assert len(asked) == 1


def test_without_an_engine_the_checks_that_need_it_say_so_and_the_others_answer(
    world: World,
) -> None:
    world.engine.problem = DOWN
    verdicts = {verdict.code: verdict for verdict in examine(world.tools, WANTS)}
    assert verdicts["engine-down"].level == "failed"
    blocked = {code for code, verdict in verdicts.items() if verdict.blocked_by}
    assert blocked == {"architecture", "cgroup", "disk", "subnets"}
    assert {verdicts[code].blocked_by for code in blocked} == {"engine"}
    assert verdicts["memory"].level == verdicts["kind"].level == verdicts["ports"].level == "ok"
    with pytest.raises(MachineError) as caught:
        raise_for(verdicts.values())
    assert caught.value.code == "engine-down"
    assert caught.value.why == ""


def test_a_tool_that_fails_unexpectedly_is_a_failed_verdict_not_a_crash(world: World) -> None:
    def free_disk(path: str) -> int:
        raise ToolError("cannot measure /", why="Input/output error", code="host")

    world.host.free_disk = free_disk  # type: ignore[method-assign]
    (verdict,) = [v for v in examine(world.tools, WANTS) if v.level == "failed"]
    assert verdict.code == "host"
    assert "Input/output error" in verdict.seen


def test_raise_for_names_the_first_and_lists_the_others() -> None:
    verdicts = [
        Verdict("disk", "warning", "little room", "make room"),
        Verdict("memory", "failed", "1.0 GB available", "stop something"),
        Verdict("port-taken", "failed", "80 is taken", "use 8080"),
        Verdict("cgroup", "warning", "not known yet", blocked_by="engine"),
    ]
    with pytest.raises(MachineError) as caught:
        raise_for(verdicts)
    error = caught.value
    assert (error.what, error.code, error.exit_code) == ("1.0 GB available", "memory", 3)
    assert "80 is taken" in error.why
    assert "little room" not in error.why
    assert error.fix.splitlines() == ["stop something", "use 8080"]


# --- repair ----------------------------------------------------------------------------------------


def test_a_bare_machine_is_made_fit_and_told_beforehand(world: World) -> None:
    """Debian 12, root, no engine, no systemd, no registry: machine kind 2."""
    without(world, "docker", "dockerd", "kind", "debootstrap")
    world.engine.problem, world.kind.installed = MISSING, False
    world.host.sysctls["fs.inotify.max_user_instances"] = "128"
    started: list[Sequence[str]] = []

    def dockerd(arguments: Sequence[str], stdin: str, env: Mapping[str, str]) -> str:
        started.append(arguments)
        world.engine.problem = None
        return ""

    def apt(arguments: Sequence[str], stdin: str, env: Mapping[str, str]) -> str:
        said = world.host.apt.get(arguments)
        world.kind.installed = "kind" in world.host.apt.installed
        if "docker.io" in world.host.apt.installed:
            world.host.programs["dockerd"] = dockerd
        return said

    world.host.programs["apt-get"] = apt
    verdicts = examine(world.tools, WANTS)
    wishes = planned_repairs(world.tools, WANTS, verdicts)
    text = "\n".join(wishes)
    assert len(wishes) == len(set(wishes))
    for words in ("add Debian trixie and sid", "docker.io", "kind from Debian sid", "debootstrap"):
        assert words in text
    assert "dockerd, in the background" in text
    assert "max_user_instances from 128 to 1024" in text
    assert world.host.apt.installed == {}
    assert started == []

    done = list(repair(world.tools, WANTS, verdicts, lambda line: None))
    assert any("Docker 28.2.2" in sentence for sentence in done)
    assert len(started) == 1
    assert [v for v in examine(world.tools, WANTS) if v.level != "ok"] == []


def test_what_was_blocked_is_asked_again_once_the_way_is_free(world: World) -> None:
    """A client that comes with the engine, and has no buildx."""
    without(world, "docker", "dockerd")
    world.engine.problem = MISSING

    def dockerd(arguments: Sequence[str], stdin: str, env: Mapping[str, str]) -> str:
        world.engine.problem, world.engine.builder = None, ""
        del world.host.apt.installed["docker-buildx"]
        return ""

    def apt(arguments: Sequence[str], stdin: str, env: Mapping[str, str]) -> str:
        said = world.host.apt.get(arguments)
        world.host.programs["dockerd"] = dockerd
        world.engine.builder = "0.13.1" if "docker-buildx" in world.host.apt.installed else ""
        return said

    verdicts = examine(world.tools, WANTS)
    world.host.programs["apt-get"] = apt
    done = list(repair(world.tools, WANTS, verdicts, lambda line: None))
    assert "image builder: buildx 0.13.1" in done


def test_what_cannot_be_mended_among_warnings_does_not_stop_the_rest(world: World) -> None:
    del world.host.sysctls["fs.inotify.max_user_instances"]
    world.host.sysctls["fs.inotify.max_user_watches"] = "1000"

    def set_sysctl(name: str, value: str) -> None:
        raise ToolError(f"cannot set {name}", why="Read-only file system")

    world.host.set_sysctl = set_sysctl  # type: ignore[method-assign]
    verdicts = examine(world.tools, WANTS)
    said: list[str] = []
    assert list(repair(world.tools, WANTS, verdicts, said.append)) == []
    assert "left as it is: cannot set fs.inotify.max_user_watches" in said[-1]


def test_what_failed_and_cannot_be_mended_is_an_error(world: World) -> None:
    world.kind.installed = False
    world.host.apt.mirror_down = True
    with pytest.raises(ToolError):
        list(repair(world.tools, WANTS, examine(world.tools, WANTS), lambda line: None))


def test_a_fit_machine_is_left_alone(world: World) -> None:
    before = dict(world.host.files), dict(world.host.sysctls), dict(world.host.apt.installed)
    verdicts = examine(world.tools, WANTS)
    assert planned_repairs(world.tools, WANTS, verdicts) == []
    assert list(repair(world.tools, WANTS, verdicts, lambda line: None)) == []
    after = dict(world.host.files), dict(world.host.sysctls), dict(world.host.apt.installed)
    assert after == before


# --- engine ----------------------------------------------------------------------------------------


def test_a_client_without_a_daemon_counts_as_no_engine(world: World) -> None:
    world.engine.problem = DOWN
    without(world, "dockerd")
    verdict = world.verdict("engine")
    assert (verdict.code, verdict.fixable) == ("engine-missing", True)
    assert "docker.io" in "\n".join(load("engine").plan(world.tools, WANTS))


def test_a_stopped_engine_is_started_not_installed(world: World) -> None:
    world.engine.problem = DOWN
    verdict = world.verdict("engine")
    assert (verdict.code, verdict.fixable) == ("engine-down", True)
    (sentence,) = load("engine").plan(world.tools, WANTS)
    assert sentence.startswith("start the engine")


@pytest.mark.parametrize("variable", ["DOCKER_HOST", "DOCKER_CONTEXT"])
def test_an_engine_of_the_users_choice_is_not_replaced(
    world: World, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "elsewhere")
    world.engine.problem = DOWN
    without(world, "dockerd")
    verdict = world.verdict("engine")
    assert (verdict.code, verdict.fixable, verdict.fix) == ("engine-down", False, "start it")


def test_who_may_not_ask_the_engine_is_told_how_to_be_let_in(world: World) -> None:
    world.host.root = False
    world.engine.problem = DENIED
    verdict = world.verdict("engine")
    assert (verdict.code, verdict.fixable, verdict.fix) == (
        "engine-denied",
        False,
        "join the group",
    )


def test_elsewhere_than_on_debian_there_are_links(world: World) -> None:
    world.host.release = {"ID": "fedora"}
    world.engine.problem = MISSING
    without(world, "docker", "dockerd")
    verdict = world.verdict("engine")
    assert not is_repairable(verdict)
    assert "docs.docker.com" in verdict.fix


@pytest.mark.parametrize(
    ("changes", "capabilities", "code", "level"),
    [
        ({"version": "19.03.15"}, "1ffffffffff", "engine-old", "failed"),
        ({"version": "20.10.24+dfsg1"}, "1fffeffffff", "engine-old", "failed"),
        ({"version": "20.10.24+dfsg1"}, "1ffffffffff", "engine", "ok"),
        ({"version": "26.1.5+dfsg1"}, "1fffeffffff", "engine", "ok"),
        ({"product": "podman", "version": "5.4.2"}, "1ffffffffff", "engine-podman", "failed"),
        ({"rootless": True, "cgroup_version": 1}, "1ffffffffff", "engine-rootless", "failed"),
        ({"rootless": True, "cgroup_version": 2}, "1ffffffffff", "engine-rootless", "warning"),
    ],
)
def test_engines_that_cannot_run_nodes_are_refused_with_a_sentence(
    world: World, changes: Mapping[str, object], capabilities: str, code: str, level: str
) -> None:
    """Without CAP_SYS_RESOURCE (bit 24) Docker 20.10 cannot start privileged containers."""
    world.host.files[Path("/proc/self/status")] = f"Name:\tx\nCapBnd:\t00000{capabilities}\n"
    world.has_engine(**changes)
    verdict = world.verdict("engine")
    assert (verdict.code, verdict.level) == (code, level)
    assert verdict.level == "ok" or verdict.fix
    assert str(changes.get("version", "")) in verdict.seen


# --- buildx, kind, debootstrap ---------------------------------------------------------------------


def test_a_client_without_buildx_gets_the_plugin(world: World) -> None:
    world.engine.builder = ""
    verdict = world.verdict("buildx")
    assert (verdict.code, verdict.level, verdict.fixable) == ("buildx-missing", "failed", True)
    assert "is not a docker command" in verdict.seen
    assert "docker-buildx" in "\n".join(load("buildx").plan(world.tools, WANTS))


def test_buildx_cannot_be_asked_without_a_client(world: World) -> None:
    world.engine.problem = MISSING
    assert world.verdict("buildx").blocked_by == "engine"


@pytest.mark.parametrize(
    ("kind", "kubernetes", "fits"),
    [
        ("0.33.0", "1.37.0", True),
        ("0.33.0", "1.34", True),
        ("0.33.0", "1.38", False),
        ("0.27.0", "1.32.2", True),
        ("0.27.0", "1.36", False),
        ("0.31.0", "1.35.8", True),
        ("0.31.0", "1.36", False),
        ("0.20.0", "1.27", False),
        ("0.40.0", "1.44", True),
    ],
)
def test_kind_and_kubernetes_must_fit(world: World, kind: str, kubernetes: str, fits: bool) -> None:
    world.kind.version = lambda: kind  # type: ignore[method-assign]
    verdict = world.verdict("kind", Wants(kubernetes=kubernetes))
    assert (verdict.code, verdict.level) == (("kind", "ok") if fits else ("kind-old", "failed"))
    if not fits:
        assert kind in verdict.seen
        assert kubernetes in verdict.seen


def test_the_kind_that_would_do_is_named(world: World) -> None:
    world.kind.version = lambda: "0.27.0"  # type: ignore[method-assign]
    fix = world.verdict("kind", Wants(kubernetes="1.36")).fix
    assert "kind 0.32 or later" in fix
    assert "1.32 or earlier" in fix


def test_debootstrap_is_wanted_only_where_no_registry_answers(world: World) -> None:
    without(world, "debootstrap")
    verdict = world.verdict("debootstrap")
    assert (verdict.level, verdict.fixable) == ("failed", True)

    world.engine.add_image("base", world.engine.make_image("b", {"dev.kindctl.recipe": "debian"}))
    assert world.verdict("debootstrap").level == "warning"

    world.net.reachable_urls = {REGISTRY}
    assert world.verdict("debootstrap").level == "ok"


# --- limits ----------------------------------------------------------------------------------------


def test_control_groups_v1_are_fine_and_said(world: World) -> None:
    world.has_engine(cgroup_version=1)
    verdict = world.verdict("cgroup")
    assert verdict.level == "ok"
    assert "failCgroupV1" in verdict.seen
    assert "failCgroupV1" not in world.verdict("cgroup", Wants(kubernetes="1.34")).seen


def test_low_inotify_limits_are_named_with_their_numbers_and_raised(world: World) -> None:
    world.host.sysctls["fs.inotify.max_user_instances"] = "128"
    verdict = world.verdict("inotify")
    assert (verdict.level, verdict.fixable) == ("warning", True)
    assert "max_user_instances is 128, below 512" in verdict.seen
    assert "max_user_watches" not in verdict.seen
    assert "sysctl -w fs.inotify.max_user_instances=1024" in verdict.fix

    load("inotify").fix(world.tools, WANTS, lambda line: None)
    assert world.host.sysctls["fs.inotify.max_user_instances"] == "1024"
    assert world.verdict("inotify").level == "ok"


def test_only_root_is_offered_to_raise_limits(world: World) -> None:
    world.host.root = False
    world.host.sysctls["fs.inotify.max_user_watches"] = "8192"
    assert not is_repairable(world.verdict("inotify"))


def test_a_machine_without_such_limits_is_fine(world: World) -> None:
    world.host.sysctls.clear()
    assert world.verdict("inotify").level == "ok"


@pytest.mark.parametrize(
    ("code", "attribute", "free", "level"),
    [
        ("disk", "disk", 5.9, "failed"),
        ("disk", "disk", 6.0, "warning"),
        ("disk", "disk", 11.9, "warning"),
        ("disk", "disk", 12.0, "ok"),
        ("memory", "memory", 1.9, "failed"),
        ("memory", "memory", 2.0, "warning"),
        ("memory", "memory", 3.9, "warning"),
        ("memory", "memory", 4.0, "ok"),
    ],
)
def test_room_is_judged_by_numbers(
    world: World, code: str, attribute: str, free: float, level: str
) -> None:
    setattr(world.host, attribute, round(free * GB))
    verdict = world.verdict(code)
    assert verdict.level == level
    assert f"{free:.1f} GB" in verdict.seen


@pytest.mark.parametrize(("code", "attribute"), [("disk", "disk"), ("memory", "memory")])
def test_a_running_environment_may_be_repaired_on_a_full_machine(
    world: World, code: str, attribute: str
) -> None:
    setattr(world.host, attribute, GB)
    assert world.verdict(code).level == "failed"
    world.runs("shop-control-plane", of="shop")
    assert world.verdict(code).level == "warning"


def test_the_memory_of_an_engine_in_a_virtual_machine_counts(world: World) -> None:
    world.has_engine(memory=3 * GB)
    verdict = world.verdict("memory")
    assert verdict.level == "warning"
    assert "engine has 3.0 GB" in verdict.seen


def test_disk_and_networks_of_another_machine_are_not_judged_by_this_one(world: World) -> None:
    world.has_engine(host="ssh://builder")
    world.host.disk = 0
    assert world.verdict("disk").level == world.verdict("subnets").level == "ok"


# --- ports -----------------------------------------------------------------------------------------


def test_a_taken_port_names_its_owner_and_a_free_one(world: World) -> None:
    world.net.listen("127.0.0.1", 80, "apache2", 812)
    world.net.listen("127.0.0.1", 8080, "java", 900)
    verdict = world.verdict("ports")
    assert (verdict.code, verdict.level) == ("port-taken", "failed")
    assert "127.0.0.1:80 is taken by apache2 (process 812)" in verdict.seen
    assert "443" not in verdict.seen
    assert "http: 8081" in verdict.fix


def test_every_taken_port_is_named(world: World) -> None:
    world.net.listen("0.0.0.0", 80)
    world.net.listen("0.0.0.0", 443)
    verdict = world.verdict("ports")
    assert "127.0.0.1:80" in verdict.seen
    assert "127.0.0.1:443" in verdict.seen
    assert verdict.fix.endswith(
        "or use `ingress.expose.http: 8080`, `ingress.expose.https: 8443` in kindctl.yaml"
    )


def test_the_free_port_goes_to_the_key_that_has_the_taken_one(world: World) -> None:
    ports = [
        WantedPort("127.0.0.1", 30080, "apps[0].expose[0].local"),
        WantedPort("127.0.0.1", 8081, "apps[0].expose[1].local"),
        WantedPort("127.0.0.1", 8082, "cluster.registry.port"),
        WantedPort("127.0.0.1", 8443),
    ]
    for wanted in ports:
        world.net.listen(wanted.address, wanted.port)
    fix = world.verdict("ports", Wants(ports=ports)).fix
    assert "`apps[0].expose[0].local: 30081`, `apps[0].expose[1].local: 8083`" in fix
    assert "`cluster.registry.port: 8084`" in fix
    assert "8444" not in fix
    assert "ingress" not in fix


def test_a_port_of_this_environments_own_node_is_fine(world: World) -> None:
    world.runs("shop-control-plane", of="shop", port=80)
    assert world.verdict("ports").level == "ok"


def test_a_stopped_node_of_this_environment_does_not_excuse_who_took_its_port(world: World) -> None:
    world.runs("shop-control-plane", of="shop", port=80, state="exited")
    world.net.listen("127.0.0.1", 80, "apache2")
    assert "apache2" in world.verdict("ports").seen


def test_another_environment_is_named_with_the_command_that_ends_it(world: World) -> None:
    world.runs("other-control-plane", of="other", port=80)
    verdict = world.verdict("ports")
    assert "environment other" in verdict.seen
    assert "other-control-plane" in verdict.seen
    assert "kindctl down --name other" in verdict.fix


def test_a_container_is_named_instead_of_the_proxy_in_front_of_it(world: World) -> None:
    world.runs("web", port=80)
    verdict = world.verdict("ports")
    assert "container web" in verdict.seen
    assert "docker-proxy" not in verdict.seen


def test_a_privileged_port_is_no_matter_for_an_engine_that_runs_as_root(world: World) -> None:
    world.net.unprivileged_from = 1024
    assert world.verdict("ports").level == "ok"
    world.has_engine(rootless=True)
    verdict = world.verdict("ports")
    assert (verdict.code, verdict.level) == ("port-privileged", "failed")
    assert "8080" in verdict.fix


def test_an_address_that_the_machine_lacks_is_refused(world: World) -> None:
    ports = (WantedPort("192.0.2.9", 80, "a"), WantedPort("192.0.2.9", 7, "b"))
    verdict = world.verdict("ports", Wants(ports=ports))
    assert (verdict.code, verdict.level) == ("port-address", "failed")
    assert "or use" not in verdict.fix


# --- networks --------------------------------------------------------------------------------------


def test_the_engines_own_routes_are_no_clash(world: World) -> None:
    world.host.destinations = ("172.17.0.0/16", "192.0.2.0/24")
    assert world.verdict("subnets").level == "ok"


@pytest.mark.parametrize(
    ("route", "words"),
    [
        ("172.16.0.0/12", "network bridge (172.17.0.0/16) overlaps the route to 172.16.0.0/12"),
        ("172.17.5.0/24", "network bridge (172.17.0.0/16) overlaps the route to 172.17.5.0/24"),
        ("10.96.4.0/22", "services cannot reach 10.96.4.0/22"),
        ("10.244.0.0/16", "pods cannot reach 10.244.0.0/16"),
    ],
)
def test_overlaps_are_named_on_both_sides(world: World, route: str, words: str) -> None:
    world.host.destinations = (route,)
    verdict = world.verdict("subnets")
    assert (verdict.code, verdict.level) == ("subnet-clash", "warning")
    assert words in verdict.seen


def test_a_route_as_wide_as_a_vpns_says_nothing_about_the_cluster(world: World) -> None:
    world.host.destinations = ("10.0.0.0/8",)
    assert world.verdict("subnets").level == "ok"


def test_no_pool_left_fails_unless_the_network_is_there_or_pools_are_configured(
    world: World,
) -> None:
    world.host.destinations = ("172.16.0.0/12", "192.168.0.0/16")
    verdict = world.verdict("subnets")
    assert (verdict.code, verdict.level) == ("subnet-clash", "failed")
    world.host.files[Path("/etc/docker/daemon.json")] = '{"default-address-pools": []}'
    assert world.verdict("subnets").level == "warning"
    world.host.files.clear()
    world.engine.subnets["kind"] = ("10.89.0.0/24",)
    assert world.verdict("subnets").level == "warning"


def test_a_proxy_must_leave_this_machine_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://me:secret@proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "localhost,.example")
    verdict = world.verdict("proxy")
    assert verdict.level == "warning"
    assert "lacks 127.0.0.1:" in verdict.seen
    assert "secret" not in verdict.seen
    assert "NO_PROXY=localhost,.example,127.0.0.1 " in verdict.fix

    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    assert world.verdict("proxy").level == "ok"


def test_cas_of_the_network_are_listed(world: World) -> None:
    world.host.cas = {"company.crt": "PEM"}
    verdict = world.verdict("cas")
    assert verdict.level == "ok"
    assert "company.crt" in verdict.seen


def test_processors_without_node_images_are_refused(world: World) -> None:
    world.has_engine(architecture="arm64")
    assert world.verdict("architecture").level == "ok"
    world.has_engine(architecture="riscv64")
    verdict = world.verdict("architecture")
    assert verdict.level == "failed"
    assert "riscv64" in verdict.seen


@pytest.mark.parametrize(
    ("kernel", "level", "words"),
    [
        ("Linux version 6.12.0 (debian@x)", "ok", "not WSL"),
        ("Linux version 5.15.90.1-microsoft-standard-WSL2", "ok", "WSL 2"),
        ("Linux version 4.4.0-19041-Microsoft (Microsoft@Microsoft.com)", "failed", "WSL 1"),
    ],
)
def test_wsl_1_is_refused(world: World, kernel: str, level: str, words: str) -> None:
    world.host.files[Path("/proc/version")] = kernel
    verdict = world.verdict("wsl")
    assert verdict.level == level
    assert words in verdict.seen
