"""configs/apps: plain manifests with a Job, a kustomization and a chart, on one cluster."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import ROOT
from tests.support.harness import Api, Kindctl, Result, until

NAME = "apps"
SPACES = ("books", "pages", "greeting")
SEEDED = ["Middlemarch", "Effi Briest", "Oblomov"]


@dataclass
class Apps:
    """Brought up from the example as it is; `folder` has a copy of it that tests may change."""

    kindctl: Kindctl
    folder: Path
    first: Result
    api: Api

    def up(self) -> list[str]:
        return self.kindctl.run("up", "-f", str(self.folder), "-o", "json").changes()

    def replace(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def pods(self) -> dict[str, set[str]]:
        """Namespace -> its pods, without those that are going and those of Jobs."""
        return {
            space: {
                pod.metadata.name
                for pod in self.api.pods(space)
                if not pod.metadata.deletion_timestamp and pod.status.phase == "Running"
            }
            for space in SPACES
        }

    def rows(self) -> list[str]:
        """Of the database itself."""
        (pod,) = self.api.pods("books", "app=database")
        query = ["psql", "-U", "books", "-d", "books", "-Atc", "SELECT text FROM text ORDER BY id"]
        return self.api.execute("books", pod.metadata.name, query).split("\n")[:-1]

    def seed(self) -> str:
        """The uid of the Job, which has succeeded once."""
        job = self.api.batch.read_namespaced_job("seed", "books")
        assert job.status.succeeded == 1
        return str(job.metadata.uid)

    def page_maps(self) -> list[str]:
        found = self.api.core.list_namespaced_config_map("pages").items
        return [one.metadata.name for one in found if one.metadata.name.startswith("html-")]


@pytest.fixture(scope="module")
def apps(kindctl: Kindctl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apps]:
    kindctl.run("images", "build", "helm")
    kindctl.run("down", NAME)
    first = kindctl.run("up", "--yes", "-f", str(ROOT / "configs" / "apps"), "-o", "json")
    folder = tmp_path_factory.mktemp("apps") / "mine"
    kindctl.run("init", "--example", "apps", str(folder))
    yield Apps(kindctl, folder, first, Api(NAME, tmp_path_factory.mktemp("api")))
    kindctl.run("down", NAME)


def get(host: str, path: str = "/") -> str:
    """`*.localhost` is this machine by RFC 6761, though not every resolver knows it."""
    request = urllib.request.Request(f"http://127.0.0.1{path}", headers={"Host": host})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=5) as response:
        return str(response.read().decode())


def test_every_url_answers(apps: Apps) -> None:
    assert apps.first.ended()["report"]["urls"] == [
        "http://books.localhost/fetch",
        "http://pages.localhost/",
        "http://greeting.localhost/",
    ]
    assert all(row in get("books.localhost", "/fetch") for row in SEEDED)
    assert "Page of the developer" in get("pages.localhost")
    assert "Good morning, everyone!" in get("greeting.localhost")


def test_each_app_is_what_its_make_says(apps: Apps) -> None:
    assert apps.rows() == SEEDED
    pages = apps.api.apps.read_namespaced_deployment("pages", "pages")
    assert pages.spec.replicas == 1  # the overlay's, not the base's
    (volume,) = pages.spec.template.spec.volumes
    assert [volume.config_map.name] == apps.page_maps()
    names = {pod.metadata.name for pod in apps.api.pods("greeting")}
    assert "greeting-answers" not in names  # for `helm test` alone


def test_a_second_up_from_the_copy_changes_nothing_and_seeds_nothing(apps: Apps) -> None:
    pods, seed = apps.pods(), apps.seed()
    assert [words for words in apps.up() if "record" not in words] == []  # the file has moved
    assert apps.up() == []
    assert apps.pods() == pods
    assert apps.seed() == seed
    assert apps.rows() == SEEDED


def test_a_changed_value_rolls_its_chart_alone(apps: Apps) -> None:
    before = apps.pods()
    apps.replace("kindctl.yaml", "greeting.name: everyone", "greeting.name: all of you")
    apps.replace("kindctl.yaml", "Good morning, everyone!", "Good morning, all of you!")
    changes = apps.up()
    assert {words.split(" greeting/")[0] for words in changes if "record" not in words} == {
        "repaired ConfigMap",
        "repaired Deployment",
    }
    until(lambda: "all of you" in get("greeting.localhost"), 10, "the old pod is let go of")
    until(lambda: not before["greeting"] & apps.pods()["greeting"], 60, "the old pod goes")
    assert {**apps.pods(), "greeting": set()} == {**before, "greeting": set()}


def test_what_a_kustomization_generates_anew_rolls_and_the_old_one_goes(apps: Apps) -> None:
    before, (old,) = apps.pods(), apps.page_maps()
    apps.replace("pages/dev/index.html", "of the developer", "of the next day")
    apps.replace("kindctl.yaml", "Page of the developer", "Page of the next day")
    assert f"removed ConfigMap pages/{old}" in apps.up()
    (new,) = apps.page_maps()
    assert new != old
    until(lambda: "next day" in get("pages.localhost"), 10, "the old pod is let go of")
    until(lambda: not before["pages"] & apps.pods()["pages"], 60, "the old pod goes")
    assert {**apps.pods(), "pages": set()} == {**before, "pages": set()}


def test_changed_rows_are_seeded_once_more(apps: Apps) -> None:
    before, seed = apps.pods(), apps.seed()
    apps.replace("books/seed.yaml", "('Oblomov')", "('Oblomov'), ('Quo Vadis')")
    apps.replace("kindctl.yaml", "contains: Middlemarch", "contains: Quo Vadis")
    assert "created Job books/seed" in apps.up()
    assert apps.seed() != seed
    assert apps.rows() == [*SEEDED, "Quo Vadis"]
    assert apps.pods() == before
    assert apps.up() == []


def test_what_cannot_be_rendered_is_refused_with_its_place(apps: Apps) -> None:
    before = apps.pods()
    page = "greeting/chart/templates/page.yaml"
    apps.replace(page, ".Values.greeting.words", ".Values.salute.words")
    refused = apps.kindctl.run("up", "-f", str(apps.folder), code=2)
    apps.replace(page, ".Values.salute.words", ".Values.greeting.words")
    assert (
        f"{apps.folder / 'kindctl.yaml'}:22:5: './greeting/chart' cannot be rendered" in refused.err
    )
    assert "templates/page.yaml:7:56" in refused.err
    assert apps.pods() == before


def test_zz_an_app_that_leaves_the_file_is_removed(apps: Apps) -> None:
    text = (apps.folder / "kindctl.yaml").read_text()
    start, end = text.index("- name: pages"), text.index("- name: greeting")
    (apps.folder / "kindctl.yaml").write_text(text[:start] + text[end:])
    apps.up()
    until(lambda: apps.api.raw("/api/v1/namespaces/pages") is None, 60, "its namespace goes")
    assert "all of you" in get("greeting.localhost")
    assert apps.rows()
