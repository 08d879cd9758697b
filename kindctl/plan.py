"""Config -> Plan: the whole of `up`, top to bottom.

preflight ─┬─ node image ─► cluster ┬ containerd ─► images in the nodes ─┐
           ├─ app images built ─────┼───────▲                            ├─► ready ─► URLs answer ─► record ─► prune
           ├─ other images ─────────┘       │                            │
           └                        └ api ──┴──────► objects applied ────┘
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kindctl.components import load_controller
from kindctl.components.app import AppComponent, Expect
from kindctl.components.base import Component
from kindctl.config.load import Loaded
from kindctl.config.schema import AppConfig, Config
from kindctl.diagnose.base import Wants
from kindctl.diagnose.causes import explain
from kindctl.exposures.host_port import HostPort
from kindctl.images.pins import node_reference
from kindctl.images.store import Images
from kindctl.models import AppBuild, Endpoint, Route, Step
from kindctl.providers.kind import KindProvider
from kindctl.steps.app_image import AppImageBuilt
from kindctl.steps.cluster import ClusterStep
from kindctl.steps.delivery import ImageInNodes
from kindctl.steps.image import ImagePresent
from kindctl.steps.late import Proven
from kindctl.steps.objects import ObjectsApplied
from kindctl.steps.preflight import Preflight
from kindctl.steps.prune import Pruned
from kindctl.steps.record import Recorded
from kindctl.steps.url import UrlAnswers
from kindctl.steps.workloads import WorkloadsReady
from kindctl.tools.protocols import Tools


@dataclass(frozen=True)
class Plan:
    """What `up` makes so: the steps, and what they were made from."""

    config: Config
    steps: tuple[Step, ...]
    preflight: Preflight
    provider: KindProvider
    images: Images
    components: tuple[Component, ...]
    endpoints: tuple[Endpoint, ...]
    routes: tuple[Route, ...]
