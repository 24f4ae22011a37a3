"""What all tests share."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.mariadb import MariaDbServer, running_mariadb
from tests.services.postgres import PostgresServer, running_postgres

CHECKOUT = Path(__file__).resolve().parent.parent

# Tests run beside each other, one on each processor: threads of one would wait for another's.
for library in ("OMP", "OPENBLAS"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")


def pytest_collection_finish() -> None:
    """The libraries and tests that are loaded by now stay: looking through them for what could be
    freed, again and again, would take a tenth of all time."""
    gc.freeze()
    gc.set_threshold(20_000, 10, 5)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout; the test skips where it is absent."""
    folder = Path(os.environ.get("FLEETDESK_DATA", CHECKOUT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the real data folder is not here: {folder}")
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL for the session; its tests skip with the reason where there is none."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDbServer]:
    """A MariaDB for the session; its tests skip with the reason where there is none."""
    with running_mariadb() as server:
        yield server
