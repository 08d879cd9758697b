"""What the repository has about plug-ins: pins, recipes, examples, pages, end-to-end tests, words of the
schema. For the conformance tests in tests/unit/conformance."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, TypeVar, get_args

from kindctl.actions.examples import examples, ways
from kindctl.components import CONTROLLERS
from kindctl.config.load import Loaded, load
from kindctl.images.pins import CATALOGUE, OPTIONAL
from kindctl.images.recipe_book import RecipeBook
from kindctl.references import parse
from kindctl.schema import Config, Strict
from tests import ROOT

Rule = TypeVar("Rule", bound=Callable[..., object])

PAGES = ROOT / "docs" / "ways-in"
E2E = ROOT / "tests" / "e2e"
SECTIONS = (
    "## When to choose it",
    "## The way of a request",
    "## Options",
    "## Not run yet",
    "## When it does not work",
)
"""That every page of docs/ways-in has, in this order; others may stand between them."""


def by_name(*rules: Rule) -> dict[str, Rule]:
    """Return the rules of a kind of plug-in by their names, which the tests and CONTRIBUTING.md use."""
    return {rule.__name__: rule for rule in rules}


def assert_nothing_is_missing(complaints: Iterable[str]) -> None:
    """Fails with what to add and where, one line for each thing that is missing."""
    lines = list(complaints)
    assert not lines, "\n".join(["", *lines])


# --- the file that users write -------------------------------------------------------------------


def words_of(model: type[Strict], key: str) -> set[str]:
    """The values that a key of the schema allows, and the keys of the mappings that stand for a value."""
    found: set[str] = set()
    pending: list[Any] = [model.model_fields[key].annotation]
    while pending:
        annotation = pending.pop()
        if isinstance(annotation, str):
            found.add(annotation)
        elif isinstance(annotation, type) and issubclass(annotation, Strict):
            found.add(next(iter(annotation.model_fields)))
        pending += get_args(annotation)
    return found


@cache
def configuration_page() -> str:
    return (ROOT / "docs" / "configuration.md").read_text()


def summary_faults(name: str, summary: str, registry: str) -> Iterator[str]:
    """The line by which `--help`, errors and this documentation introduce a plug-in."""
    if not summary or "\n" in summary or summary.endswith(".") or len(summary) > 80:
        yield f"{name}: give it a summary in {registry}: one line of at most 80 characters, no full stop"


def schema_faults(name: str, model: type[Strict], key: str) -> Iterator[str]:
    """A name is in the schema's literal, and in the page that is generated from it."""
    if name not in words_of(model, key):
        yield f"{name}: add it to the values of {model.__name__}.{key} in kindctl/schema.py"
    if f"`{name}`" not in configuration_page() and f"`{{{name}: " not in configuration_page():
        yield (
            f"{name}: docs/configuration.md does not mention it; "
            "run python -m kindctl.config.reference > docs/configuration.md"
        )


# --- protocols -----------------------------------------------------------------------------------


def protocol_faults(name: str, plug_in: Any, protocol: type, where: str) -> Iterator[str]:
    """An object has all that the Protocol asks for, and its methods have the same parameters. Of a class,
    only methods and properties are asked for."""
    is_class = isinstance(plug_in, type)
    members = dict.fromkeys(member for member in vars(protocol) if not member.startswith("_"))
    if not is_class:
        members |= dict.fromkeys(inspect.get_annotations(protocol))
    if missing := [member for member in members if not hasattr(plug_in, member)]:
        yield f"{name}: {where} lacks {', '.join(missing)} of {protocol.__module__}.{protocol.__name__}"
    for member in set(members) - set(missing):
        asked, given = getattr(protocol, member, None), getattr(plug_in, member)
        if inspect.isfunction(asked) and _parameters(asked)[1:] != _parameters(given)[is_class:]:
            yield f"{name}: {where} has another {member}{inspect.signature(given)} than its Protocol"


def _parameters(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)


# --- images --------------------------------------------------------------------------------------


@cache
def recipe_book() -> RecipeBook:
    return RecipeBook()


def pin_faults(name: str, images: Iterable[str]) -> Iterator[str]:
    """Every image is pinned in one place, so that `kindctl images` knows its role, and to one version."""
    pinned = {*CATALOGUE.values(), *OPTIONAL.values()}
    for image in images:
        if image not in pinned:
            yield f"{name}: pin {image} in kindctl/images/pins.py, with a role in OPTIONAL"
        reference = parse(image)
        if reference.tag == "latest" and not reference.digest:
            yield (
                f"{name}: give {image} a tag other than `latest`, or a digest, in kindctl/images/pins.py"
            )


