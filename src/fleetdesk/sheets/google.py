"""A planner's Google Sheet: read whole in one call, written whole or not at all in one call.

Google offers no compare-and-set. The content is therefore read again just before the write, and
Drive's version of the file is looked at on both sides of that reading, which leaves the length of
one small call for an edit to slip in; and what is written is FleetDesk's own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fleetdesk.errors import WorkbookRefused
from fleetdesk.model.sheet_template import SheetTemplate
from fleetdesk.sheets.a1 import address
from fleetdesk.sheets.base import Capabilities, Receipt, SheetCells, Snapshot, WritePlan
from fleetdesk.sheets.google_auth import SecretOf, credentials
from fleetdesk.sheets.google_book import FIELDS, GoogleBook, Place, read_book
from fleetdesk.sheets.google_place import Placed, place_all
from fleetdesk.sheets.google_requests import WHOLE
from fleetdesk.sheets.google_values import Json
from fleetdesk.sheets.google_write import Write, build, name_of
from fleetdesk.sheets.plan_check import check_plan

_ADDRESS = re.compile(
    r"^(?:https?:/{1,2}docs\.google\.com/spreadsheets/(?:u/\d+/)?d/|gsheet:)([\w-]{8,})(?:[/?#].*)?$"
)
_DETAILS = f"sheets(properties.sheetId,data(startRow,startColumn,rowData.values({WHOLE})))"
_LOOKS = 4
"""How often a write whose answer was lost is looked for."""


class Client(Protocol):
    """What is needed of the HTTP client."""

    def spreadsheet(self, key: str, fields: str, ranges: tuple[str, ...] = ()) -> Any:
        """One `spreadsheets.get`."""

    def version(self, key: str) -> str:
        """Drive's version of the file."""

    def batch_update(self, key: str, body: Json) -> Any:
        """One `spreadsheets.batchUpdate`."""

    def pause(self, tries: int) -> None:
        """Wait a little longer each time."""


def sheet_key(text: str) -> str | None:
    """The key in a Google Sheet's address or in `gsheet:KEY`; None for any other address."""
    found = _ADDRESS.match(text.strip())
    return found[1] if found else None


def connect(key: str, secret: SecretOf) -> GoogleSheet:
    """The Google Sheet of this key, opened with the keys that `secret` gives."""
    try:
        from fleetdesk.sheets.google_http import SheetsHttp
    except ImportError as error:
        raise WorkbookRefused(
            "The part of FleetDesk that speaks to Google Sheets is not installed",
            found=f"no package {error.name}",
            fix="Install it with: pip install 'fleetdesk[google]'",
        ) from error
    return GoogleSheet(key, SheetsHttp(credentials(secret)))


