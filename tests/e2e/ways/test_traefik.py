"""configs/traefik: the sample, unchanged, behind Traefik; and ingress-nginx in its place, by host ports."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.harness import Kindctl, http, until
from tests.support.trickle import Trickle
from tests.support.way import Way, way


@pytest.fixture(scope="module")
def traefik(kindctl: Kindctl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    with way("traefik", kindctl, tmp_path_factory) as found:
        yield found


def test_the_page_and_the_rewritten_api_answer(traefik: Way) -> None:
    assert traefik.urls == ["http://localhost/", "http://localhost/api/healthy"]
    page = http("http://localhost/")
    assert "<title>Sample · kindctl</title>" in page.body
    assert page.headers["X-Kindctl-Controller"] == "traefik"
    assert http("http://localhost/api/add", "POST", {"text": "by Traefik"}).status < 300
    assert "by Traefik" in http("http://localhost/api/fetch").body


def test_the_controllers_own_404_is_told_from_the_apps(traefik: Way) -> None:
    ingress = traefik.api.networking.read_namespaced_ingress("frontend-ingress", "example")
    assert http("http://localhost/api/no-such-route").headers.get("X-Kindctl-Ingress") is None
    traefik.api.networking.delete_namespaced_ingress("frontend-ingress", "example")
    own = until(not_found, 10, "Traefik's 404")
    assert own.headers["X-Kindctl-Ingress"] == "/"
    assert own.headers["X-Kindctl-Environment"].startswith("traefik.")
    assert ingress.spec.ingress_class_name == "nginx"
    assert traefik.again().changes() == ["created Ingress example/frontend-ingress"]
    assert http("http://localhost/").status == 200


def not_found() -> object:
    answer = http("http://localhost/")
    return answer if answer.status == 404 else None


def test_the_ingress_has_an_address(traefik: Way) -> None:
    status = traefik.api.networking.read_namespaced_ingress("frontend-ingress", "example").status
    assert status.load_balancer.ingress[0].hostname == "localhost"


def test_a_second_up_changes_nothing(traefik: Way) -> None:
    assert traefik.again().changes() == []


def test_what_was_deleted_comes_back(traefik: Way) -> None:
    traefik.api.apps.delete_namespaced_deployment("traefik", "traefik")
    traefik.api.core.delete_namespaced_config_map("traefik", "traefik")
    changes = traefik.again().changes()
    assert sorted(changes) == [
        "created ConfigMap traefik/traefik",
        "created Deployment traefik/traefik",
    ]
    assert http("http://localhost/").status == 200


def test_another_controller_gets_the_host_ports_and_the_gap_is_told(traefik: Way) -> None:
    traefik.replace("controller: traefik", "controller: nginx")
    with Trickle("http://localhost/api/healthy", '"database":"ok"') as trickle:
        changes = traefik.up().changes()
    (told,) = [change for change in changes if change.startswith("switched")]
    traefik.note(told=told, requests=trickle.sent, lost=len(trickle.lost))
    assert told.startswith("switched from traefik to ingress-nginx: ")
    assert "without a correct answer" in told  # the node's ports cannot be in two hands
    assert trickle.lost != []
    assert http("http://localhost/").headers["X-Kindctl-Controller"] == "ingress-nginx"
    assert traefik.api.raw("/api/v1/namespaces/traefik") is None or until(
        lambda: traefik.api.raw("/api/v1/namespaces/traefik") is None, 60, "namespace traefik gone"
    )
