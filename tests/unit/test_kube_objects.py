"""Readers of Kubernetes objects: a missing field and null are the same."""

from __future__ import annotations

from typing import Any

import pytest

from kindctl.kube_objects import (
    annotations_of,
    api_group,
    entries,
    is_tcp,
    labels_of,
    namespace_of,
    section,
    spec_of,
)

FULL: dict[str, Any] = {
    "metadata": {"namespace": "shop", "labels": {"a": "b"}, "annotations": {"c": "d"}},
    "spec": {"rules": [{"host": "x"}], "tls": {"mode": "y"}},
}


@pytest.mark.parametrize(
    "empty",
    [
        {},
        {"metadata": None, "spec": None},
        {
            "metadata": {"namespace": None, "labels": None, "annotations": None},
            "spec": {"rules": None, "tls": None},
        },
    ],
)
def test_a_missing_field_and_null_are_empty(empty: dict[str, Any]) -> None:
    assert not [*labels_of(empty), *annotations_of(empty), *section(empty, "spec", "tls")]
    assert namespace_of(empty) == ""
    assert entries(empty, "spec", "rules") == []
    assert not any(spec_of(empty).values())


def test_fields_are_read_at_their_path() -> None:
    assert (namespace_of(FULL), labels_of(FULL), annotations_of(FULL)) == (
        "shop",
        {"a": "b"},
        {"c": "d"},
    )
    assert entries(FULL, "spec", "rules") == [{"host": "x"}] == entries(spec_of(FULL), "rules")
    assert section(FULL, "spec", "tls") == {"mode": "y"}


def test_the_core_group_is_empty_and_tcp_is_the_default() -> None:
    assert [api_group(version) for version in ("v1", "apps/v1")] == ["", "apps"]
    ports: list[dict[str, str]] = [{}, {"protocol": "TCP"}, {"protocol": "UDP"}]
    assert [is_tcp(port) for port in ports] == [True, True, False]
