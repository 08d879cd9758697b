"""Rules for kindctl.yaml that the schema cannot express: keys that contradict each other, paths, versions.

Each rule is a generator of problems. They stand in the order of the file: cluster, images, ingress, apps,
addons; those about files that must exist are in config/file_checks.py. Docker is not asked.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kindctl.components import CONTROLLERS, controller_class
from kindctl.config.conditions import REGISTRY_KEYS, is_existing, is_given, unmet
from kindctl.config.file_checks import files_that_must_exist
from kindctl.errors import UsageError
from kindctl.problems import FieldPath, FieldProblem, dotted
from kindctl.schema import (
    Config,
    CustomPortsConfig,
    ExposeConfig,
    ExposeServiceConfig,
)

LAST_PORT = 65535

KIND_KEYS_OF_KINDCTL = {
    "name": "set `name` at the top of the file",
    "kind": "remove it",
    "apiVersion": "remove it",
    "nodes": "use `cluster.workers`, and extraMounts or kubeadmConfigPatches for all nodes",
}
"""Keys of kind's configuration that kindctl writes itself, and what to do instead."""

MAPPINGS = "for example: - {containerPort: 30000, hostPort: 8000}"
KIND_LISTS = {
    "extraPortMappings": (dict, MAPPINGS),
    "extraMounts": (dict, "for example: - {hostPath: ./data, containerPath: /data}"),
    "kubeadmConfigPatches": (str, "write `- |`, and the patch below it"),
}
"""Lists of kind's configuration that kindctl adds entries to: the type of an entry, and an example."""

REMOVE_ONE = "remove one of the two"


def cross_checks(config: Config, root: Path) -> Iterator[FieldProblem]:
    """Yield all problems, in no particular order. Paths in the file are relative to `root`."""
    for condition in unmet(config):
        if is_given(config, condition.path):
            yield condition.problem
    yield from _kind_configuration(config)
    yield from _kubernetes_version(config)
    yield from _image_names(config)
    yield from _registry_names(config)
    yield from _builds_for_existing_cluster(config)
    yield from _controller(config)
    yield from _controller_ports(config)
    yield from _scaling(config)
    yield from _controller_exposure(config)
    yield from _app_names(config)
    yield from _apps(config)
    yield from _service_exposures(config)
    yield from _service_types(config)
    yield from _addons(config)
    yield from _external_addresses(config)
    yield from files_that_must_exist(config, root)


def _exposures(config: Config) -> Iterator[tuple[FieldPath, int, ExposeServiceConfig]]:
    """Yield (path, index of the app, entry) for each entry of `apps[].expose`."""
    for index, app in enumerate(config.apps):
        for place, entry in enumerate(app.expose):
            yield ("apps", index, "expose", place), index, entry


def _address(address: str, path: FieldPath) -> Iterator[FieldProblem]:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        hint = "use 127.0.0.1 for this machine only, or 0.0.0.0 for all its network interfaces"
        yield FieldProblem(path, f"{dotted(path)}: {address!r} is not an IP address", hint)


# --- cluster -------------------------------------------------------------------------------------


def _kind_configuration(config: Config) -> Iterator[FieldProblem]:
    """Reject keys of `cluster.kind` that kindctl sets itself, and lists of the wrong shape."""
    for key, hint in KIND_KEYS_OF_KINDCTL.items():
        if key in config.cluster.kind:
            path: FieldPath = ("cluster", "kind", key)
            yield FieldProblem(path, f"{dotted(path)} is set by kindctl itself", hint)
    for key, (kind, hint) in KIND_LISTS.items():
        path = ("cluster", "kind", key)
        entries = config.cluster.kind.get(key, [])
        if not isinstance(entries, list):
            yield FieldProblem(path, f"{dotted(path)} must be a list", hint)
            continue
        for index, entry in enumerate(entries):
            inner = (*path, index)
            if not isinstance(entry, kind):
                yield FieldProblem(inner, f"{dotted(inner)}: {entry!r:.40} is not valid", hint)
            elif key == "extraPortMappings":
                yield from _port_mapping(entry, inner)


