"""Every module has a test file of its name, and every test file a module: `config/load.py` is tested by
`tests/unit/config/test_load.py`, a package by a file of its own name beside or in its folder."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import pytest

from tests import ROOT

UNIT = ROOT / "tests" / "unit"
CODE = ROOT / "kindctl"

TESTED_ELSEWHERE = {
    "tests/contract/test_cluster.py": """
        tools/cluster tools/cluster_discovery tools/cluster_watch live/cluster_wake""",
    "tests/contract/test_engine.py": "tools/engine",
    "tests/contract/test_forwards.py": """
        tools/forwards tools/unix_sockets forward/__main__ forward/access""",
    "tests/contract/test_net.py": "tools/net",
    "tests/contract/test_process.py": "tools/process",
    "tests/contract/test_real.py": "tools/protocols tools/real tools/engine_protocol",
    "tests/contract/test_registry.py": "images/sources/engine images/sources/registry",
    "tests/contract/test_runner.py": "runner/events runner/graph runner/stopped runner/survey",
    "tests/contract/test_stores.py": "trust/base trust/macos trust/nss trust/system",
    "tests/unit/cli/test_cli.py": """
        cli/common cli/config cli/doctor cli/down cli/explain cli/forward cli/images cli/init
        cli/kubeconfig cli/list cli/logs cli/open cli/plan cli/purge cli/status cli/trust
        cli/up cli/urls cli/version actions/elsewhere actions/images actions/validate paths""",
    "tests/unit/render/test_screens.py": "render/screen",
    "tests/unit/actions/test_up.py": "actions/plan",
    "tests/unit/actions/test_examples.py": "actions/init planning/parts",
    "tests/unit/actions/test_forwards.py": "steps/forward exposures/port_forward forward/client",
    "tests/unit/trust/test_stores.py": "actions/trust",
    "tests/unit/trust/test_authority.py": "steps/local_ca",
    "tests/unit/config/test_schema_problems.py": """
        components/__init__ providers/__init__ schema""",
    "tests/unit/components/test_app.py": "components/app/generated components/base",
    "tests/unit/components/test_custom.py": """
        components/custom/brought components/witness/__init__""",
    "tests/unit/ingress/test_replicas.py": "components/metrics_server/__init__",
    "tests/unit/conformance/test_diagnose.py": "diagnose/base diagnose/common",
    "tests/unit/planning/test_exposing.py": """
        exposures/base exposures/host_port exposures/node_port live/addresses manifests/services
        ingress/entry_point""",
    "tests/unit/config/test_load.py": """
        config/checks config/conditions config/places config/reference errors config/file_checks""",
    "tests/unit/images/test_app_builds.py": "images/cas",
    "tests/unit/images/test_store.py": "images/listing steps/app_image steps/delivery",
    "tests/unit/images/sources/test_build.py": "images/sources/base images/building",
    "tests/unit/images/test_recipe_book.py": "images/pins",
    "tests/unit/ingress/test_gateway_api.py": "images/objects",
    "tests/unit/steps/test_url.py": "ingress/proof steps/proven",
    "tests/unit/steps/test_objects.py": """
        live/applied live/desired live/differences live/established models live/drift
        live/drift_state live/listing live/refusals steps/base""",
    "tests/unit/steps/test_workloads.py": "live/readiness",
    "tests/unit/steps/test_record.py": "live/record",
    "tests/unit/steps/test_prune.py": "live/stale_tokens live/port_holders",
    "tests/unit/manifests/test_shapes.py": "manifests/checksum",
    "tests/unit/manifests/test_manifest.py": "manifests/scopes manifests/yaml_nodes",
    "tests/unit/manifests/test_rendering.py": "manifests/sources",
    "tests/unit/planning/test_plan.py": """
        steps/cluster steps/preflight planning/apps planning/origins""",
    "tests/unit/providers/test_kind.py": "providers/base providers/node_image providers/nodes",
    "tests/unit/providers/test_registry.py": "components/local_registry steps/registry",
    "tests/unit/render/test_live.py": "render/board render/style",
    "tests/unit/render/test_tables.py": "render/verdicts",
    "tests/unit/components/test_nginx.py": "components/objects plugins",
}
"""Where modules without a test file of their name are tested. This list only gets shorter."""

NOT_OF_A_MODULE = {
    "test_fake_apt.py": "a fake",
    "test_guards.py": "this suite",
    "test_mirror.py": "this suite",
    "test_chosen_ways.py": "the ways in that the test command runs",
    "test_workflows.py": ".github/workflows",
}
"""What such a test file is about. Those of conformance/ ask all plug-ins of a kind."""


@cache
def modules() -> Sequence[Path]:
    """Every module that defines a function or class, relative to the package."""

    def defines(file: Path) -> bool:
        body = ast.parse(file.read_text()).body
        return any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in body)

    files = sorted(file for file in CODE.rglob("*.py") if defines(file))
    return [file.relative_to(CODE).with_suffix("") for file in files]


def test_files(module: Path) -> list[Path]:
    """The places at which a module's test file may be, relative to tests/unit."""
    if module.name != "__init__":
        return [module.parent / f"test_{module.name.strip('_')}.py"]
    package = module.parent
    name = f"test_{package.name}.py"
    return [package.parent / name, package / name]


