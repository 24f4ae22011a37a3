"""The routes as the planner is changing them: an order for each worker, apart from any widget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fleetdesk.apps.desktop.work.shapes import Board, BoardStop

_NUDGE = 0.01


@dataclass(frozen=True)
class RowChange:
    """One cell of the sheet Routes: the row's name, the column's head, and what stands there."""

    row: str
    header: str
    value: object


class Rounds:
    """Who does which stops in which order; a stop is known by the name of its row."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self._was = {stop.row: stop for stop in board.stops}
        self._now = dict(self._was)

    def stop(self, row: str) -> BoardStop:
        """A stop as it is now."""
        return self._now[row]

    def of(self, worker: str) -> list[BoardStop]:
        """A worker's stops in their order, those left out last."""
        mine = [stop for stop in self._now.values() if stop.worker == worker]
        return sorted(mine, key=lambda stop: (stop.excluded, stop.place))

    def move(self, row: str, worker: str, index: int) -> bool:
        """Put a stop at a place of a worker's order; False where it would come out of order.

        With a pick-up that goes to another worker its drop-off goes too, right behind it; a
        drop-off alone stays with the worker of its pick-up.
        """
        stop = self._now[row]
        if stop.excluded or (stop.drop_off and stop.worker != worker):
            return False
        others = [one for one in self.of(worker) if one.row != row and not one.excluded]
        place = _between(others, index)
        twin = self._twin(stop)
        if twin is not None and twin.worker == worker:
            first, last = (twin.place, place) if stop.drop_off else (place, twin.place)
            if first >= last:
                return False
        if worker != stop.worker and place == stop.was_place:
            place += _NUDGE
        self._now[row] = replace(stop, worker=worker, place=place)
        if twin is not None and twin.worker != worker:
            behind = [one for one in self.of(worker) if not one.excluded]
            after = _between(behind, [one.row for one in behind].index(row) + 1)
            self._now[twin.row] = replace(twin, worker=worker, place=after)
        return True

    def shift(self, row: str, by: int) -> bool:
        """One place up (-1) or down (1)."""
        stop = self._now[row]
        mine = [one.row for one in self.of(stop.worker) if not one.excluded]
        target = mine.index(row) + by if row in mine else -1
        return 0 <= target < len(mine) and self.move(row, stop.worker, target)

    def lock(self, row: str, locked: bool) -> None:
        """Keep worker and place of a stop, or no longer."""
        self._now[row] = replace(self._now[row], locked=locked)

    def exclude(self, row: str, excluded: bool) -> None:
        """Leave a whole task out, or no longer."""
        task = self._now[row].task_id
        for one in list(self._now.values()):
            if one.task_id == task:
                self._now[one.row] = replace(one, excluded=excluded)

    def discard(self) -> None:
        """As the board was."""
        self._now = dict(self._was)

    @property
    def changed(self) -> bool:
        """Whether anything differs from the board."""
        return self._now != self._was

    def changes(self) -> list[RowChange]:
        """The cells of the sheet Routes that differ from what stands there."""
        found: list[RowChange] = []
        for row, was in self._was.items():
            now = self._now[row]
            if now.worker != was.worker:
                found.append(RowChange(row, "Worker", now.worker))
            if now.place != was.place:
                found.append(RowChange(row, "Stop", now.place))
            if now.locked != was.locked:
                found.append(RowChange(row, "Lock", "yes" if now.locked else None))
            if now.excluded != was.excluded:
                found.append(RowChange(row, "Exclude", "yes" if now.excluded else None))
        return found

    def sequences(self) -> Mapping[str, tuple[tuple[str, bool], ...]]:
        """Each worker's stops as (task, whether it is the drop-off), in their order."""
        return {
            worker: tuple(
                (stop.task_id, stop.drop_off) for stop in self.of(worker) if not stop.excluded
            )
            for worker in self.board.workers
        }

    def _twin(self, stop: BoardStop) -> BoardStop | None:
        return next(
            (one for one in self._now.values()
             if one.task_id == stop.task_id and one.row != stop.row), None,
        )  # fmt: skip


def _between(others: list[BoardStop], index: int) -> float:
    """A number that sorts to `index` among the others."""
    index = max(0, min(index, len(others)))
    if not others:
        return 1.0
    if index == 0:
        return others[0].place / 2
    if index == len(others):
        return others[-1].place + 1
    return (others[index - 1].place + others[index].place) / 2