def recipe_faults(name: str, images: Iterable[str], readme: str | None = None) -> Iterator[str]:
    """Every image can be built from package registries, or the recipes' README says that it cannot."""
    path = "kindctl/images/recipes"
    text = (ROOT / path / "README.md").read_text() if readme is None else readme
    for image in images:
        if not recipe_book().for_reference(image) and f"\nNo recipe: `{image}`: " not in text:
            yield (
                f"{name}: add a recipe whose stands_for has {image} to {path}, "
                f"or a line `No recipe: `{image}`: WHY` to {path}/README.md"
            )


# --- examples, pages, end-to-end tests -----------------------------------------------------------


@cache
def loaded_examples() -> Mapping[str, Loaded]:
    return {name: load(folder / "kindctl.yaml") for name, folder in examples().items()}


def example_of_each_controller() -> Mapping[str, str]:
    """Every registered controller that has an example -> the example: the one with the controller's name,
    else the first that uses it."""
    found: dict[str, str] = {}
    for controller in CONTROLLERS:
        of_it = examples_with(lambda config: config.ingress.controller == controller)  # noqa: B023
        if of_it:
            found[controller] = controller if controller in of_it else of_it[0]
    return found


def examples_with(wanted: Callable[[Config], bool]) -> list[str]:
    """Names of the examples whose configuration is of the wanted kind, the sample first."""
    return [name for name, loaded in loaded_examples().items() if wanted(loaded.config)]


def page_faults(name: str, example: str) -> Iterator[str]:
    """The page of an example has the form of the others, and a row in their table."""
    path = PAGES / f"{example}.md"
    where = f"docs/ways-in/{example}.md"
    if not path.is_file():
        yield f"{name}: add the page {where}; docs/ways-in/README.md says which form it has"
        return
    text = path.read_text()
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    if [heading for heading in headings if heading in SECTIONS] != list(SECTIONS):
        yield f"{name}: {where} needs the sections {', '.join(SECTIONS)}, in this order"
    if example not in {way.name for way in ways()}:
        yield f"{name}: add a row for {example} to the table of docs/ways-in/README.md"


def ways_in_with(word: str) -> list[str]:
    """Names of the pages of docs/ways-in that have this word, as `word` or as `key: word`."""
    code = re.compile(rf"`[^`\n]*(?<![\w-]){re.escape(word)}(?![\w-])[^`\n]*`")
    return [file.stem for file in sorted(PAGES.glob("*.md")) if code.search(file.read_text())]


@cache
def examples_of_e2e() -> frozenset[str]:
    """Names of examples that some test of tests/e2e brings up: each has its name as a text there, and the
    examples of the controllers are taken from the registry (tests/e2e/ways/test_controllers.py)."""
    texts = {
        node.value
        for file in E2E.rglob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    known = set(examples())
    return frozenset(known & texts | {"sample"} | set(controllers_of_e2e().values()))


def controllers_of_e2e() -> Mapping[str, str]:
    """Registered controllers -> the example that tests/e2e/ways/test_controllers.py brings up."""
    test = (E2E / "ways" / "test_controllers.py").read_text()
    return example_of_each_controller() if "example_of_each_controller()" in test else {}


def e2e_faults(name: str, found: Collection[str], key: str) -> Iterator[str]:
    """Some example has it in its file, and is brought up on a real cluster."""
    if not set(found) & examples_of_e2e():
        yield (
            f"{name}: add `{key}` to an example in configs/ that a test in tests/e2e/ways brings up "
            f"(with it now: {', '.join(found) or 'none'})"
        )


def error_page_faults(name: str, code: str) -> Iterator[str]:
    """A code that users see has a page; tests/unit/conformance/test_error_pages.py says in which form."""
    folder = ROOT / "docs" / "troubleshooting"
    if not (folder / f"{code}.md").is_file():
        yield f"{name}: add the page docs/troubleshooting/{code}.md, in the form of the others"
    if f"| [{code}]({code}.md) |" not in (folder / "README.md").read_text():
        yield f"{name}: add a row for {code} to docs/troubleshooting/README.md"


def unit_test_faults(name: str, word: str, folder: str) -> Iterator[str]:
    """Some unit test of that folder has the plug-in's name as a text."""
    if word not in words_in_tests(folder):
        yield f"{name}: add a test with {word!r} to tests/unit/{folder}"


def component_names() -> Collection[str]:
    return [component for _, component, _ in CONTROLLERS.values()]


def words_in_tests(folder: str) -> set[str]:
    """Whole texts that stand in the tests of a folder of tests/unit."""
    return {
        word
        for file in (ROOT / "tests" / "unit" / folder).rglob("test_*.py")
        for word in re.findall(r'"([a-z][a-z0-9_-]*)"', file.read_text())
    }
