"""The routes of the sample's backend: what a browser or kindctl's `expect` can rely on."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.fakes.sample_store import FakeStore


def add(client: FlaskClient, text: Any) -> Any:
    return client.post("/add", data=json.dumps({"text": text}))


def test_a_text_is_added_fetched_and_deleted(client: FlaskClient) -> None:
    added = add(client, "first")
    assert (added.status_code, added.json) == (201, {"id": 1, "text": "first"})
    assert add(client, "second").json == {"id": 2, "text": "second"}
    assert client.get("/fetch").json == [{"id": 1, "text": "first"}, {"id": 2, "text": "second"}]

    deleted = client.delete("/delete", json={"id": 1})
    assert (deleted.status_code, deleted.json) == (200, {"id": 1, "text": "first"})
    assert client.get("/fetch").json == [{"id": 2, "text": "second"}]


def test_a_duplicate_is_refused_and_not_added(client: FlaskClient) -> None:
    add(client, "once")
    again = add(client, "  once ")
    assert (again.status_code, again.json["error"]) == (409, "duplicate")
    assert len(client.get("/fetch").json or []) == 1


@pytest.mark.parametrize(
    "text", ["", "   \n", "x" * 101, "nul\0", "\ud800", 7, None, ["a"], {"a": 1}, True]
)
def test_what_is_no_text_is_422(client: FlaskClient, text: Any) -> None:
    answer = add(client, text)
    assert (answer.status_code, answer.json["error"]) == (422, "invalid")
    assert client.get("/fetch").json == []


@pytest.mark.parametrize(
    "text", ["x" * 100, "👋" * 100, "a\tb", "<script>", "'; DROP TABLE text; --"]
)
def test_what_fits_the_column_is_kept_as_it_is(client: FlaskClient, text: str) -> None:
    assert add(client, text).status_code == 201
    assert client.get("/fetch").json == [{"id": 1, "text": text}]


def test_json_is_sent_readable(client: FlaskClient) -> None:
    add(client, "Grüße")
    assert "Grüße" in client.get("/fetch").get_data(as_text=True)


@pytest.mark.parametrize("body", ["", "nope", "{", "[" * 16_000, "9" * 5_000])
def test_what_is_no_json_is_400(client: FlaskClient, body: str) -> None:
    answer = client.post("/add", data=body)
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"] == "bad-request"


@pytest.mark.parametrize("body", ["[]", '"text"', "{}", '{"Text": "a"}', "null"])
def test_json_of_another_shape_is_422(client: FlaskClient, body: str) -> None:
    assert client.post("/add", data=body).status_code == 422
    assert client.delete("/delete", data=body).status_code == 422


def test_the_content_type_does_not_matter(client: FlaskClient) -> None:
    answer = client.post("/add", data='{"text": "a"}', content_type="text/plain")
    assert answer.status_code == 201


def test_a_large_body_is_refused_unread(client: FlaskClient) -> None:
    answer = add(client, "x" * 20_000)
    assert (answer.status_code, answer.json["error"]) == (413, "request-entity-too-large")


def test_deleting_what_is_not_there_is_404(client: FlaskClient) -> None:
    answer = client.delete("/delete", json={"id": 5})
    assert answer.status_code == 404
    assert answer.json is not None
    assert answer.json["error"] == "not-found"


@pytest.mark.parametrize("text_id", [0, -1, 2**31, 1.0, "1", True, None])
def test_what_is_no_id_is_422(client: FlaskClient, text_id: Any) -> None:
    add(client, "stays")
    assert client.delete("/delete", json={"id": text_id}).status_code == 422
    assert len(client.get("/fetch").json or []) == 1


def test_health_asks_the_database_and_liveness_does_not(
    client: FlaskClient, store: FakeStore
) -> None:
    healthy = client.get("/healthy")
    assert (healthy.status_code, healthy.json) == (200, {"status": "ok", "database": "ok"})

    store.away = True
    sick = client.get("/healthy")
    assert sick.status_code == 503
    assert sick.headers["Retry-After"] == "1"
    assert sick.json is not None
    assert sick.json["error"] == "database-unavailable"
    assert client.get("/ab").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("GET", "/fetch", None), ("POST", "/add", {"text": "a"}), ("DELETE", "/delete", {"id": 1})],
)
def test_a_lost_database_is_503_everywhere(
    client: FlaskClient, store: FakeStore, method: str, path: str, body: Any
) -> None:
    store.away = True
    answer = client.open(path, method=method, json=body)
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["error"] == "database-unavailable"


def test_it_says_who_answered(client: FlaskClient) -> None:
    assert client.get("/host_name").json == {"host_name": "backend-1"}
    assert client.get("/ab").json == {"variant": "b"}
    assert client.get("/nowhere").headers["X-Served-By"] == "backend-1"
    assert client.get("/fetch").headers["Cache-Control"] == "no-store"


def test_errors_of_http_are_json_too(client: FlaskClient) -> None:
    unknown = client.get("/api/fetch")
    assert (unknown.status_code, unknown.json) == (
        404,
        {"error": "not-found", "message": "There is no such route."},
    )
    wrong = client.get("/add")
    assert wrong.status_code == 405
    assert "POST" in wrong.headers["Allow"]
    assert wrong.is_json


def test_an_unknown_error_is_logged_and_not_told(
    client: FlaskClient, store: FakeStore, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise ValueError("the inside")

    store.ping = broken  # type: ignore[method-assign]
    answer = client.get("/healthy")
    assert answer.status_code == 500
    assert "the inside" not in json.dumps(answer.json)
    assert any(record.exc_info for record in caplog.records)


def test_probes_stay_out_of_the_access_log(
    client: FlaskClient, store: FakeStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    client.get("/healthy")
    client.get("/ab")
    assert caplog.records == []

    store.away = True
    client.get("/healthy")
    assert [record.message for record in caplog.records] == ["The database does not answer."]

    caplog.clear()
    client.get("/nowhere")
    assert [record.message for record in caplog.records] == ["GET /nowhere 404"]
