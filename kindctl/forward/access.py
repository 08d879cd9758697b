"""Opens WebSockets to the API server of a kubeconfig."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from kindctl import kubeconfig
from kindctl.forward.channels import ChannelConnection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from websockets.asyncio.client import ClientConnection

OPEN_SECONDS = 10.0
CLOSE_SECONDS = 1.0
PING_SECONDS = 20.0
MESSAGES = (2, 1)
"""Limits for the queue of received messages, of at most 256 kB each. When the first number of messages
wait in the queue, reading from the network pauses. When only the second number wait, reading continues."""


class ApiRefused(Exception):  # noqa: N818 - an answer
    """The API server did not answer, or rejected the request. `status` is the HTTP status of its answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Access:
    """Opens WebSockets to the API server of a kubeconfig's context.

    This class uses the proxies and credentials that the kubernetes client finds in the kubeconfig. If the
    file has changed, it is read again, because `up` rewrites the kubeconfig when an environment is
    restarted.
    """

    kubeconfig: Path
    context: str | None = None

    silent_since: float | None = None  # time.monotonic() of the first unanswered request
    _read: tuple[int, Any, ssl.SSLContext | None] | None = None  # modification time, settings, TLS

    async def open(
        self, path: str, query: Mapping[str, str], *, protocol: str = ""
    ) -> ClientConnection:
        """Open a WebSocket. `protocol` is the channel protocol, or "" for a watch. Raises ApiRefused."""
        from websockets.asyncio.client import ClientConnection, connect
        from websockets.exceptions import InvalidStatus, WebSocketException

        settings, tls = await self._settings()
        url = settings.host.replace("http", "ws", 1) + f"{path}?{urlencode(query)}"
        names = {"server_hostname": settings.tls_server_name} if settings.tls_server_name else {}
        try:
            opened = await connect(
                url,
                ssl=tls,
                origin=settings.host,  # without it, a watch is refused (golang.org/x/net/websocket)
                subprotocols=[protocol] if protocol else None,  # type: ignore[list-item]
                additional_headers=await _credentials(settings),
                proxy=None if kubeconfig.is_loopback(url) else settings.proxy or True,
                compression=None,
                open_timeout=OPEN_SECONDS,
                close_timeout=CLOSE_SECONDS,
                ping_interval=PING_SECONDS,
                # answers to pings are not seen while the local client does not read
                ping_timeout=None if protocol else PING_SECONDS,
                max_queue=MESSAGES,
                max_size=2**20 if protocol else None,
                create_connection=ChannelConnection if protocol else ClientConnection,
                **names,
            )
        except InvalidStatus as refused:
            self.silent_since = None
            status = refused.response.status_code
            raise ApiRefused(
                _message(refused.response.body) or f"status {status}", status
            ) from None
        except (OSError, EOFError, WebSocketException) as error:
            self.silent_since = self.silent_since or time.monotonic()
            raise ApiRefused(f"the API server does not answer: {_reason(error)}") from error
        self.silent_since = None
        return opened

    async def _settings(self) -> tuple[Any, ssl.SSLContext | None]:
        try:
            written = max(file.stat().st_mtime_ns for file in kubeconfig.parts_of(self.kubeconfig))
            if self._read is None or self._read[0] != written:
                # may call a plug-in
                settings = await asyncio.to_thread(
                    kubeconfig.client_settings, self.kubeconfig, self.context
                )
                self._read = written, settings, _tls(settings)
        except Exception as error:  # the file is the user's, and may be half written
            raise _unusable(error) from error
        return self._read[1:]


def _tls(settings: Any) -> ssl.SSLContext | None:
    if not settings.host.startswith("https:"):
        return None
    context = ssl.create_default_context(cafile=settings.ssl_ca_cert or None)
    if not settings.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if settings.cert_file:
        context.load_cert_chain(settings.cert_file, settings.key_file)
    return context


async def _credentials(settings: Any) -> dict[str, str]:
    """Return headers with a token. The kubernetes client refreshes an expired token. Raises ApiRefused."""
    if not settings.api_key:
        return {}
    try:
        return await asyncio.to_thread(kubeconfig.auth_headers, settings)
    except Exception as error:  # an exec plug-in can raise anything
        raise _unusable(error) from error


def _unusable(error: Exception) -> ApiRefused:
    return ApiRefused(f"the kubeconfig cannot be used: {' '.join(_reason(error).split())}")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _message(body: bytes | bytearray | None) -> str:
    """Return the message of the API's Status object, or the first line of any other response body."""
    text = (body or b"").decode(errors="replace").strip()
    with suppress(ValueError, AttributeError):
        return str(json.loads(text).get("message") or "")
    return text.partition(os.linesep)[0][:200]
