"""What the folders of kindctl pass to each other: frozen data, and the Protocols of what they implement.

The data does nothing but derive one of its values from others (`Endpoint.url`, `Report.changes`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

Object = dict[str, Any]
"""A Kubernetes object as the API speaks it: plain JSON."""

MANAGER = "kindctl"
"""Field manager of every server-side apply, and the value of app.kubernetes.io/managed-by."""

ENVIRONMENT_LABEL = "kindctl.dev/environment"
COMPONENT_LABEL = "kindctl.dev/component"
MANAGED_LABEL = "app.kubernetes.io/managed-by"
DOCKER_ENVIRONMENT_LABEL = "dev.kindctl.environment"
REGISTRY_LABEL = "dev.kindctl.registry"
"""Of the environment's image registry: a container of its own that is no node."""
EXTRA_CAS_LABEL = "dev.kindctl.extra-cas"
"""Of an image: the SHA-256 of each additional certificate authority that it trusts, by commas."""

GATEWAY_NODE = "kindctl.dev/gateway"
"""Label ("true") and key of a NoSchedule taint of the nodes that are the controller's alone."""

SYSTEM_NAMESPACE = "kindctl-system"
"""Where the record of an environment lives in its cluster."""


# --- why something does not become ready ---------------------------------------------------------


@dataclass(frozen=True)
class Cause:
    """Why something is not ready, as far as the evidence says.

    `sure` is between 0 and 1. `cites` are the words of the system that the verdict rests on (events,
    log lines). `since` is when the evidence arose: a cause older than the present `up` may be
    about what this `up` has just repaired, so only newer ones stop a wait.
    """

    code: str
    what: str
    fix: str
    cites: tuple[str, ...] = ()
    permanent: bool = False
    sure: float = 1.0
    since: datetime | None = None


# --- steps ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Absent:
    """What the step makes is not there (or what it needs is not)."""

    what: str = ""


@dataclass(frozen=True)
class Differs:
    """It is there, and not as the configuration says. `what` names the differences."""

    what: str


@dataclass(frozen=True)
class NotReady:
    """It is there as it should be and does not work yet. `seen` is what was seen last."""

    seen: str
    cause: Cause | None = None


@dataclass(frozen=True)
class Ready:
    note: str = ""


State = Absent | Differs | NotReady | Ready


@dataclass(frozen=True)
class Change:
    """What an `apply` did, one entry an object: "created Deployment example/backend"."""

    done: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.done)


UNCHANGED = Change()


class Progress(Protocol):
    """What a step may tell while it works."""

    def reach(self, milestone: str) -> None:
        """Announce a milestone: steps that need "STEP:MILESTONE" may start."""

    def say(self, text: str) -> None:
        """One short line on what is going on, for the screen."""


Say = Callable[[str], None]
"""Takes one line of progress, for the screen."""


class Wake(Protocol):
    """Something that knows when looking again may be worth it."""

    def wait(self, seconds: float) -> object:
        """Return after `seconds`, or earlier when something has changed."""


class Step(Protocol):
    """One thing that `up` makes so, or waits for. Holds when `observe()` is Ready.

    A step hands nothing to another but what can be looked up again, so that a resumed `up` is
    the same code as a first one.
    """

    @property
    def name(self) -> str:
        """Stable id: "cluster", "image:postgres:17"."""
        ...

    @property
    def title(self) -> str:
        """For people: "create the cluster"."""
        ...

    @property
    def needs(self) -> frozenset[str]:
        """Names of steps, or "STEP:MILESTONE", that must hold first."""
        ...

    @property
    def timeout(self) -> float:
        """Seconds from its start until it must hold."""
        ...

    @property
    def wake(self) -> Wake | None:
        """What wakes its wait; None: polled."""
        ...

    def observe(self) -> State:
        """Look, changing nothing. A step whose needs are absent is Absent, not an error."""
        ...

    def apply(self, progress: Progress) -> Change:
        """Make it so. Called for Absent and Differs only; the runner then waits until Ready."""
        ...


# --- ways in -------------------------------------------------------------------------------------


EXTERNAL = "EXTERNAL-IP"
"""Stands in an Endpoint and a Route for an address that only the cluster gives: kubectl's own word."""


@dataclass(frozen=True)
class Endpoint:
    """Where the host reaches the environment: computed once, from the Config.

    `external`: the Service ("namespace/name") whose external address stands for `address` and `host`,
    which are EXTERNAL then.
    """

    scheme: str  # http, https or tcp
    address: str  # the address that is bound on the host: 127.0.0.1
    port: int
    host: str = "localhost"  # the name in printed URLs
    external: str = ""

    @property
    def url(self) -> str:
        default = {"http": 80, "https": 443}.get(self.scheme)
        return f"{self.scheme}://{self.host}" + ("" if self.port == default else f":{self.port}")


