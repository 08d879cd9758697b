"""What the container engine's client and kind say when something is wrong, as our errors.

The sentences were read in docker/cli, moby and kind; each alternative names the versions that say it.
"""

from __future__ import annotations

import re

from kindctl.errors import KindctlError, MachineError, ToolError

_DOWN = re.compile(
    r"Cannot connect to the Docker daemon"  # docker < 29, socket or TCP
    r"|failed to connect to the docker API"  # docker 29
    r"|error during connect"  # over ssh, or an odd URL
    r"|unable to resolve docker endpoint"  # a context that does not exist
)
_DENIED = re.compile(r"permission denied while trying to connect to the (Docker daemon|docker API)")
_NO_BUILDX = re.compile(
    r"'buildx' is not a docker command"  # docker < 28
    r"|unknown command: docker buildx"
    r"|unknown flag: --\S+\s+(Usage:\s+docker \[OPTIONS\]|See 'docker --help')"  # flags of buildx
)
CLIENT_ERRORS = (  # the client's words, code, what happened, what to do
    (
        _DENIED,
        "engine-denied",
        "this user may not use the container engine",
        "join the engine's group (`sudo usermod -aG docker $USER`, then log in again), "
        "or use rootless Docker",
    ),
    (
        _DOWN,
        "engine-down",
        "the container engine does not answer",
        "start it: `kindctl doctor --fix` does, or `sudo systemctl start docker`; "
        "check DOCKER_HOST and `docker context ls` if it runs elsewhere",
    ),
    (
        _NO_BUILDX,
        "buildx-missing",
        "the engine's client lacks its build plug-in, buildx",
        "run `kindctl doctor --fix`, or install the package docker-buildx "
        "(docker-buildx-plugin from Docker's own repository)",
    ),
)

_MISSING = re.compile(
    r"no such (image|container|object|network|volume)|network \S+ not found|reference does not exist"
    r"|image not known|is already in progress",  # Podman; a removal that another client began
    re.IGNORECASE,
)

PULL_ERRORS = (  # code, the engine's words, what to do
    (
        "pull-rate-limited",
        r"toomanyrequests|429 Too Many Requests",
        "log in with `docker login`, configure a mirror in images.mirrors, or wait",
    ),
    (
        "pull-denied",
        r"pull access denied|unauthorized|denied: requested access",
        "check the name, and log in with `docker login` if the image is private",
    ),
    (
        "pull-not-found",
        r"manifest unknown|failed to resolve reference \S+: \S+: not found",
        "check the image's name and tag",
    ),
    (
        "pull-untrusted",
        r"certificate signed by unknown authority|certificate is not trusted",
        "the engine reads the host's certificate store when it starts: restart it",
    ),
    (
        "pull-unreachable",
        r"no such host|connection refused|network is unreachable|i/o timeout"
        r"|Client\.Timeout exceeded|TLS handshake timeout|proxyconnect",
        "check the network, or let images come from elsewhere: images.sources, images.mirrors",
    ),
    ("disk-full", r"no space left on device", "free disk space: see `docker system df`"),
)


def as_error(error: ToolError) -> KindctlError:
    """The same failure, as a MachineError where the engine cannot be used at all."""
    for pattern, code, what, fix in CLIENT_ERRORS:
        if pattern.search(error.output):
            return MachineError(what, why=error.why, fix=fix, output=error.output, code=code)
    return error


def pull_error(error: ToolError) -> KindctlError:
    """Codes pull-rate-limited, pull-denied, pull-not-found, pull-untrusted, pull-unreachable,
    disk-full; else image-pull."""
    error.code = "image-pull"
    for code, words, fix in PULL_ERRORS:
        if re.search(words, error.output, re.IGNORECASE):
            error.code, error.fix = code, fix
            break
    return as_error(error)


def push_error(error: ToolError) -> KindctlError:
    """Code image-push."""
    error.code = "image-push"
    error.fix = "check that the registry in images.push runs and takes images of this name"
    if re.search(r"no basic auth|unauthorized|denied|authentication required", error.output):
        error.fix = "log in with `docker login REGISTRY`, as a user who may push there"
    elif "server gave HTTP response to HTTPS client" in error.output:
        error.fix = "the registry has no TLS: name it in the engine's insecure-registries"
    return as_error(error)


def build_error(error: ToolError) -> KindctlError:
    """Codes buildx-missing (MachineError), build-base for a base image that cannot be had, disk-full;
    else image-build."""
    error.code = "image-build"
    if base := re.search(r"failed to resolve source metadata for (\S+?):? ", error.output):
        error.code = "build-base"
        error.fix = f"bring {base[1]} into the engine, or let it be built: images.sources"
    elif "no space left on device" in error.output:
        error.code, error.fix = "disk-full", "free disk space: see `docker system df`"
    return as_error(error)


def is_missing(output: str) -> bool:
    """Whether the engine says that there is no such image, container or network (any longer)."""
    return bool(_MISSING.search(output))
