"""Tests of actions/purge.py."""

from __future__ import annotations

from pathlib import Path

from kindctl.actions.environments import (
    environments,
)
from kindctl.actions.purge import planned_removals, purge
from kindctl.models import (
    DOCKER_ENVIRONMENT_LABEL,
)
from kindctl.paths import cache_dir, data_dir
from tests.fakes.container import FakeContainer
from tests.support.action_helpers import MISSING
from tests.support.machine import NODE_IMAGE, World


def test_purge_removes_what_it_announced(world: World) -> None:
    world.made("shop")
    world.made("blog")
    world.engine.add_image("kindctl.local/postgres:17")
    for folder in (data_dir(), cache_dir()):
        folder.mkdir(parents=True, exist_ok=True)
    wishes = planned_removals(world.tools, keep_engine=True)
    assert wishes[:2] == ["environment blog", "environment shop"]
    assert wishes[2].startswith("3 images that kindctl built")
    assert wishes[3:] == [f"folder {data_dir()}", f"folder {cache_dir()}"]
    said: list[str] = []
    purge(world.tools, keep_engine=True, say=said.append)
    assert world.engine.containers() == []
    assert [image.tags for image in world.engine.images()] == [(NODE_IMAGE,)]
    assert not data_dir().exists()
    assert not cache_dir().exists()
    assert "removed environment blog" in said
    assert "removed image kindctl.local/postgres:17" in said
    assert planned_removals(world.tools, keep_engine=False) == []


def test_purge_leaves_the_users_name_of_an_image(world: World) -> None:
    world.engine.add_image("kindctl.local/postgres:17")
    world.engine.tag("kindctl.local/postgres:17", "mine:1")
    purge(world.tools, keep_engine=True, say=lambda _: None)
    assert world.engine.image("kindctl.local/postgres:17") is None
    assert world.engine.image("mine:1") is not None


def test_purge_leaves_containers_whose_label_names_no_environment(
    world: World, tmp_path: Path
) -> None:
    """They have it from the image that they were made from."""
    (tmp_path / "work").mkdir()
    for index, name in enumerate((str(tmp_path / "work"), "..", "")):
        labels = {DOCKER_ENVIRONMENT_LABEL: name}
        world.engine.add_container(FakeContainer(f"c{index}", NODE_IMAGE, labels=labels))
    world.made("shop")
    purge(world.tools, keep_engine=True, say=lambda _: None)
    assert [c.name for c in world.engine.containers()] == ["c0", "c1", "c2"]
    assert (tmp_path / "work").exists()
    assert environments(world.tools) == []


def test_purge_goes_on_where_no_engine_answers(world: World) -> None:
    data_dir().mkdir(parents=True)
    world.engine.problem = MISSING
    assert planned_removals(world.tools, keep_engine=False) == [f"folder {data_dir()}"]
    said: list[str] = []
    purge(world.tools, keep_engine=False, say=said.append)
    assert said == ["left the engine alone: no container engine", f"removed {data_dir()}"]
