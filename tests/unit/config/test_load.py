"""kindctl.yaml: what is valid, and every problem at once with its place."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from kindctl.actions.init import init
from kindctl.config.load import Loaded, find_file, load
from kindctl.config.reference import as_markdown, as_yaml, json_schema
from kindctl.errors import ConfigError, UsageError
from kindctl.schema import Config
from tests import ROOT


def write(folder: Path, text: str, name: str = "kindctl.yaml") -> Path:
    path = folder / name
    path.write_text(dedent(text))
    return path


def problems(folder: Path, text: str) -> list[tuple[int, int, str, str]]:
    with pytest.raises(ConfigError) as caught:
        load(write(folder, text))
    return [(p.line, p.column, p.message, p.hint) for p in caught.value.problems]


def test_the_smallest_file_has_all_defaults(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, "name: shop\n"))
    assert loaded == Loaded(Config(name="shop"), tmp_path / "kindctl.yaml", tmp_path)
    assert loaded.config.ingress.expose.address == "127.0.0.1"
    assert loaded.config.images.sources == ("engine", "registry", "build")


def test_the_name_of_the_command_line_wins(tmp_path: Path) -> None:
    assert load(write(tmp_path, "name: shop\n"), name="other").config.name == "other"


def test_every_problem_is_reported_at_once_with_its_place(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        """\
        name: Shop_1
        cluster:
          workers: many
          kubernets: "1.36"
        apps:
        - name: shop
          manifests: []
        """,
    )
    assert [(line, column) for line, column, _, _ in found] == [(1, 7), (3, 12), (4, 3), (7, 14)]
    assert "'Shop_1' is not valid" in found[0][2]
    assert "cluster.workers" in found[1][2]
    assert found[2][2:] == ("unknown key 'cluster.kubernets'", "did you mean 'kubernetes'?")
    assert "apps[0].manifests" in found[3][2]


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        (
            "cluster: {provider: minikube}",
            (2, 21),
            "cluster.provider: 'minikube' is not valid",
            "where the cluster comes from: `kind`, or `{existing: CONTEXT}`",
        ),
        (
            "cluster: {provider: {existng: prod}}",
            (2, 22),
            "unknown key 'cluster.provider.existng'",
            "did you mean 'existing'?",
        ),
        (
            "apps: [{name: a, manifests: [.], expose: [{service: a, via: node-port, port: [1]}]}]",
            (2, 78),
            "apps[0].expose[0].port: [1] is not valid",
            "number or name of the Service's port; default: the only one",
        ),
    ],
)
def test_a_choice_between_a_word_and_a_mapping_gives_one_problem(
    tmp_path: Path, text: str, place: tuple[int, int], message: str, hint: str
) -> None:
    found = problems(tmp_path, f"name: shop\n{text}\n")
    assert (*place, message, hint) in found
    assert len({(line, column) for line, column, _, _ in found}) == len(found)


def test_a_version_that_yaml_reads_as_a_number_gets_the_right_hint(tmp_path: Path) -> None:
    ((line, column, message, hint),) = problems(
        tmp_path, "name: shop\ncluster: {kubernetes: 1.36}\n"
    )
    assert (line, column) == (2, 23)
    assert "not the number 1.36" in message
    assert hint == 'quote it: "1.36"'


def test_an_unknown_kubernetes_version_names_the_known_ones(tmp_path: Path) -> None:
    ((line, _, message, hint),) = problems(tmp_path, 'name: shop\ncluster: {kubernetes: "1.12"}\n')
    assert line == 2
    assert "1.12" in message
    assert "1.36" in hint


@pytest.mark.parametrize("key", ["true", "1", "1.50"])
def test_a_key_that_is_no_text_has_its_place(tmp_path: Path, key: str) -> None:
    ((line, column, _, _),) = problems(tmp_path, f"name: shop\n{key}: x\n")
    assert (line, column) == (2, 1)


def test_port_clashes_inside_the_file(tmp_path: Path) -> None:
    ((line, column, message, _),) = problems(
        tmp_path,
        """\
        name: shop
        ingress:
          expose:
            http: 8080
            https: 8080
        """,
    )
    assert (line, column) == (5, 12)
    assert "both use port 8080" in message


def test_paths_and_clashing_names_of_apps(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        """\
        name: shop
        extraCAs: [none.pem]
        apps:
        - name: one
          manifests: [./nowhere]
        - name: one
          manifests: [.]
          build:
          - {image: a, context: ./gone}
          - {image: a, context: .}
        """,
    )
    messages = [message for _, _, message, _ in found]
    assert messages == [
        "file 'none.pem' does not exist",
        "two apps are named 'one'",
        "file or folder './nowhere' does not exist",
        "two apps are named 'one'",
        "image 'a' is built twice",
        "folder './gone' does not exist",
        "image 'a' is built twice",
        "there is no Dockerfile in '.'",
    ]


@pytest.mark.parametrize(
    ("name", "more", "free"),
    [
        ("ingress-nginx", "", False),
        ("traefik", "", False),
        ("custom", "", False),
        ("traefik", "ingress: {controller: none}", True),
        ("metallb", "addons: [metallb]", False),
        ("metallb", "addons: [metrics-server]", True),
        ("local-registry", "cluster: {registry: {}}", False),
        ("local-registry", "", True),
    ],
)
def test_an_app_cannot_be_named_like_what_is_installed(
    tmp_path: Path, name: str, more: str, free: bool
) -> None:
    text = f"name: shop\napps:\n- {{manifests: [.], name: {name}}}\n{more}\n"
    if free:
        assert load(write(tmp_path, text)).config.apps[0].name == name
        return
    message = f"{name!r} is the name of a component that kindctl installs"
    assert problems(tmp_path, text) == [
        (3, 26, message, f"choose another name, for example {name}-app")
    ]


def test_custom_may_stay_configured_while_another_controller_serves(tmp_path: Path) -> None:
    config = load(
        write(tmp_path, f"name: a\ningress: {{controller: traefik, {CUSTOM}}}}}\n")
    ).config
    assert config.ingress.controller == "traefik"


CUSTOM = "custom: {manifests: [.], namespace: a, ingressClass: a, service: a"


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        (
            f"ingress: {{controller: custom, {CUSTOM}, ports: {{http: 80, https: 80}}}}}}",
            (2, 124),
            "ingress.custom.ports: http and https both use port 80",
            "use a different port for each, or `https: null` if there is no HTTPS",
        ),
        (
            "ingress: {expose: {nodePorts: {http: 30081}}}",
            (2, 31),
            "ingress.expose.nodePorts has no effect without `via: node-port`",
            "remove it, or set `via: node-port`",
        ),
        (
            "images: {sources: []}",
            (2, 19),
            "images.sources is empty",
            "set a value: where to look for images, in this order",
        ),
        *(
            (
                f"cluster: {{image: '{image}'}}",
                (2, 18),
                f"cluster.image: {image!r} is not an image reference",
                "write [REGISTRY/]REPOSITORY[:TAG][@sha256:DIGEST], in lower case",
            )
            for image in ("", "x y")
        ),
    ],
)
def test_keys_without_effect_are_refused(
    tmp_path: Path, text: str, place: tuple[int, int], message: str, hint: str
) -> None:
    assert problems(tmp_path, f"name: shop\n{text}\n") == [(*place, message, hint)]


def test_an_addon_is_named_once(tmp_path: Path) -> None:
    assert problems(tmp_path, "name: shop\naddons: [metallb, metallb]\n") == [
        (2, 19, "add-on metallb is listed twice", "remove one of the two")
    ]


@pytest.mark.parametrize("key", ["nodes", "name"])
def test_what_kindctl_writes_for_kind_cannot_be_passed_through(tmp_path: Path, key: str) -> None:
    ((line, column, message, hint),) = problems(
        tmp_path, f"name: shop\ncluster:\n  kind: {{{key}: x}}\n"
    )
    assert (line, column) == (3, len("  kind: {" + key + ": ") + 1)
    assert f"cluster.kind.{key}" in message
    assert hint


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("name: [", (1, 8), "invalid YAML"),
        ("name: a\ncluster: {a: b\nimages: c\n", (3, 7), "invalid YAML"),
        ("name: !foo a\n", (1, 7), "unsupported YAML tag !foo"),
        ("name: !!int a\n", (1, 7), "'a' is not a valid int"),
        (
            "name: a\nextraCAs: [!!timestamp 2020-13-45]\n",
            (2, 12),
            "unsupported YAML tag !!timestamp",
        ),
        ("name: a\napps: &a [*a]\n", (2, 7), "this value contains itself"),
        ("name: a\ncluster: &a {<<: *a}\n", (2, 10), "this value contains itself"),
        ("name: a\napps: " + "[" * 200 + "]" * 200, (2, 107), "nested too deeply"),
        ("name: a\n<<: b\n", (2, 5), "expected a mapping or list of mappings for merging"),
        ("name: a\n? [b]\n: c\n", (2, 3), "a key must be plain text"),
        ("name: a\n~: c\n", (2, 1), "a key must be"),
        ("name: a\nimages: {mirrors: {1.5: c}}\n", (2, 20), "keys must be strings"),
        ("name: a\nimages: \x07\n", (2, 9), "a control character"),
        ("name: a\n---\nname: b\n", (3, 1), "only the first YAML document is read"),
        ("name: a\nname: b\n", (2, 1), "duplicate key 'name'"),
        ("- 1\n", (1, 1), "expected `key: value`"),
        ("name: a\n\tcluster: {}\n", (2, 1), "invalid YAML"),
        ("", (1, 1), "'name' is missing"),
    ],
)
def test_yaml_errors_have_a_place(
    tmp_path: Path, text: str, place: tuple[int, int], message: str
) -> None:
    ((line, column, said, hint),) = problems(tmp_path, text)
    assert (line, column) == place
    assert message in said
    assert hint


def test_merged_keys_may_be_overridden(tmp_path: Path) -> None:
    config = load(
        write(
            tmp_path,
            """\
            name: shop
            apps:
            - &a {name: a, manifests: [.], expect: [{path: /x}]}
            - {<<: *a, name: b, expect: []}
            """,
        )
    ).config
    assert [(app.name, len(app.expect)) for app in config.apps] == [("a", 1), ("b", 0)]


def test_a_date_is_text(tmp_path: Path) -> None:
    ((line, column, message, _),) = problems(tmp_path, "name: a\nextraCAs: [2020-13-45]\n")
    assert (line, column, message) == (2, 12, "file '2020-13-45' does not exist")


def test_a_problem_with_an_overridden_key_is_placed_in_the_local_file(tmp_path: Path) -> None:
    file = write(tmp_path, "name: shop\ningress: {expose: {http: 80, https: 8443}}\n")
    write(tmp_path, "ingress: {expose: {http: 8080}}\n", "kindctl.local.yaml")
    expose = load(file).config.ingress.expose
    assert (expose.http, expose.https) == (8080, 8443)

    write(tmp_path, "ingress: {expose: {http: 8443}}\n", "kindctl.local.yaml")
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert "both use port 8443" in caught.value.problems[0].message

    write(tmp_path, "\ncluster: {wrkers: 1}\n", "kindctl.local.yaml")
    with pytest.raises(ConfigError) as caught:
        load(file)
    (problem,) = caught.value.problems
    assert (Path(problem.file).name, problem.line, problem.column) == ("kindctl.local.yaml", 2, 11)


@pytest.mark.parametrize(
    ("key", "base", "local", "merged"),
    [
        ("images", "{push: base:1}", "{push: local:1}", {"push": "local:1"}),
        ("images", "{mirrors: {a: base, b: base}}", "{mirrors: {b: local, c: local}}",
         {"mirrors": {"a": "base", "b": "local", "c": "local"}}),
        ("images", "{sources: [engine, build]}", "{sources: [registry]}",
         {"sources": ("registry",)}),
        ("images", "{mirrors: {a: base}}", "{mirrors: null, sources: [build]}", None),
        ("addons", "[metallb, metrics-server]", "[metallb]", ("metallb",)),
        ("addons", "[metallb]", "[]", ()),
        ("cluster", "{kind: {networking: {ipFamily: dual, podSubnet: a}}}",
         "{kind: {networking: {ipFamily: ipv4}}}",
         {"kind": {"networking": {"ipFamily": "ipv4", "podSubnet": "a"}}}),
        ("cluster", "{kind: {extraMounts: [{hostPath: a}, {hostPath: b}]}}",
         "{kind: {extraMounts: [{hostPath: c}]}}", {"kind": {"extraMounts": [{"hostPath": "c"}]}}),
        ("cluster", "{workers: 1}", "{workers: 2}", {"workers": 2}),
    ],
)  # fmt: skip
def test_the_local_file_wins_where_both_files_have_a_key(
    tmp_path: Path, key: str, base: str, local: str, merged: object
) -> None:
    existing = "" if key == "cluster" else "cluster: {provider: {existing: prod}}\n"
    text = f"name: shop\n{existing}ingress: {{controller: none}}\n"
    if key == "addons":
        text = text.replace(existing, "")
    file = write(tmp_path, f"{text}{key}: {base}\n")
    write(tmp_path, f"{key}: {local}\n", "kindctl.local.yaml")
    if merged is None:  # null replaces a mapping too, and is refused in its place
        with pytest.raises(ConfigError) as caught:
            load(file)
        assert [Path(p.file).name for p in caught.value.problems] == ["kindctl.local.yaml"]
        return
    found = getattr(load(file).config, key)
    if isinstance(merged, dict):
        assert {name: getattr(found, name) for name in merged} == merged
    else:
        assert found == merged


def test_the_local_file_wins_over_the_name_of_the_environment(tmp_path: Path) -> None:
    file = write(tmp_path, "name: shop\n")
    write(tmp_path, "name: mine\n", "kindctl.local.yaml")
    assert load(file).config.name == "mine"


def test_a_missing_file_is_a_problem_of_that_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "kindctl.yaml")
    assert caught.value.exit_code == 2
    assert "No such file" in caught.value.problems[0].message


def test_the_nearest_file_is_found_upwards(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert find_file(deep) is None
    file = write(tmp_path, "name: shop\n")
    assert find_file(deep) == file


def test_without_a_file_the_sample_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    loaded = load()
    assert loaded.config.name == "sample"
    assert loaded.config.apps[0].expect


def test_init_writes_a_valid_file_that_names_every_top_level_key(tmp_path: Path) -> None:
    path = init(tmp_path / "My Shop")
    assert load(path).config.name == "my-shop"
    text = path.read_text()
    assert [key for key in Config.model_fields if f"{key}:" not in text] == []
    with pytest.raises(UsageError, match="exists"):
        init(path.parent)


def test_init_refuses_a_name_that_cannot_be_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a valid name"):
        init(tmp_path, "Not A Name")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "more",
    [
        "cluster: {workers: 2}",
        "cluster: {provider: {existing: prod}}\ningress: {controller: none}",
        "ingress: {expose: {via: node-port}}",
        "ingress: {controller: custom, custom: {manifests: [.], namespace: a, ingressClass: a, "
        "service: a, ports: {https: null}}}",
    ],
)
def test_show_round_trips(tmp_path: Path, more: str) -> None:
    config = load(write(tmp_path, f"name: shop\n{more}\n")).config
    again = load(write(tmp_path, as_yaml(config), "again.yaml")).config
    assert again == config


def test_the_schema_refuses_unknown_keys_too() -> None:
    import jsonschema

    jsonschema.validate({"name": "shop"}, json_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"name": "shop", "nmae": 1}, json_schema())


def test_the_configuration_reference_is_generated_from_the_schema() -> None:
    written = (ROOT / "docs" / "configuration.md").read_text()
    assert written == as_markdown(), "python -m kindctl.config.reference > docs/configuration.md"
