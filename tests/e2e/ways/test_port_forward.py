"""configs/port-forward: local ports that lead to ready pods, whatever becomes of them."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import psutil
import psycopg
import pytest

from tests import ROOT
from tests.support.harness import Kindctl, docker, http, until
from tests.support.transfers import DIGEST, SIZE, download
from tests.support.way import Way, way

DATABASE, BACKEND, FILES, NOBODY = 15432, 15000, 15080, 15081
RSS_MEGABYTES = 200
RESTART_SECONDS = 240


@pytest.fixture(scope="module")
def forwards(kindctl: Kindctl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    with way("port-forward", kindctl, tmp_path_factory) as found:
        text = (ROOT / "tests" / "bench" / "files.yaml").read_text()
        (backend, *_) = found.api.pods("example", "app=backend")
        image = backend.spec.containers[0].image  # has Python, and is in the node
        kubectl(found, "create", "namespace", "files")
        text = text.replace("python:3.13-slim", image)
        kubectl(found, "-n", "files", "apply", "-f", "-", stdin=text)
        kubectl(found, "-n", "files", "rollout", "status", "deployment/files", "--timeout=120s")
        forward(found, "files:http", str(FILES))
        yield found


def kubectl(found: Way, *arguments: str, stdin: str = "") -> None:
    (node,) = found.nodes()
    command = ["docker", "exec", "-i", node, "kubectl", "--kubeconfig=/etc/kubernetes/admin.conf"]
    subprocess.run([*command, *arguments], input=stdin, text=True, check=True, capture_output=True)


def forward(found: Way, *arguments: str, code: int = 0) -> str:
    result = found.kindctl.run("forward", *arguments, "--name", found.name, code=code)
    return result.out + result.err


def listeners() -> dict[int, tuple[str, int]]:
    """Port -> the address it is bound to, and the process that listens there."""
    return {
        connection.laddr[1]: (connection.laddr[0], int(connection.pid or 0))
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr
    }


def listener(port: int) -> int | None:
    """The process that listens there."""
    found = listeners().get(port)
    return found[1] if found else None


def answer(port: int, path: str = "/") -> str:
    found = http(f"http://127.0.0.1:{port}{path}")
    assert found.status == 200, found
    return found.body


def works(url: str) -> bool:
    return http(url).status == 200


def ask(port: int, request: bytes, *, half_closed: bool = False) -> bytes:
    """All that comes until the other side closes, or has sent what it announced."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        line.sendall(request)
        if half_closed:
            line.shutdown(socket.SHUT_WR)
        data = b""
        while part := line.recv(1 << 20):
            data += part
            head, _, body = data.partition(b"\r\n\r\n")
            if head and f"Content-Length: {len(body)}\r\n".encode() in head + b"\r\n":
                break
        return data


@contextmanager
def trickle(port: int) -> Iterator[list[str]]:
    """A request each 100 ms, on a connection of its own; what was answered, or how it failed."""
    seen: list[str] = []
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(0.1):
            try:
                seen.append(answer(port))
            except (OSError, AssertionError) as error:
                seen.append(f"failed: {error!r}")

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def lost(seen: list[str]) -> list[str]:
    return [one for one in seen if one.startswith("failed")]


def pods(found: Way) -> set[str]:
    return {
        pod.metadata.name for pod in found.api.pods("files") if not pod.metadata.deletion_timestamp
    }


def test_the_printed_urls_lead_to_the_pods(forwards: Way) -> None:
    assert forwards.urls == [f"tcp://localhost:{DATABASE}", f"http://localhost:{BACKEND}/healthy"]
    assert '"database":"ok"' in answer(BACKEND, "/healthy")
    secret = forwards.api.core.read_namespaced_secret("pg-credentials", "example").data
    user, password = (base64.b64decode(secret[key]).decode() for key in ("username", "password"))
    with psycopg.connect(
        host="127.0.0.1", port=DATABASE, dbname="example", user=user, password=password
    ) as connection:
        assert connection.execute("SELECT count(*) FROM generate_series(1, 100000)").fetchone() == (
            100000,
        )


