"""The interfaces of everything outside of kindctl: the engine, kind, clusters, the network and the host.

Only the modules of this package use these things. `Tools` holds one object for each of them, and every step
and command gets the `Tools`. Unit tests pass fakes (tests/fakes) instead; the contract tests run the same
assertions on the fakes and on the real classes, which `tools/real.py` creates.

Unless its docstring says otherwise, a method raises ToolError (ApiError for a cluster) if the program or
server that it uses fails. The error contains the command or request and the original message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from kindctl.models import Forward, Object, ObjectRef, Say, Wake
from kindctl.tools.engine_protocol import Engine

ObjectKind = tuple[str, str]
"""(apiVersion, kind), as in ("apps/v1", "Deployment")."""

LOCAL_CA_FILES = "kindctl-local-ca-"
"""In the system's trust store, file names of kindctl's own certificate authority start with this prefix.
That authority is for https://localhost only, so it is never added to an image or a node."""


@dataclass(frozen=True)
class HttpAnswer:
    """An HTTP response. `body` may be incomplete: see Net.http."""

    status: int
    headers: Mapping[str, str]  # lower-case names
    body: bytes


class Kind(Protocol):
    """The `kind` program."""

    def version(self) -> str:
        """Return the version of kind, such as "0.33.0".

        Raises MachineError (code kind-missing) if kind is not installed.
        """

    def create(self, name: str, config: str, kubeconfig: Path, say: Say) -> None:
        """Create a cluster: `kind create cluster --retain --wait 0s`. `config` is kind's YAML.

        The nodes may not be ready yet when this returns.
        """

    def delete(self, name: str, kubeconfig: Path) -> None:
        """Delete the cluster if it exists."""

    def kubeconfig(self, name: str) -> str:
        """Return the cluster's kubeconfig as text, with the API server's address on this machine."""


class Cluster(Protocol):
    """The API of one Kubernetes cluster."""

    def alive(self) -> bool:
        """Return whether GET /readyz succeeds within 2 s. Never raises."""

    def version(self) -> str:
        """Return the version of Kubernetes, such as "1.36.3"."""

    def get(self, ref: ObjectRef) -> Object | None:
        """Return the object, or None if it does not exist or the cluster does not know its kind."""

    def list(
        self,
        api_version: str,
        kind: str,
        *,
        namespace: str | None = None,
        labels: str = "",
        fields: str = "",
    ) -> list[Object]:
        """Return the objects of a kind in one namespace, or in all namespaces.

        `labels` and `fields` are selectors. Each object has its apiVersion and kind. The list is empty if
        the cluster does not know the kind.
        """

    def apply(self, obj: Object, *, dry_run: bool = False) -> Object:
        """Apply the object server-side as field manager `kindctl`, and return the resulting object.

        Fields of other managers are taken over (`force`). With `dry_run`, nothing is stored.
        """

    def merge_patch(self, ref: ObjectRef, patch: Object, *, dry_run: bool = False) -> None:
        """Send a JSON merge patch (RFC 7386), which replaces lists as a whole.

        Afterwards no field manager owns the fields that the patch has set. So a later apply changes such a
        field only if the applied object contains the field.
        """

    def delete(self, ref: ObjectRef) -> bool:
        """Delete the object, with background propagation. Return False if it did not exist."""

    def logs(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        tail: int = 20,
        previous: bool = False,
        follow: bool = False,
        timestamps: bool = False,
    ) -> Iterator[str]:
        """Return the lines of a container's log, beginning with the last `tail` lines.

        `previous` selects the log of the run before the last restart. With `follow`, the iterator waits
        for new lines.
        """

    def http(
        self, namespace: str, service: str, port: str, path: str, *, host: str = ""
    ) -> HttpAnswer:
        """Send a GET to a ready pod of a Service through the API server's proxy, and return the response.

        `port` is a name or number; the prefix `https:` selects TLS, without verification of the
        certificate. Raises ApiError, with `passing` true, while no pod is ready.
        """

    def kinds(self) -> Sequence[tuple[str, str, bool]]:
        """Return the kinds that can be listed and deleted, as (apiVersion, kind, whether namespaced)."""

    def watch(self, *kinds: ObjectKind) -> Wake:
        """Return a Wake whose `wait` ends early if an object of these kinds changes, in any namespace.

        The watches run in daemon threads, which reconnect if a watch breaks.
        """

    def close(self) -> None:
        """Close the connections and end all watches."""


@dataclass(frozen=True)
class PortOwner:
    """The process that listens on a port of this machine. Fields that are unknown are empty."""

    pid: int | None
    program: str


class Net(Protocol):
    """The network of this machine: its ports, and HTTP requests from it."""

    def owner(self, address: str, port: int) -> PortOwner | None:
        """Return the process that listens on the port, or None if the port is free.

        Raises MachineError if the port can never be bound. The code is port-privileged if this user may
        not bind the port, and port-address if the address does not belong to this machine.
        """

    def free_port(self, address: str, wanted: Sequence[int]) -> int:
        """Return the first of the `wanted` ports that is free, or else any free port.

        Raises MachineError (code port-address).
        """

    def http(
        self,
        url: str,
        *,
        connect: tuple[str, int] | None = None,
        host: str = "",
        timeout: float = 3.0,
        ca: str | None = None,
    ) -> HttpAnswer:
        """Send a GET and return the response. Proxies are not used, and redirects not followed.

        `connect` is the address and port to connect to, by default those of the URL. `host` replaces the
        Host header. Certificates are verified only if `ca` (PEM) is given. At most the first 4 MiB of the
        body are read, and only until `timeout` seconds have passed. Raises ToolError: code http if there
        is no answer, certificate if the verification fails.
        """

    def opens(self, connect: tuple[str, int], timeout: float = 3.0) -> None:
        """Raise ToolError (code tcp) unless a TCP connection is accepted and stays open.

        The engine's proxy accepts every connection, and closes it at once if nothing listens on the
        container's port.
        """

    def reachable(self, url: str, timeout: float = 3.0) -> bool:
        """Return whether the URL answers with a status below 500.

        The request goes through the proxy that the environment variables name, if any. Never raises.
        """


