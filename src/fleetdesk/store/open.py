"""Whichever store the settings name: this computer, a shared database, or a cluster."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from fleetdesk.errors import StoreUnusable
from fleetdesk.store.base import Store
from fleetdesk.store.duckdb_store import open_store

POSTGRES = ("postgresql://", "postgres://")


def open_any(
    address: str,
    folder: Path,
    *,
    create: bool = False,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    secret: Callable[[str], str | None] = lambda _: None,
) -> Store:
    """Open the store at `address` as it stands in the sheet City; "" is the workspace's `folder`.

    `postgresql://user@host/database` is a shared store, `spark:local` and `spark://host:port` read
    the folder through Spark. `secret` gives the password `store-password`, if there is one.
    """
    if not address:
        return open_store(folder, create=create, clock=clock)
    if address.startswith(POSTGRES):
        _need("psycopg", "shared", "a shared data store")
        from fleetdesk.store.postgres_store import open_postgres

        return open_postgres(address, create=create, clock=clock, secret=secret)
    if address == "spark:local" or address.startswith("spark://"):
        _need("pyspark", "cluster", "a cluster")
        from fleetdesk.store.spark_store import open_spark

        return open_spark(address, folder, create=create, clock=clock)
    raise StoreUnusable(
        "City: Data store is not an address that FleetDesk knows",
        found=address,
        fix="Leave it empty for this computer, or give postgresql://user@host/database, "
        "spark:local or spark://host:7077",
    )


def _need(module: str, extra: str, what: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise StoreUnusable(
            f"This FleetDesk was installed without what {what} needs",
            found=f"no Python package {module}",
            fix=f"Install fleetdesk[{extra}]",
        )
