"""Bytes through a local port, many connections at once: shared by the benchmark and the tests."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from dataclasses import dataclass

SIZE = 50_000_000
DIGEST = hashlib.sha256(hashlib.shake_256(b"kindctl").digest(SIZE)).hexdigest()
CHUNK = 1 << 20


@dataclass(frozen=True)
class Transfers:
    megabytes_per_second: float
    digests: frozenset[str]
    sizes: tuple[int, ...]


def download(port: int, parallel: int, *, digest: bool = True) -> Transfers:
    """/blob, `parallel` times at once."""
    found: list[tuple[int, str]] = []
    threads = [
        threading.Thread(target=lambda: found.append(_fetch(port, digest=digest)))
        for _ in range(parallel)
    ]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - started
    sizes = tuple(size for size, _ in found)
    return Transfers(sum(sizes) / 1e6 / seconds, frozenset(hash_ for _, hash_ in found), sizes)


def _fetch(port: int, *, digest: bool) -> tuple[int, str]:
    """Bytes of the body, and its digest; none of an answer that breaks off."""
    try:
        return _read(port, digest=digest)
    except OSError:
        return 0, ""


def _read(port: int, *, digest: bool) -> tuple[int, str]:
    hashed, size = hashlib.sha256(), 0
    with socket.create_connection(("127.0.0.1", port), timeout=120) as line:
        line.sendall(b"GET /blob HTTP/1.1\r\nHost: files\r\n\r\n")
        head = b""
        while b"\r\n\r\n" not in head:
            part = line.recv(65536)
            if not part:
                return 0, ""
            head += part
        body = head.partition(b"\r\n\r\n")[2]
        buffer = bytearray(CHUNK)
        while True:
            size += len(body)
            if digest:
                hashed.update(body)
            if size >= SIZE:
                return size, hashed.hexdigest()
            count = line.recv_into(buffer)
            if not count:
                return size, ""
            body = memoryview(buffer)[:count]  # type: ignore[assignment]
