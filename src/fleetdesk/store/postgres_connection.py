"""Connections to the shared store's PostgreSQL: errors as sentences, locks, the ledgers' database.

The password comes from the caller, from PGPASSWORD or from libpq's password file; an address that
holds one is refused, because addresses stand in workbooks.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, cast

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from fleetdesk.errors import StoreUnusable

SCHEMA = "fleetdesk"
PASSWORD_NAME = "store-password"  # noqa: S105 - its name
CONNECT_S = 10
LOCK_CLASS = 0x464C4545  # marks our advisory locks among those of other programs
RUN, WRITE, LAY = -1, -2, -3  # numbers of locks; from 0 on they are generations
# A computer that vanishes must not hold its locks for the two hours of the default.
_SESSION = (
    f"-c search_path={SCHEMA} -c timezone=UTC -c tcp_keepalives_idle=30"
    " -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
)

Secret = Callable[[str], str | None]
Connection = psycopg.Connection[Any]


def connect(address: str, secret: Secret) -> Connection:
    """Open a connection that sees only the store's schema; StoreUnusable says why not.

    Each statement is a transaction of its own unless one is opened.
    """
    options = _options(address)
    where = f"{options.get('host', 'this computer')}:{options.get('port', 5432)}"
    known = secret(PASSWORD_NAME)
    if known:
        options["password"] = known
    try:
        connection: Connection = psycopg.connect(
            **options | {"options": f"{options.get('options', '')} {_SESSION}"},
            autocommit=True,
            row_factory=cast(Any, dict_row),
            connect_timeout=CONNECT_S,
            application_name="fleetdesk",
        )
    except psycopg.OperationalError as error:
        raise StoreUnusable(
            f"The shared store at {where} cannot be opened",
            found=_first_line(error),
            fix="Check City: Data store and that the server runs; a password is taken from "
            "FLEETDESK_STORE_PASSWORD, from the keyring or from PGPASSWORD",
            retry_helps=True,
        ) from error
    return connection


def _options(address: str) -> dict[str, Any]:
    try:
        options = conninfo_to_dict(address)
    except psycopg.ProgrammingError as error:
        raise StoreUnusable(
            "The data store's address cannot be read",
            found=_first_line(error),
            fix="Write it as postgresql://user@host:port/database",
        ) from error
    if options.get("password"):
        raise StoreUnusable(
            "The data store's address holds a password",
            fix="Take it out of the address and give it as FLEETDESK_STORE_PASSWORD",
        )
    return options


@contextmanager
def trouble(doing: str) -> Iterator[None]:
    """Turn what the database refuses into a sentence; `doing` completes "... while"."""
    try:
        yield
    except psycopg.errors.DiskFull as error:
        raise StoreUnusable(
            f"The shared store has no room left while {doing}",
            found=_first_line(error),
            fix="Free some room on the server; the data is as it was before",
            retry_helps=True,
        ) from error
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise StoreUnusable(
            f"The connection to the shared store was lost while {doing}",
            found=_first_line(error),
            fix="Check the server and the network; the data is as it was before",
            retry_helps=True,
        ) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise StoreUnusable(
            f"The shared store forbids us something while {doing}",
            found=_first_line(error),
            fix="Let the database's administrator grant this account the right to create and "
            f"change the schema {SCHEMA}",
        ) from error


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


class Database:
    """The ledgers' database; see store.ledger."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def execute(self, statement: str, values: Sequence[Any] = ()) -> psycopg.Cursor[Any]:
        """Run one statement with `?` where values go."""
        with trouble("using its ledger"):
            return self.connection.execute(cast(Any, statement.replace("?", "%s")), values)

    @contextmanager
    def writing(self) -> Iterator[Database]:
        """One transaction: all of it or nothing."""
        with trouble("writing its ledger"), self.connection.transaction():
            yield self


class AdvisoryLock:
    """One holder at a time on all computers; the server frees it when its holder's line is cut."""

    def __init__(self, connection: Connection, number: int) -> None:
        self._connection = connection
        self._number = number
        self._held = False

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._held

    def acquire(self, holder: str) -> bool:
        """Take the lock and leave word who has it; False when somebody else has it."""
        with trouble("asking for its lock"):
            if self._held or not try_lock(self._connection, self._number):
                return False
            self._held = True
            self._connection.execute(
                "INSERT INTO holders VALUES (%s, %s) ON CONFLICT (number) DO UPDATE"
                " SET holder = excluded.holder",
                (self._number, f"{holder}, on {socket.gethostname()}"),
            )
        return True

    def release(self) -> None:
        """Let go; where the connection is lost, the server has done so."""
        if self._held:
            self._held = False
            if not self._connection.closed:
                try:
                    unlock(self._connection, self._number)
                except psycopg.OperationalError:
                    self._connection.close()

    def holder(self) -> str:
        """What the present holder left."""
        with trouble("asking for its lock"):
            row = self._connection.execute(
                "SELECT holder FROM holders WHERE number = %s", (self._number,)
            ).fetchone()
        return str(row["holder"]) if row else ""


def try_lock(connection: Connection, number: int) -> bool:
    """Take a lock alone if nobody has it."""
    return _yes(connection, "SELECT pg_try_advisory_lock(%s, %s) AS yes", number)


def share(connection: Connection, number: int) -> None:
    """Hold a lock together with others; waits while somebody has it alone."""
    connection.execute("SELECT pg_advisory_lock_shared(%s, %s)", (LOCK_CLASS, number))


def unlock(connection: Connection, number: int) -> None:
    """Let go of a lock that was taken alone."""
    _yes(connection, "SELECT pg_advisory_unlock(%s, %s) AS yes", number)


def unshare(connection: Connection, number: int) -> None:
    """Let go of a lock that was held together with others."""
    _yes(connection, "SELECT pg_advisory_unlock_shared(%s, %s) AS yes", number)


def one(connection: Connection, statement: str, values: Sequence[Any] = ()) -> Mapping[str, Any]:
    """The one row that a statement gives."""
    row = connection.execute(cast(Any, statement), values).fetchone()
    if row is None:
        raise psycopg.ProgrammingError(f"no row from {statement}")
    return cast(Mapping[str, Any], row)


def unlock_all(connection: Connection) -> None:
    """Let go of every lock of the session; a line that is cut has none."""
    with suppress(psycopg.Error):
        connection.execute("SELECT pg_advisory_unlock_all()")


def _yes(connection: Connection, statement: str, number: int) -> bool:
    return bool(one(connection, statement, (LOCK_CLASS, number))["yes"])