class Host(Protocol):
    """This machine: its programs, processes, files and kernel settings."""

    def is_root(self) -> bool: ...

    def which(self, program: str) -> str | None:
        """Return the path of a program on PATH, or None if it is not installed."""

    def run(
        self,
        command: Sequence[str],
        *,
        say: Say | None = None,
        stdin: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> str:
        """Run a program and return its standard output. `say` gets each line of both output streams.

        `env` is added to the environment. Raises ToolError if the program fails.
        """

    def spawn(self, command: Sequence[str], log: Path) -> int:
        """Start a program that keeps running when kindctl exits, and return its process ID.

        The program's output is appended to the file `log`. Raises ToolError if the program exits at once.
        """

    def alive(self, pid: int) -> bool:
        """Return whether the process is running."""

    def terminate(self, pid: int) -> None:
        """Send SIGTERM to the process, and wait until the process has exited.

        If the process is still running 10 s later, it gets SIGKILL.
        """

    def read(self, path: Path) -> str | None:
        """Return the text of a file, or None if it does not exist."""

    def write(self, path: Path, text: str, mode: int = 0o644) -> None:
        """Write a file atomically. Missing parent folders are created."""

    def delete(self, path: Path) -> None:
        """Delete a file if it exists."""

    def sysctl(self, name: str) -> str | None:
        """Return a kernel setting, or None if this kernel does not have that setting."""

    def set_sysctl(self, name: str, value: str) -> None: ...

    def has_systemd(self) -> bool: ...

    def os_release(self) -> Mapping[str, str]:
        """Return the fields of /etc/os-release (ID, VERSION_CODENAME, ...).

        The result is empty if there is no such file.
        """

    def free_disk(self, path: str) -> int:
        """Return the free bytes of the file system that contains `path`, which need not exist."""

    def free_memory(self) -> int:
        """Return how many bytes of memory are available without swapping."""

    def trusted_cas(self) -> Mapping[str, str]:
        """Return the certificate authorities that administrators added to this machine, as file name ->
        PEM.

        The authorities of the distribution and of kindctl itself (LOCAL_CA_FILES) are not included.
        """

    def routes(self) -> Sequence[str]:
        """Return the destinations in the routing table, in CIDR notation, without the default route."""


@dataclass(frozen=True)
class ApiAccess:
    """What the process that forwards ports needs to connect to a cluster's API."""

    kubeconfig: Path
    context: str | None = None
    on_kind: bool = False  # whether the nodes are containers of the engine


@dataclass(frozen=True)
class ForwardState:
    """The state of a forwarded port, as reported by the process that forwards it."""

    forward: Forward
    origin: (
        str  # "file": kindctl.yaml; "command": `kindctl forward`; "held": until that command ends
    )
    pods: tuple[str, ...] = ()  # names of the ready pods
    connections: int = 0  # how many are open
    fault: str = ""  # why a new connection would not reach a pod; empty if it would
    last_failure: str = ""  # why the most recent failed connection failed


class Forwards(Protocol):
    """Ports of this machine that are forwarded to Services.

    Each environment has one process that forwards all of its ports. It is started for the first forward
    and ends with the last one.
    """

    def list(self, environment: str) -> list[ForwardState]:
        """Return the states of all forwards of an environment."""

    def process(self, environment: str) -> int | None:
        """Return the ID of the process that forwards the ports, or None if there is none."""

    def add(self, environment: str, access: ApiAccess, forward: Forward, *, origin: str) -> None:
        """Start a forward, unless it exists already.

        Raises ToolError: code `forwarded` if another forward uses the port, `port-taken` if another
        program does, and `forward` for all other failures.
        """

    def hold(self, environment: str, access: ApiAccess, forward: Forward) -> Iterator[str]:
        """Forward a port for as long as the iterator is consumed. Yields a message for each failure.

        The iterator ends if another process stops the forward. Raises the same errors as `add`.
        """

    def probe(self, environment: str, forward: Forward) -> str:
        """Try to connect to a pod. Return why that fails, or "" if it succeeds."""

    def stop(self, environment: str, forwards: Sequence[Forward]) -> None:
        """Stop these forwards. Forwards that do not exist are ignored."""

    def end(self, environment: str) -> bool:
        """Stop all forwards and their process, even if it hangs. Return False if no process was running."""


@dataclass(frozen=True)
class Tools:
    """The objects through which kindctl uses everything outside of it.

    `open_cluster` takes a kubeconfig file and a context, and returns the Cluster.
    """

    engine: Engine
    kind: Kind
    net: Net
    host: Host
    open_cluster: Callable[..., Any]  # (kubeconfig: Path, context: str | None = None) -> Cluster
    forwards: Forwards
