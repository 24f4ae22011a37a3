"""Numbers on the picture of a route."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fleetdesk.outputs.crew.signs import _AROUND, _HIGH, _LETTER, Box, signs

SIZE = (4.8, 4.0)
SPOTS = st.tuples(st.floats(0.2, 4.6), st.floats(0.2, 3.8))


@given(st.lists(SPOTS, max_size=60), SPOTS)
def test_no_sign_covers_another_or_leaves_the_picture(stops, start) -> None:
    taken = Box(*start, 0.2, 0.2)
    found = signs(stops, SIZE, [taken])
    boxes = [taken, *(_box(sign) for sign in found)]
    for i, box in enumerate(boxes):
        assert not any(box.covers(other) for other in boxes[i + 1 :])
    for box in boxes[1:]:
        assert box.w <= box.x <= SIZE[0] - box.w
        assert box.h <= box.y <= SIZE[1] - box.h


def test_stops_with_room_have_their_own_sign_and_near_ones_share_it() -> None:
    stops = [(1.0, 1.0), (2.0, 1.0), (2.05, 1.02), (3.0, 2.0), (1.01, 1.0), (4.0, 3.0)]
    found = {sign.label: sign for sign in signs(stops, SIZE)}
    assert set(found) == {"1, 5", "2\u20133", "4", "6"}
    assert all(sign.middle == sign.at for sign in found.values())


def test_an_end_comes_first_also_where_the_route_was_there_before() -> None:
    stops = [(0.4, 0.4), (4.0, 3.0), (4.17, 3.0), (4.18, 3.0), (4.19, 3.0), (4.0, 3.0)]
    assert [sign.label for sign in signs(stops, SIZE)] == ["2, 6", "1", "3\u20135"]


def test_who_has_no_room_at_the_stop_stands_beside_it() -> None:
    (sign,) = signs([(2.0, 2.0)], SIZE, [Box(2.0, 2.0, 0.1, 0.1)])
    assert sign.at == (2.0, 2.0) and sign.middle != sign.at
    assert not _box(sign).covers(Box(2.0, 2.0, 0.1, 0.1))


def test_a_crowd_keeps_the_ends_of_the_route() -> None:
    crowd = [(2.0 + (n % 14) * 0.03, 2.0 + (n * 7 % 10) * 0.03) for n in range(200)]
    labels = [sign.label for sign in signs(crowd, SIZE)]
    assert 2 < len(labels) < 200
    assert any(label.startswith("1") for label in labels)
    assert any(label.endswith("200") for label in labels)


def _box(sign) -> Box:
    return Box(*sign.middle, (_LETTER * len(sign.label) + _AROUND) / 2, _HIGH / 2)
