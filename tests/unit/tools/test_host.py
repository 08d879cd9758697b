"""The parts of the real tools that only turn words and JSON into ours, and the fakes' package manager."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kindctl.errors import KindctlError, MachineError, ToolError
from kindctl.tools import host
from kindctl.tools.engine_json import container_info, engine_info
from kindctl.tools.engine_words import as_error, build_error, is_missing, pull_error
from kindctl.tools.host import RealHost, parse_routes, pem_certificates
from kindctl.tools.kind import kind_error
from kindctl.tools.process import failure
from tests.fakes.host import FakeHost
from tests.support.certificates import authority, stranger


def failed(*lines: str) -> ToolError:
    return failure(["docker", "do"], 1, lines)


# --- what the engine's client says ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?", "down"),
        ("failed to connect to the docker API at unix:///x; check if the path is correct", "down"),
        ("error during connect: Get http://x: command [ssh -- h] has exited", "down"),
        ('Failed to initialize: unable to resolve docker endpoint: context "x" not found', "down"),
        (
            "permission denied while trying to connect to the Docker daemon socket at unix:///x",
            "denied",
        ),
        ("permission denied while trying to connect to the docker API at unix:///x", "denied"),
    ],
)
def test_an_engine_that_cannot_be_used_is_a_fault_of_the_machine(words: str, code: str) -> None:
    for translate in (as_error, pull_error, build_error):
        error = translate(failed("WARNING: something else", words))
        assert isinstance(error, MachineError)
        assert error.code == f"engine-{code}"
        assert error.fix
        assert error.why == words


@pytest.mark.parametrize(
    "words",
    [
        "docker: 'buildx' is not a docker command.\nSee 'docker --help'",
        "docker: unknown command: docker buildx\n\nRun 'docker --help' for more information",
        "unknown flag: --progress\n\nUsage:  docker [OPTIONS] COMMAND [ARG...]",
        "unknown flag: --progress\nSee 'docker --help'.",
    ],
)
def test_a_client_without_its_build_plug_in_is_a_fault_of_the_machine(words: str) -> None:
    error = build_error(failed(*words.splitlines()))
    assert isinstance(error, MachineError)
    assert error.code == "buildx-missing"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("toomanyrequests: You have reached your pull rate limit.", "pull-rate-limited"),
        (
            "pull access denied for x, repository does not exist or may require 'docker login'",
            "pull-denied",
        ),
        ('Head "https://r/v2/x/manifests/1": unauthorized', "pull-denied"),
        ("manifest for x:1 not found: manifest unknown: manifest unknown", "pull-not-found"),
        ('failed to resolve reference "docker.io/x:1": docker.io/x:1: not found', "pull-not-found"),
        ('Get "https://r/v2/": x509: certificate signed by unknown authority', "pull-untrusted"),
        ('Get "https://r/v2/": dial tcp: lookup r: no such host', "pull-unreachable"),
        (
            'Get "https://r/v2/": net/http: request canceled (Client.Timeout exceeded)',
            "pull-unreachable",
        ),
        ("write /var/lib/docker/x: no space left on device", "disk-full"),
        ("something new", "image-pull"),
    ],
)
def test_a_pull_that_fails_is_told_apart(words: str, code: str) -> None:
    error = pull_error(failed(f"Error response from daemon: {words}"))
    assert isinstance(error, ToolError)
    assert error.code == code
    assert bool(error.fix) == (code != "image-pull")


def test_a_step_of_a_build_that_cannot_reach_something_is_no_failed_pull() -> None:
    error = build_error(
        failed("#7 1.2 dial tcp: lookup example.com: no such host", "ERROR: exit code: 1")
    )
    assert error.code == "image-build"
    error = build_error(
        failed("ERROR: failed to resolve source metadata for docker.io/library/x:1: not found")
    )
    assert error.code == "build-base"
    assert "docker.io/library/x:1 into" in error.fix


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        ("Error response from daemon: No such image: x:1", True),
        ("Error response from daemon: failed to find image x: image not known", True),  # Podman
        ("Error: No such object: x", True),
        ("Error response from daemon: network x not found", True),
        ("Error response from daemon: removal of container x is already in progress", True),
        ("Error response from daemon: conflict: unable to remove repository reference", False),
    ],
)
def test_what_is_gone_is_told_from_what_cannot_be_removed(words: str, missing: bool) -> None:
    assert is_missing(words) is missing


# --- the engine's JSON ---------------------------------------------------------------------------

DOCKER: dict[str, Any] = {
    "ServerVersion": "29.1.0",
    "Architecture": "aarch64",
    "CgroupVersion": "2",
    "NCPU": 8,
    "MemTotal": 8 << 30,
    "DockerRootDir": "/var/lib/docker",
    "Driver": "overlayfs",
    "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]],
    "SecurityOptions": ["name=seccomp,profile=builtin", "name=rootless", "name=cgroupns"],
}
PODMAN: dict[str, Any] = {
    "host": {
        "arch": "amd64",
        "cgroupVersion": "v1",
        "cpus": 2,
        "memTotal": 1 << 34,
        "remoteSocket": {"path": "/run/podman/podman.sock", "exists": True},
        "security": {"rootless": False},
    },
    "store": {"graphDriverName": "vfs", "graphRoot": "/var/lib/containers/storage"},
    "version": {"Version": "5.4.2"},
}


def test_docker_describes_itself() -> None:
    info = engine_info(DOCKER, {"Server": {"Components": [{"Name": "Engine"}]}}, "ssh://me@host")
    assert (info.product, info.version, info.host) == ("docker", "29.1.0", "ssh://me@host")
    assert (info.architecture, info.cgroup_version) == ("arm64", 2)
    assert info.rootless
    assert info.containerd_store


def test_podman_behind_a_docker_client_is_recognised() -> None:
    answer = {**DOCKER, "Architecture": "amd64", "DriverStatus": [], "SecurityOptions": None}
    version = {"Server": {"Components": [{"Name": "Podman Engine"}, {"Name": "Engine"}]}}
    info = engine_info(answer, version, "unix:///run/podman/podman.sock")
    assert (info.product, info.architecture) == ("podman", "amd64")
    assert not info.rootless
    assert not info.containerd_store


def test_podman_in_place_of_the_docker_client_is_recognised() -> None:
    info = engine_info(PODMAN, {"Client": {}}, "")
    assert (info.product, info.version, info.cgroup_version) == ("podman", "5.4.2", 1)
    assert info.host == "unix:///run/podman/podman.sock"


def test_a_container_that_never_ran_has_no_start_and_no_addresses() -> None:
    info = container_info(
        {
            "Id": "abc",
            "Name": "/node",
            "Config": {"Image": "x:1", "Labels": None},
            "State": {"Status": "created", "StartedAt": "0001-01-01T00:00:00Z"},
            "HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}},
            "NetworkSettings": {"Ports": {}, "Networks": {"kind": {"IPAddress": ""}}},
            "Mounts": [{"Type": "bind", "Source": "/x"}, {"Type": "volume", "Name": "v"}],
        }
    )
    assert (info.name, info.started_at, info.addresses) == ("node", None, {})
    assert info.ports == {"80/tcp": (("", 8080),)}
    assert info.volumes == ("v",)
    assert info.labels == {}


# --- kind ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("Bind for 127.0.0.1:80 failed: port is already allocated", "port-taken"),
        ("failed to bind host port 127.0.0.1:80/tcp: address already in use", "port-taken"),
        ("cannot expose privileged port 80, you can add 'net.ipv4...'", "port-privileged"),
        (
            'could not find a log line that matches "Reached target .*Multi-User System.*"',
            "kind-log-line",
        ),
        ('node(s) already exist for a cluster with the name "x"', "kind-exists"),
        (
            "could not find an available, non-overlapping IPv4 address pool among the defaults",
            "subnet-clash",
        ),
    ],
)
def test_what_kind_fails_of_is_told_apart(words: str, code: str) -> None:
    said = (
        f"Creating cluster\nERROR: failed to create cluster: command docker run failed\n\n{words}"
    )
    error = kind_error(failure(["kind", "create"], 1, said.splitlines()), said)
    assert error.code == code
    assert error.why == "failed to create cluster: command docker run failed"


def test_kinds_reason_is_found_before_pages_of_output() -> None:
    lines = ["ERROR: failed to create cluster: failed to init node with kubeadm: command failed"]
    lines += [f"I1124 kubeadm says {n}" for n in range(500)]
    error = kind_error(failure(["kind", "create"], 1, lines), "\n".join(lines))
    assert error.code == "kind-kubeadm"
    assert error.why.startswith("failed to create cluster: failed to init node")
    assert len(error.output.splitlines()) == 50


def test_kind_without_an_engine_is_a_fault_of_the_machine() -> None:
    said = "ERROR: failed to list clusters\nCannot connect to the Docker daemon at unix:///x"
    error: KindctlError = kind_error(failure(["kind", "get"], 1, said.splitlines()), said)
    assert isinstance(error, MachineError)
    assert error.code == "engine-down"


# --- the host ------------------------------------------------------------------------------------

ROUTES = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
"""


