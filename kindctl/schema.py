"""The schema of kindctl.yaml: frozen models that reject unknown keys.

The descriptions are part of docs/configuration.md and of hints. `config/` loads and checks the
file, and knows the line and column of each field.
"""

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

NonEmpty = Annotated[str, Field(min_length=1)]
ReplicaCount = Annotated[int, Field(ge=1, le=16, strict=True)]
Workload = Annotated[str, Field(pattern=r"^(deployment|daemonset|statefulset)/[-a-z0-9.]+$")]
"""A workload as kubectl names it: deployment/NAME."""


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ExistingConfig(Strict):
    """A cluster that exists already."""

    existing: NonEmpty = Field(description="the cluster's context in the kubeconfig")
    server: Annotated[str, Field(pattern="^https?://")] | None = Field(
        None,
        description="address of the cluster's API server; kindctl stops if the context points to "
        "another one; `up --yes` needs this key the first time",
    )


class RegistryConfig(Strict):
    """An image registry next to the cluster, for `docker push`, Tilt and Skaffold."""

    port: Port = Field(
        5001, description="port on this machine; images are named localhost:PORT/NAME"
    )


class ClusterConfig(Strict):
    """Where the cluster comes from, and its nodes."""

    provider: Literal["kind"] | ExistingConfig = Field(
        "kind", description="where the cluster comes from: `kind`, or `{existing: CONTEXT}`"
    )
    kubernetes: Annotated[str, Field(pattern=r"^1\.\d+(\.\d+)?$")] = Field(
        "1.36", description="Kubernetes version, such as 1.36 or 1.36.4"
    )
    image: str | None = Field(None, description="node image, instead of the one for `kubernetes`")
    workers: Annotated[int, Field(ge=0, le=16, strict=True)] = Field(
        0, description="number of worker nodes, in addition to the control plane"
    )
    gateways: Annotated[int, Field(ge=0, le=8, strict=True)] = Field(
        0,
        description="number of nodes reserved for the ingress controller, with a label and a taint",
    )
    registry: RegistryConfig | None = Field(None, description="local image registry")
    kind: dict[str, Any] = Field(
        default_factory=dict,
        description="passed on to kind's own configuration: extraMounts, kubeadmConfigPatches, ...",
    )


ImageSource = Literal["engine", "registry", "build"]


class ImagesConfig(Strict):
    """Where images come from."""

    sources: Annotated[tuple[ImageSource, ...], Field(min_length=1)] = Field(
        ("engine", "registry", "build"), description="where to look for images, in this order"
    )
    mirrors: dict[str, str] = Field(
        default_factory=dict,
        description="mirror of each registry, for example `docker.io: mirror.example.com`",
    )
    push: str | None = Field(
        None, description="registry to which images for an existing cluster are pushed"
    )
    pull: str | None = Field(
        None, description="name of that registry on the nodes; default: the same as `push`"
    )


Via = Literal["host-port", "node-port", "load-balancer", "port-forward"]
AppVia = Literal["node-port", "load-balancer", "port-forward"]


class NodePortsConfig(Strict):
    """Node ports of the ingress controller."""

    http: NodePort = Field(30080, description="for HTTP")
    https: NodePort = Field(30443, description="for HTTPS")


class ExposeConfig(Strict):
    """How the ingress controller is reached from this machine."""

    via: Via = Field("host-port", description="kind of exposure")
    http: Port = Field(80, description="port on this machine for HTTP")
    https: Port = Field(443, description="port on this machine for HTTPS")
    address: str = Field("127.0.0.1", description="address of this machine that the ports bind to")
    nodePorts: NodePortsConfig = Field(  # noqa: N815 - Kubernetes' spelling
        NodePortsConfig(), description="node ports, for `via: node-port`"
    )


class AutoscaleConfig(Strict):
    """A HorizontalPodAutoscaler for the ingress controller."""

    max: ReplicaCount = Field(description="maximum number of replicas")
    cpu: Annotated[int, Field(ge=1, le=1000, strict=True)] = Field(
        60, description="target CPU usage, in percent of the requested CPU"
    )


class CustomPortsConfig(Strict):
    """Ports of the custom controller's Service."""

    http: Port = Field(80, description="for HTTP")
    https: Port | None = Field(443, description="for HTTPS; null if the Service has no HTTPS port")

    @property
    def by_scheme(self) -> dict[str, int]:
        ports = {"http": self.http, "https": self.https}
        return {scheme: number for scheme, number in ports.items() if number is not None}


class ChartConfig(Strict):
    """A Helm chart, rendered by `helm template`."""

    chart: NonEmpty = Field(description="folder or .tgz file of the chart")
    name: Name | None = Field(None, description="release name; default: the app's name")
    values: tuple[str, ...] = Field((), description="values files")
    set: dict[str, Any] = Field(
        default_factory=dict,
        description="single values, for example `a.b: value`, which override the files",
    )

    def __str__(self) -> str:
        return self.chart


