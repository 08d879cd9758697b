"""kindctl as its users run it, and the engine and the API asked without it.

What a test concludes, it asks here of docker and of the Kubernetes API, never of kindctl.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubernetes import client, config
from kubernetes.stream import stream

from tests import ROOT

OUTPUT = ROOT / "tests" / "output"
UP_SECONDS = 600


@dataclass
class Result:
    code: int
    out: str
    err: str
    seconds: float
    events: list[dict[str, Any]] = field(default_factory=list)

    def ended(self) -> dict[str, Any]:
        """Return the last event of an `up -o json`: its report."""
        (last,) = [event for event in self.events if event["event"] == "run-ended"]
        return last

    def error(self) -> dict[str, Any]:
        """Return the error of an `up -o json` that failed."""
        return next(event for event in self.events if event["event"] == "error")

    def changes(self) -> list[str]:
        return [
            change
            for event in self.events
            if event["event"] == "step-ended"
            for change in event["changes"]
        ]


@dataclass
class Kindctl:
    """Runs kindctl with its own data folder, in `folder`."""

    folder: Path
    home: Path

    def environ(self) -> dict[str, str]:
        return {
            **os.environ,
            "XDG_DATA_HOME": str(self.home / "data"),
            "KUBECONFIG": str(self.home / "kubeconfig"),
            "NO_COLOR": "1",
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "kindctl", *arguments],
            cwd=self.folder,
            env=self.environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, code: int | None = 0, timeout: float = UP_SECONDS) -> Result:
        """Run a command to its end. Unless it exits with `code`, the test fails and shows both streams."""
        started = time.monotonic()
        process = self.start(*arguments)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=10)
            raise AssertionError(
                f"kindctl {arguments} took over {timeout} s\n{out}\n{err}"
            ) from None
        result = Result(process.returncode, out, err, time.monotonic() - started)
        if "json" in arguments:
            result.events = _json_lines(out)
        if code is not None:
            assert result.code == code, (
                f"kindctl {' '.join(arguments)}: {result.code}\n{out}\n{err}"
            )
        return result

    def interrupt_at(self, step: str, *arguments: str) -> tuple[Result, float]:
        """`up`, sent SIGINT when `step` has started; the seconds that it then took to end.

        A step that ends before the signal arrives is no failure: the run goes on until another one.
        """
        process = self.start(*arguments, "-o", "json")
        assert process.stdout
        lines = []
        sent = 0.0
        for line in process.stdout:
            lines.append(line)
            event = json.loads(line)
            if not sent and event["event"] == "step-started" and event["name"] == step:
                process.send_signal(signal.SIGINT)
                sent = time.monotonic()
        process.wait(timeout=30)
        took = time.monotonic() - sent if sent else 0.0
        assert process.stderr
        result = Result(process.returncode, "".join(lines), process.stderr.read(), 0.0)
        result.events = _json_lines(result.out)
        return result, took


def _json_lines(text: str) -> list[dict[str, Any]]:
    lines = [line for line in text.splitlines() if line.startswith("{")]
    try:
        return [json.loads(line) for line in lines]
    except json.JSONDecodeError:
        return []


# --- the engine ----------------------------------------------------------------------------------


def docker(*arguments: str) -> str:
    return subprocess.run(
        ["docker", *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


def node_ids(environment: str) -> list[str]:
    return docker("ps", "-aq", "--filter", f"label=io.x-k8s.kind.cluster={environment}").split()


def inspect(container: str) -> dict[str, Any]:
    (found,) = json.loads(docker("inspect", container))
    return dict(found)


# --- the API -------------------------------------------------------------------------------------


class Api:
    """The typed client on the kubeconfig that `kind get kubeconfig` gives."""

    def __init__(self, environment: str, folder: Path) -> None:
        file = folder / f"{environment}.kubeconfig"
        text = subprocess.run(
            ["kind", "get", "kubeconfig", "--name", environment],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        file.write_text(text)
        self.api: Any = config.new_client_from_config(str(file))  # type: ignore[no-untyped-call]
        self.core: Any = client.CoreV1Api(self.api)
        self.apps: Any = client.AppsV1Api(self.api)
        self.batch: Any = client.BatchV1Api(self.api)
        self.networking: Any = client.NetworkingV1Api(self.api)

    def raw(self, path: str, method: str = "GET", body: Any = None, kind: str = "") -> Any:
        """Ask for any object by its REST path. Returns None for 404."""
        headers = {"Accept": "application/json", "Content-Type": kind or "application/json"}
        answer = self.api.rest_client.pool_manager.request(
            method,
            self.api.configuration.host + path,
            body=None if body is None else json.dumps(body),
            headers=headers,
        )
        if answer.status == 404:
            return None
        assert answer.status < 400, f"{method} {path}: {answer.status} {answer.data[:500]!r}"
        return json.loads(answer.data)

    def pods(self, namespace: str, labels: str = "") -> list[Any]:
        return list(self.core.list_namespaced_pod(namespace, label_selector=labels).items)

    def execute(self, namespace: str, pod: str, command: Sequence[str]) -> str:
        return str(
            stream(
                self.core.connect_get_namespaced_pod_exec,
                pod,
                namespace,
                command=list(command),
                stderr=True,
                stdin=False,
                stdout=True,
                tty=False,
            )
        )


# --- the way in ----------------------------------------------------------------------------------


@dataclass
class Answer:
    status: int
    body: str
    headers: dict[str, str]

    def json(self) -> Any:
        return json.loads(self.body)


def http(url: str, method: str = "GET", data: Any = None) -> Answer:
    """Send one request with urllib, past all proxies. An HTTP error is an answer too."""
    body = None if data is None else json.dumps(data).encode()
    request = urllib.request.Request(url, data=body, method=method)
    request.add_header("Content-Type", "application/json")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as response:
            return Answer(response.status, response.read().decode(), dict(response.headers))
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.read().decode(), dict(error.headers))


def until(holds: Callable[[], Any], seconds: float, what: str) -> Any:
    """Wait until `holds` returns something true, and return that. Fails the test after `seconds`."""
    end = time.monotonic() + seconds
    last: Any = None
    while time.monotonic() < end:
        try:
            last = holds()
            if last:
                return last
        except (client.ApiException, OSError, subprocess.CalledProcessError) as error:
            last = error
        time.sleep(0.2)
    raise AssertionError(f"{what}: not within {seconds} s; last: {last}")


def sample_file(name: str, more: str = "") -> str:
    """Return the sample's kindctl.yaml with absolute paths, another name, and `more` at its top level."""
    folder = ROOT / "sample-app"
    text = (folder / "kindctl.yaml").read_text()
    for relative in ("./frontend", "./backend", "./k8s"):
        assert relative in text
        text = text.replace(relative, str(folder / relative))
    assert "name: sample\n\n" in text
    return text.replace("name: sample\n\n", f"name: {name}\n{more}\n", 1)
