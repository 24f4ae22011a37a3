"""Paths as planners type them."""

from __future__ import annotations

from pathlib import Path


def typed_path(text: str) -> Path:
    """The path; `~` and `~name` are home folders, unless nobody of that name has one here."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)
