"""What the schema alone cannot see: clashes inside the file, paths, versions. Docker is not touched."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kindctl.components import CONTROLLERS, controller_class
from kindctl.config.conditions import OF_EXISTING, idle, is_given
from kindctl.config.places import Loc, dotted
from kindctl.config.schema import ChartConfig, Config, ExistingConfig
from kindctl.errors import UsageError

Finding = tuple[Loc, str, str]
"""(place, message, hint)"""

LAST_PORT = 65535

OWN_KIND_KEYS = {
    "name": "set `name` at the top",
    "kind": "kindctl writes it",
    "apiVersion": "kindctl writes it",
    "nodes": "use `cluster.workers`; for all nodes use extraMounts or kubeadmConfigPatches",
}


ONCE = "take one of the two out"


def cross_checks(config: Config, root: Path) -> Iterator[Finding]:
    """Every finding, in no order."""
    for condition in idle(config):
        if is_given(config, condition.loc):
            yield condition.loc, condition.message, condition.hint
    yield from _references(config)
    yield from _ingress(config)
    yield from _addresses(config)
    yield from _types(config)
    yield from _cluster(config)
    yield from _existing(config)
    yield from _names(config)
    yield from _apps(config, root)
    if config.ingress.custom:
        yield from _sources(
            config.ingress.custom.manifests, ("ingress", "custom", "manifests"), root
        )
    for index, ca in enumerate(config.extraCAs):
        if not (root / ca).is_file():
            yield ("extraCAs", index), f"no file {ca!r}", f"looked in {root}"


def _ingress(config: Config) -> Iterator[Finding]:
    expose = config.ingress.expose
    if expose.http == expose.https:
        yield (
            ("ingress", "expose", "https"),
            f"ingress.expose: http and https both want port {expose.http}",
            "give each a port of its own",
        )
    yield from _address(expose.address, ("ingress", "expose", "address"))
    yield from _replicas(config)
    yield from _custom(config)
    controller = config.ingress.controller
    if config.ingress.gatewayAPI and controller != "custom":
        able = [name for name in CONTROLLERS if controller_class(name).may_serve_gateway_api]
        if controller not in able:
            yield (
                ("ingress", "gatewayAPI"),
                f"ingress.gatewayAPI: controller {controller!r} is not set up for Gateway API",
                f"controller: {' or '.join(able)}",
            )


def _address(address: str, at: Loc) -> Iterator[Finding]:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        yield (
            at,
            f"{dotted(at)}: {address!r} is not an IP address",
            "127.0.0.1: this machine only; 0.0.0.0: everyone who reaches it",
        )


def _replicas(config: Config) -> Iterator[Finding]:
    """Of the controller, and the nodes for it."""
    ingress, gateways = config.ingress, config.cluster.gateways
    scale = ingress.autoscale
    asked: list[tuple[Loc, str]] = [
        *([(("ingress", "replicas"), "replicas")] if ingress.replicas > 1 else []),
        *([(("ingress", "autoscale"), "autoscale")] if scale else []),
        *([(("cluster", "gateways"), "gateways")] if gateways else []),
    ]
    own = ingress.controller == "custom"
    for at, key in asked:
        if ingress.controller == "none":
            yield at, f"`{key}` needs an ingress controller", "set ingress.controller"
        elif own and key != "gateways":
            message = f"`{key}` is for the manifests of your own controller to say"
            yield at, message, "take it out, and set it in what ingress.custom.manifests names"
        elif ingress.expose.via == "host-port":
            message = f"`{key}` with `via: host-port`: only one node has the host's ports"
            yield at, message, "set ingress.expose.via: node-port, which leads to every node"
    if scale and scale.max < ingress.replicas:
        message = f"autoscale.max is {scale.max}, and replicas {ingress.replicas}"
        yield ("ingress", "autoscale", "max"), message, f"max: {ingress.replicas} or more"
    if scale and "metrics-server" not in config.addons and config.cluster.provider == "kind":
        message = "`autoscale` needs metrics-server: without it there are no numbers to go by"
        yield ("ingress", "autoscale"), message, "addons: [metrics-server]"


def _custom(config: Config) -> Iterator[Finding]:
    ingress = config.ingress
    if ingress.controller != "custom":
        return
    if ingress.custom is None:
        hint = (
            "ingress.custom: {manifests: [./k8s], namespace: ..., ingressClass: ..., service: ...}"
        )
        yield ("ingress", "controller"), "`controller: custom` needs ingress.custom", hint
    elif ingress.custom.ports.http == ingress.custom.ports.https:
        message = f"ingress.custom.ports: http and https are both port {ingress.custom.ports.http}"
        hint = "a port speaks one of the two; `https: null` where there is no HTTPS"
        yield ("ingress", "custom", "ports", "https"), message, hint
    if ingress.gatewayAPI:
        message = "`gatewayAPI` is for the manifests of your own controller to say"
        yield ("ingress", "gatewayAPI"), message, "take it out; they bring what it needs"


def _types(config: Config) -> Iterator[Finding]:
    """A Service has one type: node-port and load-balancer each want their own."""
    for index, app in enumerate(config.apps):
        types: dict[str, str] = {}
        for place, way in enumerate(app.expose):
            if way.via not in ("node-port", "load-balancer"):
                continue
            other = types.setdefault(way.service, way.via)
            if other != way.via:
                yield (
                    ("apps", index, "expose", place, "via"),
                    f"Service {way.service!r} is exposed via {other} already: it can have one type",
                    "give it a second Service with the same selector, or use port-forward",
                )


def _addresses(config: Config) -> Iterator[Finding]:
    """Services of type LoadBalancer on kind, which has nobody who gives them addresses."""
    if config.cluster.provider != "kind" or "metallb" in config.addons:
        return
    ways: list[tuple[Loc, str]] = [(("ingress", "expose", "via"), config.ingress.expose.via)]
    for index, app in enumerate(config.apps):
        for place, way in enumerate(app.expose):
            ways.append((("apps", index, "expose", place, "via"), way.via))
    for loc, via in ways:
        if via == "load-balancer":
            yield (
                loc,
                "nobody gives addresses to Services of type LoadBalancer here",
                "add `addons: [metallb]`, or use node-port or port-forward",
            )


def _cluster(config: Config) -> Iterator[Finding]:
    from kindctl.images.pins import node_reference

    for key, hint in OWN_KIND_KEYS.items():
        if key in config.cluster.kind:
            yield ("cluster", "kind", key), f"cluster.kind.{key} is kindctl's own", hint
    yield from _passed_on(config)
    if config.cluster.image is None:
        try:
            node_reference(config.cluster.kubernetes)
        except UsageError as error:
            yield ("cluster", "kubernetes"), error.what, error.fix


MAPPINGS = "- {containerPort: 30000, hostPort: 8000}"
LISTS = {
    "extraPortMappings": (dict, MAPPINGS),
    "extraMounts": (dict, "- {hostPath: ./data, containerPath: /data}"),
    "kubeadmConfigPatches": (str, "- |, and the patch below it"),
}
"""Of cluster.kind, what kindctl has entries of its own in: the type of an entry, and one."""


def _passed_on(config: Config) -> Iterator[Finding]:
    for key, (kind, hint) in LISTS.items():
        at: Loc = ("cluster", "kind", key)
        entries = config.cluster.kind.get(key, [])
        if not isinstance(entries, list):
            yield at, f"{dotted(at)} is no list", hint
            continue
        for index, entry in enumerate(entries):
            if not isinstance(entry, kind):
                yield (*at, index), f"{dotted((*at, index))}: {entry!r:.40} is not valid", hint
            elif key == "extraPortMappings":
                yield from _mapping(entry, (*at, index))


def _mapping(entry: dict[str, Any], at: Loc) -> Iterator[Finding]:
    for key in ("containerPort", "hostPort"):
        port = entry.get(key, 0)
        if not isinstance(port, int) or isinstance(port, bool) or port > LAST_PORT:
            yield (*at, key), f"{dotted((*at, key))}: {port!r} is no port", MAPPINGS
    if address := entry.get("listenAddress"):
        yield from _address(str(address), (*at, "listenAddress"))


def _references(config: Config) -> Iterator[Finding]:
    """Names of images and registries, by the grammar of kindctl.references."""
    from kindctl.references import parse

    images: list[tuple[Loc, str]] = [
        (("apps", index, "build", place, "image"), build.image)
        for index, app in enumerate(config.apps)
        for place, build in enumerate(app.build)
    ]
    if config.cluster.image is not None:
        images.append((("cluster", "image"), config.cluster.image))
    for loc, image in images:
        try:
            parse(image)
        except UsageError as error:
            yield loc, f"{dotted(loc)}: {error.what}", error.fix
    for key in OF_EXISTING:
        registry = getattr(config.images, key)
        try:
            parse(f"{(registry or 'localhost').rstrip('/')}/image")
            wrong = registry == ""
        except UsageError:
            wrong = True
        if wrong:
            message = f"images.{key}: {registry!r} is not the name of a registry"
            yield ("images", key), message, "without https://: registry.example.com/team"


def _existing(config: Config) -> Iterator[Finding]:
    """What a cluster that is there already cannot have, and what it needs."""
    if not isinstance(config.cluster.provider, ExistingConfig):
        return
    expose = config.ingress.expose
    if config.ingress.controller != "none" and expose.via == "host-port":
        yield (
            ("ingress", "expose", "via"),
            "ingress.expose: host-port needs ports that kind maps when it makes a node",
            "`expose: {via: load-balancer}` where the cluster gives addresses, else node-port or "
            "port-forward; `controller: none` where it has a controller",
        )
    yield from _unmapped(config)
    if "metallb" in config.addons:
        yield (
            ("addons", config.addons.index("metallb")),
            "the add-on metallb hands out addresses of kind's network",
            "its owner knows which addresses are free there, and installs a load balancer",
        )
    if config.images.push is None:
        for index, app in enumerate(config.apps):
            if app.build:
                yield (
                    ("apps", index, "build"),
                    "an existing cluster gets what is built here from a registry",
                    "set images.push to one that its nodes can pull from",
                )


def _unmapped(config: Config) -> Iterator[Finding]:
    """Node ports of a cluster that kind did not make: nobody maps them to other ports, nor is it known
    whose the address is."""
    ingress, expose = config.ingress, config.ingress.expose
    if ingress.controller != "none" and expose.via == "node-port":
        custom = ingress.custom if ingress.controller == "custom" else None
        schemes = ("http", "https") if custom is None or custom.ports.https else ("http",)
        for scheme in schemes:
            port, node_port = getattr(expose, scheme), getattr(expose.nodePorts, scheme)
            if port != node_port:
                yield (
                    ("ingress", "expose", scheme),
                    f"nothing maps port {port} to node port {node_port} of a cluster that exists",
                    f"{scheme}: {node_port}, the port of nodePorts.{scheme}",
                )
    for index, app in enumerate(config.apps):
        for place, way in enumerate(app.expose):
            at: Loc = ("apps", index, "expose", place)
            if way.via != "node-port":
                continue
            if way.local is not None and way.local != way.nodePort:
                yield (
                    (*at, "local"),
                    f"nothing maps port {way.local} to a node port of a cluster that exists",
                    "leave it out: the node port is the port of the URL",
                )
            if "address" not in way.model_fields_set:
                yield (
                    at,
                    f"at which address does the node port of {way.service!r} answer?",
                    "address: INTERNAL-IP of a node (kubectl get nodes -o wide); 127.0.0.1 where "
                    "something maps node ports to this machine",
                )


def _names(config: Config) -> Iterator[Finding]:
    """`up` knows what it installs by its name, and whether another controller is there by its, too."""
    for index, addon in enumerate(config.addons):
        if addon in config.addons[:index]:
            yield ("addons", index), f"the add-on {addon} is named twice", ONCE
    controllers = {component for _, component, _ in CONTROLLERS.values()}
    if config.ingress.controller == "none":
        controllers = set()
    registry = {"local-registry"} if config.cluster.registry else set()
    names = Counter(app.name for app in config.apps)
    for index, app in enumerate(config.apps):
        if names[app.name] > 1:
            message = f"two apps are named {app.name!r}"
        elif app.name in {*controllers, *config.addons, *registry}:
            message = f"{app.name!r} is the name of something that kindctl installs"
        else:
            continue
        yield ("apps", index, "name"), message, f"another name: {app.name}-app, say"


def _apps(config: Config, root: Path) -> Iterator[Finding]:
    for index, app in enumerate(config.apps):
        at: Loc = ("apps", index)
        if config.ingress.controller == "none" and app.expect:
            yield (
                (*at, "expect"),
                "`expect` needs an ingress controller",
                "set ingress.controller",
            )
        yield from _sources(app.manifests, (*at, "manifests"), root)
        for place, way in enumerate(app.expose):
            yield from _address(way.address, (*at, "expose", place, "address"))
            if way.nodePort and way.via != "node-port":
                yield (
                    (*at, "expose", place, "nodePort"),
                    f"nodePort is nothing to `via: {way.via}`",
                    "leave it out, or set via: node-port",
                )
        images = Counter(build.image for build in app.build)
        for place, build in enumerate(app.build):
            where: Loc = (*at, "build", place)
            if images[build.image] > 1:
                yield (*where, "image"), f"image {build.image!r} is built twice", ONCE
            context = root / build.context
            if not context.is_dir():
                yield (*where, "context"), f"no folder {build.context!r}", f"from {root}"
            elif not (context / build.dockerfile).is_file():
                message = f"no {build.dockerfile} in {build.context!r}"
                yield (*where, "context"), message, "name it from there: `dockerfile: FILE`"


def _sources(entries: Sequence[str | ChartConfig], at: Loc, root: Path) -> Iterator[Finding]:
    for place, entry in enumerate(entries):
        if isinstance(entry, ChartConfig):
            yield from _chart(entry, (*at, place), root)
        elif not (root / entry).exists():
            yield (*at, place), f"no file or folder {entry!r}", f"from {root}"


def _chart(chart: ChartConfig, at: Loc, root: Path) -> Iterator[Finding]:
    path = root / chart.chart
    packed = path.suffix == ".tgz" and path.is_file()
    if not packed and not (path / "Chart.yaml").is_file():
        if path.exists():
            yield (*at, "chart"), f"{chart.chart!r} is no chart", "it has no Chart.yaml"
        else:
            hint = f"fetch it first: helm pull --untar {chart.chart}" if ":" in chart.chart else ""
            yield (*at, "chart"), f"no chart {chart.chart!r}", hint or f"from {root}"
    for place, file in enumerate(chart.values):
        if not (root / file).is_file():
            yield (*at, "values", place), f"no file {file!r}", f"from {root}"
