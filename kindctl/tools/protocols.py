"""The outside world as kindctl sees it. Only the modules of this package touch Docker, kind, the
cluster, the network, the host and the clock; tests replace them with fakes that behave.

Every method raises ToolError (ApiError for the cluster) when the program behind it fails, with the
command and the program's own words; foreign exceptions never leave this package.
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
"""How the files of the authority behind https://localhost begin in the system's store: it is no network's,
and never goes into an image or a node."""


@dataclass(frozen=True)
class HttpAnswer:
    status: int
    headers: Mapping[str, str]  # lower-case names
    body: bytes


class Kind(Protocol):
    """The `kind` program."""

    def version(self) -> str:
        """ "0.33.0". Raises MachineError (code kind-missing) when it is not installed."""
        ...

    def clusters(self) -> list[str]: ...

    def create(self, name: str, config: str, kubeconfig: Path, say: Say) -> None:
        """`kind create cluster --retain --wait 0s`; `config` is kind's YAML. kind's exit code says
        nothing of readiness."""
        ...

    def delete(self, name: str, kubeconfig: Path) -> None:
        """No error when there is none."""
        ...

    def kubeconfig(self, name: str) -> str:
        """The cluster's kubeconfig, with the address that the host uses."""
        ...


class Cluster(Protocol):
    """A cluster's API, by the kubernetes client's ApiClient and raw REST paths."""

    def alive(self) -> bool:
        """Whether GET /readyz answers ok within 2 s. Never raises."""
        ...

    def version(self) -> str:
        """ "1.36.3" """
        ...

    def get(self, ref: ObjectRef) -> Object | None:
        """None too when the kind is unknown to the cluster."""
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
        """In one namespace, or in all. Empty when the kind is unknown to the cluster. apiVersion and
        kind are filled in on each item."""
        ...

    def apply(self, obj: Object, *, dry_run: bool = False) -> Object:
        """Server-side apply, forced, field manager `kindctl`; the object as the API then has it."""
        ...

    def merge_patch(self, ref: ObjectRef, patch: Object, *, dry_run: bool = False) -> None:
        """JSON merge patch (RFC 7386): lists are replaced as a whole. Nobody owns what it has set until
        it is applied, and an apply leaves what it does not name."""
        ...

    def delete(self, ref: ObjectRef) -> bool:
        """Background propagation. False when there was none."""
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
        """Lines."""
        ...

    def http(
        self, namespace: str, service: str, port: str, path: str, *, host: str = ""
    ) -> HttpAnswer:
        """GET to a ready pod of a Service, through the API server's proxy. `port`: name or number; with
        `https:` before it over TLS, unverified. Raises ApiError (passing) while no pod is ready."""
        ...

    def kinds(self) -> Sequence[tuple[str, str, bool]]:
        """(apiVersion, kind, namespaced) of everything that can be listed and deleted: for prune."""
        ...

    def watch(self, *kinds: tuple[str, str]) -> Wake:
        """A Wake that returns early when an object of these (apiVersion, kind)s changes anywhere. The
        watches run in daemon threads and are re-opened when they break."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class PortOwner:
    """Who listens on a port of the host. Empty fields could not be found out."""

    pid: int | None
    program: str
    container: str = ""


class Net(Protocol):
    """Ports and HTTP, from this machine."""

    def owner(self, address: str, port: int) -> PortOwner | None:
        """None: the port can be bound. Raises MachineError where it never can: port-privileged, where
        this user may not, or port-address, where this machine does not have the address."""
        ...

    def free_port(self, address: str, wanted: Sequence[int]) -> int:
        """The first of `wanted` that can be bound, else any. Raises MachineError (port-address)."""
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
        """GET without proxies and redirects; the connection goes to `connect`. Certificates are verified
        only when `ca` (PEM) is given. Raises ToolError: code http when nothing answers, certificate when
        one does not pass."""
        ...

    def opens(self, connect: tuple[str, int], timeout: float = 3.0) -> None:
        """A TCP connection is taken, and not closed at once: the engine's proxy takes every one, and
        closes it where nobody is behind. Raises ToolError (code tcp)."""
        ...

    def reachable(self, url: str, timeout: float = 3.0) -> bool:
        """Whether anything below 500 answers there, through the proxy that the environment names."""
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
        """Standard output; `say` gets each line of both streams. Raises ToolError."""
        ...

    def spawn(self, command: Sequence[str], log: Path) -> int:
        """A program that outlives kindctl (own session); its pid."""
        ...

    def alive(self, pid: int) -> bool: ...

    def terminate(self, pid: int) -> None:
        """TERM, then KILL after 10 s; waits for the end. No error when it is gone."""
        ...

    def read(self, path: Path) -> str | None:
        """None when it does not exist."""
        ...

    def write(self, path: Path, text: str, mode: int = 0o644) -> None:
        """Atomic; makes parent folders."""
        ...

    def delete(self, path: Path) -> None: ...

    def sysctl(self, name: str) -> str | None: ...

    def set_sysctl(self, name: str, value: str) -> None: ...

    def has_systemd(self) -> bool: ...

    def os_release(self) -> Mapping[str, str]:
        """/etc/os-release: ID, VERSION_CODENAME, ..."""
        ...

    def free_disk(self, path: str) -> int:
        """Bytes; of the nearest existing parent."""
        ...

    def free_memory(self) -> int:
        """Bytes available without swapping."""
        ...

    def trusted_cas(self) -> Mapping[str, str]:
        """File name -> PEM of the CAs that this host trusts beyond its distribution's own, and kindctl's
        (LOCAL_CA_FILES)."""
        ...

    def routes(self) -> Sequence[str]:
        """Destinations (CIDR) in the host's routing table, without the default."""
        ...