def _port_mapping(entry: dict[str, Any], path: FieldPath) -> Iterator[FieldProblem]:
    for key in ("containerPort", "hostPort"):
        port = entry.get(key, 0)
        if not isinstance(port, int) or isinstance(port, bool) or port > LAST_PORT:
            inner = (*path, key)
            yield FieldProblem(inner, f"{dotted(inner)}: {port!r} is not a port number", MAPPINGS)
    if address := entry.get("listenAddress"):
        yield from _address(str(address), (*path, "listenAddress"))


def _kubernetes_version(config: Config) -> Iterator[FieldProblem]:
    from kindctl.images.pins import node_reference

    if config.cluster.image is None:
        try:
            node_reference(config.cluster.kubernetes)
        except UsageError as error:
            yield FieldProblem(("cluster", "kubernetes"), error.what, error.fix)


# --- images --------------------------------------------------------------------------------------


def _image_names(config: Config) -> Iterator[FieldProblem]:
    """Check that image references follow the grammar of kindctl.references."""
    from kindctl.references import parse

    images: list[tuple[FieldPath, str]] = [
        (("apps", index, "build", place, "image"), build.image)
        for index, app in enumerate(config.apps)
        for place, build in enumerate(app.build)
    ]
    if config.cluster.image is not None:
        images.append((("cluster", "image"), config.cluster.image))
    for path, image in images:
        try:
            parse(image)
        except UsageError as error:
            yield FieldProblem(path, f"{dotted(path)}: {error.what}", error.fix)


def _registry_names(config: Config) -> Iterator[FieldProblem]:
    from kindctl.references import parse

    for key in REGISTRY_KEYS:
        registry = getattr(config.images, key)
        if registry is None:
            continue
        try:
            parse(f"{registry.rstrip('/') or '?'}/image")
        except UsageError:
            message = f"images.{key}: {registry!r} is not the name of a registry"
            hint = "write it without https://, for example registry.example.com/team"
            yield FieldProblem(("images", key), message, hint)


def _builds_for_existing_cluster(config: Config) -> Iterator[FieldProblem]:
    if not is_existing(config) or config.images.push is not None:
        return
    for index, app in enumerate(config.apps):
        if app.build:
            message = "an existing cluster needs a registry for images that are built here"
            hint = "set images.push to a registry that its nodes can pull from"
            yield FieldProblem(("apps", index, "build"), message, hint)


# --- ingress -------------------------------------------------------------------------------------


def _controller(config: Config) -> Iterator[FieldProblem]:
    ingress = config.ingress
    controller = ingress.controller
    if controller == "custom" and ingress.custom is None:
        example = "{manifests: [./k8s], namespace: ..., ingressClass: ..., service: ...}"
        message = "`controller: custom` needs ingress.custom"
        yield FieldProblem(("ingress", "controller"), message, f"add custom: {example}")
    if ingress.gatewayAPI:
        yield from _gateway_api(controller)


def _gateway_api(controller: str) -> Iterator[FieldProblem]:
    path = ("ingress", "gatewayAPI")
    if controller == "custom":
        message = "`gatewayAPI` has no effect with `controller: custom`"
        yield FieldProblem(path, message, "remove it: your manifests install what they need")
        return
    if controller in CONTROLLERS and controller_class(controller).may_serve_gateway_api:
        return
    able = [name for name in CONTROLLERS if controller_class(name).may_serve_gateway_api]
    message = f"`controller: {controller}` does not support `gatewayAPI`"
    yield FieldProblem(path, message, f"use `controller: {' or '.join(able)}`")


def _controller_ports(config: Config) -> Iterator[FieldProblem]:
    ingress = config.ingress
    yield from _different_ports(ingress.expose, ("ingress", "expose"))
    if ingress.controller == "custom" and ingress.custom:
        yield from _different_ports(ingress.custom.ports, ("ingress", "custom", "ports"))


