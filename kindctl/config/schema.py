"""kindctl.yaml as data: frozen, unknown keys refused. Places of errors are config/load.py's work."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

DNS_LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
"""RFC 1123 label: what Kubernetes asks of a namespace and Docker of a container's name."""

Name = Annotated[str, Field(pattern=DNS_LABEL, max_length=40)]
Namespace = Annotated[str, Field(pattern=DNS_LABEL, max_length=63)]
Port = Annotated[int, Field(ge=1, le=65535, strict=True)]


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ClusterConfig(Strict):
    """Where the cluster comes from, and its shape."""

    provider: Literal["kind"] = Field("kind", description="where the cluster comes from")
    kubernetes: Annotated[str, Field(pattern=r"^1\.\d+(\.\d+)?$")] = Field(
        "1.36", description="Kubernetes version, minor or exact"
    )
    image: str | None = Field(None, description="a node image instead of the one for `kubernetes`")
    workers: Annotated[int, Field(ge=0, le=16, strict=True)] = Field(
        0, description="worker nodes beside the control plane"
    )
    kind: dict[str, Any] = Field(
        default_factory=dict,
        description="passed through to kind's own configuration: extraMounts, kubeadm patches, ...",
    )


class ImagesConfig(Strict):
    """Where images come from."""

    sources: tuple[Literal["engine", "registry", "build"], ...] = Field(
        ("engine", "registry", "build"), description="asked in this order"
    )
    mirrors: dict[str, str] = Field(
        default_factory=dict, description="registry -> mirror: docker.io: mirror.example.com"
    )


class ExposeConfig(Strict):
    """How the ingress controller is reached from the host."""

    via: Literal["host-port"] = Field("host-port", description="the kind of way in")
    http: Port = Field(80, description="port of the host for HTTP")
    https: Port = Field(443, description="port of the host for HTTPS")
    address: str = Field("127.0.0.1", description="address of the host that the ports are bound to")


class IngressConfig(Strict):
    """The ingress controller in front of the apps."""

    controller: Literal["nginx", "none"] = Field("nginx", description="which controller")
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


class AppConfig(Strict):
    """One application: what is built, what is applied, what must answer."""

    name: Name = Field(description="name of the app")
    namespace: Namespace | None = Field(
        None, description="for objects that name none; default: the app's name"
    )
    build: tuple[BuildConfig, ...] = Field((), description="images that are built from Dockerfiles")
    manifests: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="files or folders of YAML"
    )
    expect: tuple[ExpectConfig, ...] = Field(
        (), description="what makes its URLs right; without it: any answer below 500"
    )


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
