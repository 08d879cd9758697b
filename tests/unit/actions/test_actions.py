"""What the commands do, on a machine in memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import yaml

from kindctl import kubeconfig
from kindctl.actions.doctor import doctor
from kindctl.actions.down import down
from kindctl.actions.environments import (
    choose_name,
    environments,
    nodes_by_environment,
    open_environment,
)
from kindctl.actions.kubeconfigs import kubeconfig_path, merge_kubeconfig
from kindctl.actions.plan import survey_plan
from kindctl.actions.purge import planned_removals, purge
from kindctl.actions.status import StatusRow, page, status, urls
from kindctl.actions.up import ask_before_fixing
from kindctl.actions.version import versions
from kindctl.diagnose.checks.inotify import LIMITS
from kindctl.errors import ConfigError, MachineError, NotOursError, UsageError
from kindctl.ingress.proof import ENVIRONMENT_HEADER, environment_id
from kindctl.live.record import RECORD
from kindctl.models import (
    DOCKER_ENVIRONMENT_LABEL,
    UNCHANGED,
    Route,
    Verdict,
)
from kindctl.paths import cache_dir, data_dir, environment_dir
from kindctl.planning.plan import make_plan
from kindctl.tools.protocols import HttpAnswer
from kindctl.trust.authority import Authority
from tests.fakes.cluster import FakeCluster
from tests.fakes.container import FakeContainer
from tests.fakes.trust import an_authority
from tests.support.machine import NODE_IMAGE, World, fit_machine, loaded, never

MISSING = MachineError("no container engine", code="engine-missing")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return fit_machine(tmp_path, monkeypatch)


# --- up and plan ---------------------------------------------------------------------------------


def test_up_makes_what_plan_said_and_then_plan_finds_nothing(world: World) -> None:
    config = loaded()
    before = {row.step: row.state for row in survey_plan(config, world.tools)}
    assert before["create the cluster (kind)"] == "absent"
    world.up(config)
    assert {row.state for row in survey_plan(config, world.tools)} == {"ready"}


def test_a_fit_machine_is_no_reason_to_ask(world: World) -> None:
    plan = make_plan(loaded(), world.tools)
    ask_before_fixing(plan, never)
    assert not plan.preflight.may_fix


def test_a_warning_is_no_reason_to_ask(world: World) -> None:
    world.host.sysctls |= {name: str(value - 1) for name, (_, value) in LIMITS.items()}
    plan = make_plan(loaded(), world.tools)
    assert {v.level for v in plan.preflight.verdicts} == {"ok", "warning"}
    ask_before_fixing(plan, never)
    assert not plan.preflight.may_fix


@pytest.mark.parametrize("agrees", [True, False])
def test_what_failed_is_mended_only_when_the_user_agrees(world: World, agrees: bool) -> None:
    del world.host.programs["kind"]
    world.kind.installed = False
    plan = make_plan(loaded(), world.tools)
    asked: list[Sequence[str]] = []

    def agree(wishes: Sequence[str]) -> bool:
        asked.append(wishes)
        return agrees

    if agrees:
        ask_before_fixing(plan, agree)
        assert plan.preflight.may_fix
    else:
        with pytest.raises(MachineError) as refused:
            ask_before_fixing(plan, agree)
        assert "kindctl up --yes" in refused.value.fix
        assert not plan.preflight.may_fix
        assert "kind" not in world.host.programs
    assert any("kind" in wish for wish in asked[0])


# --- doctor --------------------------------------------------------------------------------------


def level(verdicts: Sequence[Verdict], code: str) -> str:
    (found,) = (verdict.level for verdict in verdicts if verdict.code.startswith(code))
    return found


def test_doctor_changes_nothing_unless_asked(world: World) -> None:
    world.host.sysctls |= dict.fromkeys(LIMITS, "1")
    before = dict(world.host.sysctls)
    assert level(doctor(loaded(), world.tools, agree=never), "inotify") != "ok"
    assert world.host.sysctls == before


def test_doctor_mends_what_was_agreed_to_and_says_it(world: World) -> None:
    world.host.sysctls |= dict.fromkeys(LIMITS, "1")
    said: list[str] = []
    verdicts = doctor(loaded(), world.tools, fix=True, agree=lambda _: True, say=said.append)
    assert level(verdicts, "inotify") == "ok"
    assert any("inotify" in line for line in said)


def test_doctor_leaves_what_was_declined(world: World) -> None:
    world.host.sysctls |= dict.fromkeys(LIMITS, "1")
    before = dict(world.host.sysctls)
    verdicts = doctor(loaded(), world.tools, fix=True, agree=lambda _: False)
    assert level(verdicts, "inotify") != "ok"
    assert world.host.sysctls == before


def test_doctor_asks_nothing_where_nothing_is_wrong(world: World) -> None:
    assert {v.level for v in doctor(loaded(), world.tools, fix=True, agree=never)} == {"ok"}


# --- down ----------------------------------------------------------------------------------------


def test_down_twice_removes_once(world: World) -> None:
    world.made()
    environment_dir("shop").mkdir(parents=True, exist_ok=True)
    assert down("shop", world.tools).done == (
        "removed node shop-control-plane",
        "removed its kubeconfig",
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
    assert f"removed its entries from {file}" in down("shop", world.tools).done
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


# --- which environment ---------------------------------------------------------------------------


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


# --- list, kubeconfig, version -------------------------------------------------------------------


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


def test_version_says_what_is_missing(world: World) -> None:
    assert versions(world.tools)["kind"] == "0.33.0"
    assert versions(world.tools)["engine"] == "docker 28.2.2"
    world.engine.problem, world.kind.installed = MISSING, False
    assert versions(world.tools)["engine"] == "(no container engine)"
    assert versions(world.tools)["kind"] == "(`kind` is not installed)"


# --- status --------------------------------------------------------------------------------------


def test_status_of_a_whole_environment_is_ready(world: World) -> None:
    world.up(loaded())
    assert status("shop", world.tools) == [StatusRow("node", "shop-control-plane", True, "running")]


def test_status_names_what_is_not_there(world: World) -> None:
    world.made()
    *nodes, record = status("shop", world.tools)
    assert [row.ready for row in nodes] == [True]
    assert (record.kind, record.ready) == ("record", False)
    world.cluster("shop").down = True
    assert [(row.kind, row.ready) for row in status("shop", world.tools)] == [
        ("node", True),
        ("api", False),
    ]
    world.engine.stop("shop-control-plane")
    assert status("shop", world.tools) == [StatusRow("node", "shop-control-plane", False, "exited")]
    with pytest.raises(UsageError):
        status("blog", world.tools)


def test_status_looks_again_until_all_is_ready(world: World) -> None:
    config = loaded()
    world.made()
    looks: list[str] = []

    def open_cluster(path: Path, context: str) -> FakeCluster:
        looks.append(context)
        if len(looks) == 2:
            world.up(config)
        return world.cluster("shop")

    rows = status("shop", replace(world.tools, open_cluster=open_cluster), wait=600)
    assert all(row.ready for row in rows)
    assert len(looks) == 2


def test_status_gives_the_last_look_when_the_time_is_over(world: World) -> None:
    world.made()
    assert not all(row.ready for row in status("shop", world.tools, wait=0))


def test_status_verifies_https_by_the_local_authority(world: World) -> None:
    world.up(loaded())
    cluster, authority = world.cluster("shop"), Authority(world.host)
    world.host.write(authority.key_file, an_authority().key.decode(), 0o600)
    world.host.write(authority.file, an_authority().cert.decode())
    route = Route("https://localhost/", connect=("127.0.0.1", 443), certified=True)
    cluster.merge_patch(RECORD, {"data": {"routes": json.dumps([asdict(route)])}})
    headers = {ENVIRONMENT_HEADER: environment_id("shop", cluster)}
    world.net.serve("127.0.0.1", 443, lambda request: HttpAnswer(200, headers, b""))
    world.net.certificates["127.0.0.1", 443] = authority.pem() or ""
    assert status("shop", world.tools)[-1] == StatusRow("url", route.url, True, "200 OK")
    world.net.certificates["127.0.0.1", 443] = "another's"
    assert not status("shop", world.tools)[-1].ready


def test_a_browser_gets_the_first_url_that_it_can_open(world: World) -> None:
    world.up(loaded())
    database = Route("tcp://localhost:5432", via_controller=False)
    named = Route("http://localhost/", host="shop.example.com")
    pages = [Route("http://localhost/b"), Route("http://localhost/c")]

    def record(*routes: Route) -> None:
        text = json.dumps([asdict(route) for route in routes])
        world.cluster("shop").merge_patch(RECORD, {"data": {"routes": text}})

    record(database, named, *pages)
    assert page("shop", world.tools) == "http://localhost/b"
    record(database, named)
    with pytest.raises(UsageError) as refused:
        page("shop", world.tools)
    assert refused.value.code == "no-urls"
    assert "http://localhost/ (Host: shop.example.com)" in refused.value.why


def test_an_environment_without_routes_has_no_urls(world: World) -> None:
    world.up(loaded())
    with pytest.raises(UsageError) as refused:
        urls("shop", world.tools)
    assert refused.value.code == "no-urls"


# --- purge ---------------------------------------------------------------------------------------


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
