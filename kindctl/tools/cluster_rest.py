"""Requests to one API server: connection, retries, and its answers as ApiError.

The kubernetes client reads the kubeconfig (certificates, tokens, exec plug-ins, proxies) and gives its
connection pool; requests go straight to that pool. The typed API classes are never touched: they cost
most of a second of imports and turn JSON into objects that would be turned back.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from kindctl.errors import ApiError
from kindctl.kubeconfig import client_settings

CONNECT_SECONDS = 3.0
READ_SECONDS = 35.0  # an admission webhook may take 30
RETRY_SECONDS = 10.0
POOL_SIZE = 32  # connections that are kept; more threads than that open their own
CHUNK_BYTES = 65536
NOT_OF_ITS_TYPE = "failed to create typed patch object"  # a typing error, yet answered with 500
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True)
class Answer:
    """What was answered. Header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    data: bytes

    def json(self) -> Any:
        return json.loads(self.data)


class Rest:
    """Thread-safe. Reads the kubeconfig and connects at the first request, unless it is given a `client`:
    a kubernetes.client.ApiClient."""

    def __init__(self, kubeconfig: Path, context: str | None = None, client: Any = None) -> None:
        self._kubeconfig = kubeconfig
        self._context = context
        self._lock = threading.Lock()
        self._client = client

    def request(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        retry: bool = True,
        whole: bool = False,
        timeout: tuple[float, float] = (CONNECT_SECONDS, READ_SECONDS),
    ) -> Answer:
        """`doing` completes "could not ..." in errors. `timeout`: seconds to connect and to read.
        `whole`: an answer from 400 on is one too, if it is not the API server's own.

        Raises ApiError; one that passes only after RETRY_SECONDS of trying.
        """

        def once() -> Answer:
            response = self._open(
                method,
                path,
                doing=doing,
                query=query,
                body=body,
                headers=headers,
                timeout=timeout,
                whole=whole,
            )
            names = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, names, response.data)

        return _retrying(once) if retry else once()

    def stream(
        self,
        path: str,
        *,
        doing: str,
        query: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        silence: float | None,
    ) -> Stream:
        """A GET whose answer is read as it comes. `silence`: seconds without a word after which it
        counts as broken. Raises ApiError at once; not retried."""
        response = self._open(
            "GET",
            path,
            doing=doing,
            query=query,
            headers=headers,
            timeout=(CONNECT_SECONDS, silence),
            stream=True,
        )
        return Stream(response, ("GET", path), doing)

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _open(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        query: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        timeout: tuple[float, float | None],
        body: Any = None,
        stream: bool = False,
        whole: bool = False,
    ) -> Any:
        import urllib3

        target = f"{path}?{urlencode(query)}" if query else path
        command = (method, target)
        try:
            client = self._connected()
            response = client.rest_client.pool_manager.request(
                method,
                client.configuration.host + target,
                body=None if body is None else json.dumps(body).encode(),
                headers={"Accept": "application/json", **_auth(client), **(headers or {})},
                timeout=urllib3.Timeout(connect=timeout[0], read=timeout[1]),
                retries=False,
                redirect=False,
                preload_content=not stream,
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _no_answer(error, command, doing) from error
        if response.status >= 400 and not (whole and not _is_status(response.data)):
            raise _refused(response, command, doing)
        return response

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def _connect(self) -> Any:
        from kubernetes.client import ApiClient
        from kubernetes.config import ConfigException

        try:
            configuration = client_settings(self._kubeconfig, self._context)
        except ConfigException as error:
            where = f" (context {self._context})" if self._context else ""
            raise ApiError(
                f"the kubeconfig {self._kubeconfig}{where} cannot be used",
                why=str(error),
                fix="check the file, or name another context",
            ) from error
        configuration.connection_pool_maxsize = POOL_SIZE
        if urlsplit(configuration.host).hostname in LOOPBACK:
            configuration.proxy = None  # as kubectl does: no proxy reaches this machine's loopback
        return ApiClient(configuration)


class Stream:
    """An answer that is still coming. A context manager; lines() ends with the answer."""

    def __init__(self, response: Any, command: tuple[str, str], doing: str) -> None:
        self._response = response
        self._command = command
        self._doing = doing
        self._interrupted = False

    def lines(self) -> Iterator[bytes]:
        """Without their ends. Raises ApiError when the connection breaks."""
        import urllib3

        rest = b""
        try:
            for chunk in self._response.stream(CHUNK_BYTES):
                *lines, rest = (rest + chunk).split(b"\n")
                yield from lines
        except (urllib3.exceptions.HTTPError, OSError) as error:
            if not self._interrupted:
                raise _no_answer(error, self._command, self._doing) from error
        if rest:
            yield rest

    def interrupt(self) -> None:
        """End lines() in another thread, which a close() alone would leave waiting."""
        self._interrupted = True
        with suppress(AttributeError, OSError, RuntimeError, ValueError):  # it ended by itself
            self._response.shutdown()

    def close(self) -> None:
        self._response.close()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _no_answer(error: Exception, command: tuple[str, str], doing: str) -> ApiError:
    return ApiError(
        f"the Kubernetes API did not answer: could not {doing}",
        command=command,
        why=str(error),
        fix="kindctl status says what runs; kindctl up starts what does not",
    )


def _auth(client: Any) -> dict[str, str]:
    """Headers of the kubeconfig's token or exec plug-in, refreshed by the client when they expire."""
    settings = client.configuration.auth_settings().values()
    return {s["key"]: s["value"] for s in settings if s["in"] == "header" and s["value"]}


def _is_status(data: bytes) -> bool:
    """Whether the API server itself says it, and not what is behind its proxy."""
    try:
        found = json.loads(data)
    except ValueError:
        return False
    return isinstance(found, dict) and found.get("kind") == "Status" and "apiVersion" in found


def _refused(response: Any, command: tuple[str, str], doing: str) -> ApiError:
    """The Status object of an answer as an error."""
    text = response.data.decode(errors="replace")
    try:
        status = json.loads(text)
        reason, message = status.get("reason") or "", status.get("message") or ""
    except (ValueError, AttributeError):
        reason, message = "", text.strip()
    code = response.status
    if message.startswith(NOT_OF_ITS_TYPE):
        code, reason = 422, "Invalid"
    return ApiError(
        f"the Kubernetes API refused to {doing}: {code} {reason}".rstrip(),
        command=command,
        status=code,
        why=message,
    )


def _passes(error: BaseException) -> bool:
    if not isinstance(error, ApiError) or not error.passing:
        return False
    # the certificate of another cluster will not be the right one a second later
    return "CERTIFICATE_VERIFY_FAILED" not in str(error.__cause__)


def _retrying(call: Callable[[], Answer]) -> Answer:
    from tenacity import (
        Retrying,
        retry_if_exception,
        stop_after_delay,
        wait_fixed,
        wait_random_exponential,
    )

    return Retrying(
        retry=retry_if_exception(_passes),
        stop=stop_after_delay(RETRY_SECONDS),
        wait=wait_fixed(0.05) + wait_random_exponential(multiplier=0.1, max=2.0),
        reraise=True,
    )(call)
