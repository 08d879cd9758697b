"""The sample's backend, run in this process over a store that behaves like the real one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests import ROOT

SAMPLE = ROOT / "sample-app"
sys.path.insert(0, str(SAMPLE / "backend"))

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.fakes.sample_store import FakeStore


@pytest.fixture
def store() -> FakeStore:
    from tests.fakes.sample_store import FakeStore

    return FakeStore()


@pytest.fixture
def client(store: FakeStore) -> Iterator[FlaskClient]:
    from sample_backend.web import create_app

    with create_app(store, host_name="backend-1", variant="b").test_client() as client:
        yield client
