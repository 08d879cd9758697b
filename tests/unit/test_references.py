"""Image references as the engine and Kubernetes read them, and the upstream images we name by them."""

from __future__ import annotations

import pytest

from kindctl.errors import UsageError
from kindctl.images.pins import CATALOGUE, CONTROLLER, NODES, node_reference, official
from kindctl.images.recipe_book import RecipeBook
from kindctl.references import Reference, full_name, mirrored, parse

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("postgres", Reference("docker.io", "library/postgres", "latest")),
        ("postgres:17", Reference("docker.io", "library/postgres", "17")),
        ("kindest/node:v1.36.4", Reference("docker.io", "kindest/node", "v1.36.4")),
        ("docker.io/postgres:17", Reference("docker.io", "library/postgres", "17")),
        ("index.docker.io/library/postgres", Reference("docker.io", "library/postgres", "latest")),
        ("localhost/app", Reference("localhost", "app", "latest")),
        ("localhost:5001/app", Reference("localhost:5001", "app", "latest")),
        ("[::1]:5001/app:2", Reference("[::1]:5001", "app", "2")),
        ("ghcr.io/acme/a/b:x", Reference("ghcr.io", "acme/a/b", "x")),
        ("ghcr.io/acme/app@" + DIGEST, Reference("ghcr.io", "acme/app", "", DIGEST)),
        ("app:1@" + DIGEST, Reference("docker.io", "library/app", "1", DIGEST)),
        ("kindctl.local/python:3.13-ab", Reference("kindctl.local", "python", "3.13-ab")),
    ],
)
def test_a_reference_is_completed(text: str, parsed: Reference) -> None:
    assert parse(text) == parsed
    assert parse(str(parsed)) == parsed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Postgres",
        "app:",
        "app:a b",
        "app@sha256:12",
        "a//b",
        "-a",
        "app:.1",
        "app@md5:" + DIGEST,
        "https://ghcr.io/acme/app",
        "app:1:2",
        "a/bbb/",
    ],
)
def test_an_invalid_reference_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert caught.value.code == "image-reference"


@pytest.mark.parametrize(
    ("reference", "full"),
    [
        ("postgres:17", "docker.io/library/postgres:17"),
        ("postgres", "docker.io/library/postgres:latest"),
        ("kindest/node:v1", "docker.io/kindest/node:v1"),
        ("kindctl.local/x:1", "kindctl.local/x:1"),
        ("localhost/x", "localhost/x:latest"),
        ("localhost:5000/x:1", "localhost:5000/x:1"),
        (
            "registry.k8s.io/ingress-nginx/controller:v1",
            "registry.k8s.io/ingress-nginx/controller:v1",
        ),
    ],
)
def test_nodes_know_images_by_full_names(reference: str, full: str) -> None:
    assert full_name(reference) == full


def test_a_registry_is_asked_by_digest_where_there_is_one() -> None:
    assert parse("postgres:17").pull_name == "postgres:17"
    assert parse(f"ghcr.io/acme/app:1@{DIGEST}").pull_name == f"ghcr.io/acme/app@{DIGEST}"


@pytest.mark.parametrize(
    ("mirror", "asked"),
    [
        ("mirror.example.com", "mirror.example.com/library/postgres:17"),
        ("https://mirror.example.com/hub/", "mirror.example.com/hub/library/postgres:17"),
        ("127.0.0.1:5000", "127.0.0.1:5000/library/postgres:17"),
    ],
)
def test_a_mirror_is_asked_first_under_the_full_path(mirror: str, asked: str) -> None:
    places = mirrored(parse("postgres:17"), {"docker.io": mirror})
    assert [place.pull_name for place in places] == [asked, "postgres:17"]


def test_a_mirror_of_another_registry_is_not_asked() -> None:
    assert mirrored(parse(CONTROLLER), {"docker.io": "m.example.com"}) == (parse(CONTROLLER),)


def test_the_references_of_the_catalogue_can_be_pulled() -> None:
    for reference in CATALOGUE.values():
        wanted = parse(official(reference))
        assert wanted.tag


def test_a_minor_version_of_kubernetes_is_its_newest_pinned_patch() -> None:
    assert official(node_reference("1.36")) == f"kindest/node:v1.36.4@{NODES['1.36.4']}"


def test_an_exact_version_is_pinned_and_nothing_else() -> None:
    reference = node_reference("1.34.11")
    assert reference == f"kindest/node:v1.34.11@{NODES['1.34.11']}"
    assert official(reference) == reference


def test_the_version_that_the_recipe_builds_may_be_asked_for() -> None:
    built = RecipeBook().get("node").version
    assert built not in NODES
    recipe = RecipeBook().for_reference(node_reference(built))
    assert recipe
    assert recipe.name == "node"


@pytest.mark.parametrize("version", ["1.20", "1.36.99", "1.3"])
def test_an_unknown_version_is_refused_with_those_that_are_known(version: str) -> None:
    with pytest.raises(UsageError) as caught:
        node_reference(version)
    assert caught.value.code == "kubernetes-version"
    for known in ("1.36", "1.36.4", RecipeBook().get("node").version):
        assert known in caught.value.fix