class GoogleSheet:
    """A Google Sheet by its key, through a client that is signed in."""

    def __init__(self, key: str, client: Client) -> None:
        self.key = key
        self._client = client

    def capabilities(self) -> Capabilities:
        """Others may be editing while we are."""
        return Capabilities(kind="google", charts=True, images=False, live=True)

    def snapshot(self, names: Sequence[str] | None = None) -> Snapshot:
        """The named sheets (all when None), of one moment; one call.

        An owned sheet that the planner renamed is found under its name in plans.
        """
        book = self._read()
        wanted = {page.title: page for page in book.pages}
        if names is not None:
            followed = {name: owned.page for name, owned in book.owned.items() if name in names}
            wanted = followed | {n: page for n, page in wanted.items() if n in names}
        return Snapshot(
            where=book.title,
            sheets={
                name: SheetCells(page.title, page.values(), page.hidden)
                for name, page in wanted.items()
                if page.grid
            },
            sheet_names=tuple(page.title for page in book.pages),
            fingerprint=book.fingerprint,
        )

    def version(self) -> str:
        """Changes with every change of the file, in one small call; for those who keep watch.

        It may lag some seconds behind an edit, so it tells when to look and not what is there.
        """
        return self._client.version(self.key)

    def obstacles(
        self, new: Sequence[SheetTemplate], whole: Sequence[SheetTemplate] = ()
    ) -> dict[str, str]:
        """No settings are added to a Google Sheet: its planner does that."""
        return {sheet.table: "this is a Google Sheet" for sheet in (*new, *whole)}

    def prepare(self, plan: WritePlan, expect: str) -> PreparedGoogle:
        """Work out the one request that writes everything; nothing is sent yet."""
        check_plan(plan)
        book = self._read()
        _refuse_changed(book, expect)
        name = name_of(expect, plan)
        placed = place_all(book, plan, name)
        write = build(book, placed, self._details(book, placed), name, plan.settings_schema)
        return PreparedGoogle(self, write, expect, write.after)

    def commit(self, plan: WritePlan, expect: str) -> Receipt:
        """Prepare and switch: all or nothing."""
        return self.prepare(plan, expect).switch()

    def _read(self) -> GoogleBook:
        return read_book(self._client.spreadsheet(self.key, FIELDS))

    def _details(self, book: GoogleBook, placed: Sequence[Placed]) -> dict[tuple[int, Place], Json]:
        """The planner's cells that will move, with format, comment and choice list."""
        leaving = {item.page_id: set(item.moved.values()) for item in placed if item.moved}
        if not leaving:
            return {}
        titles = {page.id: page.title.replace("'", "''") for page in book.pages}
        ranges = tuple(f"'{titles[page]}'!{_around(places)}" for page, places in leaving.items())
        found: dict[tuple[int, Place], Json] = {}
        for sheet in self._client.spreadsheet(self.key, _DETAILS, ranges).get("sheets", ()):
            page = sheet["properties"].get("sheetId", 0)
            for block in sheet.get("data", ()):
                top, left = block.get("startRow", 0) + 1, block.get("startColumn", 0) + 1
                for row, content in enumerate(block.get("rowData", ()), start=top):
                    for column, cell in enumerate(content.get("values", ()), start=left):
                        if (row, column) in leaving.get(page, ()):
                            found[page, (row, column)] = cell
        return found

    def _switch(self, write: Write, before: str) -> str:
        """Send the write when the content is still as expected; the version it was based on."""
        tries = 0
        while True:
            version = self._checked(before)
            tries += 1
            try:
                self._client.batch_update(self.key, {"requests": list(write.requests)})
            except WorkbookRefused as error:
                finished = getattr(error, "finished", None)
                if finished is None:
                    raise
                if self._has_arrived(write, before, tries, wait=not finished):
                    return version
                # Sent again only when the service answered, so that none is still under way.
                if not finished or tries == _LOOKS:
                    raise _not_written(error) from error
            else:
                return version

    def _checked(self, before: str) -> str:
        """Refuse when the content is no longer as expected, also while it was being read."""
        seen = self._client.version(self.key)
        _refuse_changed(self._read(), before)
        now = self._client.version(self.key)
        if now != seen:
            _refuse_changed(self._read(), before)
        return now

    def _has_arrived(self, write: Write, before: str, tries: int, *, wait: bool) -> bool:
        """Look for the write's own mark in the sheet; several times where it may be under way."""
        for look in range(_LOOKS if wait else 1):
            self._client.pause(tries + look)
            try:
                book = self._read()
            except WorkbookRefused as error:
                raise _unknown(error) from error
            if book.last_write == write.name:
                return True
            _refuse_changed(book, before)
        return False


@dataclass(frozen=True)
class PreparedGoogle:
    """A request that is ready to be sent."""

    sheet: GoogleSheet
    write: Write
    before: str
    after: str

    def switch(self) -> Receipt:
        """Send it, after checking that nobody changed the sheet."""
        version = self.sheet._switch(self.write, self.before)
        backup = f"Google Sheets: File, Version history, the version before number {version}"
        return Receipt(self.after, backup, self.write.written, self.write.added)

    def discard(self) -> None:
        """Nothing to remove: nothing was sent."""


def _around(places: set[Place]) -> str:
    rows, columns = [row for row, _ in places], [column for _, column in places]
    return f"{address(min(rows), min(columns))}:{address(max(rows), max(columns))}"


def _refuse_changed(book: GoogleBook, expect: str) -> None:
    if book.fingerprint != expect:
        raise WorkbookRefused(
            f"{book.title} was changed while FleetDesk was working, so nothing was written",
            fix="Run again, so that the new settings are used",
            retry_helps=True,
        )


def _not_written(error: WorkbookRefused) -> WorkbookRefused:
    return WorkbookRefused(
        "The write did not reach the Google Sheet; it is as it was",
        found=error.found,
        fix="Run again in a few minutes",
        retry_helps=True,
    )


def _unknown(error: WorkbookRefused) -> WorkbookRefused:
    return WorkbookRefused(
        "Google Sheets did not confirm the write and cannot be read now; all of it is there or "
        "nothing is",
        found=error.found or error.cause,
        fix="Look at the sheet Run log, then run again",
        retry_helps=True,
    )
