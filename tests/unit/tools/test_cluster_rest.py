"""How answers become errors, and which requests are sent again; the pool is one in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import urllib3

from kindctl.errors import ApiError
from kindctl.models import ObjectRef
from kindctl.tools import cluster_rest
from kindctl.tools.cluster import ApiCluster
from kindctl.tools.cluster_rest import Rest

GROUPS = {
    "kind": "APIGroupDiscoveryList",
    "items": [
        {
            "metadata": {},
            "versions": [
                {
                    "version": "v1",
                    "resources": [
                        {
                            "resource": "configmaps",
                            "responseKind": {"kind": "ConfigMap"},
                            "scope": "Namespaced",
                            "verbs": ["delete", "list"],
                        }
                    ],
                }
            ],
        }
    ],
}


class Answer:
    def __init__(self, status: int, body: Any = None, **headers: str) -> None:
        self.status = status
        self.headers = headers
        self.data = body if isinstance(body, bytes) else json.dumps(body).encode()

    def stream(self, size: int) -> Iterator[bytes]:
        yield from (self.data[i : i + 3] for i in range(0, len(self.data), 3))

    def close(self) -> None:
        return None


def refusal(code: int, reason: str = "", message: str = "") -> Answer:
    return Answer(code, {"kind": "Status", "reason": reason, "message": message})


class Pool:
    """Gives what a test has queued; the last of it again and again."""

    def __init__(self, answers: Sequence[Answer | Exception]) -> None:
        self.answers = list(answers)
        self.requests: list[tuple[str, str, dict[str, Any]]] = []

    def request(self, method: str, url: str, **options: Any) -> Answer:
        self.requests.append((method, url.removeprefix("https://api"), options))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def rest(*answers: Answer | Exception) -> tuple[Rest, Pool]:
    pool = Pool(answers)
    client = SimpleNamespace(
        rest_client=SimpleNamespace(pool_manager=pool),
        configuration=SimpleNamespace(
            host="https://api",
            auth_settings=lambda: {
                "t": {"in": "header", "key": "authorization", "value": "Bearer x"}
            },
        ),
    )
    return Rest(Path("/nowhere"), client=client), pool


REFUSED = urllib3.exceptions.ProtocolError("Connection refused")


@pytest.mark.parametrize(
    "passing",
    [
        REFUSED,
        refusal(429, "TooManyRequests"),
        refusal(500, "InternalError", "failed calling webhook"),
        refusal(503, "ServiceUnavailable"),
    ],
    ids=["no answer", "429", "webhook", "503"],
)
def test_what_passes_is_asked_again(passing: Answer | Exception) -> None:
    made, pool = rest(passing, passing, Answer(200, {"ok": True}))
    assert made.request("GET", "/x", doing="read x").json() == {"ok": True}
    assert len(pool.requests) == 3


@pytest.mark.parametrize("code", [400, 401, 403, 404, 409, 410, 422])
def test_a_refusal_is_not_asked_again(code: int) -> None:
    made, pool = rest(refusal(code, "Reason", "the API's own words"))
    with pytest.raises(ApiError) as caught:
        made.request("PATCH", "/x", doing="apply x", query={"force": "true"})
    error = caught.value
    assert error.what == f"the Kubernetes API refused to apply x: {code} Reason"
    assert (error.status, error.why) == (code, "the API's own words")
    assert error.command == "PATCH '/x?force=true'"
    assert len(pool.requests) == 1


def test_what_does_not_pass_in_time_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_rest, "RETRY_SECONDS", 0)
    made, pool = rest(REFUSED)
    with pytest.raises(ApiError, match="did not answer: could not read x") as caught:
        made.request("GET", "/x", doing="read x")
    assert (caught.value.status, caught.value.passing) == (None, True)
    assert "Connection refused" in caught.value.why
    assert len(pool.requests) == 1


def test_another_clusters_certificate_is_not_asked_again() -> None:
    made, pool = rest(urllib3.exceptions.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"))
    with pytest.raises(ApiError):
        made.request("GET", "/x", doing="read x")
    assert len(pool.requests) == 1


def test_an_error_of_typing_is_no_fault_of_the_server() -> None:
    """The API answers with 500 where a server-side apply names a field that does not exist."""
    words = "failed to create typed patch object (shop/web): .dota: field not declared in schema"
    made, pool = rest(refusal(500, "", words))
    with pytest.raises(ApiError) as caught:
        made.request("PATCH", "/x", doing="apply x")
    assert (caught.value.status, caught.value.passing) == (422, False)
    assert len(pool.requests) == 1


def test_an_answer_that_is_no_status_is_kept_as_it_is() -> None:
    made, _ = rest(Answer(403, b"blocked by the proxy"))
    with pytest.raises(ApiError, match="403") as caught:
        made.request("GET", "/x", doing="read x")
    assert caught.value.why == "blocked by the proxy"


def test_every_request_has_time_outs_and_the_kubeconfigs_token() -> None:
    made, pool = rest(Answer(200))
    made.request("GET", "/x", doing="read x")
    made.stream("/x", doing="follow x", query={}, silence=None)
    for _, _, options in pool.requests:
        assert options["timeout"].connect_timeout is not None
        assert options["headers"]["authorization"] == "Bearer x"
    assert pool.requests[0][2]["timeout"].read_timeout is not None


def test_a_stream_is_read_by_lines() -> None:
    made, _ = rest(Answer(200, b"one\ntwo, longer\nno end"))
    stream = made.stream("/log", doing="follow", query={}, silence=1)
    assert list(stream.lines()) == [b"one", b"two, longer", b"no end"]


def test_a_broken_stream_is_an_error() -> None:
    class Broken(Answer):
        def stream(self, size: int) -> Iterator[bytes]:
            yield b"one\n"
            raise urllib3.exceptions.ProtocolError("reset")

    made, _ = rest(Broken(200))
    lines = made.stream("/log", doing="follow", query={}, silence=1).lines()
    assert next(lines) == b"one"
    with pytest.raises(ApiError, match="could not follow"):
        next(lines)


def test_apply_is_forced_strict_and_ours() -> None:
    made, pool = rest(Answer(200, GROUPS), Answer(200, GROUPS), Answer(200, {}))
    meta = {"name": "a/b", "namespace": "shop"}
    ApiCluster(made).apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}, dry_run=True
    )
    method, url, options = pool.requests[-1]
    path, _, query = url.partition("?")
    assert (method, path) == ("PATCH", "/api/v1/namespaces/shop/configmaps/a%2Fb")
    assert set(query.split("&")) == {
        "fieldManager=kindctl",
        "force=true",
        "fieldValidation=Strict",
        "dryRun=All",
    }
    assert options["headers"]["Content-Type"] == "application/apply-patch+yaml"


def test_resources_are_asked_for_again_only_when_one_is_missing() -> None:
    first = Answer(200, GROUPS, ETag="1")
    made, pool = rest(first, first, Answer(404), Answer(404), Answer(304))
    cluster = ApiCluster(made)
    for _ in range(2):
        assert cluster.get(ObjectRef("v1", "ConfigMap", "x", "shop")) is None
    assert [url for _, url, _ in pool.requests[:2]] == ["/api", "/apis"]
    assert len(pool.requests) == 4
    assert cluster.get(ObjectRef("example.com/v1", "Widget", "x")) is None
    assert [url for _, url, _ in pool.requests[4:]] == ["/api", "/apis"]
    assert pool.requests[-1][2]["headers"]["If-None-Match"] == "1"
    assert cluster.kinds() == [("v1", "ConfigMap", True)]


def test_a_kubernetes_without_aggregated_discovery_is_refused() -> None:
    made, _ = rest(Answer(200, {"kind": "APIVersions"}))
    with pytest.raises(ApiError, match="too old") as caught:
        ApiCluster(made).kinds()
    assert "1.30" in caught.value.fix