def _different_ports(
    ports: ExposeConfig | CustomPortsConfig, path: FieldPath
) -> Iterator[FieldProblem]:
    if ports.http == ports.https:
        hint = "use a different port for each"
        if isinstance(ports, CustomPortsConfig):
            hint += ", or `https: null` if there is no HTTPS"
        message = f"{dotted(path)}: http and https both use port {ports.http}"
        yield FieldProblem((*path, "https"), message, hint)


def _scaling(config: Config) -> Iterator[FieldProblem]:
    """Check the replicas of the controller, its autoscaler and its gateway nodes."""
    ingress, scale = config.ingress, config.ingress.autoscale
    given: list[FieldPath] = [
        *([("ingress", "replicas")] if ingress.replicas > 1 else []),
        *([("ingress", "autoscale")] if scale else []),
        *([("cluster", "gateways")] if config.cluster.gateways else []),
    ]
    for path in given:
        key = path[-1]
        if ingress.controller == "none":
            message = f"`{key}` needs an ingress controller"
            yield FieldProblem(path, message, "set ingress.controller")
        elif ingress.controller == "custom" and key != "gateways":
            message = f"`{key}` has no effect with `controller: custom`"
            hint = "remove it, and configure this in ingress.custom.manifests"
            yield FieldProblem(path, message, hint)
        elif ingress.expose.via == "host-port":
            message = f"`{key}` does not work with `via: host-port`: this machine's ports lead to one node"
            hint = "set ingress.expose.via to node-port, which works with pods on any node"
            yield FieldProblem(path, message, hint)
    if scale and scale.max < ingress.replicas:
        message = f"autoscale.max is {scale.max}, less than the {ingress.replicas} replicas"
        hint = f"set autoscale.max to {ingress.replicas} or more"
        yield FieldProblem(("ingress", "autoscale", "max"), message, hint)
    if scale and "metrics-server" not in config.addons and config.cluster.provider == "kind":
        message = "`autoscale` needs metrics-server, which measures the load"
        yield FieldProblem(("ingress", "autoscale"), message, "add `addons: [metrics-server]`")


def _controller_exposure(config: Config) -> Iterator[FieldProblem]:
    """Check ingress.expose: its address, and that an existing cluster supports it."""
    ingress, expose = config.ingress, config.ingress.expose
    yield from _address(expose.address, ("ingress", "expose", "address"))
    if not is_existing(config) or ingress.controller == "none":
        return
    if expose.via == "host-port":
        message = (
            "`via: host-port` does not work with an existing cluster: only kind maps ports of nodes"
        )
        hint = (
            "use load-balancer if the cluster gives out addresses, else node-port or port-forward; "
            "or `controller: none` if it has a controller"
        )
        yield FieldProblem(("ingress", "expose", "via"), message, hint)
    if expose.via == "node-port":
        custom = ingress.custom if ingress.controller == "custom" else None
        schemes = ("http", "https") if custom is None or custom.ports.https else ("http",)
        for scheme in schemes:
            port, node_port = getattr(expose, scheme), getattr(expose.nodePorts, scheme)
            if port != node_port:
                hint = f"set `{scheme}: {node_port}`, the port of nodePorts.{scheme}"
                yield _unmapped(("ingress", "expose", scheme), port, f"node port {node_port}", hint)


def _unmapped(path: FieldPath, port: int, node_port: str, hint: str) -> FieldProblem:
    message = f"nothing maps port {port} to {node_port} of an existing cluster"
    return FieldProblem(path, message, hint)


# --- apps ----------------------------------------------------------------------------------------


