"""What the folders of kindctl pass to each other: immutable data, and the Protocols that the folders
implement.

The classes have no behaviour except properties that are derived from other fields (`Endpoint.url`,
`Report.changes`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

Object = dict[str, Any]
"""A Kubernetes object as plain JSON, as the API sends and receives it."""

MANAGER = "kindctl"
"""Field manager of every server-side apply, and the value of app.kubernetes.io/managed-by."""

ENVIRONMENT_LABEL = "kindctl.dev/environment"
COMPONENT_LABEL = "kindctl.dev/component"
MANAGED_LABEL = "app.kubernetes.io/managed-by"
DOCKER_ENVIRONMENT_LABEL = "dev.kindctl.environment"
REGISTRY_LABEL = "dev.kindctl.registry"
"""Label of the container of the environment's image registry, which is not a node."""
EXTRA_CAS_LABEL = "dev.kindctl.extra-cas"
"""Label of an image: the SHA-256 of each additional certificate authority that it trusts,
comma-separated."""

GATEWAY_NODE = "kindctl.dev/gateway"
"""Label of the nodes that only the controller runs on, with the value "true". The NoSchedule taint of these
nodes has the same key."""

SYSTEM_NAMESPACE = "kindctl-system"
"""Namespace of the environment's record in its cluster."""


# --- why something does not become ready ---------------------------------------------------------


@dataclass(frozen=True)
class Cause:
    """Why something is not ready, according to the evidence.

    `sure` says how certain the cause is, from 0 to 1. `cites` quotes the evidence: events and log lines.
    `since` is the time of the evidence. The current `up` may have just repaired an older cause, so only a
    cause that is newer than the start of this `up` ends the wait.
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
    """What the step creates does not exist, or something that the step needs does not exist."""

    what: str = ""


@dataclass(frozen=True)
class Differs:
    """What the step creates exists, but differs from the configuration. `what` names the differences."""

    what: str


@dataclass(frozen=True)
class NotReady:
    """What the step creates exists as it should, but does not work yet. `seen` is the last observation."""

    seen: str
    cause: Cause | None = None


@dataclass(frozen=True)
class Ready:
    """What the step creates exists as it should, and works. `note` is a remark for the user."""

    note: str = ""


State = Absent | Differs | NotReady | Ready


@dataclass(frozen=True)
class Change:
    """What an `apply` did. `done` contains one entry per object, such as "created Deployment
    example/backend"."""

    done: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.done)


UNCHANGED = Change()


class Progress(Protocol):
    """How a step reports while it works."""

    def reach(self, milestone: str) -> None:
        """Announce a milestone, so that steps that need "STEP:MILESTONE" may start."""

    def say(self, text: str) -> None:
        """Show one short line about the progress on the screen. A Turn says whether the step is working."""


class Turn(StrEnum):
    """What a step passes to Progress.say about work that only one step may do at a time.

    The time from WAITING to TAKEN does not count as work. During it, the step waits for the step that has
    the turn.
    """

    WAITING = "waiting for another build"
    TAKEN = ""  # nothing to show: the work says what it does


Say = Callable[[str], None]
"""A function that takes one line of progress for the screen."""


class Wake(Protocol):
    """Ends the pause of a waiting step early when the step's state may have changed."""

    def wait(self, seconds: float) -> object:
        """Return after `seconds`, or earlier if something has changed."""


class Step(Protocol):
    """One thing that `up` does or waits for. The step is ready when `observe()` returns Ready.

    If a step passes data to another step in memory, the other step must also be able to look the data up.
    So a resumed `up` runs the same code as the first `up`.
    """

    @property
    def name(self) -> str:
        """The stable name: "cluster", "image:postgres:17"."""

    @property
    def title(self) -> str:
        """The name for people: "create the cluster"."""

    @property
    def needs(self) -> frozenset[str]:
        """The steps ("STEP") that must be ready, and the milestones ("STEP:MILESTONE") that must be
        reached, before this step starts."""

    @property
    def timeout(self) -> float:
        """The time within which the step must become ready, in seconds from its start."""

    @property
    def wake(self) -> Wake | None:
        """The Wake that ends a pause between two observations early. None if the step is only polled."""

    def observe(self) -> State:
        """Return the current state, without changing anything. If something that the step needs is missing,
        the state is Absent; that is not an error."""

    def apply(self, progress: Progress) -> Change:
        """Make the change. Called only for Absent and Differs; the runner then waits for Ready."""


# --- exposures ------------------------------------------------------------------------------------


