"""configs/switching: one controller takes over from another, and back, under a trickle of requests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.harness import Kindctl
from tests.support.trickle import Trickle
from tests.support.way import Way, way

CONTROLLERS = {"nginx": "ingress-nginx", "traefik": "traefik"}
DEPLOYMENTS = {"nginx": "ingress-nginx-controller", "traefik": "traefik"}


@pytest.fixture(scope="module")
def switching(kindctl: Kindctl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    with way("switching", kindctl, tmp_path_factory) as found:
        yield found


WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"


def has_webhook(way: Way) -> bool:
    """Of ingress-nginx: without its server it would refuse every Ingress."""
    return way.api.raw(f"{WEBHOOKS}/ingress-nginx-admission") is not None


def running(way: Way) -> set[str]:
    """Names of the Deployments in the namespace that controllers share."""
    return {d.metadata.name for d in way.api.apps.list_namespaced_deployment("ingress").items}


@pytest.mark.parametrize(("old", "new"), [("nginx", "traefik"), ("traefik", "nginx")])
def test_no_request_is_lost_when_one_takes_over(switching: Way, old: str, new: str) -> None:
    assert has_webhook(switching) == (old == "nginx")
    switching.replace(f"controller: {old}", f"controller: {new}")
    with Trickle("http://localhost/api/healthy", '"database":"ok"') as trickle:
        changes = switching.up().changes()
    switching.note(switched=f"{old} to {new}", requests=trickle.sent, lost=trickle.lost)
    assert trickle.sent > 50
    assert trickle.lost == []
    assert trickle.controllers == set(CONTROLLERS.values())  # the trickle has seen both
    (told,) = [change for change in changes if change.startswith("switched")]
    assert told.startswith(f"switched from {CONTROLLERS[old]} to {CONTROLLERS[new]}: none of ")
    assert running(switching).isdisjoint({DEPLOYMENTS[old]})
    assert has_webhook(switching) == (new == "nginx")


def test_the_old_one_is_gone_with_its_webhook_and_roles(switching: Way) -> None:
    """After the switch back: nothing of Traefik is left, all of ingress-nginx is there."""
    assert running(switching) == {"ingress-nginx-controller"}
    rbac = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
    assert switching.api.raw(f"{rbac}/kindctl-traefik") is None
    assert switching.api.raw(f"{rbac}/ingress-nginx") is not None
    assert has_webhook(switching)
    classes = switching.api.raw("/apis/networking.k8s.io/v1/ingressclasses")["items"]
    assert [one["metadata"]["name"] for one in classes] == ["nginx"]


def test_a_second_up_changes_nothing(switching: Way) -> None:
    assert switching.up().changes() == []


def test_one_that_does_not_answer_rightly_takes_nothing(switching: Way) -> None:
    """It is asked for something that no backend gives."""
    switching.replace("controller: nginx", "controller: traefik")
    switching.replace("""'"database":"ok"'""", "'no such words'")
    try:
        with Trickle("http://localhost/api/healthy", '"database":"ok"') as trickle:
            error = switching.up(code=1).error()
        assert error["code"] == "switch-refused"
        assert "without 'no such words'" in error["why"]
        assert trickle.lost == []
        assert trickle.controllers == {"ingress-nginx"}
    finally:
        switching.replace("'no such words'", """'"database":"ok"'""")
        switching.replace("controller: traefik", "controller: nginx")
    changes = switching.up().changes()
    assert "removed Deployment ingress/traefik" in changes
    assert not [change for change in changes if change.startswith("switched")]
    assert running(switching) == {"ingress-nginx-controller"}
