"""Put a workbook that is open in Excel back as it was before the last run."""

from __future__ import annotations

import shutil
from pathlib import Path

from fleetdesk.errors import WorkbookRefused
from fleetdesk.sheets.excel_book import BACKUP, OpenBook
from fleetdesk.sheets.file_switch import BACKUPS, Clock, backup_path, explained, temporary_name


def put_back(book: OpenBook, expect: str, clock: Clock) -> Path:
    """Close the workbook, put the last run's backup in its place and open it again.

    Refused when the planner changed an input since (fingerprint other than `expect`). Returns
    where the workbook as it was until now is kept.
    """
    path = book.path()
    state = book.look(())
    if state.fingerprint != expect:
        raise WorkbookRefused(
            f"{book.where} was edited since the last run; undo would take the edits back",
            found="the workbook is not as the run left it",
            fix="Take your edits back first, or open the copy in the folder backups by hand",
        )
    name = next((str(value) for key, value in state.manifest.others if key == BACKUP), "")
    backup = path.parent / BACKUPS / name if path and name else None
    if path is None or backup is None or not backup.is_file():
        raise WorkbookRefused(
            f"The backup of {book.where} from before the last run is gone",
            found=str(backup or "none was made"),
            fix="Look for the file in your own backups; nothing was changed",
        )
    try:
        kept = backup_path(path, clock())
        book.save_copy(kept)
        ready = temporary_name(path)
        shutil.copyfile(backup, ready)
        app = book.app()
        book.close()
        try:
            ready.replace(path)
        finally:
            # Either the old or the new one: the planner finds their workbook open again.
            book.do(lambda: app.books.open(str(path)))
    except OSError as error:
        raise explained(error, path.name) from error
    return kept
