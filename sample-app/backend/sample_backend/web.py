"""The routes, and how everything that goes wrong becomes JSON. The ingress strips `/api` before."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import asdict
from typing import Any

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import BadRequest, HTTPException

from sample_backend.texts import StoreUnavailableError, TextError, TextStore, parse_id, parse_text

MAX_BODY = 16 * 1024
"""Bytes of a request's body; 100 characters fit in any encoding of JSON."""

PROBES = frozenset({"/ab", "/healthy"})
"""What the kubelet asks every second: not in the access log. That the database is away is logged
where it is noticed."""

MESSAGES = {
    404: "There is no such route.",
    413: f"The body is over {MAX_BODY} bytes.",
}
"""Sentences for HTTP errors whose own ones speak to a person at a browser."""

access_log = logging.getLogger("sample_backend.access")
error_log = logging.getLogger("sample_backend.error")


def create_app(store: TextStore, *, host_name: str, variant: str = "a") -> Flask:
    """The WSGI application over a store; `host_name` is what it says of itself."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # of Flask's default provider
    _add_routes(app, store, host_name, variant)
    _add_errors(app)

    @app.before_request
    def start_clock() -> None:
        g.started = time.monotonic()

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers["X-Served-By"] = host_name
        response.headers["Cache-Control"] = "no-store"
        _log_access(response)
        return response

    return app


def _add_routes(app: Flask, store: TextStore, host_name: str, variant: str) -> None:
    @app.get("/healthy")
    def healthy() -> Response:
        store.ping()
        return jsonify(status="ok", database="ok")

    @app.get("/host_name")
    def get_host_name() -> Response:
        return jsonify(host_name=host_name)

    @app.get("/ab")
    def ab() -> Response:
        """Which variant of the backend this is: two Deployments behind one Service tell apart."""
        return jsonify(variant=variant)

    @app.get("/fetch")
    def fetch() -> Response:
        return jsonify([asdict(row) for row in store.all()])

    @app.post("/add")
    def add() -> tuple[Response, int]:
        return jsonify(asdict(store.add(parse_text(_json_body())))), 201

    @app.delete("/delete")
    def delete() -> Response:
        return jsonify(asdict(store.delete(parse_id(_json_body()))))


def _json_body() -> Any:
    """The decoded body, whatever its content type says. Raises BadRequest when it is no JSON."""
    try:
        return json.loads(request.get_data())
    except (ValueError, RecursionError) as error:  # a deep nest of brackets ends in the latter
        raise BadRequest("The body is not JSON.") from error


def _add_errors(app: Flask) -> None:
    @app.errorhandler(TextError)
    def text_error(error: TextError) -> Response:
        if isinstance(error, StoreUnavailableError):
            error_log.warning("%s", error, extra={"cause": str(error.__cause__ or "")})
        response = _error(error.status, error.code, str(error))
        if error.status == 503:
            response.headers["Retry-After"] = "1"
        return response

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        code = error.name.lower().replace(" ", "-")
        status = error.code or 500
        message = MESSAGES.get(status) or error.description or error.name
        response = _error(status, code, message)
        for name, value in error.get_headers():
            if name != "Content-Type":  # keeps Allow of a 405
                response.headers[name] = value
        return response

    @app.errorhandler(Exception)
    def unknown_error(error: Exception) -> Response:
        error_log.error("unhandled error", exc_info=error)
        return _error(
            500, "internal", "Something went wrong inside the backend; its log says what."
        )


def _error(status: int, code: str, message: str) -> Response:
    response = jsonify(error=code, message=message)
    response.status_code = status
    return response


def _log_access(response: Response) -> None:
    if request.path in PROBES:
        return
    access_log.info(
        "%s %s %s",
        request.method,
        request.path,
        response.status_code,
        extra={
            "method": request.method,
            "path": request.path,
            "status": response.status_code,
            "milliseconds": round((time.monotonic() - g.started) * 1000, 1),
        },
    )
