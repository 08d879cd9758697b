"""Tests of diagnose/causes/webhook.py."""

from __future__ import annotations

import pytest

from kindctl.diagnose.evidence import Evidence
from tests.support.evidence import REPLICASET, cause, event


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (
            'Post "https://x.ingress-nginx.svc:443/": dial tcp: connection refused',
            "does not answer",
        ),
        (
            "tls: failed to verify certificate: x509: certificate signed by unknown authority",
            "trust",
        ),
    ],
)
def test_a_webhook_that_cannot_be_asked_is_named(message: str, words: str) -> None:
    said = (
        "Error creating: Internal error occurred: failed calling webhook "
        f'"validate.nginx.ingress.kubernetes.io": failed to call webhook: {message}'
    )
    found = cause(Evidence(events=[event(REPLICASET, "FailedCreate", said)]))
    assert (found.code, found.permanent) == ("webhook", False)
    assert "validate.nginx.ingress.kubernetes.io" in found.what
    assert words in found.what
