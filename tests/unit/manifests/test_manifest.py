"""Reading manifests: what becomes an object, and every problem with its place."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest

from kindctl.errors import ConfigError
from kindctl.manifests.manifest import Manifest, read_manifests
from kindctl.manifests.scopes import Scopes

CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
"""


def write(root: Path, file: str, text: str) -> None:
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text))


def read(root: Path, *entries: str) -> list[Manifest]:
    return read_manifests(root, entries or (".",), "shop")


def problems(root: Path, *entries: str) -> list[tuple[str, int, str, str]]:
    with pytest.raises(ConfigError) as caught:
        read(root, *entries)
    return [(Path(p.file).name, p.line, p.message, p.hint) for p in caught.value.problems]


def test_a_folder_is_read_in_the_order_of_its_names_with_all_documents(tmp_path: Path) -> None:
    write(tmp_path, "k8s/b.yml", CONFIG_MAP.format(name="three"))
    two = CONFIG_MAP.format(name="one") + "---\n# nothing\n---\n" + CONFIG_MAP.format(name="two")
    write(tmp_path, "k8s/a.yaml", two)
    write(tmp_path, "k8s/c.json", json.dumps(json_map("four"), indent="\t"))
    write(tmp_path, "k8s/README.md", "# not: [yaml")
    write(tmp_path, "extra.yaml", CONFIG_MAP.format(name="zero"))
    found = read(tmp_path, "extra.yaml", "k8s")
    assert [manifest.name for manifest in found] == ["zero", "one", "two", "three", "four"]
    assert [manifest.place()[0] for manifest in found] == [1, 1, 8, 1, 1]


