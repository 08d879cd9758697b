"""Tests of actions/down.py."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from kindctl import kubeconfig
from kindctl.actions.down import down
from kindctl.actions.environments import (
    choose_name,
    nodes_by_environment,
)
from kindctl.actions.kubeconfigs import merge_kubeconfig
from kindctl.errors import NotOursError, UsageError
from kindctl.models import (
    UNCHANGED,
)
from kindctl.paths import data_dir, environment_dir
from tests.fakes.container import FakeContainer
from tests.support.machine import NODE_IMAGE, World


def test_down_twice_removes_once(world: World) -> None:
    world.made()
    environment_dir("shop").mkdir(parents=True, exist_ok=True)
    assert down("shop", world.tools).done == (
        "removed node shop-control-plane",
        "removed the kubeconfig",
    )
    assert world.engine.containers() == []
    assert not environment_dir("shop").exists()
    assert down("shop", world.tools) == UNCHANGED


def test_down_leaves_other_environments_alone(world: World) -> None:
    world.made("shop")
    world.made("blog")
    down("shop", world.tools)
    assert list(nodes_by_environment(world.tools)) == ["blog"]


def test_down_takes_its_entries_out_of_kubectls_file(world: World) -> None:
    world.made("shop")
    world.made("blog")
    for name in ("shop", "blog"):
        merge_kubeconfig(name, world.tools)
    file = kubeconfig.default_file()
    assert f"removed the entries from {file}" in down("shop", world.tools).done
    left = yaml.safe_load(world.host.files[file])
    assert [context["name"] for context in left["contexts"]] == ["kind-blog"]
    assert world.host.modes[file] == 0o600


def test_down_does_not_touch_a_kubectl_file_without_entries_of_its_own(world: World) -> None:
    world.made()
    file = kubeconfig.default_file()
    world.host.files[file] = "# mine\nclusters: []\n"
    down("shop", world.tools)
    assert world.host.files[file] == "# mine\nclusters: []\n"


def test_down_refuses_anothers_cluster(world: World) -> None:
    labels = {"io.x-k8s.kind.cluster": "shop", "io.x-k8s.kind.role": "control-plane"}
    world.engine.add_container(FakeContainer("shop-control-plane", NODE_IMAGE, labels=labels))
    with pytest.raises(NotOursError):
        down("shop", world.tools)
    assert len(world.engine.containers()) == 1


@pytest.mark.parametrize(
    "name", [".", "..", "../locks", "a/b", "Shop", "shop-", "a" * 41, "shop\n"]
)
def test_what_is_no_name_leads_to_no_file(world: World, name: str) -> None:
    bystander = data_dir() / "environments" / "blog" / "kubeconfig"
    bystander.parent.mkdir(parents=True)
    bystander.write_text("")
    for use in (
        lambda: choose_name(world.tools, name),
        lambda: down(name, world.tools),
        lambda: environment_dir(name),
    ):
        with pytest.raises(UsageError, match="is not a valid name for an environment"):
            use()
    assert bystander.exists()
    assert not (data_dir() / "locks").exists()


def test_a_folder_is_not_taken_for_an_environment(world: World, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    with pytest.raises(UsageError):
        down(str(tmp_path / "work"), world.tools)
    assert (tmp_path / "work").exists()
