"""The routes as the planner is changing them: an order for each worker, apart from any widget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fleetdesk.apps.desktop.work.shapes import Board, BoardLeftOut, BoardStop

ROUTES, TASKS = "Routes", "Tasks"
_NUDGE = 0.01


@dataclass(frozen=True)
class RowChange:
    """One cell of a sheet: the row's name, the column's head, and what is to stand there."""

    row: str
    header: str
    value: object
    sheet: str = ROUTES


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

    @property
    def left_out(self) -> list[BoardLeftOut]:
        """The tasks that are on no route as it is now."""
        there = {stop.task_id for stop in self._now.values() if stop.worker and not stop.excluded}
        return [task for task in self.board.left_out if task.task_id not in there]

    def left(self, task_id: str) -> BoardLeftOut | None:
        """One of these tasks."""
        return next((task for task in self.left_out if task.task_id == task_id), None)

    def __contains__(self, row: str) -> bool:
        """Whether this is a stop with a worker, left out or not."""
        return row in self._now and bool(self._now[row].worker)

    def add(self, task: BoardLeftOut, worker: str, index: int) -> None:
        """Put a task that is on no route at a place of a worker's order, a drop-off behind it."""
        for number, drop_off in enumerate((False, True) if task.moves else (False,)):
            row = f"{task.task_id}, drop-off" if drop_off else task.task_id
            others = [one for one in self.of(worker) if not one.excluded]
            stop = self._now.get(row) or BoardStop(
                row,
                task.task_id,
                drop_off,
                task.vehicle,
                "drop off" if drop_off else task.what,
                task.where,
                worker,
                0.0,
            )
            place = _between(others, min(index, len(others)) + number)
            self._now[row] = replace(stop, worker=worker, place=place, excluded=False)

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
        """Leave a whole task out, or no longer; one that was added here is as if it never was."""
        task = self._now[row].task_id
        for one in list(self._now.values()):
            if one.task_id == task and one.row in self._was and self._was[one.row].worker:
                self._now[one.row] = replace(one, excluded=excluded)
            elif one.task_id == task:
                self._now.pop(one.row)
                if one.row in self._was:
                    self._now[one.row] = self._was[one.row]

    def discard(self) -> None:
        """As the board was."""
        self._now = dict(self._was)

    @property
    def changed(self) -> bool:
        """Whether anything differs from the board."""
        return self._now != self._was

    def changes(self) -> list[RowChange]:
        """The cells of the sheets that differ from what stands there."""
        found = [
            change
            for row, stop in self._now.items()
            if row not in self._was and not stop.drop_off
            for change in (
                RowChange(row, "Give to", stop.worker, TASKS),
                RowChange(row, "As stop", stop.place, TASKS),
            )
        ]
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
