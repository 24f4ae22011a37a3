"""Is everything here that a run needs: packages and licences, room on disk, the workspace."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from fleetdesk import __version__, resources
from fleetdesk.errors import FleetDeskError

LEAST_FREE_GB = 1.0
NEEDED = {
    "click": "command line", "rich": "progress bars", "pydantic": "settings",
    "xlsxwriter": "new workbooks", "duckdb": "store",
    "ibis-framework": "analytics", "pyarrow": "store", "numpy": "analytics", "scipy": "analytics",
    "pandas": "analytics", "pyvrp": "routes", "folium": "maps",
}  # fmt: skip
OPTIONAL = {
    "openpyxl": "a second look at workbooks", "ortools": "a second opinion on routes",
    "scikit-learn": "rider models", "lifelines": "survival curves", "xlwings": "live Excel",
    "gspread": "Google Sheets", "PySide6": "desktop app",
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `state` is ok, missing (optional) or problem."""

    what: str
    state: str
    detail: str


@dataclass(frozen=True)
class Examination:
    """All findings; `healthy` when none is a problem."""

    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """Whether a run can be expected to work."""
        return all(finding.state != "problem" for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """For the command line."""
        mark = {"ok": "ok     ", "missing": "-      ", "problem": "PROBLEM"}
        width = max(len(finding.what) for finding in self.findings)
        lines = [f"{mark[f.state]}  {f.what:<{width}}  {f.detail}" for f in self.findings]
        verdict = "All is in order." if self.healthy else "See the lines marked PROBLEM."
        return {
            "healthy": self.healthy,
            "exit_code": 0 if self.healthy else 1,
            "findings": [asdict(finding) for finding in self.findings],
            "text": "\n".join([*lines, "", verdict]),
        }


def examine(workspace: Path | None) -> Examination:
    """Look at this installation, and at the workspace folder when one is given."""
    return Examination((*_machine(), *_packages(), *_workspace(workspace)))


def _machine() -> Iterable[Finding]:
    yield Finding("FleetDesk", "ok", __version__)
    supported = (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield Finding(
        "Python", "ok" if supported else "problem",
        f"{platform.python_version()} on {platform.system()}"
        + ("" if supported else "; 3.11 to 3.13 are supported"),
    )  # fmt: skip
    try:
        yield Finding("Files of the map", "ok", str(resources.folder("ui")))
    except FleetDeskError as error:
        yield Finding("Files of the map", "problem", str(error))
    free_gb = shutil.disk_usage(Path.cwd()).free / 1e9
    yield Finding(
        "Free disk space", "ok" if free_gb >= LEAST_FREE_GB else "problem",
        f"{free_gb:.1f} GB; a city and month takes about 0.1 GB",
    )  # fmt: skip
    yield Finding("Network", "ok", "not needed; nothing is sent anywhere")


def _packages() -> Iterable[Finding]:
    for packages, absent in ((NEEDED, "problem"), (OPTIONAL, "missing")):
        for name, purpose in packages.items():
            try:
                about = metadata.metadata(name)
            except metadata.PackageNotFoundError:
                fix = "install FleetDesk again" if absent == "problem" else "optional"
                yield Finding(name, absent, f"for {purpose}: not installed ({fix})")
            else:
                yield Finding(name, "ok", f"{about['Version']}, {_licence(about)}: {purpose}")


def _licence(about: Any) -> str:
    if about.get("License-Expression"):
        return str(about["License-Expression"])
    classifiers = [
        line.rsplit("::", 1)[1].strip()
        for line in about.get_all("Classifier") or ()
        if line.startswith("License ::")
    ]
    stated = (about.get("License") or "").strip().splitlines()
    return ", ".join(classifiers) or (stated[0][:40] if stated else "licence not stated")


def _workspace(workspace: Path | None) -> Iterable[Finding]:
    if workspace is None:
        return
    from fleetdesk.sheets.open import open_workbook
    from fleetdesk.workflows.context import STORE_FOLDER, store_of, workbook_in
    from fleetdesk.workflows.rider_key import where_kept

    try:
        path = workbook_in(workspace)
        snapshot = open_workbook(path).snapshot()
        yield Finding("Workbook", "ok", f"{path.name}, {len(snapshot.sheet_names)} sheets")
    except FleetDeskError as error:
        yield Finding("Workbook", "problem", str(error))
    try:
        with store_of(workspace) as store:
            store.verify()
            window = store.data_window()
            span = f"{window[0]:%Y-%m-%d %H:%M} to {window[1]:%Y-%m-%d %H:%M} UTC" if window else ""
            yield Finding("Store", "ok", f"generation {store.generation}, {span or 'no records'}")
            published = store.runs.last_published()
            yield Finding("Last run", "ok", published.run_id if published else "none yet")
            yield _rider_key(where_kept(store, workspace / STORE_FOLDER))
    except FleetDeskError as error:
        yield Finding("Store", "problem", str(error))


def _rider_key(where: str | None) -> Finding:
    what = "Key of rider ids"
    if where is None:
        return Finding(what, "ok", "not needed yet")
    if not where:
        return Finding(what, "problem", "it is lost, so no more records of riders can be imported")
    aside = "; keep it apart from the records, in a keyring" if where.startswith("the file") else ""
    return Finding(what, "ok", f"in {where}{aside}")
