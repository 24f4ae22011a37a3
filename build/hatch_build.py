"""Puts the files shipped beside the code into the wheel; a checkout reads them in place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDERS = ("ui", "workbooks", "sheets_templates")


class ShippedFiles(BuildHookInterface[Any]):
    """Adds `ui`, `workbooks` and `sheets_templates` as `fleetdesk/_resources/...`.

    A plain `force-include` would also copy them into an editable install, where the copies would
    go stale and be found before the real ones.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the folders to a real wheel; a missing one fails the build."""
        if version == "editable":
            return
        for name in FOLDERS:
            folder = Path(self.root, name)
            if not folder.is_dir():
                raise FileNotFoundError(f"{folder} is missing; a wheel without it cannot work.")
            build_data["force_include"][str(folder)] = f"fleetdesk/_resources/{name}"
