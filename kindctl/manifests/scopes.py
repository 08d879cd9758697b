"""Which kinds live in a namespace: known before there is a cluster to ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kindctl.kube_objects import api_group
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
"""API group -> kinds that belong to no namespace. All other built-in kinds do."""


@dataclass(frozen=True)
class Scopes:
    """The built-in table, and what CustomResourceDefinitions at hand say."""

    custom: Mapping[tuple[str, str], bool]  # (group, kind) -> namespaced

    @classmethod
    def of(cls, objects: Sequence[Object]) -> Scopes:
        """`objects` may hold the CustomResourceDefinitions of others among them."""
        custom = {}
        for obj in objects:
            spec = obj.get("spec")
            if obj["kind"] == "CustomResourceDefinition" and isinstance(spec, dict):
                kind = str((spec.get("names") or {}).get("kind"))
                custom[str(spec.get("group")), kind] = spec.get("scope") != "Cluster"
        return cls(custom)

    def namespaced(self, obj: Object) -> bool:
        group, kind = api_group(str(obj["apiVersion"])), str(obj["kind"])
        by_table = kind not in CLUSTER_SCOPED.get(group, ())
        return self.custom.get((group, kind), by_table)
