"""Rows that were not kept, in a file of their own: to be mended there and imported again."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from fleetdesk.sources.csv_file import Rows
from fleetdesk.sources.mapping import FILE_NAME
from fleetdesk.sources.mapping_file import as_csv
from fleetdesk.sources.mapping_forms import is_number

PREFIX = "rejected rows of "
MOST = 100_000
"""More are counted but not written: such a file has another fault than its rows."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_BESIDE = (FILE_NAME, "row", "reason")


class Rejects:
    """Collects rows beside the final file, which changes only at the end.

    A file of rejected rows is replaced by what is left of it. Cells of the columns `riders` are
    written as pseudonyms, which pass the door as they are when the rows come back.
    """

    def __init__(
        self,
        folder: Path,
        source: str,
        header: Sequence[str],
        riders: Collection[str] = (),
        pseudonym: Callable[[str], str] = str,
    ) -> None:
        bare = source.removeprefix(PREFIX)
        self.path = folder / f"{PREFIX}{as_csv(bare)}"
        self._draft = folder / f".{self.path.name}.tmp"
        self._header = [name for name in header if name not in _BESIDE]
        self._riders, self._pseudonym = riders, pseudonym
        self._file: IO[str] | None = None
        self.written = 0

    def add(
        self,
        file: str,
        header: Sequence[str],
        rows: Rows,
        places: npt.NDArray[np.int64],
        reasons: Sequence[str],
    ) -> None:
        """Put some rows aside, each with where it was and why it was not kept."""
        places = places[: MOST - self.written]
        if not len(places):
            return
        texts = rows.texts.take(pa.array(places)).to_pydict()
        columns = [texts[f"c{header.index(name)}"] if name in header else [None] * len(places)
                   for name in self._header]  # fmt: skip
        for index, name in enumerate(self._header):
            if name in self._riders:
                columns[index] = [self._pseudonym(cell) if cell else "" for cell in columns[index]]
        files = (
            texts[f"c{header.index(FILE_NAME)}"] if FILE_NAME in header else [file] * len(places)
        )
        writer = csv.writer(self._opened(), lineterminator="\r\n")
        for turn, cells in enumerate(zip(*columns, strict=True)):
            row = [_safe(cell or "") for cell in cells]
            writer.writerow([*row, files[turn], int(rows.numbers[places[turn]]), reasons[turn]])
        self.written += len(places)

    def finish(self) -> bool:
        """Give the file its name, or remove an earlier one when nothing is left; true with rows."""
        if self._file is None:
            self.path.unlink(missing_ok=True)
            return False
        self._file.close()
        self._draft.replace(self.path)
        return True

    def abandon(self) -> None:
        """Leave what was there as it was."""
        if self._file is not None:
            self._file.close()
            self._draft.unlink(missing_ok=True)

    def _opened(self) -> IO[str]:
        if self._file is None:
            self._file = self._draft.open("w", encoding="utf-8-sig", newline="")
            csv.writer(self._file, lineterminator="\r\n").writerow([*self._header, *_BESIDE])
        return self._file


def _safe(text: str) -> str:
    """No spreadsheet takes it for a formula; numbers may begin with a sign."""
    return f"'{text}" if text.startswith(_FORMULA) and not is_number(text) else text