def test_routes_are_read_without_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.byteorder", "little")
    assert parse_routes(ROUTES) == ("172.17.0.0/16", "192.0.2.0/24")
    assert parse_routes("") == ()


def test_of_a_file_only_its_certificates_are_taken() -> None:
    first, second = authority().certificate, stranger().certificate
    assert pem_certificates(f"# ours\n{first}junk\n{second}") == first + second
    assert "PRIVATE" not in pem_certificates(authority().server)
    assert pem_certificates(authority().server).count("BEGIN CERTIFICATE") == 1
    assert pem_certificates(first.replace("\n", "\r\n")) == first


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not PEM",
        "-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n",
        "-----BEGIN TRUSTED CERTIFICATE-----\nMIIB\n-----END TRUSTED CERTIFICATE-----\n",
    ],
)
def test_what_is_no_certificate_is_left_out(text: str) -> None:
    assert pem_certificates(text) == ""


def test_the_administrators_cas_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = authority().certificate
    debian, fedora = tmp_path / "debian", tmp_path / "fedora"
    (debian / "company").mkdir(parents=True)
    fedora.mkdir()
    (debian / "proxy.crt").write_text(certificate)
    (debian / "company" / "root.crt").write_text(certificate + stranger().certificate)
    (debian / "README").write_text(certificate)
    (debian / "broken.crt").write_text("nothing")
    (debian / "kindctl-local-ca-1a2b3c4d.crt").write_text(certificate)  # by `kindctl trust`
    (fedora / "anchor.pem").write_text(certificate)
    folders = (str(debian), str(fedora), str(tmp_path / "none"))
    monkeypatch.setattr(host, "CA_FOLDERS", folders)
    assert RealHost().trusted_cas() == {
        "proxy.crt": certificate,
        "company-root.crt": certificate + stranger().certificate,
        "anchor.crt": certificate,
    }


