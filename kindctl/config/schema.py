"""kindctl.yaml as data: frozen, unknown keys refused. Places of errors are config/load.py's work."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from kindctl.paths import DNS_LABEL, NAME_MAX

Name = Annotated[str, Field(pattern=DNS_LABEL, max_length=NAME_MAX)]
Namespace = Annotated[str, Field(pattern=DNS_LABEL, max_length=63)]
ServiceName = Namespace
Port = Annotated[int, Field(ge=1, le=65535, strict=True)]
NODE_PORT_MIN, NODE_PORT_MAX = 30000, 32767
NodePort = Annotated[int, Field(ge=NODE_PORT_MIN, le=NODE_PORT_MAX, strict=True)]
"""The API server's default --service-node-port-range."""


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ExistingConfig(Strict):
    """A cluster that is there already."""

    existing: Annotated[str, Field(min_length=1)] = Field(
        description="its context in the kubeconfig"
    )
    server: Annotated[str, Field(pattern="^https?://")] | None = Field(
        None,
        description="address of its API server; another one is refused, and `up --yes` needs it the "
        "first time",
    )


class RegistryConfig(Strict):
    """An image registry beside the cluster, for `docker push`, Tilt and Skaffold."""

    port: Port = Field(5001, description="port of the host; images are named localhost:PORT/NAME")


class ClusterConfig(Strict):
    """Where the cluster comes from, and its shape."""

    provider: Literal["kind"] | ExistingConfig = Field(
        "kind", description="where the cluster comes from: `kind`, or `{existing: CONTEXT}`"
    )
    kubernetes: Annotated[str, Field(pattern=r"^1\.\d+(\.\d+)?$")] = Field(
        "1.36", description="Kubernetes version, minor or exact"
    )
    image: str | None = Field(None, description="a node image instead of the one for `kubernetes`")
    workers: Annotated[int, Field(ge=0, le=16, strict=True)] = Field(
        0, description="worker nodes beside the control plane"
    )
    gateways: Annotated[int, Field(ge=0, le=8, strict=True)] = Field(
        0, description="nodes for the ingress controller alone: labelled and tainted"
    )
    registry: RegistryConfig | None = Field(None, description="a local image registry")
    kind: dict[str, Any] = Field(
        default_factory=dict,
        description="passed through to kind's own configuration: extraMounts, kubeadm patches, ...",
    )


ImageSource = Literal["engine", "registry", "build"]


class ImagesConfig(Strict):
    """Where images come from."""

    sources: Annotated[tuple[ImageSource, ...], Field(min_length=1)] = Field(
        ("engine", "registry", "build"), description="asked in this order"
    )
    mirrors: dict[str, str] = Field(
        default_factory=dict, description="registry -> mirror: docker.io: mirror.example.com"
    )
    push: str | None = Field(
        None, description="registry that images for an existing cluster are pushed to"
    )
    pull: str | None = Field(
        None, description="how the nodes of that cluster name that registry; default: as `push`"
    )


Via = Literal["host-port", "node-port", "load-balancer", "port-forward"]
AppVia = Literal["node-port", "load-balancer", "port-forward"]


class NodePortsConfig(Strict):
    """Ports of the nodes behind the host's ports."""

    http: NodePort = Field(30080, description="for HTTP")
    https: NodePort = Field(30443, description="for HTTPS")


class ExposeConfig(Strict):
    """How the ingress controller is reached from the host."""

    via: Via = Field("host-port", description="the kind of way in")
    http: Port = Field(80, description="port of the host for HTTP")
    https: Port = Field(443, description="port of the host for HTTPS")
    address: str = Field("127.0.0.1", description="address of the host that the ports are bound to")
    nodePorts: NodePortsConfig = Field(  # noqa: N815 - Kubernetes' spelling
        NodePortsConfig(), description="with `via: node-port`"
    )


class AutoscaleConfig(Strict):
    """A HorizontalPodAutoscaler for the controller."""

    max: Annotated[int, Field(ge=1, le=16, strict=True)] = Field(description="most replicas")
    cpu: Annotated[int, Field(ge=1, le=1000, strict=True)] = Field(
        60, description="percent of the requested CPU that is aimed at"
    )


class CustomPortsConfig(Strict):
    """Ports of a Service."""

    http: Port = Field(80, description="for HTTP")
    https: Port | None = Field(443, description="for HTTPS; null: none")


class ChartConfig(Strict):
    """A Helm chart, rendered by `helm template`."""

    chart: Annotated[str, Field(min_length=1)] = Field(description="folder of the chart")
    name: Name | None = Field(None, description="name of the release; default: the app's name")
    values: tuple[str, ...] = Field((), description="files of values")
    set: dict[str, Any] = Field(default_factory=dict, description="single values: a.b -> value")


Source = str | ChartConfig


Workload = Annotated[str, Field(pattern=r"^(deployment|daemonset|statefulset)/[-a-z0-9.]+$")]
"""As kubectl names it: deployment/NAME."""


