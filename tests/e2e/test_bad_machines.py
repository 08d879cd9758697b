"""Bad input and bad machines: one clear error with a code, a fix and an exit code."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT
from tests.e2e.conftest import NAME, Sample
from tests.support.harness import Kindctl, docker, node_ids, sample_file, until

BROKEN = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: broken}
spec:
  selector: {matchLabels: {app: broken}}
  template:
    metadata: {labels: {app: broken}}
    spec:
      containers:
      - name: broken
        image: broken-image
        envFrom: [{configMapRef: {name: not-there}}]
"""


def here(kindctl: Kindctl, folder: Path, text: str) -> Kindctl:
    (folder / "kindctl.yaml").write_text(text)
    return Kindctl(folder, kindctl.home)


def test_a_taken_port_names_its_owner_and_a_free_alternative(
    kindctl: Kindctl, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        text = f"name: e2e-taken\ningress: {{expose: {{http: {port}, https: 8544}}}}\n"
        result = here(kindctl, tmp_path, text).run("up", "--yes", code=3)
        offered = re.search(r"`ingress\.expose\.http: (\d+)` in kindctl\.yaml", result.err)
        assert offered, result.err
        with socket.socket() as free:
            free.bind(("127.0.0.1", int(offered.group(1))))
    assert "port-taken" in result.err
    assert str(port) in result.err
    assert str(os.getpid()) in result.err
    assert node_ids("e2e-taken") == []


def test_the_ports_of_a_living_environment_belong_to_its_container(
    sample: Sample, tmp_path: Path
) -> None:
    result = here(sample.kindctl, tmp_path, "name: e2e-second\n").run("up", "--yes", code=3)
    assert "port-taken" in result.err
    assert f"{NAME}-control-plane" in result.err


def test_a_bad_file_is_reported_whole_before_docker_is_touched(
    kindctl: Kindctl, tmp_path: Path
) -> None:
    kindctl = here(kindctl, tmp_path, "name: BAD\ncluster: {worker: 1}\n")
    environ = kindctl.environ() | {"DOCKER_HOST": "unix:///nowhere.sock", "PATH": "/nowhere"}
    done = subprocess.run(
        [sys.executable, "-m", "kindctl", "up"],
        cwd=tmp_path, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "kindctl.yaml:1:7" in done.stderr
    assert "kindctl.yaml:2:11" in done.stderr
    assert "did you mean 'workers'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [["up"], ["list"], ["status", "x"], ["down", "x"]])
def test_no_engine_is_one_clear_error(kindctl: Kindctl, command: list[str]) -> None:
    environ = kindctl.environ() | {"DOCKER_HOST": "unix:///nowhere.sock"}
    done = subprocess.run(
        [sys.executable, "-m", "kindctl", *command],
        cwd=kindctl.folder, env=environ, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert "engine-down" in done.stderr
    assert "kindctl doctor" in done.stderr
    assert "Traceback" not in done.stderr


def test_doctor_has_numbers_and_an_exit_code(kindctl: Kindctl) -> None:
    verdicts = json.loads(kindctl.run("doctor", "-o", "json", code=None).out)
    by_code = {verdict["code"]: verdict for verdict in verdicts}
    assert {"engine", "kind", "disk", "memory", "inotify"} <= set(by_code)
    assert any(code.startswith("port") for code in by_code)  # "port-taken" beside an environment
    assert any(character.isdigit() for character in by_code["disk"]["seen"])


def test_a_strangers_cluster_of_that_name_is_left_alone(kindctl: Kindctl, tmp_path: Path) -> None:
    """A container that kind would call a node of `e2e-stranger`, without our label."""
    image = docker("images", "-q").split()[0]
    container = docker(
        "create", "--label", "io.x-k8s.kind.cluster=e2e-stranger",
        "--label", "io.x-k8s.kind.role=control-plane", image, "true",
    )  # fmt: skip
    try:
        kindctl = here(
            kindctl, tmp_path, "name: e2e-stranger\ningress: {expose: {http: 8181, https: 8545}}\n"
        )
        for command in (["up", "--yes"], ["down", "e2e-stranger"]):
            result = kindctl.run(*command, code=1)
            assert "not-ours" in result.err
        assert node_ids("e2e-stranger") == [container[:12]]
    finally:
        docker("rm", "-f", container)


def test_a_wait_stops_at_once_on_a_permanent_cause(sample: Sample, tmp_path: Path) -> None:
    """A Deployment whose container cannot start: cause and events instead of a time-out."""
    (tmp_path / "k8s.yaml").write_text(BROKEN)
    app = (
        "- name: broken\n"
        f"  build: [{{image: broken-image, context: {ROOT / 'sample-app' / 'frontend'}}}]\n"
        "  manifests: [./k8s.yaml]\n"
    )
    result = here(sample.kindctl, tmp_path, sample_file(NAME) + app).run("up", code=1, timeout=90)
    assert "container-config" in result.err
    assert "not-there" in result.err

    # and the next `up` without it takes it away again
    changes = sample.kindctl.run("up", "--name", NAME, "-o", "json").changes()
    assert any("broken" in change for change in changes)
    until(
        lambda: (
            "broken"
            not in [
                d.metadata.name for d in sample.api.apps.list_deployment_for_all_namespaces().items
            ]
        ),
        30,
        "the namespace of the broken app goes, with all in it",
    )
