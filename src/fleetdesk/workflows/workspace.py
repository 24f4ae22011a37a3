"""A workspace: a folder with the planner's workbook, the store and the outputs."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fleetdesk.errors import FleetDeskError
from fleetdesk.settings.schema import SCHEMA_VERSION, City, ParkingRow, Settings
from fleetdesk.sheets.base import WritePlan
from fleetdesk.sheets.open import open_workbook
from fleetdesk.sources.mapped_rejects import PREFIX as REJECTED
from fleetdesk.sources.mapping_file import PREFIX as MAPPING
from fleetdesk.store.base import ImportRecord, Store
from fleetdesk.workflows.context import OUTPUTS_FOLDER, RAW_FOLDER, STORE_FOLDER, WORKBOOK_NAME
from fleetdesk.workflows.schedule import SCHEDULE_FOLDER

OURS = {WORKBOOK_NAME, STORE_FOLDER, OUTPUTS_FOLDER, RAW_FOLDER, SCHEDULE_FOLDER, "backups"}


@dataclass(frozen=True)
class NewWorkbook:
    """What a workbook is made with where there is none; `given` names what the planner chose."""

    city: str = "My city"
    timezone: str = "UTC"
    currency: str = "EUR"
    given: tuple[str, ...] = ()


def new_workbook(path: Path, new: NewWorkbook) -> None:
    """Write a planner's workbook to begin with; a file that exists is never overwritten."""
    if path.suffix.lower() != ".xlsx":
        raise FleetDeskError(
            f"{path.name} cannot be a planner's workbook",
            found=f"a name ending in {path.suffix or 'nothing'}",
            fix="Give a name that ends in .xlsx",
        )
    if path.exists():
        raise FleetDeskError(
            f"There is already a file {path.name}",
            found=str(path),
            fix="Choose another name, or move that file away",
        )
    from fleetdesk.settings.starter import starter_settings

    city = checked_city(new)
    path.parent.mkdir(parents=True, exist_ok=True)
    make_workbook(path, starter_settings(city.name, city.timezone, city.currency))


def checked_city(new: NewWorkbook) -> City:
    """The City sheet's first values; a sentence for each that cannot be."""
    try:
        return City(name=new.city, timezone=new.timezone, currency=new.currency)
    except ValidationError as error:
        wrong = [
            f"{'.'.join(map(str, part['loc']))} {part['input']!r}: {part['msg']}"
            for part in error.errors()
        ]
        raise FleetDeskError(
            "The new workbook cannot be made with these values",
            found="; ".join(wrong),
            fix="Give a time zone such as Europe/Athens and a currency code such as EUR",
        ) from error


def claim(folder: Path) -> None:
    """Make the folder, or refuse one that holds other people's files."""
    if folder.exists() and not folder.is_dir():
        raise FleetDeskError(
            f"{folder} cannot be a workspace because it is a file", fix="Name a folder"
        )
    inside = {path.name for path in folder.glob("*") if not path.name.startswith(".")}
    ours = {name for name in inside if name.startswith((MAPPING, REJECTED))} | OURS
    strangers = sorted(inside - ours)
    if strangers and not (folder / STORE_FOLDER).exists():
        raise FleetDeskError(
            f"{folder} is not empty and is no workspace of FleetDesk",
            found=", ".join(strangers[:5]),
            fix="Name a new or empty folder",
        )
    folder.mkdir(parents=True, exist_ok=True)


def make_workbook(path: Path, settings: Settings) -> None:
    """Write a new planner's workbook with these settings and empty result sheets.

    It appears under its name only when it is whole.
    """
    # What draws sheets takes seconds to load, and most imports make no workbook.
    from fleetdesk.settings.template import templates_for
    from fleetdesk.sheets.template_xlsx import write_template
    from fleetdesk.workflows.catalog import asked
    from fleetdesk.workflows.run_sheets import empty_sheets

    with tempfile.TemporaryDirectory(prefix=".new-", dir=path.parent) as folder:
        draft = Path(folder) / path.name
        write_template(draft, templates_for(settings))
        workbook = open_workbook(draft)
        unread = workbook.snapshot(names=()).fingerprint
        # Sheets of what is not asked come with their first answer: few tabs to begin with.
        plan = WritePlan(empty_sheets(settings, asked(settings)), settings_schema=SCHEMA_VERSION)
        workbook.commit(plan, unread)
        draft.replace(path)


def parking_row(row: Mapping[str, Any]) -> ParkingRow:
    """A row of the canonical parkings as one of the sheet Parkings."""
    known = set(ParkingRow.model_fields)
    return ParkingRow(**{name: value for name, value in row.items() if name in known})


def last_import(store: Store) -> ImportRecord | None:
    """The newest import that the store knows."""
    imports: Sequence[ImportRecord] = store.imports()
    return imports[-1] if imports else None
