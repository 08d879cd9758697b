"""Every registered controller, brought up by its example: nothing has to be written here for a new one."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from kindctl.components import CONTROLLERS
from kindctl.ingress.proof import CONTROLLER_HEADER, ENVIRONMENT_HEADER, HOSTS, WELL_KNOWN
from tests.support.harness import Kindctl, http
from tests.support.plug_ins import example_of_each_controller
from tests.support.way import Way, way


@pytest.fixture(scope="module", params=example_of_each_controller().items(), ids="-".join)
def controlled(
    request: pytest.FixtureRequest, kindctl: Kindctl, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Way]]:
    """The controller's name in kindctl.yaml, and its example, which is up."""
    controller, example = request.param
    with way(example, kindctl, tmp_path_factory) as found:
        yield controller, found


def headers_of(url: str) -> dict[str, str]:
    """The headers that prove the answer, on the answer itself or on that of the witness behind the
    controller. Their names are in small letters: some controllers write them so."""
    own = {name.lower(): value for name, value in http(url).headers.items()}
    if CONTROLLER_HEADER.lower() in own:
        return own
    parts = urlsplit(url)
    witness = urllib.request.Request(
        f"{parts.scheme}://{parts.netloc}{WELL_KNOWN}", headers={"Host": HOSTS[parts.scheme]}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(witness, timeout=5) as response:
        return {name.lower(): value for name, value in response.headers.items()}


def test_every_url_is_answered_by_this_controller_in_this_environment(
    controlled: tuple[str, Way],
) -> None:
    controller, found = controlled
    urls = [url for url in found.urls if url.startswith("http://")]
    assert urls
    for url in urls:
        headers = headers_of(url)
        assert headers[CONTROLLER_HEADER.lower()] == CONTROLLERS[controller][1]
        assert headers[ENVIRONMENT_HEADER.lower()].startswith(f"{found.name}.")


def test_a_second_up_changes_nothing(controlled: tuple[str, Way]) -> None:
    _, found = controlled
    assert found.again().changes() == []
