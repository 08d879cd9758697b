"""A cluster that was there before, used and left: consent, images, and nothing of others touched."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from kindctl import kubeconfig
from kindctl.actions.down import down
from kindctl.actions.environments import (
    choose_name,
    environments,
    open_environment,
    provider_of,
)
from kindctl.actions.kubeconfigs import kubeconfig_path, merge_kubeconfig
from kindctl.actions.plan import survey_plan
from kindctl.actions.status import status
from kindctl.actions.up import up
from kindctl.cli.common import ask_context
from kindctl.config.load import Loaded
from kindctl.diagnose.base import Wants
from kindctl.diagnose.checks import examine
from kindctl.errors import ConfigError, KindctlError, MachineError, NotOursError, UsageError
from kindctl.models import ENVIRONMENT_LABEL, MANAGED_LABEL, Object, ObjectRef
from kindctl.planning.parts import parts_of
from kindctl.providers import PROVIDERS, load_provider
from kindctl.providers.base import ForeignCluster
from kindctl.providers.existing import ExistingProvider
from tests.fakes.cluster import FakeCluster
from tests.fakes.component import Heard
from tests.fakes.steps import Journal
from tests.support.machine import World, fit_machine, loaded, never

SERVER = "https://10.1.2.3:6443"
FILE = f"""
name: shop
cluster: {{provider: {{existing: prod, server: '{SERVER}'}}}}
images: {{push: 'localhost:5005', pull: 'registry:5000'}}
ingress: {{controller: none}}
apps:
- name: shop
  namespace: shared
  manifests: [k8s.yaml]
