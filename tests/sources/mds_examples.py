"""Examples made from published schemas: valid ones, and each with one thing wrong.

JSON Schema as the MDS files use it, and the same written in YAML (OpenAPI). The YAML reader knows
only what those files contain.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

UUID = "3c9604d6-b5ee-41e8-96f8-529269fb1459"
TIME = 1_700_000_000_000
_KEY = re.compile(r"('[^']*'|\"[^\"]*\"|[\w$&.-]+):(?:\s+(.*))?$")


def schema_at(path: Path) -> Any:
    """A schema with all its references written out."""
    if path.suffix == ".json":
        document = json.loads(path.read_text(encoding="utf-8"))
        return _resolved(document, document, path)
    document = read_yaml(path.read_text(encoding="utf-8"))
    return _resolved(document, document, path)


def _resolved(node: Any, document: Any, path: Path) -> Any:
    if isinstance(node, list):
        return [_resolved(part, document, path) for part in node]
    if not isinstance(node, dict):
        return node
    rest = {k: _resolved(v, document, path) for k, v in node.items() if k != "$ref"}
    reference = node.get("$ref")
    if not isinstance(reference, str):
        return rest if reference is None else rest | {"$ref": reference}
    if reference.startswith("#/$defs/"):
        return _resolved(document["$defs"][reference.removeprefix("#/$defs/")], document, path)
    if reference.startswith("#/"):
        name = reference.removeprefix("#/definitions/")
        if name not in document["definitions"]:  # forgotten in some of the published files
            document = _document_with(name, path)
        return _resolved(document["definitions"][name], document, path) | rest
    target = (path.parent / reference).resolve()
    return (schema_at(target) if target.exists() else {}) | rest


def _document_with(name: str, path: Path) -> Any:
    version = next(folder for folder in path.parents if folder.name.startswith("v"))
    for other in sorted(version.rglob("*.json")):
        document = json.loads(other.read_text(encoding="utf-8"))
        if name in document.get("definitions", {}):
            return document
    raise LookupError(name)


def flat(schema: Any) -> Any:
    """The schema with what `allOf` adds merged in; of several modes only micromobility."""
    schema = dict(schema)
    for part in [*schema.pop("allOf", []), *_mode(schema)]:
        part = flat(part)
        properties = {**schema.get("properties", {})}
        for name, own in part.get("properties", {}).items():
            properties[name] = properties.get(name, {}) | own
        required = [*schema.get("required", []), *part.get("required", [])]
        schema |= {k: v for k, v in part.items() if k not in ("properties", "required")}
        schema |= {"properties": properties, "required": list(dict.fromkeys(required))}
    return schema


def _mode(schema: Any) -> list[Any]:
    options = schema.get("oneOf", [])
    mode = [o for o in options if "micromobility" in json.dumps(o)]
    if mode:
        schema.pop("oneOf")
    return mode[:1]


def example(schema: Any, name: str = "") -> Any:
    """A value that the schema allows, with every field it knows."""
    schema = flat(schema)
    for pick in ("const", "enum"):
        if pick in schema:
            return schema[pick] if pick == "const" else schema["enum"][0]
    if "oneOf" in schema and "properties" not in schema and schema.get("type") != "string":
        return example(schema["oneOf"][0], name)
    kinds = schema.get("type", "object" if "properties" in schema else "string")
    if kinds == "null":
        return None
    kind = next(k for k in ([kinds] if isinstance(kinds, str) else kinds) if k != "null")
    if kind == "object":
        return {key: example(part, key) for key, part in schema.get("properties", {}).items()}
    if kind == "array":
        parts = schema.get("items", {})
        if isinstance(parts, list):
            return [-86.77, 36.16]
        return [example(parts, name) for _ in range(max(1, schema.get("minItems", 1)))]
    if kind in ("integer", "number"):
        return _number(schema, name)
    if kind == "boolean":
        return True
    pattern = schema.get("pattern", "")
    if "0-9a-f" in pattern:
        return UUID
    if name == "currency":
        return "USD"
    return "https://example.org/photo.jpg" if schema.get("format") == "uri" else "text"


def _number(schema: Any, name: str) -> float:
    if name in ("start_time",):
        return TIME - 600_000
    if name.endswith("time") or name in ("timestamp", "last_reported", "last_updated", "updated"):
        return TIME
    if name.endswith("_date"):
        return TIME
    if name in ("trip_duration", "duration"):
        return 600
    if "maximum" in schema:
        high, low = schema["maximum"], schema.get("minimum", 0)
        middle = low + (high - low) * 0.7
        return int(middle) if schema.get("type") == "integer" else middle
    return max(7, int(schema.get("minimum", 0)))


@dataclass(frozen=True)
class Variant:
    """An example with one thing wrong at `path`."""

    path: str
    wrong: str
    value: Any

    def __str__(self) -> str:
        return f"{self.path}:{self.wrong}"


def variants(schema: Any, whole: Any) -> Iterator[Variant]:
    """Of a valid example: each field missing if required, of a wrong type, a word of no enum."""
    for path, part, required in _fields(schema, ()):
        if required:
            yield Variant(".".join(path), "missing", _without(whole, path))
        kinds = _kinds(part)
        if kinds:
            wrong = next(v for k, v in _WRONG.items() if not {k} & kinds)
            yield Variant(".".join(path), "type", _with(whole, path, wrong))
        flat_part = flat(part)
        items = flat_part.get("items", {})
        if "enum" in flat_part and flat_part["enum"] != [None]:
            yield Variant(".".join(path), "enum", _with(whole, path, "no-such-word"))
        elif isinstance(items, dict) and "enum" in flat(items):
            yield Variant(".".join(path), "enum", _with(whole, path, ["no-such-word"]))


_WRONG: dict[str, Any] = {"object": {"odd": True}, "string": "odd", "array": ["odd"]}


def _kinds(schema: Any) -> set[str]:
    schema = flat(schema)
    if "oneOf" in schema and "type" not in schema:
        return set().union(*(_kinds(option) for option in schema["oneOf"]))
    kinds = schema.get("type", "object" if "properties" in schema else None)
    if kinds is None:
        words = [*schema.get("enum", []), *([schema["const"]] if "const" in schema else [])]
        return {"string"} if words else set()
    return {kinds} if isinstance(kinds, str) else set(kinds)


def _fields(schema: Any, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any, bool]]:
    schema = flat(schema)
    for name, part in schema.get("properties", {}).items():
        path = (*above, name)
        yield path, part, name in schema.get("required", [])
        yield from _fields(part, path)


def _without(whole: Any, path: tuple[str, ...]) -> Any:
    value = copy.deepcopy(whole)
    inner = value
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return value


def _with(whole: Any, path: tuple[str, ...], put: Any) -> Any:
    value = copy.deepcopy(whole)
    inner = value
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = put
    return value


def read_yaml(text: str) -> Any:
    """The YAML of OpenAPI files: nested maps and lists, plain and quoted scalars, blocks."""
    lines = [
        (len(line) - len(line.lstrip()), line.strip())
        for line in text.splitlines()
        if line.strip() and not line.strip().startswith("#")
    ]
    value, rest = _block(lines, 0)
    assert not rest
    return value


_Lines = list[tuple[int, str]]


def _block(lines: _Lines, least: int) -> tuple[Any, _Lines]:
    indent, first = lines[0]
    if indent < least:
        return None, lines
    if first.startswith("- "):
        return _items(lines, indent)
    if _KEY.match(first):
        return _map(lines, indent)
    texts = []
    while lines and lines[0][0] >= indent:
        texts.append(lines[0][1])
        lines = lines[1:]
    return _scalar(" ".join(texts)), lines


def _items(lines: _Lines, indent: int) -> tuple[list[Any], _Lines]:
    values = []
    while lines and lines[0][0] == indent and lines[0][1].startswith("- "):
        inside = [(indent + 2, lines[0][1][2:].strip())]
        lines = lines[1:]
        while lines and lines[0][0] > indent:
            inside.append(lines[0])
            lines = lines[1:]
        if _KEY.match(inside[0][1]):
            value, rest = _map(inside, indent + 2)
            assert not rest
        else:
            value = _scalar(inside[0][1])
        values.append(value)
    return values, lines


def _map(lines: _Lines, indent: int) -> tuple[dict[str, Any], _Lines]:
    values: dict[str, Any] = {}
    while lines and lines[0][0] == indent and (found := _KEY.match(lines[0][1])):
        name, given = found[1].strip("'\""), (found[2] or "").strip()
        given = "" if given.startswith("#") else given.split(" # ")[0]
        lines = lines[1:]
        if given in ("|", "|-", ">", ">-"):
            texts = []
            while lines and lines[0][0] > indent:
                texts.append(lines[0][1])
                lines = lines[1:]
            values[name] = "\n".join(texts)
        elif given:
            values[name] = _scalar(given)
        elif lines and (
            lines[0][0] > indent or (lines[0][0] == indent and lines[0][1].startswith("- "))
        ):
            values[name], lines = _block(lines, indent)
        else:
            values[name] = None
    return values, lines


def _scalar(text: str) -> Any:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    if text in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[text]
    try:
        return json.loads(text)
    except ValueError:
        return text
