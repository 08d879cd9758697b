"""Turns the JSON that the docker client prints into the dataclasses of engine_protocol."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kindctl.tools.engine_protocol import ContainerInfo, EngineInfo, ImageInfo, Network

Json = Mapping[str, Any]

_GO_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}


def engine_info(info: Json, version: Json, endpoint: str) -> EngineInfo:
    """Read the output of `docker info` and `docker version`. `endpoint` is the address of the engine.

    Podman's Docker-compatible socket answers in the same format, and lists itself as a component.
    """
    if "host" in info:
        return _podman_info(info, endpoint)
    server = version.get("Server") or {}
    components = {component["Name"] for component in server.get("Components") or []}
    architecture: str = info["Architecture"]
    return EngineInfo(
        version=info["ServerVersion"],
        product="podman" if "Podman Engine" in components else "docker",
        host=endpoint,
        architecture=_GO_ARCHITECTURES.get(architecture, architecture),
        cgroup_version=int(info.get("CgroupVersion") or 1),  # absent before Docker 20.10: v1
        cpus=info["NCPU"],
        memory=info["MemTotal"],
        root_dir=info["DockerRootDir"],
        rootless="name=rootless" in (info.get("SecurityOptions") or []),
    )


def _podman_info(info: Json, endpoint: str) -> EngineInfo:
    """Read the output of `podman info`.

    If podman-docker is installed, `docker info` runs `podman info`.
    """
    host = info["host"]
    return EngineInfo(
        version=info["version"]["Version"],
        product="podman",
        host=endpoint or f"unix://{host['remoteSocket']['path']}",
        architecture=host["arch"],
        cgroup_version=int(host["cgroupVersion"].removeprefix("v")),
        cpus=host["cpus"],
        memory=host["memTotal"],
        root_dir=info["store"]["graphRoot"],
        rootless=host["security"]["rootless"],
    )


def image_info(image: Json) -> ImageInfo:
    return ImageInfo(
        id=image["Id"],
        tags=tuple(image.get("RepoTags") or ()),
        digests=tuple(image.get("RepoDigests") or ()),
        labels=(image.get("Config") or {}).get("Labels") or {},
        size=image["Size"],
        architecture=image.get("Architecture") or "",
    )


def container_info(container: Json) -> ContainerInfo:
    settings = container["NetworkSettings"]
    # A stopped container has no port bindings, but its configuration has those for its next start.
    bindings = settings.get("Ports") or container["HostConfig"].get("PortBindings") or {}
    networks = settings.get("Networks") or {}
    return ContainerInfo(
        id=container["Id"],
        name=container["Name"].lstrip("/"),
        image=container["Config"]["Image"],
        labels=container["Config"].get("Labels") or {},
        state=container["State"]["Status"],
        started_at=_time(container["State"].get("StartedAt") or ""),
        ports={
            port: tuple((binding["HostIp"], int(binding["HostPort"] or 0)) for binding in bound)
            for port, bound in bindings.items()
            if bound
        },
        addresses={
            name: network["IPAddress"]
            for name, network in networks.items()
            if network.get("IPAddress")
        },
        volumes=tuple(
            mount["Name"]
            for mount in container.get("Mounts") or []
            if mount.get("Type") == "volume" and mount.get("Name")
        ),
    )


def network(found: Json) -> Network:
    configs = (found.get("IPAM") or {}).get("Config") or []
    reserved = [
        address
        for config in configs
        for address in (config.get("Gateway"), *(config.get("AuxiliaryAddresses") or {}).values())
        if address
    ]
    return Network(
        subnets=tuple(config["Subnet"] for config in configs if config.get("Subnet")),
        ranges=tuple(config["IPRange"] for config in configs if config.get("IPRange")),
        reserved=tuple(reserved),
    )


def _time(text: str) -> datetime | None:
    """Parse a time. Returns None for Go's zero time, which the engine reports for a container that never
    ran."""
    return datetime.fromisoformat(text) if text and not text.startswith("0001-") else None