"""
CONFIG_MAP = "{apiVersion: v1, kind: ConfigMap, metadata: {name: ours}, data: {a: b}}\n"
OURS = ObjectRef("v1", "ConfigMap", "ours", "shared")
CLAIM = ObjectRef("v1", "Namespace", "kindctl-system")
SHARED = ObjectRef("v1", "Namespace", "shared")


def space(name: str, **labels: str) -> Object:
    meta = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = fit_machine(tmp_path, monkeypatch)
    world.host.files[tmp_path / "kubectl"] = yaml.safe_dump(
        {
            "clusters": [{"name": "c", "cluster": {"server": SERVER}}],
            "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}}],
        }
    )
    Path("k8s.yaml").write_text(CONFIG_MAP)
    return world


@pytest.fixture
def cluster(world: World) -> FakeCluster:
    """Of somebody who has a namespace and something in it."""
    cluster = world.cluster("prod")
    cluster.put(space("shared", team="a"))
    theirs = {"name": "theirs", "namespace": "shared"}
    cluster.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": theirs})
    return cluster


def bring_up(world: World, config: Loaded, *, agrees: bool = True) -> list[ForeignCluster]:
    asked: list[ForeignCluster] = []

    def confirm(foreign: ForeignCluster) -> bool:
        asked.append(foreign)
        return agrees

    import threading

    up(
        config,
        world.tools,
        emit=Journal(),
        agree=never,
        stop=threading.Event(),
        confirm=confirm,
    )
    return asked


def dump(cluster: FakeCluster) -> list[Object]:
    found = [obj for kind in cluster.kinds() for obj in cluster.list(*kind[:2])]
    kept = copy.deepcopy(found)
    for obj in kept:
        obj["metadata"].pop("resourceVersion", None)
    return sorted(kept, key=lambda obj: str(ObjectRef.of(obj)))


# --- consent -------------------------------------------------------------------------------------


def test_the_user_is_asked_once_and_then_known(world: World, cluster: FakeCluster) -> None:
    assert bring_up(world, loaded(FILE)) == [ForeignCluster("shop", "prod", SERVER, named=True)]
    assert bring_up(world, loaded(FILE)) == []
    assert {row.state for row in survey_plan(loaded(FILE), world.tools)} == {"ready"}


def test_without_consent_nothing_is_touched(world: World, cluster: FakeCluster) -> None:
    before = dump(cluster)
    with pytest.raises(UsageError) as refused:
        bring_up(world, loaded(FILE), agrees=False)
    assert refused.value.code == "context-unconfirmed"
    assert f"server: '{SERVER}'" in refused.value.fix
    assert dump(cluster) == before


@pytest.mark.parametrize(("named", "agreed"), [(True, True), (False, False)])
def test_yes_agrees_only_where_the_file_names_the_server(named: bool, agreed: bool) -> None:
    assert ask_context(ForeignCluster("shop", "prod", SERVER, named), yes=True) is agreed


def test_nobody_agrees_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert not ask_context(ForeignCluster("shop", "prod", SERVER, named=True), yes=False)


@pytest.mark.parametrize(("typed", "agreed"), [("prod", True), ("y", False), ("", False)])
def test_a_person_types_the_name(monkeypatch: pytest.MonkeyPatch, typed: str, agreed: bool) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.prompt", lambda *_, **__: typed)
    assert ask_context(ForeignCluster("shop", "prod", SERVER, named=False), yes=False) is agreed


def test_another_server_than_the_files_is_refused(world: World, cluster: FakeCluster) -> None:
    bring_up(world, loaded(FILE))
    with pytest.raises(UsageError) as refused:
        bring_up(world, loaded(FILE.replace("10.1.2.3", "10.9.9.9")))
    assert refused.value.code == "context-differs"
    bring_up(world, loaded(FILE.replace(":6443", ":6443/")))  # the same, otherwise written


def test_an_unknown_context_is_answered_with_those_there_are(world: World) -> None:
    with pytest.raises(UsageError) as refused:
        bring_up(world, loaded(FILE.replace("existing: prod", "existing: prud")))
    assert refused.value.code == "context-unknown"
    assert "prod" in refused.value.why


def test_a_cluster_that_does_not_answer_is_not_waited_for(
    world: World, cluster: FakeCluster
) -> None:
    cluster.down = True
    with pytest.raises(KindctlError) as refused:
        bring_up(world, loaded(FILE))
    assert refused.value.code == "context-unreachable"


def test_a_cluster_has_one_environment(world: World, cluster: FakeCluster) -> None:
    bring_up(world, loaded(FILE))
    with pytest.raises(NotOursError, match="belongs to environment 'shop'"):
        bring_up(world, loaded(FILE.replace("name: shop\ncluster", "name: other\ncluster")))


def test_contexts_are_found_in_several_files() -> None:
    files = {
        Path("/a"): "{contexts: [{name: x, context: {cluster: one}}]}",
        Path("/b"): "{clusters: [{name: one, cluster: {server: 'https://one'}}]}",
    }
    assert kubeconfig.server_of(Path("/a:/none:/b"), "x", files.get) == "https://one"
    assert kubeconfig.parts_of(Path("/a:/none:/b")) == [Path("/a"), Path("/none"), Path("/b")]
    assert kubeconfig.origin("https://one") == kubeconfig.origin("https://ONE:443/")


# --- what is applied, and what is left -----------------------------------------------------------


def test_a_namespace_that_exists_is_used_and_not_taken_over(
    world: World, cluster: FakeCluster
) -> None:
    Path("k8s.yaml").write_text(
        "{apiVersion: v1, kind: Namespace, metadata: {name: shared, labels: {team: b}}}\n---\n"
        + CONFIG_MAP
    )
    bring_up(world, loaded(FILE))
    found = cluster.get(SHARED)
    assert found is not None
    assert found["metadata"]["labels"] == {"team": "a"}
    assert cluster.get(OURS) is not None


def test_an_object_of_others_is_refused(world: World, cluster: FakeCluster) -> None:
    theirs = {"name": "ours", "namespace": "shared"}
    cluster.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": theirs, "data": {"a": "x"}})
    with pytest.raises(NotOursError, match="was not made by kindctl"):
        bring_up(world, loaded(FILE))
    live = cluster.get(OURS)
    assert live is not None
    assert live["data"] == {"a": "x"}


def test_down_removes_what_up_applied_and_nothing_else(world: World, cluster: FakeCluster) -> None:
    before = dump(cluster)
    Path("k8s.yaml").write_text(
        CONFIG_MAP + "---\n" + CONFIG_MAP.replace("name: ours", "name: o, namespace: own")
    )
    bring_up(world, loaded(FILE))
    assert cluster.get(ObjectRef("v1", "Namespace", "own")) is not None
    done = down("shop", world.tools).done
    assert "removed Namespace own" in done
    assert "left the cluster of context prod" in done
    assert dump(cluster) == before
    assert not down("shop", world.tools)


def test_a_namespace_of_ours_stays_where_others_have_moved_in(
    world: World, cluster: FakeCluster
) -> None:
    bring_up(world, loaded(FILE.replace("namespace: shared", "namespace: own")))
    theirs = {"name": "guest", "namespace": "own"}
    cluster.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": theirs})
    said: list[str] = []
    down("shop", world.tools, say=said.append)
    assert cluster.get(ObjectRef("v1", "ConfigMap", "guest", "own")) is not None
    assert cluster.get(ObjectRef("v1", "ConfigMap", "ours", "own")) is None
    assert any("kept Namespace own" in line for line in said)


def test_an_object_that_lost_its_labels_is_still_known_as_ours(
    world: World, cluster: FakeCluster
) -> None:
    bring_up(world, loaded(FILE))
    gone = dict.fromkeys((ENVIRONMENT_LABEL, MANAGED_LABEL))
    cluster.merge_patch(OURS, {"metadata": {"labels": gone}})
    down("shop", world.tools)
    assert cluster.get(OURS) is None


def test_down_counts_as_not_done_until_all_is_gone(
    world: World, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kindctl.live.withdraw.GONE_SECONDS", 0)
    bring_up(world, loaded(FILE))
    cluster.hold(OURS)
    for _ in range(2):
        with pytest.raises(KindctlError, match="is still being deleted"):
            down("shop", world.tools)
        assert cluster.get(CLAIM)
        assert provider_of(world.tools, "shop").preexisting
    cluster.release(OURS)
    assert down("shop", world.tools).done == ("left the cluster of context prod",)


# --- images --------------------------------------------------------------------------------------


def provider(world: World, **how: Any) -> ExistingProvider:
    given = {"push": "localhost:5005", "pull": "registry:5000", **how}
    return ExistingProvider(world.tools, "shop", "prod", kubeconfig.user_files(), **given)


def test_what_was_built_here_is_pushed_and_named_by_digest(world: World) -> None:
    world.engine.add_image("kindctl.local/shop:abc")
    made = provider(world)
    assert not made.holds("kindctl.local/shop:abc")
    assert made.in_pods("shop", "kindctl.local/shop:abc") == "shop"
    made.deliver("kindctl.local/shop:abc", Heard())
    assert made.holds("kindctl.local/shop:abc")
    name, _, digest = made.in_pods("shop", "kindctl.local/shop:abc").partition("@")
    assert name == "registry:5000/shop:abc"
    assert f"localhost:5005/shop@{digest}" in world.engine.registry
    same = provider(world, pull="").in_pods("shop", "kindctl.local/shop:abc")
    assert same == f"localhost:5005/shop:abc@{digest}"


def test_a_registry_that_has_lost_it_gets_it_again(world: World) -> None:
    world.engine.add_image("shop:dev")
    provider(world).deliver("shop:dev", Heard())
    world.engine.silent = True  # it cannot be asked: it took the image once
    assert provider(world).holds("shop:dev")
    world.engine.silent = False
    world.engine.registry.clear()
    assert not provider(world).holds("shop:dev")


def test_what_the_cluster_can_pull_itself_is_left_to_it(world: World) -> None:
    world.engine.registry["docker.io/library/postgres:17"] = world.engine.make_image("postgres")
    world.engine.add_image("postgres:17")
    made = provider(world)
    assert not made.holds("postgres:17")  # loaded from an archive: nobody else has this one
    image = world.engine.image("postgres:17")
    assert image is not None
    world.engine.note_digest("postgres:17", "postgres@sha256:1")
    for name in ("postgres:17", "kindctl.local/pinned/library/postgres:17-1"):
        assert made.holds(name)
        assert made.in_pods("postgres:17", name) == "postgres:17"
        made.deliver(name, Heard())
    assert not [name for name in world.engine.registry if name.startswith("localhost")]


def test_without_a_registry_it_says_what_to_set(world: World) -> None:
    world.engine.add_image("kindctl.local/shop:abc")
    with pytest.raises(KindctlError) as refused:
        provider(world, push="").deliver("kindctl.local/shop:abc", Heard())
    assert refused.value.code == "no-registry"
    assert "images.push" in refused.value.fix


# --- the commands --------------------------------------------------------------------------------


def test_commands_find_it_by_its_name_and_by_its_file(
    world: World, cluster: FakeCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring_up(world, loaded(FILE))
    (row,) = environments(world.tools)
    assert (row.name, row.context, row.state) == ("shop", "prod", "running")
    assert row.file.endswith("kindctl.yaml")
    assert all(row.ready for row in status("shop", world.tools))
    with open_environment(world.tools, "shop") as opened:
        assert opened is cluster
    assert kubeconfig_path("shop", world.tools) == tmp_path / "kubectl"
    with pytest.raises(UsageError, match="in your own kubeconfig"):
        merge_kubeconfig("shop", world.tools)

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "another-machine"))
    assert environments(world.tools) == []
    assert choose_name(world.tools, None) == "shop"
    assert provider_of(world.tools, "shop").context == "prod"


def test_an_environment_that_is_not_there_is_not_listed(world: World, cluster: FakeCluster) -> None:
    loaded(FILE)
    assert choose_name(world.tools, None) == "shop"
    assert environments(world.tools) == []
    with pytest.raises(UsageError) as refused, open_environment(world.tools, "shop"):
        pass
    assert refused.value.code == "no-environment"


def test_one_that_does_not_answer_is_listed_as_such(world: World, cluster: FakeCluster) -> None:
    bring_up(world, loaded(FILE))
    cluster.down = True
    assert [(row.name, row.state) for row in environments(world.tools)] == [
        ("shop", "not answering")
    ]


def test_a_name_is_in_one_cluster_at_a_time(world: World, cluster: FakeCluster) -> None:
    bring_up(world, loaded(FILE))
    from tests.support.machine import BARE

    with pytest.raises(UsageError) as refused:
        world.up(loaded(BARE))
    assert refused.value.code == "environment-elsewhere"
    down("shop", world.tools)
    world.up(loaded(BARE))
    with pytest.raises(UsageError) as refused:
        bring_up(world, loaded(FILE))
    assert "kind-shop" in refused.value.what


@pytest.fixture
def moved(world: World, cluster: FakeCluster, tmp_path: Path) -> FakeCluster:
    """The cluster that the file names after the environment came up in `prod`."""
    bring_up(world, loaded(FILE))
    config = yaml.safe_load(world.host.files[tmp_path / "kubectl"])
    config["clusters"].append({"name": "d", "cluster": {"server": "https://10.9.9.9:6443"}})
    config["contexts"].append({"name": "dev", "context": {"cluster": "d", "user": "u"}})
    world.host.files[tmp_path / "kubectl"] = yaml.safe_dump(config)
    loaded(FILE.replace("existing: prod", "existing: dev").replace("10.1.2.3", "10.9.9.9"))
    return world.cluster("dev")


@pytest.mark.usefixtures("moved")
def test_a_file_that_names_another_cluster_does_not_lose_the_first(
    world: World, cluster: FakeCluster
) -> None:
    for _ in range(2):
        with pytest.raises(UsageError, match="context prod") as refused:
            choose_name(world.tools, None)
        assert refused.value.code == "environment-elsewhere"
    assert provider_of(world.tools, "shop").context == "prod"
    down("shop", world.tools)
    assert cluster.get(OURS) is None
    assert choose_name(world.tools, None) == "shop"
    assert provider_of(world.tools, "shop").context == "dev"


@pytest.mark.usefixtures("moved")
def test_a_cluster_that_does_not_answer_may_still_have_it(
    world: World, cluster: FakeCluster
) -> None:
    cluster.down = True
    with pytest.raises(UsageError, match="context prod") as refused:
        choose_name(world.tools, None)
    assert "rm " in refused.value.fix
    assert provider_of(world.tools, "shop").context == "prod"


@pytest.mark.usefixtures("moved")
def test_a_context_that_has_gone_is_forgotten(world: World, tmp_path: Path) -> None:
    kept = world.host.files[tmp_path / "kubectl"].replace("name: prod", "name: renamed")
    world.host.files[tmp_path / "kubectl"] = kept
    assert choose_name(world.tools, None) == "shop"
    assert provider_of(world.tools, "shop").context == "dev"


@pytest.mark.usefixtures("cluster")
def test_another_name_of_the_same_cluster_is_no_move(world: World, tmp_path: Path) -> None:
    bring_up(world, loaded(FILE))
    config = yaml.safe_load(world.host.files[tmp_path / "kubectl"])
    config["contexts"].append({"name": "alias", "context": {"cluster": "c", "user": "u"}})
    world.host.files[tmp_path / "kubectl"] = yaml.safe_dump(config)
    loaded(FILE.replace("existing: prod", "existing: alias"))
    assert choose_name(world.tools, None) == "shop"
    assert provider_of(world.tools, "shop").context == "alias"


def test_a_kind_environment_is_not_hidden_by_a_file_of_an_existing_cluster(world: World) -> None:
    world.made("shop")
    loaded(FILE)
    with pytest.raises(UsageError, match="context kind-shop"):
        choose_name(world.tools, None)
    world.engine.problem = MachineError("no engine")
    assert choose_name(world.tools, None) == "shop"


def test_the_machine_is_not_asked_for_what_a_local_cluster_needs(world: World) -> None:
    codes = {verdict.code for verdict in examine(world.tools, Wants(local=False))}
    assert "engine" in codes
    assert not codes & {"kind", "cgroup", "inotify", "memory", "subnets"}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        *(
            (
                f"cluster: {{provider: {{existing: prod}}, {key}: {value}}}",
                f"cluster.{key} has no effect on an existing cluster",
            )
            for key, value in {
                "kubernetes": '"1.36"',
                "image": "kindest/node:v1.36.4",
                "workers": "2",
                "gateways": "1",
                "registry": "{}",
                "kind": "{networking: {ipFamily: dual}}",
            }.items()
        ),
        (
            "cluster: {provider: {existing: prod}}",
            "`via: host-port` does not work with an existing cluster",
        ),
        (
            "cluster: {provider: {existing: prod}}\naddons: [metallb]",
            "add-on metallb only works in kind's network",
        ),
        ("images: {push: 'a:1'}", "images.push has no effect on a kind cluster"),
        ("images: {pull: 'a:1'}", "images.pull has no effect on a kind cluster"),
        (
            "cluster: {provider: {existing: prod}}\nimages: {pull: 'a:1'}",
            "set images.push to the registry's name on this machine",
        ),
        *(
            (
                f"cluster: {{provider: {{existing: prod}}}}\nimages: {{push: '{push}'}}",
                f"images.push: {push!r} is not the name of a registry",
            )
            for push in ("", "https://registry.example.com", "http://x y", "a b")
        ),
        (
            "cluster: {provider: {existing: prod}}\n"
            "apps: [{name: a, manifests: [k8s.yaml], build: [{image: a}]}]",
            "set images.push",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(world: World, more: str, words: str) -> None:
    Path("Dockerfile").write_text("FROM scratch\n")
    with pytest.raises(ConfigError) as refused:
        loaded(f"name: shop\n{more}\n")
    assert words in refused.value.why


NODE_PORT = "cluster: {provider: {existing: prod}}\ningress: {controller: none}\napps:\n"
NODE_PORT += "- name: shop\n  manifests: [k8s.yaml]\n  expose: [{service: web, via: node-port"


@pytest.mark.parametrize(
    ("more", "message", "hint"),
    [
        (
            "cluster: {provider: {existing: prod}}\n"
            "ingress: {expose: {via: node-port, http: 8080, https: 30443}}",
            "nothing maps port 8080 to node port 30080",
            "http: 30080",
        ),
        (
            "cluster: {provider: {existing: prod}}\n"
            "ingress: {expose: {via: node-port, http: 30080}}",
            "nothing maps port 443 to node port 30443",
            "https: 30443",
        ),
        (  # custom rests: its lack of HTTPS is not the serving controller's
            "cluster: {provider: {existing: prod}}\n"
            "ingress: {controller: nginx, expose: {via: node-port, http: 30080}, custom: {"
            "manifests: [.], namespace: a, ingressClass: a, service: a, ports: {https: null}}}",
            "nothing maps port 443 to node port 30443",
            "https: 30443",
        ),
        (
            f"{NODE_PORT}}}]",
            "the address of the node port of Service 'web' is not known",
            "INTERNAL-IP",
        ),
        (
            f"{NODE_PORT}, nodePort: 30001, local: 8080, address: 10.1.2.4}}]",
            "nothing maps port 8080 to a node port",
            "remove `local`",
        ),
    ],
)
def test_node_ports_are_where_the_file_says_and_nowhere_else(
    world: World, more: str, message: str, hint: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        loaded(f"name: shop\n{more}\n")
    (problem,) = refused.value.problems
    assert message in problem.message
    assert hint in problem.hint


def test_a_port_that_a_controller_does_not_have_is_not_asked_for(world: World) -> None:
    custom = (
        "manifests: [k8s.yaml], namespace: a, ingressClass: a, service: a, ports: {https: null}"
    )
    loaded(
        "name: shop\ncluster: {provider: {existing: prod}}\n"
        "ingress: {controller: custom, expose: {via: node-port, http: 30080}, "
        f"custom: {{{custom}}}}}\n"
    )


def test_the_url_of_a_node_port_has_the_address_of_the_node(world: World) -> None:
    Path("k8s.yaml").write_text(
        "{apiVersion: v1, kind: Service, metadata: {name: web},"
        " spec: {selector: {app: web}, ports: [{port: 80}]}}"
    )
    config = loaded(f"name: shop\n{NODE_PORT}, nodePort: 30001, address: 10.1.2.4}}]\n")
    parts = parts_of(config, world.tools)
    assert parts.ports == ()  # of this machine
    (route,) = parts.routes
    assert (route.url, route.connect) == ("http://10.1.2.4:30001/", ("10.1.2.4", 30001))


def test_providers_are_loaded_by_name() -> None:
    assert [load_provider(name).name for name in PROVIDERS] == list(PROVIDERS)
