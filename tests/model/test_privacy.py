from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fleetdesk.model.privacy import too_few


def test_the_next_smallest_group_hides_the_only_one():
    assert too_few([50, 3, 20, 0], 10) == {1, 2}
    assert too_few([50, 6, 7], 10) == {1, 2}
    assert too_few([50, 20], 10) == set()
    assert too_few([3], 10) == {0}
    assert too_few([50, 20, 30], 10, already=[0]) == {0}


@given(st.lists(st.integers(0, 40), max_size=8), st.integers(1, 20))
def test_what_is_hidden_is_never_few(counts, least):
    hidden = too_few(counts, least)
    together = sum(counts[i] for i in hidden)
    assert all(counts[i] == 0 or counts[i] >= least or i in hidden for i in range(len(counts)))
    assert not 0 < together < least or hidden == {i for i, count in enumerate(counts) if count}