def test_one_process_holds_all_of_them_for_this_machine_alone(forwards: Way) -> None:
    found = [listeners()[port] for port in (DATABASE, BACKEND, FILES)]
    assert len(set(found)) == 1
    assert found[0][0] == "127.0.0.1"


def test_each_connection_has_its_turn_of_the_ready_pods(forwards: Way) -> None:
    assert {answer(FILES) for _ in range(8)} == pods(forwards)


def test_twenty_transfers_of_50_mb_arrive_intact_in_bounded_memory(forwards: Way) -> None:
    process = psutil.Process(listener(FILES))
    before = process.memory_info().rss / 1e6
    rates = []
    for _ in range(3):
        found = download(FILES, 20)
        assert found.sizes == (SIZE,) * 20
        assert found.digests == {DIGEST}
        rates.append(round(found.megabytes_per_second))
    after = process.memory_info().rss / 1e6
    forwards.note(rss_before=round(before), rss_after=round(after), megabytes_per_second=rates)
    assert after < RSS_MEGABYTES


def test_a_client_that_does_not_read_costs_no_memory(forwards: Way) -> None:
    process = psutil.Process(listener(FILES))
    before = process.memory_info().rss / 1e6
    lines = [socket.create_connection(("127.0.0.1", FILES)) for _ in range(20)]
    try:
        for line in lines:
            line.sendall(b"GET /blob HTTP/1.1\r\nHost: files\r\n\r\n")
        time.sleep(3)  # long enough for all of it to come
        assert process.memory_info().rss / 1e6 < before + 100
    finally:
        for line in lines:
            line.close()


def test_what_is_sent_arrives_intact(forwards: Way) -> None:
    body = hashlib.shake_256(b"upload").digest(20_000_000)
    head = f"POST / HTTP/1.1\r\nHost: files\r\nContent-Length: {len(body)}\r\n\r\n"
    data = ask(FILES, head.encode() + body)
    assert data.endswith(hashlib.sha256(body).hexdigest().encode())


@pytest.mark.parametrize("path", ["/blob", "/slow"])
def test_a_half_closed_client_gets_the_whole_answer(forwards: Way, path: str) -> None:
    data = ask(FILES, f"GET {path} HTTP/1.1\r\nHost: files\r\n\r\n".encode(), half_closed=True)
    body = data.partition(b"\r\n\r\n")[2]
    if path == "/blob":
        assert hashlib.sha256(body).hexdigest() == DIGEST
    else:
        assert body.decode() in pods(forwards)


def test_a_client_that_has_gone_leaves_no_connection(forwards: Way) -> None:
    for _ in range(10):
        answer(FILES)
        socket.create_connection(("127.0.0.1", DATABASE)).close()
    process = psutil.Process(listener(FILES))

    def quiet() -> bool:
        connections = process.net_connections("tcp")
        return not [c for c in connections if c.raddr and c.laddr[1] in (DATABASE, FILES)]

    until(quiet, 15, "connections of clients that have gone are closed")


def test_deleted_pods_are_not_missed(forwards: Way) -> None:
    before = pods(forwards)
    with trickle(FILES) as seen:
        for name in before:
            forwards.api.core.delete_namespaced_pod(name, "files")
        until(lambda: len(seen) > 5 and seen[-1] in pods(forwards), 60, "a new pod answers")
    assert lost(seen) == []
    assert seen[-1] not in before


def test_a_rollout_loses_nothing(forwards: Way) -> None:
    before = pods(forwards)
    with trickle(FILES) as seen:
        kubectl(forwards, "-n", "files", "rollout", "restart", "deployment/files")
        kubectl(forwards, "-n", "files", "rollout", "status", "deployment/files", "--timeout=90s")
        until(lambda: seen[-1] not in before, 30, "a new pod answers")
    assert lost(seen) == []
    assert {answer(FILES) for _ in range(8)} <= pods(forwards)