def _app_names(config: Config) -> Iterator[FieldProblem]:
    """Check that names are unique: `up` finds what it installed, and another controller, by the
    name of the component."""
    controllers = {component for _, component, _ in CONTROLLERS.values()}
    if config.ingress.controller == "none":
        controllers = set()
    registry = {"local-registry"} if config.cluster.registry else set()
    names = Counter(app.name for app in config.apps)
    for index, app in enumerate(config.apps):
        if names[app.name] > 1:
            message = f"two apps are named {app.name!r}"
        elif app.name in {*controllers, *config.addons, *registry}:
            message = f"{app.name!r} is the name of a component that kindctl installs"
        else:
            continue
        hint = f"choose another name, for example {app.name}-app"
        yield FieldProblem(("apps", index, "name"), message, hint)


def _apps(config: Config) -> Iterator[FieldProblem]:
    for index, app in enumerate(config.apps):
        path: FieldPath = ("apps", index)
        if config.ingress.controller == "none" and app.expect:
            message = "`expect` needs an ingress controller"
            yield FieldProblem((*path, "expect"), message, "set ingress.controller")
        images = Counter(build.image for build in app.build)
        for place, build in enumerate(app.build):
            if images[build.image] > 1:
                message = f"image {build.image!r} is built twice"
                yield FieldProblem((*path, "build", place, "image"), message, REMOVE_ONE)


def _service_exposures(config: Config) -> Iterator[FieldProblem]:
    """Check entries of apps[].expose: their addresses, keys without effect, ports of an existing
    cluster."""
    for path, _, entry in _exposures(config):
        yield from _address(entry.address, (*path, "address"))
        if entry.nodePort and entry.via != "node-port":
            message = f"nodePort has no effect with `via: {entry.via}`"
            yield FieldProblem((*path, "nodePort"), message, "remove it, or set `via: node-port`")
        if entry.via != "node-port" or not is_existing(config):
            continue
        if entry.local is not None and entry.local != entry.nodePort:
            hint = "remove `local`: the URL contains the node port"
            yield _unmapped((*path, "local"), entry.local, "a node port", hint)
        if "address" not in entry.model_fields_set:
            message = f"the address of the node port of Service {entry.service!r} is not known"
            hint = (
                "set `address` to the INTERNAL-IP of a node (kubectl get nodes -o wide), or to "
                "127.0.0.1 if node ports are mapped to this machine"
            )
            yield FieldProblem(path, message, hint)


def _service_types(config: Config) -> Iterator[FieldProblem]:
    """Check that no Service needs two types: node-port and load-balancer need different ones."""
    types: dict[tuple[int, str], str] = {}
    for path, app, entry in _exposures(config):
        if entry.via in ("node-port", "load-balancer"):
            other = types.setdefault((app, entry.service), entry.via)
            if other != entry.via:
                message = f"Service {entry.service!r} is already exposed via {other}"
                hint = "use port-forward, or add a second Service with the same selector"
                yield FieldProblem((*path, "via"), message, hint)


# --- addons --------------------------------------------------------------------------------------


def _addons(config: Config) -> Iterator[FieldProblem]:
    for index, addon in enumerate(config.addons):
        if addon in config.addons[:index]:
            yield FieldProblem(("addons", index), f"add-on {addon} is listed twice", REMOVE_ONE)
    if is_existing(config) and "metallb" in config.addons:
        message = "add-on metallb only works in kind's network"
        hint = (
            "ask the cluster's owner to install a load balancer: they know which addresses are free"
        )
        yield FieldProblem(("addons", config.addons.index("metallb")), message, hint)


def _external_addresses(config: Config) -> Iterator[FieldProblem]:
    """Check that a load balancer assigns addresses to Services of type LoadBalancer; kind itself
    does not."""
    if config.cluster.provider != "kind" or "metallb" in config.addons:
        return
    exposures: list[tuple[FieldPath, str]] = [(("ingress", "expose"), config.ingress.expose.via)]
    exposures += [(path, entry.via) for path, _, entry in _exposures(config)]
    for path, via in exposures:
        if via == "load-balancer":
            message = "`via: load-balancer` needs a load balancer, and kind has none"
            hint = "add `addons: [metallb]`, or use node-port or port-forward"
            yield FieldProblem((*path, "via"), message, hint)
