"""MDS 0.4 to 2.0, provider and agency, from files or from a provider's server.

The mapping is in docs/sources/mds.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from fleetdesk.errors import SourceUnreadable
from fleetdesk.model.quality import QualityReport
from fleetdesk.sources.base import OnProgress, Piece, Source, Surroundings
from fleetdesk.sources.mds_files import files_at, records_of_file
from fleetdesk.sources.mds_intake import Intake
from fleetdesk.sources.mds_values import Door

AHEAD = timedelta(days=1)  # a clock that is wrong by more than this is not believed


def open_mds(place: str, around: Surroundings) -> Source:
    """The source at a path or at an http(s) address."""
    intake = Intake(
        door_of(around),
        lambda name: around.tables[name].to_pyarrow(),
        version=around.options.get("version", ""),
    )
    if place.startswith(("http://", "https://")):
        from fleetdesk.sources.mds_pull import open_server

        return open_server(place, intake, around)
    return MdsFiles(Path(place), intake)


def door_of(around: Surroundings) -> Door:
    """What the options say of money, batteries and time."""
    voltage = around.options.get("battery-voltage", "")
    try:
        voltage_v = float(voltage) if voltage else None
    except ValueError:
        raise SourceUnreadable(
            "The option battery-voltage is not a number", found=voltage, fix="Give volts, like 36"
        ) from None
    return Door(
        latest_ms=_millis(around.now + AHEAD),
        currency=around.options.get("currency", "").upper(),
        voltage_v=voltage_v,
    )


class MdsFiles:
    """A file or a folder of files; bad files of a folder are counted like bad rows."""

    def __init__(self, place: Path, intake: Intake) -> None:
        self.name = place.name
        self._intake = intake
        self._files, ignored = files_at(place)
        self._report: QualityReport | None = None
        if ignored:
            more = f" and {len(ignored) - 10} more" if len(ignored) > 10 else ""
            intake.note(f"Not read: {', '.join(ignored[:10])}{more}.")

    def read(self, on_progress: OnProgress | None = None) -> Iterator[Piece]:
        """Yield pieces of the canonical tables, at last `vehicles`."""
        sizes = [path.stat().st_size for path in self._files]
        total, before = max(1, sum(sizes)), 0

        def tell(done: int) -> None:
            if on_progress:
                on_progress(min(1.0, (before + done) / total))

        for path, size in zip(self._files, sizes, strict=True):
            try:
                for row, record in enumerate(records_of_file(path, tell), 1):
                    self._intake.take(record, f"{path.name} row {row}")
                    yield from self._intake.pieces()
            except SourceUnreadable as trouble:
                if len(self._files) == 1:
                    raise
                self._intake.skip(f"a file that cannot be used: {trouble.found}", path.name)
            before += size
        yield from self._intake.pieces(all_=True)
        self._report = self._intake.report(self.name)

    def report(self) -> QualityReport:
        """What became of the rows; only after `read` has come to its end."""
        if self._report is None:
            raise RuntimeError("the report exists only after the source has been read")
        return self._report


def _millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
