"""`kubectl kustomize` and `helm template`, as far as the examples use them; a contract test holds them to
the real ones. What they do not know is an error here."""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from tests.fakes.host import Failed

KNOWN = {"resources", "replicas", "configMapGenerator", "apiVersion", "kind"}
ACTION = re.compile(r"\{\{ (\.[\w.]+)( \| quote)? \}\}")


# --- kubectl kustomize ---------------------------------------------------------------------------


def kubectl(arguments: Sequence[str], stdin: str, env: Mapping[str, str]) -> str:
    if arguments[0] != "kustomize":
        raise Failed(1, f'error: unknown command "{arguments[0]}" for "kubectl"')
    objects = [_hashed(obj) for obj in _kustomized(Path(arguments[1]))]
    names = {before["metadata"]["name"]: after for before, after in objects if before is not after}
    for _, obj in objects:
        for volume in _pod(obj).get("volumes") or ():
            source = volume.get("configMap") or {}
            if source.get("name") in names:
                source["name"] = names[source["name"]]["metadata"]["name"]
    return str(yaml.safe_dump_all([obj for _, obj in objects]))


def _kustomized(folder: Path) -> list[dict[str, Any]]:
    """The objects, generated ones still under their own names and marked."""
    data = yaml.safe_load((folder / "kustomization.yaml").read_text())
    if unknown := set(data) - KNOWN:
        raise Failed(1, f"error: the fake kustomize does not know {unknown}")
    objects: list[dict[str, Any]] = []
    for name in data.get("resources") or ():
        path = folder / name
        if not path.exists():
            raise Failed(1, f"error: accumulating resources: {path}: no such file or directory")
        objects += _kustomized(path) if path.is_dir() else yaml.safe_load_all(path.read_text())
    for wanted in data.get("replicas") or ():
        for obj in objects:
            if obj["metadata"]["name"] == wanted["name"] and "replicas" in (obj.get("spec") or {}):
                obj["spec"]["replicas"] = wanted["count"]
    for generator in data.get("configMapGenerator") or ():
        values = {file: (folder / file).read_text() for file in generator.get("files") or ()}
        values |= dict(text.split("=", 1) for text in generator.get("literals") or ())
        if generator.get("behavior") == "merge":
            (known,) = (o for o in objects if o.get("generated") == generator["name"])
            known["data"] |= values
        else:
            meta = {"name": generator["name"]}
            made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": values}
            objects.append({**made, "generated": generator["name"]})
    return objects


def _hashed(obj: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(as it was, as it is): a generated one has the hash of its contents in its name."""
    if "generated" not in obj:
        return obj, obj
    made = copy.deepcopy(obj)
    del made["generated"]
    content = {"kind": "ConfigMap", "name": "", "data": made["data"]}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for sign in "<>&":  # as Go writes JSON
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    made["metadata"]["name"] += "-" + digest.translate(str.maketrans("013ae", "ghkmt"))
    return obj, made


def _pod(obj: dict[str, Any]) -> dict[str, Any]:
    template = (obj.get("spec") or {}).get("template") or {}
    return dict(template.get("spec") or {})


# --- helm template -------------------------------------------------------------------------------


def helm(arguments: Sequence[str], stdin: str, env: Mapping[str, str]) -> str:
    command, release, folder, *options = arguments
    if command != "template":
        raise Failed(1, f'Error: unknown command "{command}" for "helm"')
    chart = yaml.safe_load((Path(folder) / "Chart.yaml").read_text())
    values = yaml.safe_load((Path(folder) / "values.yaml").read_text()) or {}
    pairs = list(pairwise(options))
    for option, file in pairs:
        if option == "--values":
            text = stdin if file == "-" else Path(file).read_text()
            values = _merged(values, yaml.safe_load(text) or {})
    namespace = next(value for option, value in pairs if option == "--namespace")
    known = {
        "Values": values,
        "Release": {"Name": release, "Namespace": namespace},
        "Chart": {name[:1].upper() + name[1:]: value for name, value in chart.items()},
    }
    return "".join(_templates(Path(folder), str(chart["name"]), known))


def _templates(chart: Path, name: str, known: Mapping[str, Any]) -> Iterator[str]:
    for file in sorted((chart / "templates").rglob("*.yaml")):
        text = ACTION.sub(lambda action: _value(action, known), file.read_text())
        if "{{" in text:
            raise Failed(1, f"Error: {file}: the fake helm does not know all of its actions")
        for part in re.split(r"^---$", text, flags=re.MULTILINE):
            yield f"---\n# Source: {name}/{file.relative_to(chart)}\n{part.strip()}\n"


def _value(action: re.Match[str], known: Mapping[str, Any]) -> str:
    value: Any = known
    for name in action[1].strip(".").split("."):
        value = value[name]
    return json.dumps(str(value)) if action[2] else str(value)


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(merged.get(key), dict) and isinstance(value, dict)
        merged[key] = _merged(merged[key], value) if both else value
    return merged


RENDERERS = {"kubectl": kubectl, "helm": helm}
"""For FakeHost.programs."""