Source = str | ChartConfig
Sources = Annotated[tuple[Source, ...], Field(min_length=1)]


class CustomConfig(Strict):
    """An ingress controller that you bring yourself."""

    manifests: Sources = Field(
        description="files, folders, kustomizations or charts that install it"
    )
    namespace: Namespace = Field(description="namespace of the controller")
    ingressClass: NonEmpty = Field(description="IngressClass that the controller serves")  # noqa: N815
    ready: Workload | None = Field(
        None,
        description="workload to wait for, if an operator in the manifests creates the controller",
    )
    service: ServiceName = Field(description="Service of the controller, in that namespace")
    ports: CustomPortsConfig = Field(CustomPortsConfig(), description="ports of the Service")


class IngressConfig(Strict):
    """The ingress controller in front of the apps."""

    controller: Literal["nginx", "traefik", "custom", "none"] = Field(
        "nginx", description="which ingress controller to install"
    )
    replicas: ReplicaCount = Field(1, description="number of pods of the controller")
    autoscale: AutoscaleConfig | None = Field(
        None, description="adds replicas under load; needs the add-on metrics-server"
    )
    gatewayAPI: bool = Field(  # noqa: N815
        False, description="whether to serve Gateway and HTTPRoute objects too"
    )
    custom: CustomConfig | None = Field(None, description="settings for `controller: custom`")
    expose: ExposeConfig = Field(
        ExposeConfig(), description="how this machine reaches the controller"
    )


class BuildConfig(Strict):
    """An image to build from a Dockerfile."""

    image: NonEmpty = Field(description="image name, as written in the manifests")
    context: str = Field(".", description="folder of the build context, relative to kindctl.yaml")
    dockerfile: str = Field("Dockerfile", description="path of the Dockerfile in the build context")
    target: str | None = Field(None, description="build stage to stop at")
    args: dict[str, str] = Field(default_factory=dict, description="build arguments")


class ExpectConfig(Strict):
    """What a URL must answer."""

    path: Annotated[str, Field(pattern="^/")] = Field("/", description="path of the URL")
    host: str | None = Field(None, description="host name, if the app has several")
    contains: str | None = Field(None, description="text that the answer must contain")
    status: Annotated[int, Field(ge=100, le=599, strict=True)] | None = Field(
        None, description="exact HTTP status of the answer"
    )
    scheme: Literal["http", "https"] | None = Field(
        None, description="default: as the Ingress says; the certificate of `https` is verified"
    )


class ExposeServiceConfig(Strict):
    """Exposes one Service, without the ingress controller."""

    service: ServiceName = Field(description="Service in the app's manifests")
    port: Port | str | None = Field(
        None, description="number or name of the Service's port; default: the only one"
    )
    via: AppVia = Field(description="kind of exposure")
    local: Port | None = Field(
        None,
        description="port on this machine; default: the node port, or the Service's port; with "
        "`via: load-balancer`, a forwarded port in addition to the external address",
    )
    nodePort: NodePort | None = Field(  # noqa: N815
        None, description="for `via: node-port`; default: chosen by kindctl, always the same"
    )
    address: str = Field("127.0.0.1", description="address of this machine that the port binds to")
    scheme: Literal["http", "https", "tcp"] | None = Field(
        None, description="protocol of the port; default: guessed from its name and number"
    )
    expect: ExpectConfig | None = Field(None, description="what the Service must answer")


class AppConfig(Strict):
    """One application: what to build, what to apply, what must answer."""

    name: Name = Field(description="name of the app")
    namespace: Namespace | None = Field(
        None, description="namespace of objects that set none; default: the app's name"
    )
    build: tuple[BuildConfig, ...] = Field((), description="images to build from Dockerfiles")
    manifests: Sources = Field(description="YAML files, folders, kustomizations or Helm charts")
    expose: tuple[ExposeServiceConfig, ...] = Field(
        (), description="Services to expose without the ingress controller"
    )
    expect: tuple[ExpectConfig, ...] = Field(
        (), description="what its URLs must answer; default: any status below 500"
    )


Addon = Literal["metallb", "metrics-server"]


class Config(Strict):
    """The whole kindctl.yaml."""

    apiVersion: Literal["kindctl/v1"] = Field(  # noqa: N815 - Kubernetes' spelling
        "kindctl/v1", description="version of the file format"
    )
    name: Name = Field(description="name of the environment and of its cluster")
    cluster: ClusterConfig = Field(ClusterConfig(), description="cluster to create or use")
    images: ImagesConfig = Field(ImagesConfig(), description="where images come from")
    extraCAs: tuple[str, ...] = Field(  # noqa: N815
        (),
        description="PEM files of certificate authorities to trust, in addition to this machine's",
    )
    ingress: IngressConfig = Field(IngressConfig(), description="the ingress controller")
    apps: tuple[AppConfig, ...] = Field((), description="the applications")
    addons: tuple[Addon, ...] = Field((), description="add-ons to install")