test_files.__test__ = False  # type: ignore[attr-defined]


def without_a_file() -> set[str]:
    return {
        module.as_posix()
        for module in modules()
        if not any((UNIT / file).exists() for file in test_files(module))
    }


def listed() -> list[str]:
    return [module for modules in TESTED_ELSEWHERE.values() for module in modules.split()]


def missing_test_file(module: str) -> str:
    """What to do about a module without a test file."""
    file = test_files(Path(module))[0]
    return f"kindctl/{module}.py: add tests/unit/{file.as_posix()}"


def stray_test_file(file: str) -> str:
    """What to do about a test file without a module."""
    module = (Path(file).parent / Path(file).stem.removeprefix("test_")).as_posix()
    return (
        f"tests/unit/{file}: there is no kindctl/{module}.py with a function or class; name the file after "
        "the module that it tests, or list it in NOT_OF_A_MODULE (tests/unit/test_mirror.py)"
    )


def assert_none(lines: Iterable[str]) -> None:
    """Fails with one line for each thing to do."""
    found = sorted(lines)
    assert not found, "\n".join(["", *found])


def test_every_module_has_a_test_file_of_its_name() -> None:
    assert_none(missing_test_file(module) for module in without_a_file() - set(listed()))


def test_a_failure_says_which_file_to_add_or_to_rename() -> None:
    add = missing_test_file("components/duo/__init__")
    assert add == "kindctl/components/duo/__init__.py: add tests/unit/components/test_duo.py"
    assert missing_test_file("config/duo").endswith("add tests/unit/config/test_duo.py")
    stray = stray_test_file("config/test_duo.py")
    assert stray.startswith("tests/unit/config/test_duo.py: there is no kindctl/config/duo.py")
    with pytest.raises(AssertionError, match=r"\n *first\n *second\n"):
        assert_none(["second", "first"])


def test_the_list_of_exceptions_only_gets_shorter() -> None:
    assert sorted(listed()) == sorted(set(listed()))
    assert_none(
        f"kindctl/{module}.py has a test file of its name, or is gone: remove it from TESTED_ELSEWHERE"
        for module in set(listed()) - without_a_file()
    )


@pytest.mark.parametrize("file", TESTED_ELSEWHERE)
def test_what_is_tested_elsewhere_is_tested_in_a_file_that_is_there(file: str) -> None:
    assert (ROOT / file).is_file()


def test_every_test_file_has_the_name_of_a_module() -> None:
    found = {file.relative_to(UNIT) for file in UNIT.rglob("test_*.py")}
    packages = (file.relative_to(CODE).with_suffix("") for file in CODE.rglob("__init__.py"))
    named = {file for module in (*modules(), *packages) for file in test_files(module)}
    strays = {file.as_posix() for file in found - named if file.parts[0] != "conformance"}
    assert_none(stray_test_file(file) for file in strays - set(NOT_OF_A_MODULE))
    assert_none(
        f"tests/unit/{file} has a module of its name, or is gone: remove it from NOT_OF_A_MODULE"
        for file in set(NOT_OF_A_MODULE) - strays
    )
