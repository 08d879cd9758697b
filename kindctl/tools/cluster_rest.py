"""Sends requests to one API server: connects, retries, and raises ApiError.

The kubernetes client reads the kubeconfig (certificates, tokens, exec plug-ins, proxies) and provides a
connection pool, which this module uses directly. The client's typed API classes are not used: their import
takes most of a second, and they convert JSON into objects that would have to be converted back.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, Unpack
from urllib.parse import urlencode

from kindctl.errors import ApiError
from kindctl.kubeconfig import auth_headers, client_settings, is_loopback

CONNECT_SECONDS = 3.0
READ_SECONDS = 35.0  # an admission webhook may take 30
RETRY_SECONDS = 10.0
POOL_SIZE = (
    32  # connections that are kept open; if more are needed, they are closed after their request
)
CHUNK_BYTES = 65536
WRONG_TYPE = (
    "failed to create typed patch object"  # answered with 500, although the object is wrong
)


@dataclass(frozen=True)
class Answer:
    """An answer of the API server. Header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    data: bytes

    def json(self) -> Any:
        return json.loads(self.data)


class Content(TypedDict, total=False):
    """The optional parts of a request."""

    query: Mapping[str, str]
    body: Any  # sent as JSON
    headers: Mapping[str, str]


class Rest:
    """One API server. Thread-safe.

    The first request reads the kubeconfig and connects. If a `client` (a kubernetes.client.ApiClient) is
    given, that client is used instead.
    """

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
        retry: bool = True,
        proxied: bool = False,
        timeout: tuple[float, float] = (CONNECT_SECONDS, READ_SECONDS),
        **content: Unpack[Content],
    ) -> Answer:
        """Send a request and read the whole answer.

        `doing` completes "could not ..." in errors. `timeout` is (seconds to connect, seconds to read). If
        `proxied` is true, an answer from a pod behind the API server is returned even if its status is an
        error.

        Raises ApiError. With `retry`, a request that fails temporarily is repeated for RETRY_SECONDS.
        """

        def once() -> Answer:
            response = self._open(
                method, path, doing=doing, timeout=timeout, proxied=proxied, **content
            )
            names = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, names, response.data)

        return _retrying(once) if retry else once()

    def stream(
        self,
        path: str,
        *,
        doing: str,
        silence: float | None,
        **content: Unpack[Content],
    ) -> Stream:
        """Send a GET whose answer is read as it arrives.

        `silence` is the number of seconds without data after which the connection counts as broken.
        Nothing is retried. Raises ApiError.
        """
        timeout = (CONNECT_SECONDS, silence)
        response = self._open("GET", path, doing=doing, timeout=timeout, stream=True, **content)
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
        timeout: tuple[float, float | None],
        query: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        stream: bool = False,
        proxied: bool = False,
    ) -> Any:
        """Return urllib3's response. Raises ApiError if the API server does not answer, or rejects the
        request."""
        import urllib3

        target = f"{path}?{urlencode(query)}" if query else path
        command = (method, target)
        try:
            client = self._connected()
            response = client.rest_client.pool_manager.request(
                method,
                client.configuration.host + target,
                body=None if body is None else json.dumps(body).encode(),
                headers={
                    "Accept": "application/json",
                    **auth_headers(client.configuration),
                    **(headers or {}),
                },
                timeout=urllib3.Timeout(connect=timeout[0], read=timeout[1]),
                retries=False,
                redirect=False,
                preload_content=not stream,
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _no_answer(error, command, doing) from error
        if response.status >= 400 and not (proxied and not _is_status(response.data)):
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
                fix="correct the kubeconfig, or name another context",
            ) from error
        configuration.connection_pool_maxsize = POOL_SIZE
        if is_loopback(configuration.host):
            configuration.proxy = None  # like kubectl: a proxy cannot reach this machine's loopback
        return ApiClient(configuration)


class Stream:
    """A response that is still arriving. As a context manager, it closes the connection at the end."""

    def __init__(self, response: Any, command: tuple[str, str], doing: str) -> None:
        self._response = response
        self._command = command
        self._doing = doing
        self._interrupted = False

    def lines(self) -> Iterator[bytes]:
        """Yield the lines without their line endings. Raises ApiError if the connection breaks."""
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
        """Make lines() end in another thread. close() alone would leave that thread waiting."""
        self._interrupted = True
        with suppress(AttributeError, OSError, RuntimeError, ValueError):  # it has ended already
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
        fix="run `kindctl status` to see what is running, and `kindctl up` to start what is not",
    )


def _is_status(data: bytes) -> bool:
    """Return whether an error response is from the API server itself, not from a pod behind its proxy."""
    try:
        found = json.loads(data)
    except ValueError:
        return False
    return isinstance(found, dict) and found.get("kind") == "Status" and "apiVersion" in found


def _refused(response: Any, command: tuple[str, str], doing: str) -> ApiError:
    """Return the error for a response with an error status, with the message of its Status object."""
    text = response.data.decode(errors="replace")
    try:
        status = json.loads(text)
        reason, message = status.get("reason") or "", status.get("message") or ""
    except (ValueError, AttributeError):
        reason, message = "", text.strip()
    code = response.status
    if message.startswith(WRONG_TYPE):
        code, reason = 422, "Invalid"
    return ApiError(
        f"the Kubernetes API refused to {doing}: {code} {reason}".rstrip(),
        command=command,
        status=code,
        why=message,
    )


def _is_temporary(error: BaseException) -> bool:
    """Return whether the same request may succeed a moment later."""
    if not isinstance(error, ApiError) or not error.passing:
        return False
    # a certificate of another cluster does not become valid by waiting
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
        retry=retry_if_exception(_is_temporary),
        stop=stop_after_delay(RETRY_SECONDS),
        wait=wait_fixed(0.05) + wait_random_exponential(multiplier=0.1, max=2.0),
        reraise=True,
    )(call)
