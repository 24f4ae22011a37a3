from __future__ import annotations

import pytest

from fleetdesk.model.csv_guard import guarded


@pytest.mark.parametrize("start", [*"=+-@\t\r\n＝＋－＠", "  ="])
def test_a_text_that_could_run_is_quoted(start):
    assert guarded(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("text", ["", "Maria", "a=b", "Ελένη -1", "2026-05-31", "'=1"])
def test_other_text_stays_itself(text):
    assert guarded(text) == text
