"""Taking a source's pieces into the store, whole up to its checkpoints, wherever it is cut off."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from fleetdesk.model.quality import QualityReport
from fleetdesk.model.tables import VEHICLES
from fleetdesk.sources.base import Checkpoint, Piece
from fleetdesk.store.base import Generation, Store

ROWS_PER_GENERATION = 1_000_000
SECONDS_PER_GENERATION = 60.0
HELD_BYTES = 128 * 2**20
STOPPED = "stopped early; the next import goes on from there"


@dataclass
class Intake:
    """One import under way.

    `origin` names the source in the ledger, `label` its generations; `otherwise` is the watermark
    of a source that gives none. `timer` counts seconds; `see` is shown all rows, `agree` is asked
    before a generation is kept and may refuse by raising, `tell` hears how many records are safe:
    rows of `vehicles`, which sources add to their records, count only where there are no others.
    """

    store: Store
    origin: str
    label: str
    otherwise: Mapping[str, str]
    timer: Callable[[], float]
    see: Callable[[str, pa.Table], None]
    agree: Callable[[], None]
    tell: Callable[[int], None]
    rows: int = 0
    rows_safe: int = 0
    vehicles: int = 0
    watermark: Mapping[str, str] | None = None

    @property
    def records(self) -> int:
        """Rows given so far, as a planner counts them."""
        return self.rows - self.vehicles or self.rows

    @property
    def reach(self) -> Mapping[str, str]:
        """The watermark of what has been given so far."""
        return self.otherwise if self.watermark is None else self.watermark

    def take_in(self, pieces: Iterable[Piece], report: Callable[[], QualityReport]) -> None:
        """Write generations until the source ends; each is whole up to one of its checkpoints.

        A source without checkpoints becomes one generation or none. Whatever cuts the work off,
        what came before the last checkpoint stays, and is told as safe.
        """
        coming = iter(pieces)
        while (first := self._next_rows(coming)) is not None:
            cut_off: BaseException | None = None
            with self.store.new_generation(self.label) as generation:
                segment = _Segment(self, generation)
                try:
                    if segment.fill(itertools.chain([first], coming)):
                        generation.describe(report())
                except (Exception, KeyboardInterrupt) as trouble:
                    if not segment.can_stop_here:
                        raise
                    cut_off = trouble
                    generation.describe(None, STOPPED)
                self.agree()
            self.rows_safe = segment.rows_safe
            self.tell(self.rows_safe)
            if cut_off is not None:
                raise cut_off

    def _next_rows(self, coming: Iterator[Piece]) -> Piece | None:
        """The next piece with rows; checkpoints before it only move the watermark."""
        for piece in coming:
            if isinstance(piece, Checkpoint):
                self.watermark = piece.watermark
            elif piece[1].num_rows:
                return piece
        return None


class _Segment:
    """The rows of one generation; those after the last checkpoint wait until the next one.

    When they become too many to wait, they go ahead, and the generation stands or falls with the
    next checkpoint.
    """

    def __init__(self, intake: Intake, generation: Generation) -> None:
        self._intake = intake
        self._generation = generation
        self._waiting: list[tuple[str, pa.Table]] = []
        self._waiting_bytes = 0
        self._ahead = False
        self._until = intake.timer() + SECONDS_PER_GENERATION
        self._checked = False
        self.rows_safe = intake.rows_safe

    @property
    def can_stop_here(self) -> bool:
        """Whether the generation is whole up to a checkpoint as it stands."""
        return self._checked and not self._ahead

    def fill(self, pieces: Iterator[Piece]) -> bool:
        """Take pieces until it is time for the next generation; true when the source has ended."""
        intake = self._intake
        start = intake.rows
        for piece in pieces:
            if isinstance(piece, Checkpoint):
                self._checkpoint(piece)
                if intake.rows - start >= ROWS_PER_GENERATION or intake.timer() >= self._until:
                    return False
                continue
            intake.see(*piece)
            intake.rows += piece[1].num_rows
            if piece[0] == VEHICLES.name:
                intake.vehicles += piece[1].num_rows
            self._waiting.append(piece)
            self._waiting_bytes += piece[1].nbytes
            if self._waiting_bytes > HELD_BYTES:
                self._let_in()
        self._let_in()
        self._generation.reached(intake.origin, intake.reach)
        self.rows_safe = intake.records
        return True

    def _checkpoint(self, checkpoint: Checkpoint) -> None:
        self._let_in()
        self._intake.watermark = checkpoint.watermark
        self._generation.reached(self._intake.origin, checkpoint.watermark)
        self.rows_safe = self._intake.records
        self._checked, self._ahead = True, False

    def _let_in(self) -> None:
        self._ahead = True
        for table, rows in self._waiting:
            self._generation.append(table, rows)
        self._waiting.clear()
        self._waiting_bytes = 0
