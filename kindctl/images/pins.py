"""The upstream images that environments use, pinned by digest if the digest is known.

Node images: release notes of kind v0.33.0. Controller: ingress-nginx v1.15.1, its last release.
"""

from __future__ import annotations

from collections.abc import Mapping

from kindctl.errors import UsageError

NODES: Mapping[str, str] = {
    "1.37.0": "sha256:a1ed56cfb0e7b93589bdf97c8cd566405a265939e3620fc4f5de89adff580ae5",
    "1.36.4": "sha256:099e049362a1526b2db71494e1947aae99bd16290d7c895f2b7ea312e3cbfaed",
    "1.35.8": "sha256:07b2536e30b803ed61d1677a79df6115f798ce64c80f9e22f6ed45afd09323c0",
    "1.34.11": "sha256:44e222ee2132dab25ff87301682f89eb82c7880ea3a1bf543bfe9708fd08d67d",
}
"""Kubernetes version -> digest of kindest/node, for the newest patch of each minor version."""

CONTROLLER = (
    "registry.k8s.io/ingress-nginx/controller:v1.15.1"
    "@sha256:594ceea76b01c592858f803f9ff4d2cb40542cae2060410b2c95f75907d659e1"
)

# The others are pinned by tag, because their digests are not known.
NODE = "kindest/node:v1.36"
PYTHON = "python:3.13-slim"
NGINX = "nginxinc/nginx-unprivileged:1.28"
POSTGRES = "postgres:17"
HELM = "alpine/helm:4.2.4"
REGISTRY = "registry:2"
TRAEFIK = "traefik:v3.7.9"
METALLB_CONTROLLER = "quay.io/metallb/controller:v0.16.1"
METALLB_SPEAKER = "quay.io/metallb/speaker:v0.16.1"
METRICS_SERVER = "registry.k8s.io/metrics-server/metrics-server:v0.9.0"
HAPROXY_INGRESS = "quay.io/jcmoraisjr/haproxy-ingress:v0.16.1"

GATEWAY_API = "kindctl.local/gateway-api:v1.5.1"
"""An image that contains only files. No official image exists, so kindctl always builds this image."""

FILES = frozenset({GATEWAY_API})
"""Images that are read on this machine and never brought into a node."""

CATALOGUE: Mapping[str, str] = {
    "node": NODE,
    "ingress-nginx": CONTROLLER,
    "python": PYTHON,
    "nginx": NGINX,
    "postgres": POSTGRES,
}
"""Role -> reference of the image that plays this role in the default environment."""

OPTIONAL: Mapping[str, str] = {
    "registry": REGISTRY,
    "traefik": TRAEFIK,
    "metallb-controller": METALLB_CONTROLLER,
    "metallb-speaker": METALLB_SPEAKER,
    "metrics-server": METRICS_SERVER,
    "haproxy-ingress": HAPROXY_INGRESS,
    "gateway-api": GATEWAY_API,
    "helm": HELM,
}
"""Role -> reference of the image that plays this role if a configuration asks for the role."""


def node_reference(kubernetes: str) -> str:
    """Return the node image for a Kubernetes version in kindctl.yaml.

    For a minor version ("1.36"), the node image is kindest/node:v1.36. `official` turns this reference into
    the newest pinned patch version. An image that a recipe builds can replace it, whatever its patch
    version. An exact version must be pinned in NODES, or must be the version that the recipe builds. Raises
    UsageError (code kubernetes-version) for other versions.
    """
    minors = {version.rpartition(".")[0] for version in NODES}
    if kubernetes in minors:
        return f"kindest/node:v{kubernetes}"
    if kubernetes in NODES:
        return f"kindest/node:v{kubernetes}@{NODES[kubernetes]}"
    from kindctl.images.recipe_book import RecipeBook

    built = RecipeBook().get("node").version
    if kubernetes == built:
        return f"kindest/node:v{kubernetes}"
    raise UsageError(
        f"unknown Kubernetes version {kubernetes}",
        fix=f"use one of {', '.join([*sorted(minors), *sorted({*NODES, built})])}, "
        "or set cluster.image to a node image",
        code="kubernetes-version",
    )


def official(reference: str) -> str:
    """Return the published image for a reference.

    For a node image of a minor version, the published image is the newest pinned patch version.
    """
    for version, digest in NODES.items():
        if reference == f"kindest/node:v{version.rpartition('.')[0]}":
            return f"kindest/node:v{version}@{digest}"
    return reference
