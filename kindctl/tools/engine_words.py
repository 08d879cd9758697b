"""Turns the error messages of the container engine's client into kindctl's errors.

The messages come from the source code of docker/cli and moby. Comments on the patterns name the versions
that print the message.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

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
CLIENT_ERRORS = (  # the client's message, code, what happened, what to do
    (
        _DENIED,
        "engine-denied",
        "this user has no access to the container engine",
        "join its group (`sudo usermod -aG docker $USER`, then log in again), "
        "or use rootless Docker",
    ),
    (
        _DOWN,
        "engine-down",
        "the container engine does not answer",
        "start it with `kindctl doctor --fix` or `sudo systemctl start docker`; "
        "if it runs elsewhere, check DOCKER_HOST and `docker context ls`",
    ),
    (
        _NO_BUILDX,
        "buildx-missing",
        "the docker client has no buildx plug-in",
        "run `kindctl doctor --fix`, or install the package docker-buildx "
        "(docker-buildx-plugin from Docker's own repository)",
    ),
)

_MISSING = re.compile(
    r"no such (image|container|object|network|volume)|network \S+ not found|reference does not exist"
    r"|image not known|is already in progress",  # Podman; a removal that another client started
    re.IGNORECASE,
)

DISK_FULL = ("disk-full", r"no space left on device", "free disk space: see `docker system df`")

PULL_ERRORS = (  # code, the engine's message, what to do
    (
        "pull-rate-limited",
        r"toomanyrequests|429 Too Many Requests",
        "log in with `docker login`, set a mirror in `images.mirrors`, or wait",
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
        "restart the engine: it reads the host's certificate store only when it starts",
    ),
    (
        "pull-unreachable",
        r"no such host|connection refused|network is unreachable|i/o timeout"
        r"|Client\.Timeout exceeded|TLS handshake timeout|proxyconnect",
        "check the network, or get images from elsewhere: `images.sources`, `images.mirrors`",
    ),
    DISK_FULL,
)


def as_error(error: ToolError) -> KindctlError:
    """Return `error`, or a MachineError instead if the engine cannot be used at all."""
    for pattern, code, what, fix in CLIENT_ERRORS:
        if pattern.search(error.output):
            return MachineError(what, why=error.why, fix=fix, output=error.output, code=code)
    return error


def classify(
    error: ToolError,
    text: str,
    known: Iterable[tuple[str, str, str]],
    flags: re.RegexFlag = re.NOFLAG,
) -> None:
    """Set the code and fix of an error.

    They come from the first (code, pattern, fix) whose pattern matches in `text`.
    """
    for code, pattern, fix in known:
        if re.search(pattern, text, flags):
            error.code, error.fix = code, fix
            return


def pull_error(error: ToolError) -> KindctlError:
    """Classify the failure of a pull.

    The code becomes pull-rate-limited, pull-denied, pull-not-found, pull-untrusted, pull-unreachable,
    disk-full, or image-pull (any other failure).
    """
    error.code = "image-pull"
    classify(error, error.output, PULL_ERRORS, re.IGNORECASE)
    return as_error(error)


def push_error(error: ToolError) -> KindctlError:
    """Classify the failure of a push. The code becomes image-push, and the fix depends on the message."""
    error.code = "image-push"
    error.fix = "check that the registry in `images.push` runs and accepts images with this name"
    if re.search(r"no basic auth|unauthorized|denied|authentication required", error.output):
        error.fix = "log in with `docker login REGISTRY` as a user who may push there"
    elif "server gave HTTP response to HTTPS client" in error.output:
        error.fix = "the registry does not use TLS: add it to the engine's insecure-registries"
    return as_error(error)


def build_error(error: ToolError) -> KindctlError:
    """Classify the failure of a build.

    The code becomes buildx-missing (a MachineError), build-base (a base image is not available),
    disk-full, or image-build (any other failure).
    """
    error.code = "image-build"
    if base := re.search(r"failed to resolve source metadata for (\S+?):? ", error.output):
        error.code = "build-base"
        error.fix = f"pull {base[1]} into the engine, or have it built: `images.sources`"
    else:
        classify(error, error.output, [DISK_FULL])
    return as_error(error)


def is_missing(output: str) -> bool:
    """Return whether the output says that the image, container, network or volume does not exist."""
    return bool(_MISSING.search(output))
