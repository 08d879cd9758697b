"""Which environments exist, and what is known of one: asked of the engine and of its cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from kindctl import kubeconfig
from kindctl.actions.elsewhere import refuse_a_move
from kindctl.config.load import LOCAL_FILE, Loaded, find_file, load
from kindctl.config.schema import ExistingConfig
from kindctl.errors import ConfigError, KindctlError, UsageError
from kindctl.live.addresses import urls_of
from kindctl.live.record import Record, read_record
from kindctl.models import DOCKER_ENVIRONMENT_LABEL, REGISTRY_LABEL, Absent
from kindctl.paths import checked, names_environment
from kindctl.providers.base import Provider
from kindctl.providers.existing import ExistingProvider, all_remembered, remembered
from kindctl.providers.kind import KindProvider
from kindctl.tools.engine_protocol import ContainerInfo
from kindctl.tools.protocols import Cluster, Tools


@dataclass(frozen=True)
class Environment:
    """One row of `kindctl list`. `state`: running, stopped, or partly stopped."""

    name: str
    context: str  # kubectl's: kind-NAME, or that of an existing cluster
    state: str
    nodes: int
    kubernetes: str
    ports: tuple[str, ...]
    file: str
    urls: tuple[str, ...]


def nodes_by_environment(tools: Tools) -> dict[str, list[ContainerInfo]]:
    """No nodes: of its containers, only the registry is left. A label that names no environment is not one
    of ours: containers inherit the labels of whatever image they are made from."""

    def owner(node: ContainerInfo) -> str:
        return node.labels[DOCKER_ENVIRONMENT_LABEL]

    labelled = tools.engine.containers(labels={DOCKER_ENVIRONMENT_LABEL: ""})
    ours = sorted((c for c in labelled if names_environment(owner(c))), key=owner)
    return {
        name: [container for container in of if REGISTRY_LABEL not in container.labels]
        for name, of in groupby(ours, key=owner)
    }


def registry_of(tools: Tools, name: str) -> ContainerInfo | None:
    """The environment's image registry, which is no node."""
    labels = {DOCKER_ENVIRONMENT_LABEL: name, REGISTRY_LABEL: ""}
    return next(iter(tools.engine.containers(labels=labels)), None)


def environments(tools: Tools) -> list[Environment]:
    """Those in containers of this engine, and those in existing clusters that this machine has used."""
    elsewhere = (_elsewhere(tools, name) for name in all_remembered())
    return [
        *(_environment(tools, *item) for item in nodes_by_environment(tools).items()),
        *filter(None, elsewhere),
    ]


def _elsewhere(tools: Tools, name: str) -> Environment | None:
    """None: it is no longer in that cluster."""
    provider = remembered(tools, name)
    if provider is None:
        return None
    row = Environment(name, provider.context, "running", 0, "", (), "", ())
    try:
        if not provider.cluster().alive():  # soon said; other requests are tried again
            return replace(row, state="not answering")
        if isinstance(provider.observe(), Absent):
            return None
        with open_environment(tools, name) as cluster:
            record = read_record(cluster)
            return replace(
                row,
                kubernetes=cluster.version(),
                file=record.file if record else "",
                urls=tuple(urls_of(cluster, record.routes)) if record else (),
            )
    except KindctlError:
        return replace(row, state="not answering")


def _environment(tools: Tools, name: str, nodes: list[ContainerInfo]) -> Environment:
    running = [node for node in nodes if node.state == "running"]
    state = "partly stopped" if running else "stopped"
    if nodes and len(running) == len(nodes):
        state = "running"
    record: Record | None = None
    version = ""
    urls: list[str] = []
    if state == "running":
        try:
            with open_environment(tools, name) as cluster:
                record, version = read_record(cluster), cluster.version()
                urls = urls_of(cluster, record.routes) if record else []
        except KindctlError:
            state = "not answering"
    registry = registry_of(tools, name)
    ports = sorted(
        {
            f"{address}:{port}"
            for node in [*nodes, *([registry] if registry else [])]
            for on in node.ports.values()
            for address, port in on
        }
    )
    return Environment(
        name=name,
        context=f"kind-{name}",
        state=state,
        nodes=len(nodes),
        kubernetes=version,
        ports=tuple(ports),
        file=record.file if record else "",
        urls=tuple(urls),
    )


def provider_of(tools: Tools, name: str) -> Provider:
    """The provider of an environment that exists, as far as its name alone tells."""
    return remembered(tools, name) or KindProvider(
        tools, name, node_image="", resolve=lambda _: None
    )


@contextmanager
def open_environment(tools: Tools, name: str) -> Iterator[Cluster]:
    """The environment's cluster. Raises UsageError when there is none or it does not answer."""
    provider = provider_of(tools, name)
    cluster = provider.cluster()
    if cluster is None or (provider.preexisting and isinstance(provider.observe(), Absent)):
        known = ", ".join([*nodes_by_environment(tools), *all_remembered()]) or "none"
        raise UsageError(
            f"no running environment {name!r}",
            why=f"environments here: {known}",
            fix="kindctl up makes it; kindctl list shows what there is",
            code="no-environment",
        )
    try:
        yield cluster
    finally:
        cluster.close()


def choose_name(tools: Tools, name: str | None, file: Path | None = None) -> str:
    """The environment that a command means: the name given, else the file's, else the only one.

    A nearby file that is not valid keeps nobody from `down` as long as it has a name. Raises ConfigError
    for one without: another environment that happens to be the only one is not what was meant; UsageError
    for what is no name.
    """
    if name:
        return checked(name)
    nearby = file or find_file(Path.cwd())
    if nearby:
        try:
            return _of_file(tools, load(file))
        except ConfigError:
            written = None if file else _written_name(nearby)
            if written is None:
                raise
            return checked(written)
    known = [*nodes_by_environment(tools), *all_remembered()]
    if len(known) == 1:
        return known[0]
    if not known:
        return load(file).config.name
    raise UsageError(
        "which environment?", why=f"there are {len(known)}: {', '.join(known)}", fix="name one"
    )


def _of_file(tools: Tools, loaded: Loaded) -> str:
    """Its environment's name. A file says where an existing cluster is, on whichever machine it is read.

    Raises UsageError where the environment is in another one: only its name leads there then.
    """
    config = loaded.config
    where = config.cluster.provider
    if isinstance(where, ExistingConfig):
        named = ExistingProvider(tools, config.name, where.existing, kubeconfig.user_files())
        refuse_a_move(named, config.name, tools)
        named.remember()
    return config.name


def _written_name(file: Path) -> str | None:
    """What a file that is not valid calls its environment; its local override goes before it."""
    for path in (file.with_name(LOCAL_FILE), file):
        text = path.read_text(errors="replace") if path.is_file() else ""
        if found := re.search(r"^name: *([a-z0-9][-a-z0-9]*) *(?:#.*)?$", text, re.MULTILINE):
            return found[1]
    return None
