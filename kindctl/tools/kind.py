"""The real Kind: runs the `kind` program.

kind gets kindctl's environment variables, so it finds the engine as the docker client does, and respects
KIND_EXPERIMENTAL_PROVIDER.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from kindctl.errors import KindctlError, MachineError, ToolError
from kindctl.models import Say
from kindctl.tools import process
from kindctl.tools.engine_words import DISK_FULL, as_error, classify

CREATION_ERRORS = (  # code, kind's or the engine's message, what to do
    (
        "port-taken",
        r"port is already allocated|address already in use|ports are not available",
        "free the port or choose another one: `kindctl doctor` names its owner",
    ),
    (
        "port-privileged",
        r"cannot expose privileged port",  # rootless Docker, by rootlesskit
        "choose a port from 1024 up, or allow this one: "
        "`sudo sysctl -w net.ipv4.ip_unprivileged_port_start=80`",
    ),
    (
        "kind-log-line",  # kind#2972
        r"could not find a log line",
        "the node did not boot within kind's 30 s: the machine is busy or has no inotify instances left",
    ),
    ("kind-exists", r"node\(s\) already exist for a cluster with the name", ""),
    (
        "kind-image",
        r"failed to pull image|No such image|manifest unknown|pull access denied",
        "get the node image into the engine: `kindctl images pull` or `kindctl images build`",
    ),
    (
        "subnet-clash",
        r"non-overlapping IPv4 address pool",
        "remove unused networks, or widen default-address-pools in the engine's daemon.json",
    ),
    DISK_FULL,
    (
        "inotify",
        r"too many open files",
        "raise fs.inotify.max_user_instances: `kindctl doctor --fix`",
    ),
    ("kind-kubeadm", r"failed to init node with kubeadm|failed to join node with kubeadm", ""),
    (
        "kind-config",
        r"unknown apiVersion|unable to decode config|invalid configuration|yaml: ",
        "correct cluster.kind in kindctl.yaml",
    ),
    ("kind-unknown-cluster", r"could not locate any control plane nodes", ""),
)


class KindProgram:
    """Implements protocols.Kind.

    Errors have the codes of CREATION_ERRORS, or are MachineErrors if the engine cannot be used.
    """

    def version(self) -> str:
        output = self._kind("version")
        found = re.search(r"\bv?(\d+\.\d+\.\d+\S*)", output)
        if found is None:
            raise ToolError("`kind version` printed no version", output=output)
        return found[1]

    def create(self, name: str, config: str, kubeconfig: Path, say: Say) -> None:
        kubeconfig.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        arguments = ["create", "cluster", "--name", name, "--config", "-", "--retain"]
        arguments += ["--wait", "0s", "--kubeconfig", str(kubeconfig)]
        self._kind(*arguments, say=say, stdin=config)

    def delete(self, name: str, kubeconfig: Path) -> None:
        self._kind("delete", "cluster", "--name", name, "--kubeconfig", str(kubeconfig))

    def kubeconfig(self, name: str) -> str:
        return self._kind("get", "kubeconfig", "--name", name)

    def _kind(self, *arguments: str, say: Say | None = None, stdin: str | None = None) -> str:
        program = shutil.which("kind")
        if program is None:
            raise MachineError(
                "`kind` is not installed",
                fix="run `kindctl doctor --fix`, or install kind from https://kind.sigs.k8s.io",
                code="kind-missing",
            )
        given = None if stdin is None else stdin.encode()
        output = _Output(say)
        try:
            return process.run([program, *arguments], say=output, stdin=given)
        except ToolError as error:
            raise kind_error(error, "\n".join(output.lines)) from error


class _Output:
    """Keeps all lines that kind prints, and passes its progress to `say`.

    kind prints its ERROR line first, and then the output of the command that failed. That output may be so
    long that the last lines, which an error keeps, do not include the ERROR line.
    """

    def __init__(self, say: Say | None) -> None:
        self.lines: list[str] = []
        self._say = say

    def __call__(self, line: str) -> None:
        self.lines.append(line)
        if line.startswith("ERROR: "):
            self._say = None
        if self._say is not None and line.strip():
            self._say(line.strip())


def kind_error(error: ToolError, output: str) -> KindctlError:
    """Set the reason, code and fix of an error of kind. `output` is everything that kind printed."""
    if summary := re.search(r"^ERROR: (.+)$", output, re.MULTILINE):
        error.why = summary[1]
    classify(error, output, CREATION_ERRORS)
    return as_error(error)
