"""What a run works with: the workbook and its settings, the store, the clock; built once."""

from __future__ import annotations

import getpass
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fleetdesk.errors import WorkbookRefused
from fleetdesk.model.typed_path import typed_path
from fleetdesk.settings import secrets
from fleetdesk.settings.reading import Reading, read_settings
from fleetdesk.settings.rows import read_form
from fleetdesk.settings.schema import City, Settings
from fleetdesk.sheets.base import Snapshot, Workbook
from fleetdesk.sheets.excel_app import PREFIX as EXCEL
from fleetdesk.sheets.excel_live import ExcelLive
from fleetdesk.sheets.file_switch import fingerprint_of, read_workbook, refuse_if_locked
from fleetdesk.sheets.open import open_workbook
from fleetdesk.store.base import RunRecord, RunState, Store
from fleetdesk.store.files import replace_text
from fleetdesk.store.open import open_any
from fleetdesk.workflows.migrate_workbook import Migration, plan_migration

WORKBOOK_NAME = "FleetDesk.xlsx"
STORE_FOLDER = "store"
OUTPUTS_FOLDER = "outputs"
RAW_FOLDER = "raw"
STORE_ADDRESS = "address"
MAP_NAME = "route map.html"

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The machine's clock; the one place where it is read."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Context:
    """One run's surroundings; `snapshot` is the workbook as it was when the settings were read.

    `address` is the workbook's path, `excel:` or a Google Sheet's address; `folder` the workspace.
    """

    address: str
    folder: Path
    workbook: Workbook
    snapshot: Snapshot
    reading: Reading
    store: Store
    clock: Clock
    migration: Migration

    @property
    def settings(self) -> Settings:
        """The checked settings."""
        return self.reading.settings


@contextmanager
def open_context(
    address: str, folder: Path | None, clock: Clock, *, writing: bool = True
) -> Iterator[Context]:
    """Read the workbook and hold the workspace for one run.

    What a crashed run left open is settled first, so that workbook and store agree. A workbook
    that could not be written is refused before the work, unless nothing will be written.
    """
    address, folder = locate(address, folder)
    if writing and is_file(address):
        refuse_if_locked(Path(address))
    workbook = open_workbook(address, secrets.reveal)
    snapshot = workbook.snapshot()
    reading = read_settings(snapshot)
    migration = plan_migration(workbook, reading, writing=writing)
    reading = replace(reading, warnings=migration.warnings)
    if writing:
        remember_store(folder, reading.settings.city.store)
    city = reading.settings.city
    with (
        open_at(city.store, folder, clock=clock) as store,
        store.runs.lock(clock().astimezone(ZoneInfo(city.timezone))),
    ):
        store.verify()
        if writing:
            settle(folder, store, clock)
        yield Context(address, folder, workbook, snapshot, reading, store, clock, migration)


def store_of(folder: Path, *, create: bool = False, clock: Clock = utc_now) -> Store:
    """Open the store of a workspace: the one that its workbook names on the sheet City."""
    return open_at(_store_address(folder), folder, create=create, clock=clock)


def open_at(address: str, folder: Path, *, create: bool = False, clock: Clock = utc_now) -> Store:
    """Open the store at an address as it stands on the sheet City; "" is in the workspace."""
    return open_any(
        address, folder / STORE_FOLDER, create=create, clock=clock, secret=secrets.reveal
    )


def remember_store(folder: Path, address: str) -> None:
    """Note where the records are, for commands that do not read the workbook."""
    path = folder / STORE_FOLDER / STORE_ADDRESS
    if address != _remembered(folder):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_text(path, address + "\n")


def _remembered(folder: Path) -> str:
    path = folder / STORE_FOLDER / STORE_ADDRESS
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


def seen_from(folder: Path, typed: str) -> Path | None:
    """The path that a planner typed, seen from the workspace's folder; None for none."""
    return folder / typed_path(typed) if typed else None


def city_of(folder: Path) -> City:
    """The sheet City of a workspace's workbook; defaults where that is no file here.

    Raises WorkbookRefused where it cannot be read: no default is told as the planner's.
    """
    try:
        path = workbook_in(folder)
    except WorkbookRefused:
        return City()
    return city_in(path)


def city_in(workbook: Path) -> City:
    """The sheet City of a workbook that is a file; defaults for what it does not say.

    Raises WorkbookRefused where it cannot be read.
    """
    return City(**_city_values(workbook))


