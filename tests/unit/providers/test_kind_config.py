"""The YAML that kind gets."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from kindctl.models import PortMapping
from kindctl.providers.kind_config import kind_config

MOUNT = {"hostPath": "/data", "containerPath": "/data"}


def config(**how: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "image": "node:1",
        "mappings": (PortMapping(8080, 80), PortMapping(8443, 443, "0.0.0.0")),
        "workers": 0,
        "cgroup_version": 2,
        "minor": 36,
        "extra": {},
        **how,
    }
    parsed = yaml.safe_load(kind_config(**given))
    assert isinstance(parsed, dict)
    return parsed


def kubelet(**how: Any) -> dict[str, Any]:
    patch = yaml.safe_load(config(**how)["kubeadmConfigPatches"][0])
    assert isinstance(patch, dict)
    assert patch["kind"] == "KubeletConfiguration"
    return patch


def test_the_control_plane_has_the_ports_and_the_label_of_ingress() -> None:
    (node,) = config()["nodes"]
    assert node == {
        "role": "control-plane",
        "image": "node:1",
        "labels": {"ingress-ready": "true"},
        "extraPortMappings": [
            {"containerPort": 80, "hostPort": 8080, "listenAddress": "127.0.0.1"},
            {"containerPort": 443, "hostPort": 8443, "listenAddress": "0.0.0.0"},
        ],
    }


def test_it_is_of_the_api_that_kind_reads() -> None:
    parsed = config()
    assert (parsed["kind"], parsed["apiVersion"]) == ("Cluster", "kind.x-k8s.io/v1alpha4")


def test_workers_are_of_the_same_image_and_map_no_ports() -> None:
    _, *workers = config(workers=2)["nodes"]
    assert workers == [{"role": "worker", "image": "node:1"}] * 2


def test_extra_mounts_are_on_every_node() -> None:
    parsed = config(workers=1, extra={"extraMounts": [MOUNT]})
    assert [node["extraMounts"] for node in parsed["nodes"]] == [[MOUNT], [MOUNT]]
    assert "extraMounts" not in parsed


def test_extra_ports_come_after_ours_and_on_the_control_plane_alone() -> None:
    port = {"containerPort": 5432, "hostPort": 5432}
    control_plane, worker = config(workers=1, extra={"extraPortMappings": [port]})["nodes"]
    assert [m["hostPort"] for m in control_plane["extraPortMappings"]] == [8080, 8443, 5432]
    assert "extraPortMappings" not in worker


def test_the_users_patches_come_after_ours_and_so_win() -> None:
    theirs = "kind: KubeletConfiguration\nmaxPods: 250\n"
    ours, second = config(extra={"kubeadmConfigPatches": [theirs]})["kubeadmConfigPatches"]
    assert "syncFrequency" in ours
    assert second == theirs


def test_the_rest_of_kinds_configuration_is_passed_through() -> None:
    networking = {"podSubnet": "10.1.0.0/16"}
    given = {"networking": networking, "featureGates": {"Some": True}}
    parsed = config(extra=given)
    assert (parsed["networking"], parsed["featureGates"]) == (networking, {"Some": True})
    assert given == {"networking": networking, "featureGates": {"Some": True}}


@pytest.mark.parametrize(
    ("minor", "cgroup_version", "given"),
    [(34, 1, False), (34, 2, False), (35, 1, True), (36, 1, True), (35, 2, False)],
)
def test_cgroup_v1_is_allowed_where_the_kubelet_would_refuse_it(
    minor: int, cgroup_version: int, given: bool
) -> None:
    patch = kubelet(minor=minor, cgroup_version=cgroup_version)
    assert ("failCgroupV1" in patch) is given
    assert patch.get("failCgroupV1", False) is False


def test_the_restart_period_is_short_where_the_kubelet_knows_the_field() -> None:
    assert "crashLoopBackOff" not in kubelet(minor=34)
    assert kubelet(minor=35)["crashLoopBackOff"] == {"maxContainerRestartPeriod": "1s"}


def test_gateway_nodes_are_labelled_and_tainted_from_their_start() -> None:
    control_plane, worker, *gateways = config(workers=1, gateways=2)["nodes"]
    assert "kubeadmConfigPatches" not in control_plane
    assert "labels" not in worker
    assert [node["labels"] for node in gateways] == [{"kindctl.dev/gateway": "true"}] * 2
    for node in gateways:
        (patch,) = map(yaml.safe_load, node["kubeadmConfigPatches"])
        assert patch["kind"] == "JoinConfiguration"
        taint = {"key": "kindctl.dev/gateway", "effect": "NoSchedule"}
        assert patch["nodeRegistration"]["taints"] == [taint]


def test_without_workers_the_control_plane_takes_the_pods_of_apps() -> None:
    (patch,) = map(yaml.safe_load, config(gateways=1)["nodes"][0]["kubeadmConfigPatches"])
    assert patch == {"kind": "InitConfiguration", "nodeRegistration": {"taints": []}}
