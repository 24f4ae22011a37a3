"""From rows as they were and as they are to edits: who moved, which order is asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fleetdesk.errors import Problem, Severity
from fleetdesk.model.edits import Edits, StopKey, TaskEdit

Rounds = Mapping[str, Sequence["Row"]]


@dataclass(frozen=True)
class Row:
    """One stop on the sheet: what the last run wrote and what stands there now.

    `stop` is a place in the worker's order, fractions included; None for a task on no round.
    `text` is what the last run said of an earlier edit, `done` that it was over before that run,
    `said` what the planner says about that; `cells` are the addresses by header.
    """

    key: StopKey
    vehicle: str
    was_worker: str
    worker: str
    was_stop: float | None
    stop: float | None
    was_locked: bool = False
    locked: bool = False
    excluded: bool = False
    text: str = ""
    done: bool = False
    said: bool | None = None
    cells: Mapping[str, str] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether it was done before the last run, so that its other cells say nothing."""
        return self.done and self.said is not False

    @property
    def moved(self) -> bool:
        """Whether it is given to another worker."""
        return self.worker != self.was_worker

    @property
    def placed(self) -> bool:
        """Whether it is given another place in the order."""
        return self.stop is not None and self.stop != self.was_stop

    @property
    def loose(self) -> bool:
        """Whether it came to its worker without a place in his order."""
        return self.stop is None or (self.moved and not self.placed)


def edited(rows: Sequence[Row]) -> Edits:
    """The edits that lead from the rows as they were to the rows as they are.

    A row whose worker or place was changed is locked by that, and so are the rows that it was
    moved past, for they are the order that was asked for; a lock that was cleared is gone.
    """
    rows, halves = _whole_moves(rows)
    rows, disorders = _in_order(rows)
    rounds = _rounds(rows)
    kept_beside = _beside(rounds)
    tasks: dict[str, list[Row]] = {}
    for row in rows:
        tasks.setdefault(row.key.task_id, []).append(row)
    found = (_task_edit(task_id, mine, kept_beside) for task_id, mine in tasks.items())
    return Edits(
        tuple(edit for edit in found if edit),
        {
            worker: tuple(row.key for row in mine if not row.loose)
            for worker, mine in rounds.items()
        },
        (*halves, *disorders),
    )


def _task_edit(
    task_id: str, rows: Sequence[Row], kept_beside: Mapping[StopKey, str]
) -> TaskEdit | None:
    first = rows[0]
    if any(row.excluded for row in rows):
        new = not any(row.text == "excluded" for row in rows)
        cell = first.cells.get("Exclude", "")
        return TaskEdit(task_id, "excluded", excluded=True, new=new, cell=cell)
    if not first.worker:
        return None
    locked = tuple(
        row.key
        for row in rows
        if not row.loose and (row.locked or row.placed or row.key in kept_beside)
    )
    if not (locked or first.moved or any(row.locked for row in rows)):
        return None
    said = [_moved_text(first)] if first.moved else []
    said += [_order_text(row, len(rows) > 1) for row in rows if row.placed and not row.moved]
    said += [kept_beside[row.key] for row in rows if row.key in kept_beside and not said]
    kept = next((row.text for row in rows if row.locked and row.was_locked and row.text), "")
    header = "Worker" if first.moved else "Stop" if said else "Lock"
    return TaskEdit(
        task_id,
        "; ".join(dict.fromkeys(said)) or kept or "locked",
        first.worker,
        locked=locked,
        new=bool(said) or not any(row.was_locked for row in rows),
        cell=first.cells.get(header, ""),
    )


def _moved_text(row: Row) -> str:
    place = f", order {row.stop:g}" if row.placed else ""
    if not row.was_worker:
        return f"given to {row.worker}{place}"
    return f"moved from {row.was_worker} to {row.worker}{place}"


def _order_text(row: Row, several: bool) -> str:
    which = "drop-off: " if row.key.drop_off and several else ""
    return f"{which}order {row.was_stop:g} -> {row.stop:g}"


