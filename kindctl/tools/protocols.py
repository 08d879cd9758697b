"""The outside world as kindctl sees it.

Only the modules of this package access Docker, kind, the cluster, the network, the host and the clock.
Tests replace them with fakes that behave like them.

Every method raises ToolError (ApiError for the cluster) when the program behind it fails, with the command
and the program's own message. No other exceptions leave this package.
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
"""What the names of the files of kindctl's own certificate authority start with in the system's store. It
serves https://localhost alone, and never goes into an image or a node."""


@dataclass(frozen=True)
class HttpAnswer:
    """An answer over HTTP. `body` may be cut off: see Net.http."""

    status: int
    headers: Mapping[str, str]  # lower-case names
    body: bytes


class Kind(Protocol):
    """The `kind` program."""

    def version(self) -> str:
        """The version: "0.33.0". Raises MachineError (code kind-missing) when kind is not installed."""
        ...

    def create(self, name: str, config: str, kubeconfig: Path, say: Say) -> None:
        """Run `kind create cluster --retain --wait 0s`. `config` is kind's YAML.

        That kind succeeds does not mean that the nodes are ready.
        """
        ...

    def delete(self, name: str, kubeconfig: Path) -> None:
        """Delete the cluster if it exists."""
        ...

    def kubeconfig(self, name: str) -> str:
        """The text of the cluster's kubeconfig, with the address that the host uses."""
        ...


class Cluster(Protocol):
    """The API of a cluster."""

    def alive(self) -> bool:
        """Whether GET /readyz succeeds within 2 s. Raises nothing."""
        ...

    def version(self) -> str:
        """The version of Kubernetes: "1.36.3"."""
        ...

    def get(self, ref: ObjectRef) -> Object | None:
        """The object. None when it does not exist, or when the cluster does not know its kind."""
        ...

    def list(
        self,
        api_version: str,
        kind: str,
        *,
        namespace: str | None = None,
        labels: str = "",
        fields: str = "",
    ) -> list[Object]:
        """The objects in one namespace, or in all, each with apiVersion and kind. Empty when the cluster
        does not know the kind. `labels` and `fields` are selectors."""
        ...

    def apply(self, obj: Object, *, dry_run: bool = False) -> Object:
        """Apply the object server-side, forced, as field manager `kindctl`; the object as it is then."""
        ...

    def merge_patch(self, ref: ObjectRef, patch: Object, *, dry_run: bool = False) -> None:
        """Send a JSON merge patch (RFC 7386): lists are replaced as a whole.

        Nobody owns the fields that it sets until they are applied, and an apply leaves alone what it does
        not name.
        """
        ...

    def delete(self, ref: ObjectRef) -> bool:
        """Delete the object, with background propagation. False when it did not exist."""
        ...

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
        """The lines of a container's log. `previous`: of the run before its last restart."""
        ...

    def http(
        self, namespace: str, service: str, port: str, path: str, *, host: str = ""
    ) -> HttpAnswer:
        """Send a GET to a ready pod of a Service, through the API server's proxy.

        `port`: name or number; with the prefix `https:` over TLS, whose certificate is not verified. Raises
        ApiError while no pod is ready; its `passing` is true then.
        """
        ...

    def kinds(self) -> Sequence[tuple[str, str, bool]]:
        """The kinds that can be listed and deleted: (apiVersion, kind, whether it is namespaced)."""
        ...

    def watch(self, *kinds: ObjectKind) -> Wake:
        """A Wake that returns early when an object of these kinds changes, in any namespace.

        The watches run in daemon threads, and are opened again when they break.
        """
        ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class PortOwner:
    """The process that listens on a port of the host. Empty fields are not known."""

    pid: int | None
    program: str
    container: str = ""


class Net(Protocol):
    """Ports of this machine, and HTTP from it."""

    def owner(self, address: str, port: int) -> PortOwner | None:
        """Who has the port. None: it can be bound.

        Raises MachineError where it can never be bound: code port-privileged if this user may not bind it,
        port-address if this machine does not have the address.
        """
        ...

    def free_port(self, address: str, wanted: Sequence[int]) -> int:
        """The first of `wanted` that can be bound, or any other port. Raises MachineError
        (port-address)."""
        ...

    def http(
        self,
        url: str,
        *,
        connect: tuple[str, int] | None = None,
        host: str = "",
        timeout: float = 3.0,
        ca: str | None = None,
    ) -> HttpAnswer:
        """Send a GET, without proxies or redirects. The connection goes to `connect` instead, if it is
        given.

        Certificates are verified only with `ca` (PEM). At most the first 4 MiB of the body are read, and
        only until `timeout`. Raises ToolError: code http when nothing answers, certificate when the
        verification fails.
        """
        ...

    def opens(self, connect: tuple[str, int], timeout: float = 3.0) -> None:
        """Check that a TCP connection is accepted and not closed at once. Raises ToolError (code tcp).

        The engine's proxy accepts every connection, and closes it at once if nothing listens behind it.
        """
        ...

    def reachable(self, url: str, timeout: float = 3.0) -> bool:
        """Whether the URL answers with a status below 500, through the proxy of the environment
        variables."""
        ...