class CustomConfig(Strict):
    """An ingress controller of the user's own."""

    manifests: Annotated[tuple[Source, ...], Field(min_length=1)] = Field(
        description="files, folders, kustomizations or charts that install it"
    )
    namespace: Namespace = Field(description="where it runs")
    ingressClass: Annotated[str, Field(min_length=1)] = Field(  # noqa: N815
        description="the IngressClass that it serves"
    )
    ready: Workload | None = Field(
        None, description="a workload to wait for that an operator of the manifests makes"
    )
    service: ServiceName = Field(description="its Service, in that namespace")
    ports: CustomPortsConfig = Field(CustomPortsConfig(), description="ports of that Service")


class IngressConfig(Strict):
    """The ingress controller in front of the apps."""

    controller: Literal["nginx", "traefik", "custom", "none"] = Field(
        "nginx", description="which controller"
    )
    replicas: Annotated[int, Field(ge=1, le=16, strict=True)] = Field(
        1, description="pods of the controller"
    )
    autoscale: AutoscaleConfig | None = Field(
        None, description="more replicas under load; needs the add-on metrics-server"
    )
    gatewayAPI: bool = Field(  # noqa: N815
        False, description="Gateway and HTTPRoute objects too"
    )
    custom: CustomConfig | None = Field(None, description="with `controller: custom`")
    expose: ExposeConfig = Field(ExposeConfig(), description="how the host reaches it")


class BuildConfig(Strict):
    """An image that is built from a Dockerfile."""

    image: Annotated[str, Field(min_length=1)] = Field(
        description="the name by which the manifests ask for it"
    )
    context: str = Field(".", description="folder of the build context, from the file's folder")
    dockerfile: str = Field("Dockerfile", description="from the context")
    target: str | None = Field(None, description="build stage")
    args: dict[str, str] = Field(default_factory=dict, description="build arguments")


class ExpectConfig(Strict):
    """What makes the answer of a URL the right one."""

    path: Annotated[str, Field(pattern="^/")] = Field("/", description="path of the URL")
    host: str | None = Field(None, description="host name, where the app has several")
    contains: str | None = Field(None, description="text that the answer must have")
    status: Annotated[int, Field(ge=100, le=599, strict=True)] | None = Field(
        None, description="exact HTTP status"
    )
    scheme: Literal["http", "https"] | None = Field(
        None, description="default: as the Ingress says; `https` with a verified certificate"
    )


class ExposeServiceConfig(Strict):
    """A way to one Service, beside the ingress controller."""

    service: ServiceName = Field(description="a Service of the app's manifests")
    port: Port | str | None = Field(
        None, description="its port, by number or name; default: its only one"
    )
    via: AppVia = Field(description="the kind of way in")
    local: Port | None = Field(
        None,
        description="port of the host; default: the node port, or the Service's; with "
        "`via: load-balancer` one beside the external address",
    )
    nodePort: NodePort | None = Field(  # noqa: N815
        None, description="with `via: node-port`; default: chosen, and always the same"
    )
    address: str = Field("127.0.0.1", description="address of the host that the port is bound to")
    scheme: Literal["http", "https", "tcp"] | None = Field(
        None, description="what is spoken there; default: by the port's name and number"
    )
    expect: ExpectConfig | None = Field(None, description="what makes its answer right")


class AppConfig(Strict):
    """One application: what is built, what is applied, what must answer."""

    name: Name = Field(description="name of the app")
    namespace: Namespace | None = Field(
        None, description="for objects that name none; default: the app's name"
    )
    build: tuple[BuildConfig, ...] = Field((), description="images that are built from Dockerfiles")
    manifests: Annotated[tuple[Source, ...], Field(min_length=1)] = Field(
        description="files or folders of YAML, folders of a kustomization, or charts"
    )
    expose: tuple[ExposeServiceConfig, ...] = Field(
        (), description="ways to its Services beside the ingress controller"
    )
    expect: tuple[ExpectConfig, ...] = Field(
        (), description="what makes its URLs right; without it: any answer below 500"
    )


Addon = Literal["metallb", "metrics-server"]


class Config(Strict):
    """The whole of kindctl.yaml."""

    apiVersion: Literal["kindctl/v1"] = Field(  # noqa: N815 - Kubernetes' spelling
        "kindctl/v1", description="version of this format"
    )
    name: Name = Field(description="name of the environment, and of its cluster")
    cluster: ClusterConfig = Field(ClusterConfig(), description="the cluster")
    images: ImagesConfig = Field(ImagesConfig(), description="where images come from")
    extraCAs: tuple[str, ...] = Field(  # noqa: N815
        (), description="PEM files of certificate authorities, beside those that the host trusts"
    )
    ingress: IngressConfig = Field(IngressConfig(), description="the ingress controller")
    apps: tuple[AppConfig, ...] = Field((), description="the applications")
    addons: tuple[Addon, ...] = Field((), description="what else is installed")