# --- the fake package manager --------------------------------------------------------------------

SID = "Types: deb\nURIs: http://mirror.example.com/debian\nSuites: trixie sid\nComponents: main\n"


def test_packages_of_later_releases_need_their_source_and_an_update() -> None:
    machine = FakeHost()
    machine.files[Path("/etc/apt/sources.list.d/later.sources")] = SID
    with pytest.raises(ToolError) as caught:
        machine.run(["apt-get", "-q", "-o", "A=b", "install", "-y", "kind/sid"])
    assert "Release 'sid' for 'kind' was not found" in caught.value.output
    machine.run(["apt-get", "update"])
    assert "Inst kind (0.33.0" in machine.run(["apt-get", "-s", "install", "kind/sid"])
    assert machine.which("kind") is None
    machine.run(["apt-get", "install", "-y", "kind/sid"])
    assert machine.which("kind")
    assert "kind\tinstalled" in machine.run(["dpkg-query", "-W"])


def test_a_removal_takes_along_what_depends_on_it() -> None:
    machine = FakeHost()
    machine.run(["apt-get", "install", "-y", "docker.io"])
    assert "Purg docker.io" in machine.run(["apt-get", "-s", "purge", "runc"])
    machine.run(["apt-get", "purge", "-y", "runc"])
    assert machine.which("dockerd") is None
    with pytest.raises(ToolError):
        FakeHost(root=False).run(["apt-get", "install", "-y", "runc"])
