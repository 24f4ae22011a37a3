"""How far a source is in, as a planner says it; what only the program needs is left out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

_IDS = {
    "lasting": "its vehicle ids last",
    "rotating": "its vehicle ids rotate",
    "unproven": "whether its vehicle ids last is not known yet",
}


def said(kind: str, watermark: Mapping[str, str]) -> str:
    """Words behind `up to`, such as `the hour 2024-05-01 07:00 of trips`; "" for none."""
    return "; ".join(_WORDS.get(kind, _times)(watermark))


def _gbfs(watermark: Mapping[str, str]) -> Iterator[str]:
    if seen := _moment(watermark.get("vehicles last_updated", "")):
        yield f"the snapshot of {seen} UTC"
    if told := _IDS.get(watermark.get("ids", "")):
        yield told


def _mds(watermark: Mapping[str, str]) -> Iterator[str]:
    for endpoint, hour in sorted(watermark.items()):
        if told := _moment(f"{hour}:00"):
            yield f"the hour {told} UTC of {endpoint}"


def _mysql(watermark: Mapping[str, str]) -> Iterator[str]:
    for table, text in sorted(watermark.items()):
        try:
            since = json.loads(text)["since"]
        except (ValueError, KeyError, TypeError):
            continue
        if since is None:
            yield f"all of {table}"
        else:
            yield f"the change of {_moment(since[0]) or since[0]} in {table}"


def _times(watermark: Mapping[str, str]) -> Iterator[str]:
    for text in watermark.values():
        if told := _moment(text):
            yield told


_WORDS: Mapping[str, Any] = {"gbfs": _gbfs, "mds": _mds, "mysql": _mysql}


def _moment(text: str) -> str:
    """A day or a time without its seconds; "" for what is none."""
    try:
        return str(date.fromisoformat(text))
    except ValueError:
        pass
    try:
        return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M}"
    except ValueError:
        return ""