def _store_address(folder: Path) -> str:
    """What the sheet City says; what the last run noted where no workbook here can be read."""
    try:
        values = _city_values(workbook_in(folder))
    except WorkbookRefused:
        values = {}
    return str(values.get("store") or "") if values else _remembered(folder)


def _city_values(workbook: Path) -> Mapping[str, Any]:
    snapshot = open_workbook(workbook).snapshot(names=(City.sheet,))
    if City.sheet not in snapshot.sheets:
        return {}
    cells = dict(snapshot.sheets[City.sheet].cells)
    rows = read_form(City.sheet, cells, City, snapshot.settings_schema).rows
    return rows[0].values if rows else {}


def locate(address: str, folder: Path | None) -> tuple[str, Path]:
    """The workbook's full address, and the workspace: by default the folder the workbook lies in.

    One that is no file, nor saved to one from Excel, has its workspace in the present folder.
    """
    if is_file(address):
        path = Path(address).resolve()
        return str(path), folder or path.parent
    if address.startswith(EXCEL):
        live = ExcelLive(address.removeprefix(EXCEL).strip())
        return live.address, folder or (live.path.parent if live.path else Path.cwd())
    return address, folder or Path.cwd()


def recorded(address: str, folder: Path) -> str:
    """The address as the ledger keeps it: seen from the workspace, so that that may be moved."""
    if is_file(address) and Path(address).is_relative_to(folder.resolve()):
        return str(Path(address).relative_to(folder.resolve()))
    return address


def whereabouts(recorded: str, folder: Path) -> str:
    """The full address of a workbook that the ledger names."""
    return str(folder / recorded) if is_file(recorded) else recorded


def is_file(address: str) -> bool:
    """Whether the address is a path, as against live Excel or a Google Sheet."""
    return not address.startswith(("excel:", "gsheet:", "http://", "https://"))


def settle(folder: Path, store: Store, clock: Clock) -> None:
    """Finish or undo what was cut off, so that workbook, store and outputs agree."""
    settled = store.runs.recover(
        lambda workbook: fingerprint(whereabouts(workbook, folder)), at=clock()
    )
    gone = [run.run_id for run in settled if run.now is not RunState.FINISHED]
    for run in _taken_back(folder, store):
        store.runs.undone(run.run_id, ended_at=clock())
        gone.append(run.run_id)
    for run_id in gone:
        shutil.rmtree(folder / OUTPUTS_FOLDER / run_id, ignore_errors=True)


def _taken_back(folder: Path, store: Store) -> list[RunRecord]:
    """Last runs whose workbook was put back as it was before them, by undo or by hand."""
    finished = {r.workbook: r for r in store.runs.list() if r.state is RunState.FINISHED}
    return [
        run
        for run in finished.values()
        if is_file(run.workbook)
        and fingerprint(whereabouts(run.workbook, folder)) == run.before_sha
    ]


def fingerprint(address: str) -> str | None:
    """What tells one content of the workbook from another; None when there is no such workbook.

    A workbook that is there and cannot be read raises WorkbookRefused: it is not gone.
    """
    if not is_file(address):
        return open_workbook(address, secrets.reveal).snapshot(names=()).fingerprint
    path = Path(address)
    return fingerprint_of(read_workbook(path)) if path.exists() else None


def map_link(folder: Path, address: str, run_id: str) -> str:
    """Where a run's map is, seen from the workbook."""
    path = folder / OUTPUTS_FOLDER / run_id / MAP_NAME
    beside = is_file(address) and Path(address).parent == folder
    return path.relative_to(folder).as_posix() if beside else str(path.resolve())


def who() -> str:
    """Who runs this, as the system knows them; services may be nobody."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def workbook_in(folder: Path) -> Path:
    """The workspace's workbook: FleetDesk.xlsx, or the only workbook there."""
    if (folder / WORKBOOK_NAME).exists():
        return folder / WORKBOOK_NAME
    found = sorted(p for p in folder.glob("*.xlsx") if not p.name.startswith(("~", ".")))
    if len(found) == 1:
        return found[0]
    raise WorkbookRefused(
        f"There is no workbook {WORKBOOK_NAME} in {folder}",
        found=", ".join(p.name for p in found) or "no .xlsx file",
        fix="Name the workbook's path, or make a workspace with fleetdesk import or demo",
    )
