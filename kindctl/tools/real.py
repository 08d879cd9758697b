"""Creates the real Tools. This is cheap: clients and slow imports are loaded at the first use."""

from __future__ import annotations

from pathlib import Path

from kindctl.tools.engine import DockerEngine
from kindctl.tools.forwards import RealForwards
from kindctl.tools.host import RealHost
from kindctl.tools.kind import KindProgram
from kindctl.tools.net import RealNet
from kindctl.tools.protocols import Cluster, Tools


def real_tools() -> Tools:
    host = RealHost()
    return Tools(
        engine=DockerEngine(),
        kind=KindProgram(),
        net=RealNet(),
        host=host,
        open_cluster=_open_cluster,
        forwards=RealForwards(host),
    )


def _open_cluster(kubeconfig: Path, context: str | None = None) -> Cluster:
    from kindctl.tools.cluster import open_cluster

    return open_cluster(kubeconfig, context)
