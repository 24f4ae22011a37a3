"""A MariaDB of our own for a test: loopback, temporary folder, root without a password."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from tests.services.common import LOOPBACK, free_port, own_folder, program, serving, somebody

PLACES = "usr/sbin"
USER = "planner"
PASSWORD = "no secret"


@dataclass(frozen=True, slots=True)
class MariaDbServer:
    """Where the server listens; `pid` is its main process."""

    port: int
    pid: int
    host: str = LOOPBACK
    user: str = USER
    password: str = PASSWORD


@contextmanager
def running_mariadb() -> Iterator[MariaDbServer]:
    """Start one with an account that may do everything; skips with the reason where it cannot."""
    pymysql = pytest.importorskip("pymysql", reason="the extra 'mysql' is not installed")
    mariadbd, install = program("mariadbd", PLACES), program("mariadb-install-db", PLACES)
    user, port = somebody("mysql"), free_port()
    with own_folder(user) as folder:
        data, first = folder / "data", folder / "first.sql"
        become = [f"--user={user}"] if user else []
        subprocess.run(
            [install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method="
             "normal", "--skip-test-db", *become],
            check=True, capture_output=True,
        )  # fmt: skip
        first.write_text(
            f"CREATE USER '{USER}'@'{LOOPBACK}' IDENTIFIED BY '{PASSWORD}';\n"
            f"GRANT ALL ON *.* TO '{USER}'@'{LOOPBACK}' WITH GRANT OPTION;\n",
            encoding="utf-8",
        )
        first.chmod(0o644)
        command = [
            mariadbd, "--no-defaults", f"--port={port}", f"--bind-address={LOOPBACK}",
            f"--datadir={data}", f"--socket={folder / 'socket'}", f"--init-file={first}",
            f"--pid-file={folder / 'pid'}", "--skip-name-resolve",
            "--innodb-flush-log-at-trx-commit=0", *become,
        ]  # fmt: skip

        def is_ready() -> bool:
            try:
                pymysql.connect(
                    host=LOOPBACK, port=port, user=USER, password=PASSWORD, connect_timeout=2
                ).close()
            except pymysql.err.OperationalError:
                return False
            return True

        with serving(command, is_ready, log=folder / "log") as process:
            yield MariaDbServer(port, process.pid)