EXTERNAL = "EXTERNAL-IP"
"""The placeholder in an Endpoint or a Route for an address that only the cluster knows. kubectl uses the
same word as a column heading."""


@dataclass(frozen=True)
class Endpoint:
    """The scheme, address and port at which the host reaches an exposure. Computed once, from the Config.

    `external` is a Service ("namespace/name") or empty. If it is set, `address` and `host` are the
    placeholder EXTERNAL, which the external address of that Service replaces.
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
    """A port of the host that kind maps to a port of a node when it creates the node (kind#2720)."""

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
    """A port of a Service, and the port at which the host reaches it."""

    scheme: str  # http, https or tcp
    namespace: str
    service: str
    port: int | str  # of the Service: number or name
    local: int  # port of the host; of the external address, where there is one
    node_port: int = 0  # port of the node, if the exposure uses one


class Exposure(Protocol):
    """How the host reaches ports of a Service. One module per kind, in exposures/."""

    @property
    def ports(self) -> Sequence[ExposedPort]:
        """The ports of the Service that are exposed."""

    @property
    def on_node(self) -> bool:
        """Whether the pods listen on ports of their node (hostPort)."""

    @property
    def service_type(self) -> str:
        """The type that the exposure sets in the Service. Empty if the Service keeps its own type."""

    def mappings(self) -> Sequence[PortMapping]:
        """Return the ports that the node must be created with."""

    def forwards(self) -> Sequence[Forward]:
        """Return the ports that must be forwarded."""

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the endpoints at which the host reaches the Service, HTTP first."""

    def shape(self, service: Object) -> None:
        """Give a Service of the manifests, in place, the type and the node ports that the exposure
        needs."""


@dataclass(frozen=True)
class Route:
    """A URL that must answer, and what makes an answer the right one."""

    url: str  # http://localhost/api/healthy
    host: str = ""  # Host header, if it is not the URL's host
    connect: tuple[str, int] = ("127.0.0.1", 80)  # where the request is actually sent
    contains: str = ""  # text in the right answer; empty: any answer below 500
    status: int | None = None  # the exact status; None: below 500 (with contains: below 400)
    app: str = ""
    namespace: str = ""
    external: str = ""  # the Service whose external address replaces EXTERNAL in url and connect
    via_controller: bool = True  # through the controller; False: straight to a Service
    via_witness: bool = False  # the controller sets no headers, but the witness behind it does
    certified: bool = False  # over TLS, with a certificate that the local authority has signed

    @property
    def which(self) -> str:
        """What distinguishes the route from other routes with the same URL: its Host header, or the Service
        whose external address it uses."""
        return self.host or ("" if self.via_controller else self.external)


# --- Kubernetes objects --------------------------------------------------------------------------


@dataclass(frozen=True)
class ObjectRef:
    """The identity of a Kubernetes object."""

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
    """An image that is built from the user's Dockerfile. Paths are absolute."""

    image: str  # the name by which the manifests ask for it
    context: Path
    dockerfile: Path
    target: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)


# --- checks --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """The result of a check. `seen` says what was found, with the numbers; `fix` says what the user
    can do."""

    code: str
    level: str  # ok, warning, failed
    seen: str
    fix: str = ""
    fixable: bool = False  # `doctor --fix` can do it
    blocked_by: str = ""  # code of the check that must pass before this one can be asked


# --- what `up` leaves behind ---------------------------------------------------------------------


@dataclass(frozen=True)
class TurnWait:
    """A period in which a step waited for its turn and did no work."""

    started: float  # seconds after the start of the run
    seconds: float
    after: str  # the step that had the turn before

    @property
    def ended(self) -> float:
        return self.started + self.seconds


@dataclass(frozen=True)
class StepReport:
    """The result of one step of a run."""

    name: str
    title: str
    outcome: str  # ready, failed, cancelled, skipped
    seconds: float
    started: float  # seconds after the start of the run
    changes: tuple[str, ...] = ()
    note: str = ""
    after: str = ""  # the need that was met last, so that the step could start
    waits: tuple[TurnWait, ...] = ()

    @property
    def seconds_waited(self) -> float:
        return sum(wait.seconds for wait in self.waits)


@dataclass(frozen=True)
class Report:
    """The result of a run. `seconds` are wall-clock time."""

    environment: str
    steps: tuple[StepReport, ...]
    seconds: float
    urls: tuple[str, ...] = ()
    kubeconfig: str = ""

    @property
    def changes(self) -> tuple[str, ...]:
        return tuple(change for step in self.steps for change in step.changes)
