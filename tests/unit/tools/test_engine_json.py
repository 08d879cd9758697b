"""What the engine says of itself and of its containers, as JSON."""

from __future__ import annotations

from typing import Any

from kindctl.tools.engine_json import container_info, engine_info

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


def test_podman_behind_a_docker_client_is_recognised() -> None:
    answer = {**DOCKER, "Architecture": "amd64", "DriverStatus": [], "SecurityOptions": None}
    version = {"Server": {"Components": [{"Name": "Podman Engine"}, {"Name": "Engine"}]}}
    info = engine_info(answer, version, "unix:///run/podman/podman.sock")
    assert (info.product, info.architecture) == ("podman", "amd64")
    assert not info.rootless


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
