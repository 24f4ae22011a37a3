"""Ctrl-C: while routes are searched the first keeps the best so far, any other cancels."""

from __future__ import annotations

import signal

import pytest

from fleetdesk.apps import console
from fleetdesk.errors import Enough
from fleetdesk.workflows.progress import SEARCHING


def test_the_first_interrupt_of_a_search_is_enough_and_the_second_cancels() -> None:
    before = signal.getsignal(signal.SIGINT)
    with console.progress(as_json=False) as on_progress:
        on_progress("Reading the records", 0.1)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        on_progress(SEARCHING, 0.5)
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(Enough):
            on_progress(SEARCHING, 0.6)
        on_progress("Adding up the key figures", 0.9)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