def _rounds(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Each worker's rows in the order asked for.

    A row that is put where another stands goes before it when it came from behind or from another
    worker, and after it when it came from the front: it then has the number that was typed.
    """
    rounds: dict[str, list[Row]] = {}
    for row in rows:
        if row.worker and not row.excluded and row.stop is not None:
            rounds.setdefault(row.worker, []).append(row)
    for mine in rounds.values():
        mine.sort(key=_place)
    return rounds


def _place(row: Row) -> tuple[float, int, float]:
    stop, was = row.stop or 0.0, row.was_stop or 0.0
    if not row.placed:
        return stop, 0, was
    return stop, 1 if stop > was and not row.moved else -1, was


def _beside(rounds: Rounds) -> dict[StopKey, str]:
    """The rows that an edited row was moved past, or now stands between, with the reason."""
    beside: dict[StopKey, str] = {}
    for mine in rounds.values():
        settled = [row for row in mine if not row.loose]
        for place, row in enumerate(settled):
            if not row.placed:
                continue
            if row.moved:
                others = [*settled[max(0, place - 1) : place], *settled[place + 1 : place + 2]]
            else:
                others = [
                    other
                    for at, other in enumerate(settled)
                    if not other.moved and other is not row and _passed(row, other, place, at)
                ]
            for other in others:
                if not other.placed and not other.locked:
                    beside.setdefault(other.key, f"order kept beside {row.vehicle}")
    return beside


def _passed(row: Row, other: Row, place: int, at: int) -> bool:
    was = (row.was_stop or 0) < (other.was_stop or 0)
    return was != (place < at)


def _whole_moves(rows: Sequence[Row]) -> tuple[list[Row], list[tuple[str, Problem]]]:
    """A move's drop-off follows its pick-up to its worker; excluding either excludes both."""
    picked = {row.key.task_id: row for row in rows if not row.key.drop_off}
    excluded = {row.key.task_id for row in rows if row.excluded}
    whole, problems = [], []
    for row in rows:
        pick_up = picked.get(row.key.task_id, row)
        if row.worker != pick_up.worker:
            if row.moved:
                problems.append(_problem(
                    row, "Worker", f"The drop-off was given to {row.worker} and the pick-up not,",
                    f"so {pick_up.worker} does both", "Change the worker of the pick-up",
                    Severity.WARNING,
                ))  # fmt: skip
            row = replace(row, worker=pick_up.worker)
        whole.append(replace(row, excluded=row.key.task_id in excluded))
    return whole, problems


def _in_order(rows: Sequence[Row]) -> tuple[list[Row], list[tuple[str, Problem]]]:
    """A drop-off that was put before its pick-up, or the reverse, goes back to its old place."""
    problems: list[tuple[str, Problem]] = []
    current = list(rows)
    while wrong := _disordered(current):
        for row in current:
            if row.key.task_id in wrong and row.placed:
                problems.append(_problem(
                    row, "Stop", "The drop-off would come before the pick-up,",
                    "so the old order of the two is kept", "Give the pick-up the lower number",
                    Severity.WARNING,
                ))  # fmt: skip
        before = current
        current = [
            replace(row, stop=row.was_stop) if row.key.task_id in wrong else row for row in current
        ]
        if current == before:
            break
    return current, problems


def _disordered(rows: Sequence[Row]) -> Collection[str]:
    wrong = set()
    for mine in _rounds(rows).values():
        dropped: set[str] = set()
        for row in mine:
            if row.loose:
                continue
            if row.key.drop_off:
                dropped.add(row.key.task_id)
            elif row.key.task_id in dropped:
                wrong.add(row.key.task_id)
    return wrong


def _problem(
    row: Row, header: str, found: str, expected: str, fix: str, severity: Severity
) -> tuple[str, Problem]:
    cell = row.cells.get(header, "")
    return row.key.task_id, Problem(
        "Routes", cell, f"{row.vehicle}: {found}", expected, fix, severity
    )