def json_map(name: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


def test_a_list_is_its_items_at_their_own_places(tmp_path: Path) -> None:
    write(
        tmp_path,
        "all.yaml",
        """\
        apiVersion: v1
        kind: List
        items:
        - apiVersion: v1
          kind: Service
          metadata: {name: a}
        - apiVersion: v1
          kind: Service
          metadata: {name: b}
        - kind: Service
          metadata: {name: c}
        """,
    )
    assert problems(tmp_path)[0][:3] == ("all.yaml", 10, "object without apiVersion")
    text = (tmp_path / "all.yaml").read_text().replace("- kind", "- apiVersion: v1\n  kind")
    (tmp_path / "all.yaml").write_text(text)
    assert [(m.name, m.place()[0]) for m in read(tmp_path)] == [("a", 4), ("b", 7), ("c", 10)]


def test_namespaces_are_filled_in_where_the_kind_has_one(tmp_path: Path) -> None:
    write(
        tmp_path,
        "all.yaml",
        """\
        {apiVersion: v1, kind: Service, metadata: {name: a}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: a, namespace: other}}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: a}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: shop, namespace: wrong}}
        ---
        {apiVersion: example.com/v1, kind: Cluster, metadata: {name: custom}}
        ---
        {apiVersion: example.com/v1, kind: Galaxy, metadata: {name: custom}}
        ---
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: galaxies.example.com}
        spec: {group: example.com, scope: Cluster, names: {kind: Galaxy}}
        """,
    )
    assert [(m.kind, m.namespace) for m in read(tmp_path)] == [
        ("Service", "shop"),
        ("Service", "other"),
        ("ClusterRole", ""),
        ("Namespace", ""),
        ("Cluster", "shop"),
        ("Galaxy", ""),
        ("CustomResourceDefinition", ""),
    ]


def test_a_definition_sets_the_scope_only_in_its_group() -> None:
    names = {"kind": "Role"}
    crd = {"kind": "CustomResourceDefinition", "spec": {"group": "x.io", "names": names}}
    scopes = Scopes.of([{**crd, "spec": {**crd["spec"], "scope": "Cluster"}}])  # type: ignore[dict-item]
    assert not scopes.namespaced({"apiVersion": "x.io/v1", "kind": "Role"})
    assert scopes.namespaced({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role"})


def test_all_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "kind: [\n")
    write(tmp_path, "b.yaml", "- just\n- words\n---\n" + CONFIG_MAP.format(name="x"))
    write(tmp_path, "c.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {labels: {a: b}}\n")
    write(tmp_path, "d.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}\n")
    write(tmp_path, "e.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: 42}\n")
    write(tmp_path, "f.yaml", "metadata:\n  name: a\n  name: b\napiVersion: v1\nkind: Pod\n")
    (tmp_path / "g.yaml").write_bytes(b"\xff\xfe")
    found = problems(tmp_path)
    assert [(file, line) for file, line, _, _ in found] == [
        ("a.yaml", 1),
        ("b.yaml", 1),
        ("c.yaml", 1),
        ("d.yaml", 1),
        ("e.yaml", 3),
        ("f.yaml", 3),
        ("g.yaml", 0),
    ]
    messages = [message for _, _, message, _ in found]
    assert messages[0].startswith("invalid YAML: ")
    assert messages[1] == "expected a Kubernetes object, got ['just', 'words']"
    assert messages[2] == "Pod without metadata.name"
    assert "generateName" in messages[3]
    assert (messages[4], found[4][3]) == ("the name of this Pod is the number 42", 'quote it: "42"')
    assert messages[5] == "duplicate key 'name'"
    assert messages[6] == "not UTF-8 text"


def test_a_duplicate_object_names_the_first(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", CONFIG_MAP.format(name="x"))
    write(tmp_path, "b.yaml", CONFIG_MAP.format(name="x") + "  namespace: shop\n")
    write(tmp_path, "c.yaml", CONFIG_MAP.format(name="x") + "  namespace: other\n")
    ((file, line, message, hint),) = problems(tmp_path)
    assert (file, line, message) == ("b.yaml", 1, "ConfigMap shop/x is defined twice")
    assert hint.endswith("a.yaml:1")


def test_versions_of_a_group_are_the_same_object(tmp_path: Path) -> None:
    for version in ("v1", "v2"):
        write(
            tmp_path,
            f"{version}.yaml",
            f"apiVersion: autoscaling/{version}\nkind: HorizontalPodAutoscaler\nmetadata: {{name: a}}\n",
        )
    assert "is defined twice" in problems(tmp_path)[0][2]


def test_folders_without_manifests_say_what_is_there_instead(tmp_path: Path) -> None:
    write(tmp_path, "deep/base/a.yaml", CONFIG_MAP.format(name="x"))
    (tmp_path / "empty").mkdir()
    write(tmp_path, "kust/kustomization.yaml", "resources: []\n")
    found = {
        file: (message, hint)
        for file, _, message, hint in problems(tmp_path, "deep", "empty", "kust")
    }
    assert found["deep"] == ("no manifests in folder 'deep'", "list its subfolders instead: base")
    endings = "manifests are files that end in .yaml, .yml, .json"
    assert found["empty"] == ("no manifests in folder 'empty'", endings)
    assert found["kust"][0] == "kustomizations and charts are not supported here"
    assert problems(tmp_path, "gone.yaml")[0][2] == "No such file or directory"


def test_a_template_gets_its_own_hint(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "kind: {{ .Values.kind }}\n")
    assert problems(tmp_path)[0][3] == "this is a template: render it first"


def test_kindctls_own_file_in_the_folder_is_no_manifest(tmp_path: Path) -> None:
    write(tmp_path, "kindctl.yaml", "name: shop\n")
    write(tmp_path, "a.yaml", CONFIG_MAP.format(name="x"))
    assert [manifest.name for manifest in read(tmp_path)] == ["x"]


def test_words_are_read_as_kubernetes_reads_them(tmp_path: Path) -> None:
    write(
        tmp_path,
        "a.yaml",
        CONFIG_MAP.format(name="x")
        + """\
data:
  date: 2026-11-24
  time: 12:30:45
  mode: 0644
  exponent: 1e3
  number: 12
  decimal: 1.5
  yes: on
  version: 1.2.3
  huge: 0x1f
""",
    )
    (manifest,) = read(tmp_path)
    data = manifest.obj["data"]
    assert data == {
        "date": "2026-11-24",
        "time": "12:30:45",
        "mode": 0o644,
        "exponent": 1000.0,
        "number": 12,
        "decimal": 1.5,
        "true": True,
        "version": "1.2.3",
        "huge": 31,
    }
    assert type(data["number"]) is int


def test_the_place_of_a_missing_field_is_its_nearest_parent(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", CONFIG_MAP.format(name="x") + "data:\n  list:\n  - a: 1\n  - b: 2\n")
    (manifest,) = read(tmp_path)
    assert manifest.place(("metadata", "name")) == (4, 9)
    assert manifest.place(("data", "list", 1, "b")) == (8, 8)
    assert manifest.place(("data", "list", 7)) == (7, 3)
    assert manifest.place(("spec", "rules")) == (1, 1)
    assert Manifest(manifest.obj, "made").place(("data",)) == (0, 0)


def test_anchors_and_merge_keys_work(tmp_path: Path) -> None:
    write(
        tmp_path,
        "a.yaml",
        CONFIG_MAP.format(name="x")
        + "data: &d {a: b}\nbinaryData: {<<: *d, c: d}\nother: [*d, *d]\n",
    )
    (manifest,) = read(tmp_path)
    assert manifest.obj["binaryData"] == {"a": "b", "c": "d"}


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("x: !!int foo\n", 5, "'foo' is not a valid int"),
        ("x: &x [*x]\n", 5, "this value contains itself"),
        ("x: !Ref foo\n", 5, "unsupported YAML tag !Ref"),
        ("data: {a: b}\nx: [\n", 6, "invalid YAML: did not find expected node content"),
    ],
)
def test_invalid_data_has_its_place(tmp_path: Path, text: str, line: int, message: str) -> None:
    write(tmp_path, "a.yaml", CONFIG_MAP.format(name="x") + text)
    assert [found[:3] for found in problems(tmp_path)] == [("a.yaml", line, message)]


def test_an_equals_sign_is_text(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", CONFIG_MAP.format(name="x") + "data: {matchType: =}\n")
    assert read(tmp_path)[0].obj["data"] == {"matchType": "="}