class Host(Protocol):
    """This machine: programs, files, kernel settings, packages."""

    def is_root(self) -> bool: ...

    def which(self, program: str) -> str | None: ...

    def run(
        self,
        command: Sequence[str],
        *,
        say: Say | None = None,
        stdin: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> str:
        """Run the program; its standard output. `say` gets each line of both streams. Raises ToolError."""
        ...

    def spawn(self, command: Sequence[str], log: Path) -> int:
        """Start a program that outlives kindctl, in a session of its own; its process ID."""
        ...

    def alive(self, pid: int) -> bool: ...

    def terminate(self, pid: int) -> None:
        """End the process, if it still runs, and wait until it has ended: TERM, then KILL after 10 s."""
        ...

    def read(self, path: Path) -> str | None:
        """The text of the file. None when it does not exist."""
        ...

    def write(self, path: Path, text: str, mode: int = 0o644) -> None:
        """Write the file atomically. Parent folders are created."""
        ...

    def delete(self, path: Path) -> None: ...

    def sysctl(self, name: str) -> str | None: ...

    def set_sysctl(self, name: str, value: str) -> None: ...

    def has_systemd(self) -> bool: ...

    def os_release(self) -> Mapping[str, str]:
        """The fields of /etc/os-release: ID, VERSION_CODENAME, ... Empty where there is no such file."""
        ...

    def free_disk(self, path: str) -> int:
        """The free bytes of the file system with this path. The path need not exist."""
        ...

    def free_memory(self) -> int:
        """The bytes of memory that are available without swapping."""
        ...

    def trusted_cas(self) -> Mapping[str, str]:
        """The certificate authorities that this host trusts beyond its distribution's own: file name ->
        PEM. kindctl's own (LOCAL_CA_FILES) is left out."""
        ...

    def routes(self) -> Sequence[str]:
        """The destinations (CIDR) in the host's routing table, without the default route."""
        ...


@dataclass(frozen=True)
class ApiAccess:
    """How the process that forwards ports reaches a cluster's API."""

    kubeconfig: Path
    context: str | None = None
    on_kind: bool = False  # the nodes are containers of the engine


@dataclass(frozen=True)
class ForwardState:
    """The state of a forwarded port, as the process that forwards it reports it."""

    forward: Forward
    origin: str  # file: kindctl.yaml; command: `kindctl forward`; held: for as long as that runs
    pods: tuple[str, ...] = ()  # the ready ones
    connections: int = 0
    fault: str = ""  # why a new connection would not reach a pod; empty: it would
    last_failure: str = ""  # why the last connection that failed did so


class Forwards(Protocol):
    """Ports of this machine that are forwarded to Services.

    One process per environment forwards them. It is started for the first port and ends with the last one.
    """

    def list(self, environment: str) -> list[ForwardState]: ...

    def process(self, environment: str) -> int | None:
        """The ID of the process that forwards the ports. None: nothing is forwarded."""
        ...

    def add(self, environment: str, access: ApiAccess, forward: Forward, *, origin: str) -> None:
        """Start the forward, unless it runs already.

        Raises ToolError: code `forwarded` if another forward has the port, `port-taken` if another program
        has it, or else `forward`.
        """
        ...

    def hold(self, environment: str, access: ApiAccess, forward: Forward) -> Iterator[str]:
        """Forward the port while the result is iterated. It yields a message for each failure, and ends
        when the forward is stopped from elsewhere. Raises as `add`."""
        ...

    def probe(self, environment: str, forward: Forward) -> str:
        """Try a connection; why it fails. Empty: it succeeds."""
        ...

    def stop(self, environment: str, forwards: Sequence[Forward]) -> None:
        """Stop those of the forwards that run."""
        ...

    def end(self, environment: str) -> bool:
        """Stop all forwards and end the process, even if it hangs. False: there was no process."""
        ...


@dataclass(frozen=True)
class Tools:
    """All access to the outside world. `open_cluster`: the cluster of a kubeconfig file and context."""

    engine: Engine
    kind: Kind
    net: Net
    host: Host
    open_cluster: Callable[..., Any]  # (kubeconfig: Path, context: str | None = None) -> Cluster
    forwards: Forwards
