"""Tests of actions/environments.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from kindctl.actions.environments import (
    choose_name,
    environments,
    open_environment,
)
from kindctl.errors import ConfigError, UsageError
from tests.support.machine import World, loaded


def test_the_given_name_wins(world: World) -> None:
    loaded("name: blog\n")
    assert choose_name(world.tools, "shop") == "shop"


def test_the_files_name_comes_next(world: World) -> None:
    world.made("blog")
    loaded("name: shop\n")
    assert choose_name(world.tools, None) == "shop"
    Path("other.yaml").write_text("name: other\n")
    assert choose_name(world.tools, None, Path("other.yaml")) == "other"


def test_the_only_environment_is_meant_where_there_is_no_file(world: World) -> None:
    world.made("blog")
    assert choose_name(world.tools, None) == "blog"


def test_the_sample_is_meant_where_there_is_nothing(world: World) -> None:
    assert choose_name(world.tools, None) == "sample"


def test_several_environments_have_to_be_told_apart(world: World) -> None:
    world.made("blog")
    world.made("shop")
    with pytest.raises(UsageError) as refused:
        choose_name(world.tools, None)
    assert "blog, shop" in refused.value.why


def test_a_broken_file_nearby_does_not_hide_what_it_names(world: World) -> None:
    """`down` works with a file that is not valid, and never takes another file's environment."""
    world.made("blog")
    Path("kindctl.yaml").write_text("name: shop\nclutser: {}\n")
    assert choose_name(world.tools, None) == "shop"


def test_a_broken_file_without_a_name_is_an_error(world: World) -> None:
    world.made("blog")
    Path("kindctl.yaml").write_text("name: [\n")
    with pytest.raises(ConfigError):
        choose_name(world.tools, None)


def test_list_has_a_row_for_each_environment(world: World) -> None:
    world.up(loaded())
    world.made("blog", workers=1)
    world.engine.stop("blog-worker")
    blog, shop = environments(world.tools)
    assert (shop.name, shop.state, shop.nodes, shop.kubernetes) == ("shop", "running", 1, "1.36.3")
    assert shop.file == str(Path("kindctl.yaml").resolve())
    assert shop.ports == ("127.0.0.1:40000",)
    assert (blog.state, blog.nodes, blog.kubernetes) == ("partly stopped", 2, "")
    world.engine.stop("blog-control-plane")
    assert environments(world.tools)[0].state == "stopped"
    world.cluster("shop").down = True
    assert environments(world.tools)[1].state == "not answering"


def test_list_is_empty_where_there_is_nothing(world: World) -> None:
    assert environments(world.tools) == []


def test_an_environment_that_does_not_run_cannot_be_opened(world: World) -> None:
    world.made("blog")
    with pytest.raises(UsageError) as refused, open_environment(world.tools, "shop"):
        pass
    assert refused.value.code == "no-environment"
    assert "blog" in refused.value.why
