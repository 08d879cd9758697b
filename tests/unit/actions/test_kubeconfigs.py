"""Tests of actions/kubeconfigs.py."""

from __future__ import annotations

import pytest
import yaml

from kindctl import kubeconfig
from kindctl.actions.kubeconfigs import kubeconfig_path, merge_kubeconfig
from kindctl.paths import environment_dir
from tests.support.machine import World


def test_the_kubeconfig_is_of_the_environment(world: World) -> None:
    world.made()
    path = kubeconfig_path("shop", world.tools)
    assert path == environment_dir("shop") / "kubeconfig"
    assert yaml.safe_load(world.host.files[path])["current-context"] == "kind-shop"


def test_merging_keeps_the_owners_alone_mode(world: World) -> None:
    world.made()
    file = merge_kubeconfig("shop", world.tools)
    assert file == kubeconfig.default_file()
    assert world.host.modes[file] == 0o600
    assert yaml.safe_load(world.host.files[file])["contexts"][0]["name"] == "kind-shop"


def test_merging_into_the_environments_own_file_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = world.made().kubeconfig
    monkeypatch.setenv("KUBECONFIG", str(own))
    before = world.host.files[own]
    assert merge_kubeconfig("shop", world.tools) == own
    assert world.host.files[own] == before
