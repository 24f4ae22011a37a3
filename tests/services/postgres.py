"""A PostgreSQL of our own for a test: loopback, temporary folder, no password."""

from __future__ import annotations

import secrets
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from tests.services.common import (
    LOOPBACK,
    as_user,
    free_port,
    own_folder,
    program,
    serving,
    somebody,
)

PLACES = "usr/lib/postgresql/*/bin"
USER = "planner"


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """Where the server listens; `pid` is its main process."""

    port: int
    pid: int

    def address(self, database: str = "postgres") -> str:
        """As it stands in the sheet City."""
        return f"postgresql://{USER}@{LOOPBACK}:{self.port}/{database}"

    def new_database(self) -> str:
        """Make an empty database and return its address.

        It sorts texts as people do, so that what relies on the order of bytes shows.
        """
        import psycopg

        name = f"fd_{secrets.token_hex(6)}"
        with psycopg.connect(self.address(), autocommit=True) as connection:
            words = ""
            if connection.info.server_version >= 150_000:
                words = " TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'"
            connection.execute(f"CREATE DATABASE {name}{words}")
        return self.address(name)


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Start one, ready to be used; skips with the reason where it cannot be."""
    psycopg = pytest.importorskip("psycopg", reason="the extra 'shared' is not installed")
    initdb, postgres = program("initdb", PLACES), program("postgres", PLACES)
    user, port = somebody("postgres"), free_port()
    with own_folder(user) as folder:
        data = folder / "data"
        subprocess.run(
            [initdb, "-D", str(data), "-A", "trust", "-U", USER, "-E", "UTF8", "--locale=C", "-N"],
            check=True, capture_output=True, **as_user(user),
        )  # fmt: skip
        options = {"listen_addresses": LOOPBACK, "unix_socket_directories": "", "fsync": "off"}
        command = [postgres, "-D", str(data), "-p", str(port)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]

        def is_ready() -> bool:
            try:
                psycopg.connect(
                    host=LOOPBACK, port=port, user=USER, dbname="postgres", connect_timeout=2
                ).close()
            except psycopg.OperationalError:
                return False
            return True

        # SIGINT: go down now, whoever is connected.
        with serving(
            command, is_ready, log=folder / "log", user=user, stop=signal.SIGINT
        ) as process:
            yield PostgresServer(port, process.pid)
