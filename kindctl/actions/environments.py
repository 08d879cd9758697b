"""Lists the environments of the engine and of other clusters, and finds the one that a command means."""

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
from kindctl.errors import ConfigError, KindctlError, UsageError
from kindctl.live.addresses import urls_of
from kindctl.live.record import read_record
from kindctl.models import DOCKER_ENVIRONMENT_LABEL, REGISTRY_LABEL, Absent
from kindctl.paths import is_valid_name, valid_name
from kindctl.providers.base import Provider
from kindctl.providers.existing import ExistingProvider, saved_environments, saved_provider
from kindctl.providers.kind import KindProvider
from kindctl.schema import ExistingConfig
from kindctl.tools.engine_protocol import ContainerInfo
from kindctl.tools.protocols import Cluster, Tools


@dataclass(frozen=True)
class Environment:
    """One row of `kindctl list`. `state` is running, stopped, partly stopped or not answering."""

    name: str
    context: str  # for kubectl: kind-NAME, or the context of an existing cluster
    state: str
    nodes: int
    kubernetes: str = ""
    ports: tuple[str, ...] = ()
    file: str = ""
    urls: tuple[str, ...] = ()


def nodes_by_environment(tools: Tools) -> dict[str, list[ContainerInfo]]:
    """Return the nodes of each environment that has containers. The list of nodes is empty if only the
    environment's registry is left.

    A container whose label is not a valid name is ignored, because any image may pass a label on to its
    containers.
    """

    def owner(node: ContainerInfo) -> str:
        return node.labels[DOCKER_ENVIRONMENT_LABEL]

    labelled = tools.engine.containers(labels={DOCKER_ENVIRONMENT_LABEL: ""})
    ours = sorted((c for c in labelled if is_valid_name(owner(c))), key=owner)
    return {
        name: [container for container in containers if REGISTRY_LABEL not in container.labels]
        for name, containers in groupby(ours, key=owner)
    }


def registry_of(tools: Tools, name: str) -> ContainerInfo | None:
    """Return the container of the environment's image registry, which is not a node."""
    labels = {DOCKER_ENVIRONMENT_LABEL: name, REGISTRY_LABEL: ""}
    return next(iter(tools.engine.containers(labels=labels)), None)


def environments(tools: Tools) -> list[Environment]:
    """Return all environments in containers of this engine, then those that were created from this machine
    in existing clusters."""
    elsewhere = (_in_existing_cluster(tools, name) for name in saved_environments())
    return [
        *(_in_containers(tools, *item) for item in nodes_by_environment(tools).items()),
        *filter(None, elsewhere),
    ]


def _in_existing_cluster(tools: Tools, name: str) -> Environment | None:
    """Return the row for an environment that was created from this machine in an existing cluster, or None
    if the environment is no longer there."""
    provider = saved_provider(tools, name)
    if provider is None:
        return None
    row = Environment(name, provider.context, "running", nodes=0)
    try:
        # Asked first because it fails fast: other failed requests are retried.
        if not provider.cluster().alive():
            return replace(row, state="not answering")
        if isinstance(provider.observe(), Absent):
            return None
    except KindctlError:
        return replace(row, state="not answering")
    return _with_record(tools, row)


def _in_containers(tools: Tools, name: str, nodes: list[ContainerInfo]) -> Environment:
    running = [node for node in nodes if node.state == "running"]
    state = "partly stopped" if running else "stopped"
    if nodes and len(running) == len(nodes):
        state = "running"
    registry = registry_of(tools, name)
    ports = sorted(
        {
            f"{address}:{port}"
            for container in [*nodes, *([registry] if registry else [])]
            for bindings in container.ports.values()
            for address, port in bindings
        }
    )
    row = Environment(name, f"kind-{name}", state, len(nodes), ports=tuple(ports))
    return _with_record(tools, row) if state == "running" else row


def _with_record(tools: Tools, row: Environment) -> Environment:
    """Return the row, completed with what the environment's cluster reports."""
    try:
        with open_environment(tools, row.name) as cluster:
            record = read_record(cluster)
            return replace(
                row,
                kubernetes=cluster.version(),
                file=record.file if record else "",
                urls=tuple(urls_of(cluster, record.routes)) if record else (),
            )
    except KindctlError:
        return replace(row, state="not answering")


def provider_of(tools: Tools, name: str) -> Provider:
    """Return the provider of an existing environment, found by the environment's name alone."""
    return saved_provider(tools, name) or KindProvider(
        tools, name, node_image="", resolve=lambda _: None
    )


@contextmanager
def open_environment(tools: Tools, name: str) -> Iterator[Cluster]:
    """A context manager that provides the cluster of an environment. Raises UsageError if the environment
    does not exist or does not run."""
    provider = provider_of(tools, name)
    cluster = provider.cluster()
    if cluster is None or (provider.preexisting and isinstance(provider.observe(), Absent)):
        raise UsageError(
            f"no running environment {name!r}",
            why=f"known environments: {', '.join(_known_names(tools)) or 'none'}",
            fix="run `kindctl up` to create it; `kindctl list` shows all environments",
            code="no-environment",
        )
    try:
        yield cluster
    finally:
        cluster.close()


def _known_names(tools: Tools) -> list[str]:
    return [*nodes_by_environment(tools), *saved_environments()]


def choose_name(tools: Tools, name: str | None, file: Path | None = None) -> str:
    """Return the environment that a command means: the given name, or the name in the file, or the only
    environment.

    The name of a nearby file counts even if the file is not valid, so that `down` works. Raises ConfigError
    if such a file contains no name, because the user may not mean the only environment that exists. Raises
    UsageError for an invalid name, or if several environments exist.
    """
    if name:
        return valid_name(name)
    nearby = file or find_file(Path.cwd())
    if nearby:
        try:
            return _name_in(load(file), tools)
        except ConfigError:
            written = None if file else _written_name(nearby)
            if written is None:
                raise
            return valid_name(written)
    known = _known_names(tools)
    if len(known) == 1:
        return known[0]
    if not known:
        return load(file).config.name
    raise UsageError(
        "several environments exist", why=", ".join(known), fix="choose one with --name"
    )


def _name_in(loaded: Loaded, tools: Tools) -> str:
    """Return the name of the environment. If the environment is in an existing cluster, this machine has
    saved the name of that cluster's context.

    Raises UsageError if the environment is in another cluster than the file says. In that case, the user
    must give the name on the command line.
    """
    config = loaded.config
    where = config.cluster.provider
    if isinstance(where, ExistingConfig):
        provider = ExistingProvider(tools, config.name, where.existing, kubeconfig.user_files())
        refuse_a_move(provider, config.name, tools)
        provider.save_context()
    return config.name


def _written_name(file: Path) -> str | None:
    """Return the name in a file that is not valid, or in its local override, which takes precedence."""
    for path in (file.with_name(LOCAL_FILE), file):
        text = path.read_text(errors="replace") if path.is_file() else ""
        if found := re.search(r"^name: *([a-z0-9][-a-z0-9]*) *(?:#.*)?$", text, re.MULTILINE):
            return found[1]
    return None
