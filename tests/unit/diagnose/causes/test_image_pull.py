"""Tests of diagnose/causes/image_pull.py."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kindctl.diagnose.evidence import Evidence
from tests.support.evidence import after, cause, event, node, pod, waiting


def pull(
    message: str, *, reason: str = "ImagePullBackOff", image: str = "example/nope:1"
) -> Evidence:
    stuck = pod(state=waiting(reason, f'Back-off pulling image "{image}": {message}'))
    stuck["spec"]["containers"][0]["image"] = image
    words = f'Failed to pull image "{image}": failed to pull and unpack image: {message}'
    return Evidence(pods=[stuck], events=[event(stuck, "Failed", words)], nodes=[node()])


RESOLVE = 'failed to resolve reference "docker.io/example/nope:1": '


@pytest.mark.parametrize(
    ("message", "permanent", "words"),
    [
        (f"{RESOLVE}docker.io/example/nope:1: not found", True, "has no such image"),
        (
            f"{RESOLVE}pull access denied, repository does not exist or may require authorization: "
            "server message: insufficient_scope: authorization failed",
            True,
            "denies access",
        ),
        (f"{RESOLVE}unexpected status from HEAD request: 401 Unauthorized", True, "denies access"),
        ("no match for platform in manifest: not found", True, "this architecture"),
        (
            f"{RESOLVE}unexpected status code 429 Too Many Requests - Server message: toomanyrequests",
            False,
            "rate limit",
        ),
        (
            f"{RESOLVE}dial tcp: lookup registry-1.docker.io: no such host",
            False,
            "cannot be reached",
        ),
        ("read tcp 172.18.0.2:1->3.3.3.3:443: read: connection reset by peer", False, "cannot be"),
        (f"{RESOLVE}dial tcp 3.3.3.3:443: i/o timeout", False, "cannot be reached"),
        (f"{RESOLVE}x509: certificate signed by unknown authority", False, "not trusted"),
        ("something new", False, "does not recognize the reason"),
    ],
)
def test_a_pull_fails_for_ever_or_for_now(message: str, permanent: bool, words: str) -> None:
    found = cause(pull(message))
    assert (found.code, found.permanent) == ("image-pull", permanent)
    assert words in found.what
    assert "example/nope:1" in found.what
    assert any(message in cited for cited in found.cites)
    assert found.since == after(20)


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        (
            "ErrImageNeverPull",
            'Container image "example/nope:1" is not present with pull policy of Never',
        ),
        ("InvalidImageName", 'couldn\'t parse image name "Bad//x": invalid reference format'),
    ],
)
def test_images_that_are_never_asked_for(reason: str, message: str) -> None:
    stuck = pod(state=waiting(reason, message))
    found = cause(Evidence(pods=[stuck]))
    assert found.permanent
    assert message in found.cites


def test_the_name_of_an_image_does_not_decide() -> None:
    found = cause(pull("something new", image="example/denied:1"))
    assert not found.permanent


def test_an_image_that_has_come_meanwhile_is_no_reason_to_stop() -> None:
    """Delivery runs beside the cluster's start; the kubelet sits out its pause."""
    evidence = pull("not found", image="nope")
    there = node(images=[{"names": ["docker.io/library/nope:latest"]}])
    assert cause(evidence).permanent
    assert not cause(replace(evidence, nodes=[there])).permanent
