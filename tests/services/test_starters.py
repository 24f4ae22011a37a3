"""The starters give a server that answers and leave nothing behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.services.common import program
from tests.services.mariadb import MariaDbServer
from tests.services.postgres import PostgresServer, running_postgres


def test_postgres_answers(postgres: PostgresServer) -> None:
    import psycopg

    with psycopg.connect(postgres.new_database()) as connection:
        assert connection.execute("SELECT 6 * 7").fetchone() == (42,)


def test_mariadb_answers(mariadb: MariaDbServer) -> None:
    import pymysql

    with (
        pymysql.connect(
            host=mariadb.host, port=mariadb.port, user=mariadb.user, password=mariadb.password
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT 6 * 7")
        assert cursor.fetchone() == (42,)


def test_a_stopped_server_is_gone_with_its_folder() -> None:
    with running_postgres() as server:
        folder = Path(f"/proc/{server.pid}/cwd")
        data = folder.resolve() if folder.exists() else None
        os.kill(server.pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(server.pid, 0)
    assert data is None or not data.exists()


def test_a_missing_program_is_a_reason_to_skip() -> None:
    with pytest.raises(pytest.skip.Exception, match="no-such-server is not installed"):
        program("no-such-server", "usr/sbin")
