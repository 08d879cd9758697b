"""An engine, a network and small recipes for the tests of kindctl.images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from kindctl.images.recipe_book import RecipeBook
from kindctl.images.store import Images
from kindctl.models import AppBuild, Say
from kindctl.references import full_name
from kindctl.tools.engine_protocol import ImageInfo
from kindctl.tools.engine_words import pull_error
from kindctl.tools.process import failure
from kindctl.tools.protocols import Tools
from tests.fakes.component import Heard
from tests.fakes.engine import FakeEngine
from tests.fakes.forwards import FakeForwards
from tests.fakes.host import FakeHost
from tests.fakes.kind import FakeKind
from tests.fakes.net import FakeNet

HUB = "https://registry-1.docker.io/v2/"
DIGEST = "sha256:" + "a" * 64
OTHER_DIGEST = "sha256:" + "b" * 64

CORPORATE_CA = """\
-----BEGIN CERTIFICATE-----
a2luZGN0bCBkb2VzIG5vdCBsb29rIGludG8gY2VydGlmaWNhdGVz
-----END CERTIFICATE-----
"""
"""Not a certificate: nothing here reads more of it than its Base64."""


@dataclass
class PickyEngine(FakeEngine):
    """Refuses pulls with the given words, one after the other, before it gives in."""

    def __init__(self, *words: str) -> None:
        super().__init__()
        self.words = list(words)
        self.pulls: list[str] = []

    def pull(self, reference: str, say: Say) -> ImageInfo:
        self.pulls.append(reference)
        if self.words:
            raise pull_error(failure(["docker", "pull", reference], 1, [self.words.pop(0)]))
        return super().pull(reference, say)


@dataclass
class Bench:
    engine: FakeEngine = field(default_factory=FakeEngine)
    net: FakeNet = field(default_factory=FakeNet)
    host: FakeHost = field(default_factory=FakeHost)
    heard: Heard = field(default_factory=Heard)

    @property
    def tools(self) -> Tools:
        kind = FakeKind(self.engine, self.host)
        return Tools(
            self.engine, kind, self.net, self.host, lambda *_: None, FakeForwards(self.net)
        )

    def images(
        self,
        *sources: str,
        book: RecipeBook,
        mirrors: Mapping[str, str] | None = None,
        builds: Iterable[AppBuild] = (),
    ) -> Images:
        order = sources or ("engine", "registry", "build")
        return Images(self.tools, order, mirrors, builds=builds, book=book)

    def online(self) -> Bench:
        self.net.reachable_urls |= {HUB, "https://registry.k8s.io/v2/"}
        return self

    def publish(self, reference: str, *, digest: str = "", architecture: str = "amd64") -> None:
        """Put an image into the registry under a reference. `digest`: which one it then has when pulled."""
        image = self.engine.make_image(f"published {reference} {digest}")
        name = reference.rpartition("@")[0] or reference
        repository = name if name.count(":") == 0 else name.rpartition(":")[0]
        digests = (f"{repository}@{digest}",) if digest else ()
        self.engine.registry[full_name(reference)] = replace(
            image, digests=digests, architecture=architecture
        )


def write_recipe(
    folder: Path,
    name: str,
    *,
    version: str = "1",
    needs: Sequence[str] = (),
    stands_for: Sequence[str] = (),
    bootstrap: bool = False,
    seconds: int = 10,
) -> Path:
    home = folder / name
    home.mkdir(parents=True)
    froms = "\n".join(f"FROM {base}" for base in (*needs, *(["rootfs"] if bootstrap else [])))
    (home / "Dockerfile").write_text(froms or "FROM scratch")
    (home / "recipe.toml").write_text(
        f'summary = "{name}"\nversion = "{version}"\nseconds = {seconds}\n'
        f"stands_for = {list(stands_for)!r}\nneeds = {list(needs)!r}\n"
        f"bootstrap = {str(bootstrap).lower()}\n"
        f'[args]\nVERSION = "{version}"\n[sources]\n"Debian" = "{name}"\n'
    )
    return home


def write_recipes(folder: Path) -> Path:
    """Write recipes of one family: python and go are built from debian, node from debian and go."""
    write_recipe(folder, "debian", version="13", bootstrap=True, seconds=45)
    write_recipe(folder, "go", needs=["debian"], seconds=15)
    write_recipe(
        folder, "python", version="3.13", needs=["debian"], stands_for=["python:3.13-slim*"]
    )
    write_recipe(
        folder,
        "node",
        version="1.36.3",
        needs=["debian", "go"],
        stands_for=["kindest/node:v1.36.3"],
        seconds=480,
    )
    return folder
