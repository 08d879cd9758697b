"""Which errors come of what kind says."""

from __future__ import annotations

import pytest

from kindctl.errors import KindctlError, MachineError
from kindctl.tools.kind import kind_error
from kindctl.tools.process import failure


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