@dataclass(frozen=True)
class PortMapping:
    """A port of the host that kind maps onto a node when it makes the node (kind#2720)."""

    host_port: int
    node_port: int
    address: str = "127.0.0.1"


@dataclass(frozen=True)
class Forward:
    """A port of the host that is forwarded to ready pods of a Service."""

    namespace: str
    service: str
    port: int | str  # of the Service: number or name
    local: int
    address: str = "127.0.0.1"


@dataclass(frozen=True)
class ExposedPort:
    """A port of a Service, and where the host shall reach it."""

    scheme: str  # http, https or tcp
    namespace: str
    service: str
    port: int | str  # of the Service: number or name
    local: int  # port of the host; of the external address, where there is one
    node_port: int = 0  # port of the node, where the way leads over one


class Exposure(Protocol):
    """One way from the host to a Service. One file per kind, in exposures/."""

    @property
    def ports(self) -> Sequence[ExposedPort]: ...

    @property
    def on_node(self) -> bool:
        """Whether the pods themselves listen on ports of their node (hostPort)."""
        ...

    @property
    def service_type(self) -> str:
        """The type that the Service becomes; empty: its own."""
        ...

    def mappings(self) -> Sequence[PortMapping]:
        """Ports that the node must have from its making on; empty where none are needed."""
        ...

    def forwards(self) -> Sequence[Forward]:
        """Ports that a forward must listen on; empty where none are needed."""
        ...

    def endpoints(self) -> Sequence[Endpoint]:
        """Where the host reaches the Service: HTTP first."""
        ...

    def shape(self, service: Object) -> None:
        """Change a Service of the manifests into what this way needs: its type, its node ports."""
        ...


@dataclass(frozen=True)
class Route:
    """A URL, and what makes an answer the right one."""

    url: str  # http://localhost/api/healthy
    host: str = ""  # Host header, where it is not the URL's own
    connect: tuple[str, int] = ("127.0.0.1", 80)  # where the request is really sent
    contains: str = ""  # text that a right answer has; empty: any answer below 500
    status: int | None = None  # exact status wanted; None: below 500 (with contains: below 400)
    app: str = ""
    namespace: str = ""
    external: str = ""  # the Service whose external address stands for EXTERNAL in url and connect
    via_controller: bool = (
        True  # by the controller, with this environment's headers; else straight to a Service
    )
    via_witness: bool = (
        False  # its controller sets no headers: a pod of ours behind it does (ingress.proof)
    )
    certified: bool = False  # over TLS, with a certificate that the local authority has signed

    @property
    def which(self) -> str:
        """Of several that have the same URL: by the host, or the Service whose address is not known."""
        return self.host or ("" if self.via_controller else self.external)


# --- Kubernetes objects --------------------------------------------------------------------------


@dataclass(frozen=True)
class ObjectRef:
    api_version: str
    kind: str
    name: str
    namespace: str | None = None

    @classmethod
    def of(cls, obj: Mapping[str, Any]) -> ObjectRef:
        meta = obj["metadata"]
        return cls(obj["apiVersion"], obj["kind"], meta["name"], meta.get("namespace"))

    def __str__(self) -> str:
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {where}{self.name}"


# --- images of apps ------------------------------------------------------------------------------


@dataclass(frozen=True)
class AppBuild:
    """An image of the user's that is built from a Dockerfile. Paths are absolute."""

    image: str  # the name by which the manifests ask for it
    context: Path
    dockerfile: Path
    target: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)


# --- checks --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """A check's answer. `seen` holds the numbers; `fix` says what to do, for people."""

    code: str
    level: str  # ok, warning, failed
    seen: str
    fix: str = ""
    fixable: bool = False  # `doctor --fix` can do it
    blocked_by: str = ""  # code of the check without which this one cannot be asked


# --- what `up` leaves behind ---------------------------------------------------------------------


@dataclass(frozen=True)
class StepReport:
    name: str
    title: str
    outcome: str  # ready, failed, cancelled, skipped
    seconds: float
    started: float  # seconds after the start of the run
    changes: tuple[str, ...] = ()
    note: str = ""
    after: str = ""  # the need that held last and so let it start: the critical path, step by step


@dataclass(frozen=True)
class Report:
    """The result of a run: seconds are wall-clock."""

    environment: str
    steps: tuple[StepReport, ...]
    seconds: float
    urls: tuple[str, ...] = ()
    kubeconfig: str = ""

    @property
    def changes(self) -> tuple[str, ...]:
        return tuple(change for step in self.steps for change in step.changes)
