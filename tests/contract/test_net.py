"""What every Net does."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import suppress

import pytest

from kindctl.errors import MachineError, ToolError
from kindctl.tools.net import RealNet
from kindctl.tools.protocols import HttpAnswer
from tests.fakes.net import FakeNet, Request
from tests.support.benches import NetBench
from tests.support.certificates import authority, other_authority
from tests.support.real_net import RealNetBench, as_nobody


def hello(request: Request) -> HttpAnswer:
    return HttpAnswer(200, {"X-Host": request.host, "X-Path": request.path}, b"hello")


# --- ports ---------------------------------------------------------------------------------------


def test_a_port_that_can_be_bound_has_no_owner(nets: NetBench) -> None:
    assert nets.net.owner("127.0.0.1", nets.net.free_port("127.0.0.1", ())) is None


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::1"])
def test_the_owner_of_a_port_is_named(nets: NetBench, address: str) -> None:
    port = nets.listen(address)
    owner = nets.net.owner(address, port)
    assert owner is not None
    assert owner.pid == os.getpid()
    assert "py" in owner.program  # python or pytest


def test_a_listener_on_all_addresses_takes_the_port_of_each(nets: NetBench) -> None:
    port = nets.listen("0.0.0.0")
    owner = nets.net.owner("127.0.0.1", port)
    assert owner is not None
    assert owner.pid == os.getpid()


def test_a_listener_on_one_address_takes_the_port_of_all(nets: NetBench) -> None:
    assert nets.net.owner("0.0.0.0", nets.listen("127.0.0.1")) is not None


def test_connections_of_a_listener_that_is_gone_do_not_count(nets: NetBench) -> None:
    assert nets.net.owner("127.0.0.1", nets.just_closed()) is None


@pytest.mark.parametrize("address", ["198.51.100.7", "2001:db8::7", "fe80::1%nosuch", ".."])
def test_an_address_that_the_machine_lacks_is_refused(nets: NetBench, address: str) -> None:
    for ask in (
        lambda: nets.net.owner(address, 8080),
        lambda: nets.net.free_port(address, [8080]),
        lambda: nets.net.free_port(address, []),
    ):
        with pytest.raises(MachineError) as caught:
            ask()
        assert caught.value.code == "port-address"


def test_the_first_free_port_of_the_wanted_is_taken(nets: NetBench) -> None:
    taken = nets.listen("127.0.0.1")
    free = nets.net.free_port("127.0.0.1", ())
    assert nets.net.free_port("127.0.0.1", [taken, free]) == free
    assert nets.net.free_port("127.0.0.1", [taken]) not in (taken, 0)
    assert 0 < nets.net.free_port("127.0.0.1", range(65536, 65540)) < 65536


def test_a_privileged_port_is_refused_to_users_unless_it_is_taken() -> None:
    fake = FakeNet(unprivileged_from=1024)
    with pytest.raises(MachineError) as caught:
        fake.owner("127.0.0.1", 1)
    assert caught.value.code == "port-privileged"
    assert fake.free_port("127.0.0.1", [1]) > 1
    with as_nobody(), pytest.raises(MachineError) as caught:
        RealNet().owner("127.0.0.1", 1)
    assert caught.value.code == "port-privileged"
    assert "ip_unprivileged_port_start" in caught.value.why


# --- HTTP ----------------------------------------------------------------------------------------


def test_an_answer_comes_whole(nets: NetBench) -> None:
    address, port = nets.serve(hello)
    answer = nets.net.http(f"http://{address}:{port}/a/b?c=d")
    assert (answer.status, answer.body) == (200, b"hello")
    assert answer.headers["x-path"] == "/a/b?c=d"
    assert answer.headers["x-host"] == f"{address}:{port}"


def test_a_request_goes_where_it_is_sent_under_the_name_of_the_url(nets: NetBench) -> None:
    where = nets.serve(hello)
    answer = nets.net.http("http://shop.test/", connect=where)
    assert answer.headers["x-host"] == "shop.test"
    answer = nets.net.http("http://localhost/", connect=where, host="other.test")
    assert answer.headers["x-host"] == "other.test"


@pytest.mark.parametrize("status", [302, 404, 503])
def test_redirects_and_errors_are_answers(nets: NetBench, status: int) -> None:
    where = nets.serve(lambda request: HttpAnswer(status, {"Location": "/elsewhere"}, b"no"))
    assert nets.net.http("http://shop.test/", connect=where).status == status


def test_proxies_are_not_asked(nets: NetBench, monkeypatch: pytest.MonkeyPatch) -> None:
    address, port = nets.serve(hello)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert nets.net.http(f"http://{address}:{port}/").status == 200


def test_no_answer_is_an_error(nets: NetBench) -> None:
    port = nets.net.free_port("127.0.0.1", ())
    with pytest.raises(ToolError) as caught:
        nets.net.http(f"http://127.0.0.1:{port}/")
    assert caught.value.code == "http"
    assert "refused" in caught.value.why


def test_a_port_with_somebody_behind_it_opens(nets: NetBench) -> None:
    nets.net.opens(("127.0.0.1", nets.listen("127.0.0.1")))


def test_a_port_whose_connections_are_closed_at_once_has_nobody_behind_it(nets: NetBench) -> None:
    with pytest.raises(ToolError, match="nothing listens behind") as caught:
        nets.net.opens(("127.0.0.1", nets.slam()))
    assert caught.value.code == "tcp"


def test_a_port_without_listener_does_not_open(nets: NetBench) -> None:
    with pytest.raises(ToolError, match="no answer from") as caught:
        nets.net.opens(("127.0.0.1", nets.just_closed()))
    assert caught.value.code == "tcp"
    assert "refused" in caught.value.why


def test_certificates_are_verified_only_where_an_authority_is_given(nets: NetBench) -> None:
    where = nets.serve(hello, tls=True)
    assert nets.net.http("https://shop.test/", connect=where).body == b"hello"
    ca = authority().certificate
    assert nets.net.http("https://shop.test/", connect=where, ca=ca).body == b"hello"
    with pytest.raises(ToolError) as caught:
        nets.net.http("https://shop.test/", connect=where, ca=other_authority().certificate)
    assert caught.value.code == "certificate"
    assert "certificate is not valid" in caught.value.why


@pytest.mark.parametrize(("status", "expected"), [(200, True), (401, True), (500, False)])
def test_anything_below_500_is_reachable(nets: NetBench, status: int, expected: bool) -> None:
    address, port = nets.serve(lambda request: HttpAnswer(status, {}, b""))
    assert nets.net.reachable(f"http://{address}:{port}/v2/") is expected


def test_nothing_is_not_reachable(nets: NetBench) -> None:
    port = nets.net.free_port("127.0.0.1", ())
    assert nets.net.reachable(f"http://127.0.0.1:{port}/v2/", timeout=1) is False


# --- what only real connections can do -----------------------------------------------------------


def test_a_server_that_accepts_and_says_nothing_is_given_up() -> None:
    with RealNetBench.opened() as bench:
        port = bench.listen("127.0.0.1")
        with pytest.raises(ToolError):
            bench.net.http(f"http://127.0.0.1:{port}/", timeout=0.2)
        assert bench.net.reachable(f"http://127.0.0.1:{port}/", timeout=0.2) is False


def test_a_stream_without_end_is_cut_at_the_timeout() -> None:
    """Server-sent events: every read succeeds in time, none is the last."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def stream() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):  # raised when the reader has gone
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
                while True:
                    connection.sendall(b"data: tick\n\n")
                    time.sleep(0.01)

        thread = threading.Thread(target=stream, daemon=True)
        thread.start()
        answer = RealNet().http(f"http://127.0.0.1:{server.getsockname()[1]}/", timeout=0.3)
        thread.join(timeout=5)
    assert answer.body.startswith(b"data: tick")
    assert not thread.is_alive()


def test_what_the_proxy_of_the_environment_reaches_is_reachable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def proxy(request: Request) -> HttpAnswer:
        asked.append(request.url)
        return HttpAnswer(200, {}, b"")

    with RealNetBench.opened() as bench:
        address, port = bench.serve(proxy)
        monkeypatch.setenv("http_proxy", f"http://{address}:{port}")
        monkeypatch.delenv("no_proxy", raising=False)
        assert bench.net.reachable("http://registry.test/v2/")
    assert asked == ["http://registry.test/v2/"]
