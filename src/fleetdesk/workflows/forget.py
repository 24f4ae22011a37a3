"""`fleetdesk forget`: remove what a workspace's records hold of one rider, for good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleetdesk.errors import FleetDeskError
from fleetdesk.model.tables import TABLES
from fleetdesk.store.base import Store
from fleetdesk.workflows.context import STORE_FOLDER, Clock, store_of, utc_now
from fleetdesk.workflows.door import RIDER, Pseudonyms, is_pseudonym
from fleetdesk.workflows.rider_key import rider_key, where_kept

_ELSEWHERE = (
    "Not reached: results, maps and workbooks of earlier runs, backups, raw answers, and files of "
    "rows that were put aside. Remove the rider at the source too, or an import from the beginning "
    "brings the rows back."
)


@dataclass(frozen=True)
class Forgotten:
    """What was removed, or would be, by table; `still_read` are generations that hold it yet."""

    pseudonym: str
    rows: Mapping[str, int]
    still_read: tuple[str, ...]
    dry_run: bool

    def as_dict(self) -> Mapping[str, Any]:
        """For the command line."""
        return {
            "pseudonym": self.pseudonym,
            "rows": dict(self.rows),
            "still_read": list(self.still_read),
            "dry_run": self.dry_run,
            "text": self._text(),
        }

    def _text(self) -> str:
        told = ", ".join(f"{count} of {table}" for table, count in sorted(self.rows.items()))
        if self.dry_run:
            return f"Would remove of {self.pseudonym}: {told or 'nothing'}."
        if not self.rows:
            return f"The records hold nothing of {self.pseudonym}."
        lines = [f"Removed of {self.pseudonym}: {told or 'nothing'}."]
        if self.still_read:
            lines.append(
                "Somebody still reads older records that hold it; give the command again when "
                "they have finished."
            )
        return "\n".join([*lines, _ELSEWHERE])


def forget(folder: Path, rider: str, *, dry_run: bool = False, clock: Clock = utc_now) -> Forgotten:
    """Remove each row of the rider, given by the source's own id or by the pseudonym.

    FleetDeskError where no rider was ever imported; StoreUnusable where the key is lost.
    """
    with store_of(folder, clock=clock) as store:
        pseudonym = _pseudonym(store, folder, rider)
        if dry_run:
            return Forgotten(pseudonym, _counted(store, pseudonym), (), dry_run=True)
        removed = store.remove_rows(RIDER, pseudonym)
        return Forgotten(pseudonym, removed.rows, tuple(removed.still_read), dry_run=False)


def _pseudonym(store: Store, folder: Path, rider: str) -> str:
    """The rider as the records name them; made-up riders of a sample city go by their own ids."""
    if is_pseudonym(rider) or _counted(store, rider):
        return rider
    inside = folder / STORE_FOLDER
    if where_kept(store, inside) is None:
        raise FleetDeskError(
            "No rider has been imported into this workspace",
            found="no key of rider ids was ever needed",
            fix="Check the folder, or give the pseudonym itself, rp-...",
        )
    return Pseudonyms(rider_key(store, inside)).name_of(rider)


def _counted(store: Store, rider: str) -> dict[str, int]:
    tables = store.tables()
    found = {
        name: int(tables[name].filter(tables[name][RIDER] == rider).count().to_pyarrow().as_py())
        for name, table in TABLES.items()
        if RIDER in table.column_names
    }
    return {name: count for name, count in found.items() if count}