@dataclass(frozen=True)
class ApiAccess:
    """How a process that outlives this one reaches a cluster's API."""

    kubeconfig: Path
    context: str | None = None
    on_kind: bool = False  # its nodes are containers of the engine


@dataclass(frozen=True)
class ForwardState:
    """A forwarded port, as the process that forwards it sees it."""

    forward: Forward
    origin: str  # file: of kindctl.yaml; command: of `kindctl forward`; held: as long as that runs
    pods: tuple[str, ...] = ()  # that are ready
    connections: int = 0
    fault: str = ""  # why a connection would not find a pod now
    last_failure: str = ""  # of a connection


class Forwards(Protocol):
    """Ports of this machine that are forwarded to Services: one process an environment, which is
    started by the first and ends with the last."""

    def list(self, environment: str) -> list[ForwardState]: ...

    def process(self, environment: str) -> int | None:
        """The process that holds the ports; None: nothing is forwarded."""
        ...

    def add(self, environment: str, access: ApiAccess, forward: Forward, *, origin: str) -> None:
        """No error when it is there. Raises ToolError: code `forwarded` where another forward has the
        port, `port-taken` where somebody else has it, else `forward`."""
        ...

    def hold(self, environment: str, access: ApiAccess, forward: Forward) -> Iterator[str]:
        """Forwarded as long as it is iterated, by words on what fails; they end when it is stopped from
        elsewhere. Raises as `add`."""
        ...

    def probe(self, environment: str, forward: Forward) -> str:
        """Why a connection does not get through; empty: one just did."""
        ...

    def stop(self, environment: str, forwards: Sequence[Forward]) -> None:
        """No error for one that is not there."""
        ...

    def end(self, environment: str) -> bool:
        """All of them, and the process, even where it hangs. False: there was none."""
        ...


@dataclass(frozen=True)
class Tools:
    """Everything outside, passed down. `open_cluster`: the API behind a kubeconfig file (and context)."""

    engine: Engine
    kind: Kind
    net: Net
    host: Host
    open_cluster: Callable[..., Any]  # (kubeconfig: Path, context: str | None = None) -> Cluster
    forwards: Forwards
