"""Our ingress-nginx against the stock one of kind, as the controller's own module has it.

The module's deploy/static/provider/kind/deploy.yaml is in the image that is built from that module. It
is of release 1.11; nginx_differences.yaml says in what ours differs and why. A difference that is not
in there fails, and so does an entry that no difference needs any more.
"""

from __future__ import annotations

import re
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import yaml

from kindctl.components.nginx import IngressNginx
from kindctl.models import Object, ObjectRef
from tests.fakes.cluster import FakeCluster
from tests.fakes.ways import setup

IMAGE = "kindctl.local/ingress-nginx"
FILE = "/etc/kindctl/upstream-deploy.yaml"
ALLOWED = Path(__file__).with_name("nginx_differences.yaml")
WHOLE = "*"

NAMED = ("name", "mountPath", "key")  # what tells the items of a list apart, where they have one


@dataclass(frozen=True)
class Difference:
    obj: str
    field: str
    ours: Any
    theirs: Any

    def __str__(self) -> str:
        return f"{self.obj}: {self.field}: ours {self.ours!r}, theirs {self.theirs!r}"


@dataclass(frozen=True)
class Allowed:
    """`object` and `field` may have `*` in them for any text."""

    object: str
    field: str
    reason: str

    def covers(self, difference: Difference) -> bool:
        return _like(self.object, difference.obj) and _like(self.field, difference.field)


def _like(pattern: str, text: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text) is not None


# --- both sides ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def upstream() -> dict[str, Object]:
    return by_name(yaml.safe_load_all(upstream_text()))


@pytest.fixture(scope="module")
def ours() -> dict[str, Object]:
    cluster = FakeCluster()
    controller = IngressNginx(setup("shop"))
    objects = controller.objects(cluster, lambda reference: reference)
    return by_name([*objects, *controller.late_objects(cluster)])


def upstream_text() -> str:
    tags = docker("images", "--quiet", IMAGE).decode().split()
    assert tags, f"no {IMAGE} in the engine: `kindctl images build` makes it"
    container = docker("create", tags[0]).decode().strip()
    try:
        archive = docker("cp", f"{container}:{FILE}", "-")
    finally:
        docker("rm", container)
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        member = tar.extractfile(tar.getmembers()[0])
        assert member is not None
        return member.read().decode()


def docker(*arguments: str) -> bytes:
    done = subprocess.run(["docker", *arguments], check=False, capture_output=True, timeout=60)
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr.decode()}"
    return done.stdout


def by_name(objects: Any) -> dict[str, Object]:
    return {str(ObjectRef.of(obj)): obj for obj in objects if obj}


# --- comparing -----------------------------------------------------------------------------------


def differences(ours: Mapping[str, Object], theirs: Mapping[str, Object]) -> Iterator[Difference]:
    for name in sorted({*ours, *theirs}):
        if name not in ours or name not in theirs:
            yield Difference(name, WHOLE, name in ours, name in theirs)
            continue
        left, right = dict(leaves(ours[name])), dict(leaves(theirs[name]))
        for field in sorted({*left, *right}):
            if left.get(field) != right.get(field):
                yield Difference(name, field, left.get(field), right.get(field))


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """(path, value) of every field. The order of lists does not count: their items are told apart by
    name, a container's flags by theirs, and rules of access by each single thing that they allow."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and path == "rules":
        yield from ((f"rules[{grant}]", True) for rule in value for grant in grants(rule))
    elif isinstance(value, list):
        for item in value:
            yield from _item(item, path)
    else:
        yield path, value


def _item(item: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(item, dict):
        key = next((str(item[name]) for name in NAMED if name in item), "")
        yield from leaves(item, f"{path}[{key}]")
    else:
        flag, _, rest = str(item).partition("=")
        yield f"{path}[{flag}]", rest


def grants(rule: Mapping[str, Any]) -> Iterator[str]:
    """`verb group/resource` of a rule of a Role, with the name of the object where it has one."""
    for group in rule["apiGroups"]:
        for resource in rule["resources"]:
            for verb in rule["verbs"]:
                for name in rule.get("resourceNames", [""]):
                    yield f"{verb} {group}/{resource} {name}".strip()


# --- the tests -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def allowed() -> list[Allowed]:
    return [Allowed(**entry) for entry in yaml.safe_load(ALLOWED.read_text())]


def test_every_difference_from_upstream_has_a_reason(
    ours: dict[str, Object], upstream: dict[str, Object], allowed: list[Allowed]
) -> None:
    found = list(differences(ours, upstream))
    unlisted = [str(d) for d in found if not any(entry.covers(d) for entry in allowed)]
    assert not unlisted, "\n".join(["differences without a reason:", *unlisted])


def test_every_reason_is_about_a_difference(
    ours: dict[str, Object], upstream: dict[str, Object], allowed: list[Allowed]
) -> None:
    found = list(differences(ours, upstream))
    idle = [entry for entry in allowed if not any(entry.covers(d) for d in found)]
    assert not idle, "\n".join(["entries that nothing needs:", *map(str, idle)])
    assert all(len(entry.reason) > 20 for entry in allowed)


def test_the_comparison_is_with_the_stock_manifests(upstream: dict[str, Object]) -> None:
    assert len(upstream) == 19
    assert "Deployment ingress-nginx/ingress-nginx-controller" in upstream


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("spec.replicas", lambda d: d["spec"].update(replicas=2)),
        ("metadata.labels.app.kubernetes.io/name", lambda d: d["metadata"]["labels"].clear()),
        (
            "spec.template.spec.containers[controller].args[--ingress-class]",
            lambda d: d["spec"]["template"]["spec"]["containers"][0]["args"].remove(
                "--ingress-class=nginx"
            ),
        ),
        (
            "spec.template.spec.containers[controller].ports[http].hostPort",
            lambda d: d["spec"]["template"]["spec"]["containers"][0]["ports"][0].update(
                hostPort=8080
            ),
        ),
    ],
)
def test_a_difference_is_seen(upstream: dict[str, Object], field: str, change: Any) -> None:
    name = "Deployment ingress-nginx/ingress-nginx-controller"
    copy = yaml.safe_load(yaml.safe_dump(upstream[name]))
    change(copy)
    assert field in [d.field for d in differences({**upstream, name: copy}, upstream)]
