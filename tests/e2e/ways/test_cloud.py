"""configs/cloud: ingress-nginx behind a Service of type LoadBalancer; and where nobody gives addresses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.harness import Kindctl, http, inspect, until
from tests.support.way import Way, way

SERVICE = ("ingress-nginx-controller", "ingress-nginx")


@pytest.fixture(scope="module")
def cloud(kindctl: Kindctl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    with way("cloud", kindctl, tmp_path_factory) as found:
        yield found


def test_the_sample_answers_at_the_external_address(cloud: Way) -> None:
    status = cloud.api.core.read_namespaced_service(*SERVICE).status
    external = status.load_balancer.ingress[0].ip
    assert cloud.urls == [f"http://{external}/", f"http://{external}/api/healthy"]
    page = http(cloud.urls[0])
    assert "<title>Sample · kindctl</title>" in page.body
    assert page.headers["X-Kindctl-Ingress"] == "example/frontend-ingress"


def test_no_port_of_this_machine_is_mapped(cloud: Way) -> None:
    (node,) = cloud.nodes()
    assert set(inspect(node)["HostConfig"]["PortBindings"]) == {"6443/tcp"}


def test_the_ingress_shows_that_address(cloud: Way) -> None:
    service = cloud.api.core.read_namespaced_service(*SERVICE).status.load_balancer.ingress[0].ip

    def shown() -> list[str]:
        ingress = cloud.api.networking.read_namespaced_ingress("frontend-ingress", "example")
        return [one.ip for one in ingress.status.load_balancer.ingress or ()]

    # the controller writes it once a minute
    assert until(shown, 90, "the Ingress has an address") == [service]


def test_a_second_up_changes_nothing(cloud: Way) -> None:
    assert cloud.again().changes() == []
