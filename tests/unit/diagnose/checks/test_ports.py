"""Tests of diagnose/checks/ports.py."""

from __future__ import annotations

from kindctl.diagnose.base import WantedPort, Wants
from tests.support.checked_machine import World


def test_a_taken_port_names_its_owner_and_a_free_one(world: World) -> None:
    world.net.listen("127.0.0.1", 80, "apache2", 812)
    world.net.listen("127.0.0.1", 8080, "java", 900)
    verdict = world.verdict("ports")
    assert (verdict.code, verdict.level) == ("port-taken", "failed")
    assert "127.0.0.1:80 is taken by apache2 (process 812)" in verdict.seen
    assert "443" not in verdict.seen
    assert "http: 8081" in verdict.fix


def test_every_taken_port_is_named(world: World) -> None:
    world.net.listen("0.0.0.0", 80)
    world.net.listen("0.0.0.0", 443)
    verdict = world.verdict("ports")
    assert "127.0.0.1:80" in verdict.seen
    assert "127.0.0.1:443" in verdict.seen
    assert verdict.fix.endswith(
        "or use `ingress.expose.http: 8080`, `ingress.expose.https: 8443` in kindctl.yaml"
    )


def test_the_free_port_goes_to_the_key_that_has_the_taken_one(world: World) -> None:
    ports = [
        WantedPort("127.0.0.1", 30080, "apps[0].expose[0].local"),
        WantedPort("127.0.0.1", 8081, "apps[0].expose[1].local"),
        WantedPort("127.0.0.1", 8082, "cluster.registry.port"),
        WantedPort("127.0.0.1", 8443),
    ]
    for wanted in ports:
        world.net.listen(wanted.address, wanted.port)
    fix = world.verdict("ports", Wants(ports=ports)).fix
    assert "`apps[0].expose[0].local: 30081`, `apps[0].expose[1].local: 8083`" in fix
    assert "`cluster.registry.port: 8084`" in fix
    assert "8444" not in fix
    assert "ingress" not in fix


def test_a_port_of_this_environments_own_node_is_fine(world: World) -> None:
    world.runs("shop-control-plane", of="shop", port=80)
    assert world.verdict("ports").level == "ok"


def test_a_stopped_node_of_this_environment_does_not_excuse_who_took_its_port(world: World) -> None:
    world.runs("shop-control-plane", of="shop", port=80, state="exited")
    world.net.listen("127.0.0.1", 80, "apache2")
    assert "apache2" in world.verdict("ports").seen


def test_another_environment_is_named_with_the_command_that_ends_it(world: World) -> None:
    world.runs("other-control-plane", of="other", port=80)
    verdict = world.verdict("ports")
    assert "environment other" in verdict.seen
    assert "other-control-plane" in verdict.seen
    assert "kindctl down --name other" in verdict.fix


def test_a_container_is_named_instead_of_the_proxy_in_front_of_it(world: World) -> None:
    world.runs("web", port=80)
    verdict = world.verdict("ports")
    assert "container web" in verdict.seen
    assert "docker-proxy" not in verdict.seen


def test_a_privileged_port_is_no_matter_for_an_engine_that_runs_as_root(world: World) -> None:
    world.net.unprivileged_from = 1024
    assert world.verdict("ports").level == "ok"
    world.has_engine(rootless=True)
    verdict = world.verdict("ports")
    assert (verdict.code, verdict.level) == ("port-privileged", "failed")
    assert "8080" in verdict.fix


def test_an_address_that_the_machine_lacks_is_refused(world: World) -> None:
    ports = (WantedPort("192.0.2.9", 80, "a"), WantedPort("192.0.2.9", 7, "b"))
    verdict = world.verdict("ports", Wants(ports=ports))
    assert (verdict.code, verdict.level) == ("port-address", "failed")
    assert "or use" not in verdict.fix
