"""Where the files shipped beside the code are: in a checkout, a wheel or a frozen app."""

from __future__ import annotations

import sys
from pathlib import Path

from fleetdesk.errors import FleetDeskError


def folder(name: str) -> Path:
    """The folder `ui`, `workbooks` or `sheets_templates`; an error says where it was sought."""
    for root in _roots():
        candidate = root / name
        if candidate.is_dir():
            return candidate
    raise FleetDeskError(
        f"The folder {name} that belongs to FleetDesk is missing",
        found=f"looked in {', '.join(str(root) for root in _roots())}",
        fix="Install FleetDesk again",
    )


def _roots() -> tuple[Path, ...]:
    here = Path(__file__).resolve().parent
    frozen = getattr(sys, "_MEIPASS", None)
    roots = [here / "_resources", here.parent.parent]
    return tuple([Path(frozen), *roots] if frozen else roots)
