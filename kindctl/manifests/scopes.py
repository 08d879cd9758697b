"""Knows which kinds are namespaced, without asking a cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kindctl.kube_objects import api_group, section
from kindctl.models import Object

CLUSTER_SCOPED: Mapping[str, frozenset[str]] = {
    "": frozenset({"ComponentStatus", "Namespace", "Node", "PersistentVolume"}),
    "admissionregistration.k8s.io": frozenset(
        {
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        }
    ),
    "apiextensions.k8s.io": frozenset({"CustomResourceDefinition"}),
    "apiregistration.k8s.io": frozenset({"APIService"}),
    "cert-manager.io": frozenset({"ClusterIssuer"}),
    "certificates.k8s.io": frozenset({"CertificateSigningRequest", "ClusterTrustBundle"}),
    "flowcontrol.apiserver.k8s.io": frozenset({"FlowSchema", "PriorityLevelConfiguration"}),
    "gateway.networking.k8s.io": frozenset({"GatewayClass"}),
    "networking.k8s.io": frozenset({"IPAddress", "IngressClass", "ServiceCIDR"}),
    "node.k8s.io": frozenset({"RuntimeClass"}),
    "rbac.authorization.k8s.io": frozenset({"ClusterRole", "ClusterRoleBinding"}),
    "resource.k8s.io": frozenset({"DeviceClass", "ResourceSlice"}),
    "scheduling.k8s.io": frozenset({"PriorityClass"}),
    "snapshot.storage.k8s.io": frozenset({"VolumeSnapshotClass", "VolumeSnapshotContent"}),
    "storage.k8s.io": frozenset(
        {"CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"}
    ),
}
"""API group -> its kinds that are not namespaced. All other built-in kinds are."""


@dataclass(frozen=True)
class Scopes:
    """The scope of every kind: by the CustomResourceDefinitions given, else by the built-in table."""

    custom: Mapping[tuple[str, str], bool]  # (group, kind) -> namespaced

    @classmethod
    def of(cls, objects: Sequence[Object]) -> Scopes:
        """Return Scopes that know the CustomResourceDefinitions among `objects`."""
        custom = {}
        for obj in objects:
            spec = obj.get("spec")
            if obj["kind"] == "CustomResourceDefinition" and isinstance(spec, dict):
                kind = str(section(spec, "names").get("kind"))
                custom[str(spec.get("group")), kind] = spec.get("scope") != "Cluster"
        return cls(custom)

    def namespaced(self, obj: Object) -> bool:
        group, kind = api_group(str(obj["apiVersion"])), str(obj["kind"])
        by_table = kind not in CLUSTER_SCOPED.get(group, ())
        return self.custom.get((group, kind), by_table)
