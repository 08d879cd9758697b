"""Which errors come of what the engine's client says."""

from __future__ import annotations

import pytest

from kindctl.errors import MachineError, ToolError
from kindctl.tools.engine_words import as_error, build_error, is_missing, pull_error
from kindctl.tools.process import failure


def failed(*lines: str) -> ToolError:
    return failure(["docker", "do"], 1, lines)


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
