"""Routes changed by hand: order, worker, lock, exclude, and the cells that say so."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from fleetdesk.apps.desktop.rounds import Rounds
from fleetdesk.apps.desktop.work.shapes import Board, BoardLeftOut, BoardStop


def stop(row: str, worker: str, place: int, task: str = "", drop_off: bool = False) -> BoardStop:
    return BoardStop(
        row, task or row, drop_off, row, "swap", "", worker, float(place),
        was_worker=worker, was_place=place,
    )  # fmt: skip


def rounds() -> Rounds:
    stops = (
        stop("a", "Maria", 1), stop("b", "Maria", 2, "move"), stop("c", "Maria", 3),
        stop("b, drop-off", "Maria", 4, "move", drop_off=True), stop("x", "Nikos", 1),
        stop("y", "Nikos", 2),
    )  # fmt: skip
    return Rounds(Board("r", "2026-06-17", "EUR", ("Maria", "Nikos", "Eleni"), stops, (), 1.0, "f"))


def order(now: Rounds, worker: str) -> list[str]:
    return [one.row for one in now.of(worker)]


def test_a_stop_goes_where_it_is_put_and_only_its_cell_changes() -> None:
    now = rounds()
    assert now.move("a", "Maria", 2)
    assert order(now, "Maria") == ["b", "c", "a", "b, drop-off"]
    (change,) = now.changes()
    assert (change.row, change.header) == ("a", "Stop") and 3 < change.value < 4  # type: ignore[operator]


def test_a_drop_off_stays_behind_its_pick_up_and_with_its_worker() -> None:
    now = rounds()
    assert not now.move("b, drop-off", "Maria", 0)
    assert not now.move("b", "Maria", 3)
    assert not now.move("b, drop-off", "Nikos", 0)
    assert not now.changed
    assert now.move("b", "Nikos", 1)
    assert order(now, "Nikos") == ["x", "b", "b, drop-off", "y"]
    assert {(one.row, one.header) for one in now.changes()} == {
        ("b", "Worker"), ("b", "Stop"), ("b, drop-off", "Worker"), ("b, drop-off", "Stop"),
    }  # fmt: skip


def test_a_stop_given_to_an_idle_worker_is_placed_there() -> None:
    now = rounds()
    assert now.move("a", "Eleni", 0)
    found = {one.header: one.value for one in now.changes()}
    assert found["Worker"] == "Eleni" and found["Stop"] != 1.0


def test_a_task_from_outside_comes_whole_and_goes_again_without_a_trace() -> None:
    board = rounds().board
    plain = BoardLeftOut("q", "q", "swap", "", 1.0, "too dear")
    carried = BoardLeftOut("m", "m", "move", "", 1.0, "no room", moves=True)
    now = Rounds(replace(board, left_out=(plain, carried)))
    now.add(plain, "Nikos", 1)
    now.add(carried, "Nikos", 0)
    assert order(now, "Nikos") == ["m", "m, drop-off", "x", "q", "y"]
    assert now.left_out == [] and "q" in now and now.sequences()["Nikos"][1] == ("m", True)
    assert [(one.sheet, one.row, one.header) for one in now.changes()] == [
        ("Tasks", name, head) for name in ("q", "m") for head in ("Give to", "As stop")
    ]
    now.exclude("m", True)
    now.exclude("q", True)
    assert not now.changed and now.left_out == [plain, carried] and now.left("m") == carried


def test_up_and_down_end_at_the_ends() -> None:
    now = rounds()
    assert not now.shift("x", -1) and not now.shift("y", 1)
    assert now.shift("y", -1) and order(now, "Nikos") == ["y", "x"]


def test_locks_and_exclusions_are_cells_and_whole_tasks_go() -> None:
    now = rounds()
    now.lock("x", True)
    now.exclude("b, drop-off", True)
    assert {(one.row, one.header, one.value) for one in now.changes()} == {
        ("x", "Lock", "yes"), ("b", "Exclude", "yes"), ("b, drop-off", "Exclude", "yes"),
    }  # fmt: skip
    assert now.sequences()["Maria"] == (("a", False), ("c", False))
    now.discard()
    assert not now.changed and not now.changes()


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "b, drop-off", "x", "y"]),
        st.sampled_from(["Maria", "Nikos", "Eleni"]),
        st.integers(0, 6),
    ),
    max_size=12,
)


@settings(deadline=None)
@given(MOVES)
def test_whatever_is_moved_every_stop_stays_once_and_moves_stay_in_order(
    moves: list[tuple[str, str, int]],
) -> None:
    now = rounds()
    for row, worker, index in moves:
        now.move(row, worker, index)
    found = now.sequences()
    stops = [one for mine in found.values() for one in mine]
    assert len(stops) == len(set(stops)) == 6
    (home,) = [mine for mine in found.values() if ("move", False) in mine]
    assert home.index(("move", False)) < home.index(("move", True))
    places = [(one.worker, one.place) for one in (now.stop(row) for row in "abcxy")]
    assert len(places) == len(set(places))