def test_a_port_on_which_nothing_listens_is_told_in_words(forwards: Way) -> None:
    words = forward(forwards, "files:nobody", str(NOBODY))
    assert "nothing listens on port 8001 of pod files-" in words
    with pytest.raises(ConnectionResetError):
        ask(NOBODY, b"anyone?")
    assert "nothing listens on port 8001" in forward(forwards, "list")
    forward(forwards, "stop", str(NOBODY))
    assert listener(NOBODY) is None


def test_who_has_a_local_port_is_named(forwards: Way) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        words = forward(forwards, "files:http", str(port), code=3)
    assert f"127.0.0.1:{port} is taken by" in words
    assert str(os.getpid()) in words
    assert "instead of" in words
    words = forward(forwards, "pg-service", str(FILES), code=2)
    assert f"127.0.0.1:{FILES} is already forwarded to files/files:80" in words
    assert "files:nobody" not in words
    assert "has 80 (http), 81 (nobody)" in forward(forwards, "files", code=2)


def test_a_second_up_changes_nothing_and_what_was_stopped_comes_back(forwards: Way) -> None:
    assert forwards.again().changes() == []
    forward(forwards, "stop", "pg-service")
    assert listener(DATABASE) is None
    status = forwards.kindctl.run("status", forwards.name, code=4)
    assert f"tcp://localhost:{DATABASE}" in status.out
    assert any("pg-service" in words for words in forwards.again().changes())
    assert listener(DATABASE) == listener(FILES)
    assert "files/files:80" in forwards.kindctl.run("status", forwards.name).out


def test_it_goes_on_when_the_node_has_been_restarted(forwards: Way) -> None:
    process = listener(FILES)
    (node,) = forwards.nodes()
    started = time.monotonic()
    docker("restart", "-t", "5", node)
    for port, path in ((FILES, "/"), (BACKEND, "/healthy")):
        url = f"http://127.0.0.1:{port}{path}"
        until(partial(works, url), RESTART_SECONDS, f"{url} answers again")
    forwards.note(restart=round(time.monotonic() - started, 1))
    assert listener(FILES) == process


def test_zz_what_leaves_the_file_is_forwarded_no_longer(forwards: Way) -> None:
    text = (forwards.folder / "kindctl.yaml").read_text()
    start = text.index("  - service: backend-service")
    (forwards.folder / "kindctl.yaml").write_text(text[:start])
    changes = forwards.up().changes()
    assert any(words.startswith("stopped forwarding") for words in changes)
    assert listener(BACKEND) is None
    assert listener(FILES)  # by hand: not the file's


def test_zzz_down_ends_it(forwards: Way) -> None:
    process = listener(FILES)
    assert process
    forwards.kindctl.run("down", forwards.name)
    assert not psutil.pid_exists(process)
    assert listener(DATABASE) is None


def test_zzzz_it_ends_by_itself_when_the_nodes_are_gone(
    forwards: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when `down` was killed before it came to its files."""
    from kindctl.models import Forward
    from kindctl.paths import kubeconfig
    from kindctl.tools.forwards import RealForwards
    from kindctl.tools.host import RealHost
    from kindctl.tools.protocols import ApiAccess

    monkeypatch.setenv("XDG_DATA_HOME", str(forwards.kindctl.home / "data"))
    file = kubeconfig("nobody")
    file.parent.mkdir(parents=True, mode=0o700)
    cluster = {"name": "x", "cluster": {"server": "https://127.0.0.1:1"}}
    context = {"name": "x", "context": {"cluster": "x", "user": "x"}}
    user = {"name": "x", "user": {"token": "none"}}
    lists = {"clusters": [cluster], "contexts": [context], "users": [user]}
    file.write_text(json.dumps({"apiVersion": "v1", "current-context": "x", **lists}))
    real = RealForwards(RealHost())
    real.add(
        "nobody", ApiAccess(file, on_kind=True), Forward("a", "b", 1, NOBODY), origin="command"
    )
    process = listener(NOBODY)
    assert process
    until(lambda: listener(NOBODY) is None, 60, "it has seen that there is no node")
    until(lambda: not RealHost().alive(process), 10, "its process ends")
