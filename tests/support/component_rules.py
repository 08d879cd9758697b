"""What every component must apply, be it a controller or an add-on; and a copy of one that brings nothing.

A rule is a function that yields what is missing. For the conformance tests in tests/unit/conformance.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from pkgutil import resolve_name

import pytest

import kindctl.components
from kindctl.components import objects
from kindctl.components.base import Addon, Component, ShippedComponent
from kindctl.components.bundled import BundledController
from kindctl.images import pins
from kindctl.models import MANAGED_LABEL
from tests import ROOT
from tests.support.situations import SERVED, Applied, refusals

ComponentRule = Callable[[Applied], Iterator[str]]
WORKLOADS = ("Deployment", "DaemonSet", "StatefulSet")


DECLARED: Mapping[type, tuple[str, ...]] = {
    Component: ("name",),
    ShippedComponent: ("package", "files", "container_images"),
    BundledController: ("home", "ingress_classes"),
    Addon: ("namespace",),
}
"""Base class -> the attributes that a class which derives from it has to declare."""

NOT_A_CLASS = (
    "kindctl.components.nowhere:Nowhere",
    "kindctl.components.traefik:Nowhere",
    "kindctl.components.traefik:TLS",
)
"""Places that no registry may have: no module, nothing of that name, and something that is not a class."""


def making_faults(
    name: str, place: str, base: type, registry: str, make: Callable[[], object]
) -> Iterator[str]:
    """The class at `place` can be loaded, derives from `base`, declares what its bases leave open, and
    gives its objects, which `make` asks for. All other rules rely on that."""
    try:
        found = resolve_name(place)
    except Exception as error:
        yield f"{name}: {registry} says {place!r}, which cannot be loaded: {error}"
        return
    bases = getattr(found, "__mro__", ())
    if base not in bases:
        yield f"{name}: {registry} says {place!r}, which is not a class that derives from {base.__name__}"
        return
    declared = [member for base in bases for member in DECLARED.get(base, ())]
    if missing := [member for member in declared if not hasattr(found, member)]:
        yield f"{name}: class {place}: declare {', '.join(missing)}"
        return
    try:
        make()
    except Exception as error:
        yield f"{name}: class {place} cannot give its objects: {type(error).__name__}: {error}"


def resolves_every_image(a: Applied) -> Iterator[str]:
    """So that what was built here runs, and nothing else is brought into the nodes."""
    for workload, container in a.containers():
        if not container["image"].startswith(SERVED):
            yield (
                f"{workload['kind']} {workload['metadata']['name']}: "
                f"pass image {container['image']} through resolve()"
            )
    if set(a.images) != a.resolved:
        yield f"images() has {sorted(a.images)}, and objects() resolves {sorted(a.resolved)}: say the same"


def is_taken_by_a_new_cluster(a: Applied) -> Iterator[str]:
    """Namespaces, kinds, ports, accounts: nothing is there but what it brings."""
    yield from refusals(a.objects)
    accounts = {
        (obj["metadata"]["namespace"], obj["metadata"]["name"])
        for obj in a.of_kind("ServiceAccount")
    }
    for workload in a.of_kind(*WORKLOADS, "Job"):
        account = workload["spec"]["template"]["spec"].get("serviceAccountName", "default")
        place = (workload["metadata"]["namespace"], account)
        if account != "default" and place not in accounts:
            name = f"{workload['kind']} {workload['metadata']['name']}"
            yield f"{name}: apply the ServiceAccount {'/'.join(place)}, which its pods name"


def says_when_its_pods_are_ready(a: Applied) -> Iterator[str]:
    """Without a probe, a pod is ready before it does its work."""
    for workload in a.of_kind(*WORKLOADS):
        for container in workload["spec"]["template"]["spec"]["containers"]:
            if "readinessProbe" not in container:
                name = f"{workload['kind']} {workload['metadata']['name']}"
                yield f"{name}: give container {container['name']} a readinessProbe"


def gives_the_same_objects_again(a: Applied) -> Iterator[str]:
    """A second `up` changes nothing: what was generated is looked up in the cluster."""
    for before, after in zip(a.objects, a.again, strict=False):
        if before != after:
            yield f"{before['kind']} {before['metadata']['name']} differs at the second call of objects()"
    if len(a.objects) != len(a.again):
        yield f"objects() gives {len(a.objects)} objects, and then {len(a.again)}"


RULES_OF_EVERY_COMPONENT: tuple[ComponentRule, ...] = (
    resolves_every_image,
    is_taken_by_a_new_cluster,
    says_when_its_pods_are_ready,
    gives_the_same_objects_again,
)


def left_out_of_any_component(
    good: Callable[[], Applied],
) -> dict[str, list[Callable[[], Applied]]]:
    """Name of each of these rules -> what a component applies, with that taken out."""
    return {
        "resolves_every_image": [
            lambda: good().changed(SERVED, ""),
            lambda: replace(good(), images=()),
        ],
        "is_taken_by_a_new_cluster": [
            lambda: good().without("Namespace").changed('"namespace": "', '"namespace": "x'),
            lambda: good().changed('"kind": "ServiceAccount"', '"kind": "NoSuchKind"'),
            lambda: good().without("ServiceAccount"),
        ],
        "says_when_its_pods_are_ready": [lambda: good().changed("readinessProbe", "someProbe")],
        "gives_the_same_objects_again": [
            lambda: replace(good(), again=good().changed(MANAGED_LABEL, "other").objects),
            lambda: replace(good(), again=[]),
        ],
    }


@contextmanager
def renamed_copy(place: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A copy of the package that a registry names by `place`, everything in it renamed, its images too;
    what the registry would have to say of it."""
    component = place.partition(":")[0].rpartition(".")[2]  # metrics_server
    words = {
        component.upper(): "COPYCAT",
        component.title().replace("_", ""): "Copycat",
        component.replace("_", "-"): "copycat",
        component: "copycat",
    }

    def renamed(text: str) -> str:
        return re.sub("|".join(words), lambda found: words[found[0]], text)

    shutil.copytree(ROOT / "kindctl" / "components" / component, folder / "copycat")
    for file in [path for path in folder.rglob("*") if path.suffix in (".py", ".yaml")]:
        file.write_text(renamed(file.read_text()))
    path = [*kindctl.components.__path__, str(folder)]
    monkeypatch.setattr(kindctl.components, "__path__", path)
    monkeypatch.setattr(pins, "COPYCAT", "copycat:v1", raising=False)
    yield renamed(place)
    for name in [name for name in sys.modules if name.startswith("kindctl.components.copycat")]:
        del sys.modules[name]
    vars(kindctl.components).pop("copycat", None)
    objects._parsed.cache_clear()  # another copy has other manifests at the same place
