"""Targets of clickable cells: web, mail, a place inside the workbook, or a file beside it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.parse import quote

MAX_TARGET = 2_079
MAX_PER_SHEET = 65_530
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+):")
_ALLOWED = {"http", "https", "mailto", "tel", "geo"}
_INSIDE = re.compile(r"^#(?:'((?:[^']|'')+)'|([^'!]+))!(.+)$")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a link leads: a relationship's address, or a place in the workbook."""

    outside: str = ""
    inside: str = ""


def resolve(target: str, folder: Path, renamed: Mapping[str, str]) -> Target | None:
    """The target as Excel stores it; None when it is no link Excel may hold (then text only).

    File targets become relative to the workbook's folder and percent-encoded. `renamed` maps
    names of owned sheets to what the planner calls them now.
    """
    if target.startswith("#"):
        return Target(inside=_inside(target, renamed))
    scheme = _SCHEME.match(target)
    if scheme:
        if scheme[1].lower() not in _ALLOWED:
            return None
        outside = quote(target, safe="%/:?#[]@!$&'()*+,;=-._~")
    else:
        outside = _file(target, folder)
    return Target(outside=outside) if 0 < len(outside) <= MAX_TARGET else None


def _inside(target: str, renamed: Mapping[str, str]) -> str:
    found = _INSIDE.match(target)
    if found is None:
        return target[1:]
    name = (found[1] or "").replace("''", "'") or found[2]
    shown = renamed.get(name, name).replace("'", "''")
    return f"'{shown}'!{found[3]}"


def _file(target: str, folder: Path) -> str:
    drive = PureWindowsPath(target)
    if drive.drive and os.name != "nt":
        return quote(drive.as_uri(), safe="%/:") if drive.is_absolute() else ""
    path = Path(target)
    if path.is_absolute():
        try:
            relative = os.path.relpath(path, folder)
        except ValueError:
            return path.as_uri()
        if relative.startswith(".."):
            return path.as_uri()
        target = relative
    return quote(str(PurePosixPath(target.replace("\\", "/"))), safe="/")
