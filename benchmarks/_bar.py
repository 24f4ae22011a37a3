"""A measured figure beside the bar that it is held to."""

from __future__ import annotations

from typing import Any


def bar(name: str, value: float, limit: float, better: str, **details: Any) -> dict[str, Any]:
    """One figure; `better` is "lower" or "higher", and it is met on that side of the limit."""
    met = value <= limit if better == "lower" else value >= limit
    return {
        "bar": name, "value": value, "limit": limit, "better": better, "met": bool(met),
    } | details  # fmt: skip


def near(name: str, value: float, target: float, within: float, **details: Any) -> dict[str, Any]:
    """A figure that should be a known one: how far it is off, against how far it may be."""
    off = abs(value - target)
    return bar(name, off, within, "lower", found=value, target=target, **details)
