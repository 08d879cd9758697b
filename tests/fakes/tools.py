"""Everything outside, in memory, put together."""

from __future__ import annotations

from kindctl.tools.protocols import Tools
from tests.fakes.cluster import FakeCluster
from tests.fakes.engine import FakeEngine
from tests.fakes.forwards import FakeForwards
from tests.fakes.host import FakeHost
from tests.fakes.kind import FakeKind
from tests.fakes.net import FakeNet


def fake_tools(host: FakeHost | None = None, engine: FakeEngine | None = None) -> Tools:
    """A machine with an engine and kind. The cluster does not answer."""
    host, engine, cluster = host or FakeHost(), engine or FakeEngine(), FakeCluster(down=True)
    net = FakeNet()
    kind = FakeKind(engine, host)
    return Tools(engine, kind, net, host, lambda *_: cluster, FakeForwards(net))
