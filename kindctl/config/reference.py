"""The schema for editors (JSON Schema) and people (docs/configuration.md), and a Config as YAML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from pydantic import BaseModel

from kindctl.config.conditions import unmet
from kindctl.schema import Config


def json_schema() -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Config.model_json_schema(),
        "title": "kindctl.yaml",
    }


def as_yaml(config: Config) -> str:
    """Return a configuration file with every key that has an effect, including defaults. It loads
    as an equal Config."""
    data = _plain(config)
    for condition in unmet(config):
        *above, key = condition.path
        inner = data
        for name in above:
            inner = inner.get(name, {})
        inner.pop(key, None)
    return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True))


def _plain(value: Any) -> Any:
    """Turn a value into plain data for YAML. A null that is the default is left out."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        pairs = ((name, getattr(value, name), info.default) for name, info in fields.items())
        return {name: _plain(v) for name, v, default in pairs if v is not None or default}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def as_markdown() -> str:
    """Return the text of docs/configuration.md: a table for each part of kindctl.yaml. A test
    checks that the file matches this text."""
    schema = json_schema()
    lines = [
        "# kindctl.yaml",
        "",
        "Generated from the schema: `python -m kindctl.config.reference > docs/configuration.md`.",
        "",
        "Unknown keys are errors. All problems are reported at once, with file, line and column, before",
        "Docker is used. A `kindctl.local.yaml` next to the file overrides it, for settings of one person:",
        "mappings are merged key by key, everything else is replaced.",
        "",
    ]
    for title, part in {"kindctl.yaml": schema, **schema["$defs"]}.items():
        heading = title.removesuffix("Config").lower() if title != "kindctl.yaml" else "top level"
        lines += [f"## {heading}", "", part.get("description", ""), ""]
        lines += ["| key | type | default | meaning |", "|---|---|---|---|"]
        required = part.get("required", [])
        lines += list(_rows(part["properties"], required))
        lines.append("")
    return "\n".join(lines)


def _rows(properties: dict[str, Any], required: list[str]) -> Iterator[str]:
    for key, spec in properties.items():
        default = "**required**" if key in required else _default(spec)
        yield f"| `{key}` | {_type(spec)} | {default} | {spec.get('description', '')} |"


def _default(spec: dict[str, Any]) -> str:
    value = spec.get("default")
    if value is None:
        return ""
    return "see its table" if value and isinstance(value, dict) else f"`{value}`"


def _type(spec: dict[str, Any]) -> str:
    match spec:
        case {"$ref": reference}:
            name = reference.rpartition("/")[2].removesuffix("Config").lower()
            text = f"[{name}](#{name})"
        case {"enum": values}:
            text = " \\| ".join(f"`{value}`" for value in values)
        case {"const": value}:
            text = f"`{value}`"
        case {"anyOf": choices}:
            text = " or ".join(_type(one) for one in choices if one.get("type") != "null")
        case {"type": "array"}:
            text = f"list of {_type(spec.get('items', {}))}"
        case {"type": "object"}:
            text = "map"
        case _:
            text = str(spec.get("type", "any"))
    return text


if __name__ == "__main__":
    print(as_markdown(), end="")
