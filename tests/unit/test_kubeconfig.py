"""Kubeconfig files as data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from kindctl.errors import UsageError
from kindctl.kubeconfig import default_file, for_host, merge_into, without

ADMIN_CONF = """
apiVersion: v1
kind: Config
clusters:
- name: shop
  cluster: {certificate-authority-data: Q0E=, server: "https://shop-control-plane:6443"}
contexts:
- name: kubernetes-admin@shop
  context: {cluster: shop, user: kubernetes-admin}
current-context: kubernetes-admin@shop
users:
- name: kubernetes-admin
  user: {client-certificate-data: Y2VydA==, client-key-data: a2V5}
"""


def entries(name: str, server: str = "https://127.0.0.1:1") -> dict[str, Any]:
    return {
        "clusters": [{"name": name, "cluster": {"server": server}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "users": [{"name": name, "user": {}}],
        "current-context": name,
    }


def text(config: dict[str, Any]) -> str:
    return yaml.safe_dump(config)


def names(config: str) -> dict[str, list[str]]:
    parsed = yaml.safe_load(config)
    return {key: [e["name"] for e in parsed[key]] for key in ("clusters", "contexts", "users")}


def each(*wanted: str) -> dict[str, list[str]]:
    return {key: list(wanted) for key in ("clusters", "contexts", "users")}


def test_the_hosts_file_has_kinds_names_and_a_server_that_the_host_reaches() -> None:
    config = yaml.safe_load(for_host(ADMIN_CONF, "shop", "https://127.0.0.1:40000"))
    cluster = {"certificate-authority-data": "Q0E=", "server": "https://127.0.0.1:40000"}
    user = {"client-certificate-data": "Y2VydA==", "client-key-data": "a2V5"}
    assert config == {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "kind-shop", "cluster": cluster}],
        "contexts": [
            {"name": "kind-shop", "context": {"cluster": "kind-shop", "user": "kind-shop"}}
        ],
        "users": [{"name": "kind-shop", "user": user}],
        "current-context": "kind-shop",
    }


@pytest.mark.parametrize("base", [None, "", "{}", "apiVersion: v1\nclusters: null\n"])
def test_merging_into_nothing_gives_what_was_added(base: str | None) -> None:
    merged = merge_into(base, text(entries("kind-shop")))
    assert names(merged) == each("kind-shop")
    assert yaml.safe_load(merged)["apiVersion"] == "v1" or base == "{}"


def test_merging_replaces_the_same_names_and_keeps_the_others() -> None:
    base = entries("work")
    for key in ("clusters", "contexts", "users"):
        base[key] = entries("kind-shop", "https://127.0.0.1:9")[key] + base[key]
    base["preferences"] = {"colors": True}
    merged = yaml.safe_load(merge_into(text(base), text(entries("kind-shop"))))
    assert names(text(merged)) == each("work", "kind-shop")
    assert merged["clusters"][1]["cluster"]["server"] == "https://127.0.0.1:1"
    assert merged["current-context"] == "kind-shop"
    assert merged["preferences"] == {"colors": True}


def test_removing_leaves_the_others_and_forgets_the_current_context() -> None:
    both = merge_into(text(entries("work")), text(entries("kind-shop")))
    rest = without(both, "kind-shop")
    assert rest is not None
    assert names(rest) == each("work")
    assert yaml.safe_load(rest)["current-context"] == ""


def test_removing_keeps_another_current_context() -> None:
    both = merge_into(text(entries("kind-shop")), text(entries("work")))
    rest = without(both, "kind-shop")
    assert rest is not None
    assert yaml.safe_load(rest)["current-context"] == "work"


@pytest.mark.parametrize("left", ["clusters", "contexts", "users"])
def test_removing_finds_an_entry_in_any_of_the_lists(left: str) -> None:
    base = {left: entries("kind-shop")[left]}
    rest = without(text(base), "kind-shop")
    assert rest is not None
    assert names(rest) == each()


@pytest.mark.parametrize("base", ["", text(entries("work"))])
def test_there_is_nothing_to_remove(base: str) -> None:
    assert without(base, "kind-shop") is None


@pytest.mark.parametrize("broken", ["clusters: [", "just words", "clusters: [{cluster: {}}]"])
def test_a_file_that_is_no_kubeconfig_is_an_error_that_says_so(broken: str) -> None:
    with pytest.raises(UsageError) as refused:
        merge_into(broken, text(entries("kind-shop")))
    assert str(default_file()) in refused.value.fix
    with pytest.raises(UsageError):
        without(broken, "kind-shop")


def test_the_default_file_is_the_first_of_the_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/a/config:/b/config")
    assert default_file() == Path("/a/config")
    monkeypatch.delenv("KUBECONFIG")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_file() == tmp_path / ".kube" / "config"
