"""configs/load-balancer: MetalLB gives a Service an address, which answers."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator
from datetime import datetime

import pytest

from tests.support.harness import Kindctl, docker, http, until
from tests.support.way import Way, everybody, way


@pytest.fixture(scope="module")
def balanced(kindctl: Kindctl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    with way("load-balancer", kindctl, tmp_path_factory) as found:
        yield found


def leftovers(way: Way) -> list[str]:
    namespaces = [one.metadata.name for one in way.api.core.list_namespace().items]
    definitions = way.api.raw("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")["items"]
    kinds = [one["metadata"]["name"] for one in definitions]
    return [name for name in [*namespaces, *kinds] if "metallb" in name]


def address(way: Way) -> str:
    """What kubectl shows as EXTERNAL-IP."""
    status = way.api.core.read_namespaced_service("hello", "hello").status
    return str(status.load_balancer.ingress[0].ip)


def test_the_printed_url_is_the_external_address_and_answers(balanced: Way) -> None:
    assert balanced.urls == [f"http://{address(balanced)}/"]
    pods = {f"hello from {pod.metadata.name}" for pod in balanced.api.pods("hello")}
    assert everybody(balanced.urls[0], pods) == pods
    printed = balanced.kindctl.run("urls", "load-balancer").out.split()
    assert printed == balanced.urls


def test_the_address_answers_inside_the_cluster_too(balanced: Way) -> None:
    (pod, *_) = balanced.api.pods("hello")
    shell = [
        "bash",
        "-c",
        f"exec 3<>/dev/tcp/{address(balanced)}/80 && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3",
    ]
    assert "hello from" in balanced.api.execute("hello", pod.metadata.name, shell)


def test_the_pool_is_of_the_nodes_network_and_no_container_is_in_it(balanced: Way) -> None:
    pools = balanced.api.raw("/apis/metallb.io/v1beta1/namespaces/metallb-system/ipaddresspools")
    (pool,) = pools["items"]
    first, last = (ipaddress.IPv4Address(a) for a in pool["spec"]["addresses"][0].split("-"))
    (network,) = json.loads(docker("network", "inspect", "kind"))
    subnets = [ipaddress.ip_network(config["Subnet"]) for config in network["IPAM"]["Config"]]
    assert any(first in subnet and last in subnet for subnet in subnets)
    given = [
        ipaddress.IPv4Address(one["IPv4Address"].partition("/")[0])
        for one in network["Containers"].values()
    ]
    assert given
    assert not [one for one in given if first <= one <= last]
    assert first <= ipaddress.IPv4Address(address(balanced)) <= last


def test_a_second_up_changes_nothing(balanced: Way) -> None:
    assert balanced.again().changes() == []


def test_an_address_comes_within_seconds_of_its_service(balanced: Way) -> None:
    balanced.api.core.delete_namespaced_service("hello", "hello")
    again = balanced.again()
    assert again.changes() == ["created Service hello/hello"]
    (event,) = (
        e for e in again.events if e["event"] == "step-ended" and e["name"].startswith("url:")
    )
    balanced.note(seconds_from_service_to_answer=round(event["seconds"], 1))
    service = balanced.api.core.read_namespaced_service("hello", "hello")
    assert isinstance(service.metadata.creation_timestamp, datetime)
    assert http(f"http://{address(balanced)}/").status == 200


def test_a_port_of_this_machine_leads_there_too(balanced: Way) -> None:
    balanced.replace("via: load-balancer,", "via: load-balancer, local: 18280,")
    urls = balanced.up().ended()["report"]["urls"]
    balanced.replace("via: load-balancer, local: 18280,", "via: load-balancer,")
    assert urls == [f"http://{address(balanced)}/", "http://localhost:18280/"]
    assert http(urls[1]).body.startswith("hello from ")


def test_the_way_and_its_addon_can_leave_the_file_together(balanced: Way) -> None:
    balanced.replace("addons: [metallb]\n", "")
    balanced.replace(
        "  expose:\n  - {service: hello, via: load-balancer, expect: {contains: hello from}}\n", ""
    )
    changes = balanced.up().changes()
    assert "removed Namespace metallb-system" in changes
    until(lambda: not leftovers(balanced), 60, "all of MetalLB has gone")
    assert balanced.api.core.read_namespaced_service("hello", "hello").spec.type == "ClusterIP"
