"""Images: which name serves a reference, in which order sources are asked, and the steps around it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from kindctl.errors import KindctlError, MachineError
from kindctl.images import bootstrap, cas
from kindctl.images.pins import CATALOGUE
from kindctl.images.recipe_book import RecipeBook
from kindctl.images.sources.base import Provided
from kindctl.images.store import Images
from kindctl.models import Absent, AppBuild, Change, Progress, Ready, State, Step
from kindctl.providers.base import Provider
from kindctl.steps.app_image import AppImageBuilt
from kindctl.steps.delivery import ImageInNodes
from kindctl.steps.image import ImagePresent
from kindctl.tools.protocols import Cluster
from tests.support.images_bench import CORPORATE_CA, DIGEST, Bench, PickyEngine, write_recipes


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.engine.add_image(bootstrap.ROOTFS)
    return bench


@pytest.fixture
def book(tmp_path: Path) -> RecipeBook:
    return RecipeBook(write_recipes(tmp_path / "recipes"))


PYTHON = "python:3.13-slim"


# --- the order of sources ------------------------------------------------------------------------


def test_making_images_asks_nothing() -> None:
    bench = Bench()
    bench.engine.problem = MachineError("no engine", code="engine-missing")
    Images(bench.tools, ("engine", "registry", "build"), {}, {})


def test_the_engine_comes_before_the_registry_before_the_recipe(
    bench: Bench, book: RecipeBook
) -> None:
    images = bench.images(book=book)
    built = images.provide(PYTHON, bench.heard).name
    assert built.startswith("kindctl.local/python:")
    assert images.resolve(PYTHON) == built

    bench.engine.remove_image(built)
    bench.online().publish(PYTHON)
    images = bench.images(book=book)
    assert images.provide(PYTHON, bench.heard).done == (f"pulled {PYTHON}",)
    assert images.resolve(PYTHON) == PYTHON
    assert images.provide(PYTHON, bench.heard).done == ()


def test_the_order_is_the_files(bench: Bench, book: RecipeBook) -> None:
    bench.online().publish(PYTHON)
    images = bench.images("build", "registry", book=book)
    assert images.provide(PYTHON, bench.heard).name.startswith("kindctl.local/python:")


def test_the_engine_is_asked_once_for_an_image_that_it_lacks(
    bench: Bench, book: RecipeBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(bench.engine, "image", asked.append)
    assert bench.images("engine", "registry", book=book).resolve("nowhere:1") is None
    assert len(asked) == len(set(asked))


def test_a_source_that_is_not_listed_is_not_asked(bench: Bench, book: RecipeBook) -> None:
    bench.engine.add_image(PYTHON)
    images = bench.images("build", book=book)
    assert images.resolve(PYTHON) is None
    images = bench.images("engine", book=book)
    with pytest.raises(KindctlError) as caught:
        images.provide("kindest/node:v1.36", bench.heard)
    assert bench.engine.built == []
    assert caught.value.why == "engine: no such image"


def test_a_stand_in_that_serves_goes_on_serving_when_the_network_is_back(
    bench: Bench, book: RecipeBook
) -> None:
    built = bench.images(book=book).provide(PYTHON, bench.heard).name
    bench.online().publish(PYTHON)
    images = bench.images(book=book)
    assert images.resolve(PYTHON) == built
    assert images.provide(PYTHON, bench.heard) == Provided(built)


def test_nothing_provides_and_every_source_says_why(bench: Bench, book: RecipeBook) -> None:
    with pytest.raises(KindctlError) as caught:
        bench.images(book=book).provide("redis:7", bench.heard)
    error = caught.value
    assert error.code == "image-unavailable"
    assert error.why.splitlines() == [
        "engine: no such image",
        "registry: docker.io cannot be reached",
        "build: no recipe builds this image",
    ]
    assert error.fix


def test_a_refused_pull_is_the_code_where_no_recipe_helps(book: RecipeBook) -> None:
    words = "manifest for redis:0 not found: manifest unknown"
    bench = Bench(engine=PickyEngine(words)).online()
    with pytest.raises(KindctlError) as caught:
        bench.images(book=book).provide("redis:0", bench.heard)
    assert caught.value.code == "image-pull"
    assert words in caught.value.output


def test_a_refused_pull_gives_way_to_a_recipe(book: RecipeBook) -> None:
    bench = Bench(engine=PickyEngine("pull access denied")).online()
    bench.engine.add_image(bootstrap.ROOTFS)
    name = bench.images(book=book).provide(PYTHON, bench.heard).name
    assert name.startswith("kindctl.local/python:")


def test_a_wrong_architecture_gives_way_to_the_next_source(bench: Bench, book: RecipeBook) -> None:
    image = replace(bench.engine.make_image("arm"), architecture="arm64")
    bench.engine.add_image("redis:7", image)
    images = bench.images(book=book)
    assert images.resolve("redis:7") is None
    with pytest.raises(KindctlError) as caught:
        images.provide("redis:7", bench.heard)
    assert caught.value.code == "exec-format"

    bench.online().publish("redis:7")
    images = bench.images(book=book)
    images.provide("redis:7", bench.heard)
    assert images.resolve("redis:7") == "redis:7"


def test_an_engine_that_is_gone_ends_the_search(bench: Bench, book: RecipeBook) -> None:
    bench.engine.problem = MachineError("no engine", code="engine-down")
    with pytest.raises(MachineError):
        bench.images(book=book).provide(PYTHON, bench.heard)


def test_a_full_disk_is_not_filled_by_the_next_source(bench: Bench, book: RecipeBook) -> None:
    bench.online().publish(PYTHON)
    tag = book.tag(book.get("python"))
    bench.engine.build_failures[tag] = "ERROR: write /x: no space left on device"
    with pytest.raises(MachineError):
        bench.images("build", "registry", book=book).provide(PYTHON, bench.heard)
    assert bench.engine.image(PYTHON) is None


def test_cas_of_the_host_are_part_of_what_is_built(bench: Bench) -> None:
    with_cas = Images(bench.tools, ("build",), {}, {"corp.crt": CORPORATE_CA})
    without = Images(bench.tools, ("build",), {}, {})
    python = with_cas.book.get("python")
    assert with_cas.book.tag(python) != without.book.tag(python)
    assert with_cas.book.extra_cas == {"corp.crt": CORPORATE_CA}
    assert with_cas.only(["build"]).book.tag(python) == with_cas.book.tag(python)


# --- the list, and some sources alone ------------------------------------------------------------


def test_the_same_images_from_some_sources_alone(bench: Bench, book: RecipeBook) -> None:
    images = bench.online().images(book=book)
    bench.publish(PYTHON)
    images.provide(PYTHON, bench.heard)
    build = images.only(["build"])
    assert build.resolve(PYTHON) is None
    assert build.provide(PYTHON, bench.heard).name == book.tag(book.get("python"))
    assert images.resolve(PYTHON) == PYTHON
    assert images.only(["registry"]).resolve(PYTHON) == PYTHON


def test_images_have_the_names_of_their_roles(bench: Bench, book: RecipeBook) -> None:
    images = bench.images(book=book)
    assert [images.name(reference) for reference in CATALOGUE.values()] == list(CATALOGUE)
    assert images.name("python:3.13-slim-bookworm") == "python"
    assert images.name("ghcr.io/acme/shop-backend:1") == "shop-backend"


def test_the_list_says_what_serves_and_what_it_carries(tmp_path: Path) -> None:
    bench = Bench()
    bench.engine.add_image(bootstrap.ROOTFS)
    extra = {"corp.crt": CORPORATE_CA}
    book = RecipeBook(write_recipes(tmp_path / "recipes"), extra_cas=extra)
    images = bench.images(book=book)
    images.provide(PYTHON, bench.heard)
    bench.engine.add_image("redis:7")
    pulled = replace(bench.engine.make_image("p"), digests=(f"postgres@{DIGEST}",))
    bench.engine.add_image("postgres:17", pulled)

    rows = {
        row.reference: row
        for row in images.rows([PYTHON, "redis:7", "postgres:17", CATALOGUE["node"], "mysql:8"])
    }
    python = rows[PYTHON]
    assert (python.name, python.source) == ("python", "built")
    assert python.served_by == book.tag(book.get("python"))
    (carried,) = python.carries_cas
    (fingerprint,) = cas.fingerprints(extra)
    assert fingerprint.startswith(carried)
    assert len(carried) == len("corp.crt=") + 12
    assert "python 3.13" in python.versions
    assert rows["redis:7"].source == "engine"
    assert rows["redis:7"].carries_cas == ()
    assert (rows["postgres:17"].source, rows["postgres:17"].name) == ("registry", "postgres")
    node = rows[CATALOGUE["node"]]
    assert (node.name, node.served_by, node.source) == ("node", "", "")
    assert node.versions == "node 1.36.3 can be built"
    assert rows["mysql:8"].versions == ""


# --- steps ---------------------------------------------------------------------------------------


@dataclass
class Nodes(Provider):
    """A Provider whose nodes hold what was delivered."""

    held: set[str] = field(default_factory=set)

    name = "nodes"
    kubeconfig = Path("/nowhere")
    context = "kind-nodes"
    preexisting = False
    title = "create the cluster (kind)"
    destination = "into the nodes"

    def observe(self) -> State:
        return Ready()

    def create(self, progress: Progress) -> Change:
        return Change()

    def cluster(self) -> Cluster | None:
        return None

    def holds(self, image: str) -> bool:
        return image in self.held

    def deliver(self, image: str, progress: Progress) -> None:
        self.held.add(image)

    def in_pods(self, reference: str, image: str) -> str:
        return image

    def destroy(self) -> Change:
        return Change()


def steps_of(images: Images, nodes: Nodes, build: AppBuild) -> Iterable[Step]:
    provider: Provider = nodes
    return (
        ImagePresent(images=images, reference=PYTHON),
        AppImageBuilt(images=images, reference=build.image),
        ImageInNodes(
            images=images,
            provider=provider,
            reference="shop",
            needs=frozenset({"build:shop", "cluster:containerd"}),
        ),
    )


@pytest.fixture
def shop(tmp_path: Path) -> AppBuild:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "Dockerfile").write_text(f"FROM {PYTHON}\nCOPY . .\n")
    (folder / "main.py").write_text("print()\n")
    return AppBuild("shop", folder, folder / "Dockerfile")


def test_steps_hold_after_they_were_applied_and_again_after_a_loss(
    bench: Bench, book: RecipeBook, shop: AppBuild
) -> None:
    nodes = Nodes()
    images = bench.images(book=book, builds=[shop])
    for step in steps_of(images, nodes, shop):
        assert isinstance(step.observe(), Absent), step.name
        assert step.apply(bench.heard)
        assert isinstance(step.observe(), Ready), step.name
        assert not step.apply(bench.heard), "nothing to do a second time"

    served = images.resolve("shop")
    assert served
    assert nodes.held == {served}
    nodes.held.clear()
    bench.engine.remove_image(served)
    states = [step.observe() for step in steps_of(images, nodes, shop)]
    assert [type(state) for state in states] == [Ready, Absent, Absent]


def test_steps_are_named_for_what_is_asked(bench: Bench, book: RecipeBook, shop: AppBuild) -> None:
    names = [step.name for step in steps_of(bench.images(book=book), Nodes(), shop)]
    assert names == ["image:python:3.13-slim", "build:shop", "deliver:shop:latest"]
    pinned = ImagePresent(images=bench.images(book=book), reference=f"postgres:17@{DIGEST}")
    assert pinned.name == "image:postgres:17"


def test_steps_are_absent_where_there_is_no_engine(
    bench: Bench, book: RecipeBook, shop: AppBuild
) -> None:
    bench.engine.problem = MachineError("no engine here", code="engine-missing")
    images = bench.images(book=book, builds=[shop])
    for step in steps_of(images, Nodes(), shop):
        assert step.observe() == Absent("no engine here")


def test_what_has_vanished_from_the_engine_cannot_be_delivered(
    bench: Bench, book: RecipeBook
) -> None:
    step = ImageInNodes(
        images=bench.images(book=book), provider=Nodes(), reference="redis:7", needs=frozenset()
    )
    with pytest.raises(KindctlError) as caught:
        step.apply(bench.heard)
    assert caught.value.code == "image-unavailable"
