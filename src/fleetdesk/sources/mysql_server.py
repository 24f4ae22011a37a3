"""A MySQL or MariaDB server: where it is, what its tables look like, and rows of them as texts."""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa
from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.exc import DBAPIError

from fleetdesk.errors import SourceUnreadable
from fleetdesk.sources.mysql_columns import DbColumn
from fleetdesk.sources.parsing import text_column

PORT = 3306
SCHEMES = ("mysql", "mariadb")
SECRET = "mysql-password"  # noqa: S105 - its name
_EXAMPLE = "mysql://user@host:3306/database"
_CONNECT_S = 10
_ANSWER_S = 600
_TRIES = 4
_LOST = (0, 2006, 2013, 2014, 2055, 1927, 1053)
_AGAIN = (1205, 1213)  # somebody else's lock
_SESSION = "SET time_zone = '+00:00', sql_mode = ''"


@dataclass(frozen=True, slots=True)
class Address:
    """`mysql://user@host:3306/database`; passwords are kept elsewhere."""

    host: str
    port: int
    user: str
    database: str

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def address_of(place: str) -> Address:
    """The address that was typed; SourceUnreadable, which does not repeat it, where it is none."""
    try:
        parts = urlsplit(place)
        port = parts.port or PORT
    except ValueError:
        raise _no_address("a port or host that is none") from None
    if parts.password is not None:
        raise SourceUnreadable(
            "An address must not hold a password: it would stay in histories and schedules",
            fix=f"Leave it out, as in {_EXAMPLE}, and keep the password with "
            f"`fleetdesk login source {SECRET}`",
        )
    database = unquote(parts.path.strip("/"))
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise _no_address("no mysql:// and a host")
    if not parts.username or not database or "/" in database:
        raise _no_address("no user" if not parts.username else "not exactly one database")
    return Address(parts.hostname, port, unquote(parts.username), database)


class MySqlServer:
    """One login to one database, opened at the first question and opened again when it is lost.

    Times are asked for in UTC. `tls` is "", "yes" or the path of a certificate authority's file.
    """

    def __init__(
        self,
        address: Address,
        password: str,
        *,
        tls: str = "",
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.address = address
        self._sleep = sleep
        secure: Mapping[str, Any] = (
            {"ssl": {"ca": None if tls == "yes" else tls, "check_hostname": True}} if tls else {}
        )
        self._engine = create_engine(
            URL.create(
                "mysql+pymysql", address.user, password, address.host, address.port,
                address.database, query={"charset": "utf8mb4"},
            ),
            connect_args={
                "connect_timeout": _CONNECT_S, "read_timeout": _ANSWER_S, "init_command": _SESSION,
                **secure,
            },
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
        )  # fmt: skip
        self._open: Connection | None = None

    def close(self) -> None:
        """Hang up."""
        self._hang_up()
        self._engine.dispose()

    def version(self) -> str:
        """As the server tells it: `10.11.6-MariaDB`, `8.0.36`."""
        return str(self._ask("SELECT VERSION()")[0][0])

    def tables(self) -> list[str]:
        """The tables and views of the database that this user may see."""
        rows = self._ask(
            "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = :d "
            "ORDER BY TABLE_NAME", d=self.address.database,
        )  # fmt: skip
        return [str(row[0]) for row in rows]

    def columns(self, table: str) -> list[DbColumn]:
        """In the table's order; SourceUnreadable where there is no such table for this user."""
        try:
            self._ask(f"SELECT 1 FROM {quoted(table)} LIMIT 0")  # noqa: S608 - quoted
        except NoSuchTable:
            known = self.tables()
            near = difflib.get_close_matches(table, known, n=1)
            raise SourceUnreadable(
                f"The database {self.address.database} has no table {table}",
                found=", ".join(known[:20]) or "no table that this user may see",
                fix=f"Did you mean {near[0]}?" if near else "Check the option table",
            ) from None
        rows = self._ask(
            "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, COLUMN_KEY "
            "FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = :d AND TABLE_NAME = :t "
            "ORDER BY ORDINAL_POSITION", d=self.address.database, t=table,
        )  # fmt: skip
        return [
            DbColumn(str(r[0]), _plain(r[1]).lower(), _plain(r[2]).lower(), r[3] == "YES")
            for r in rows
        ]

    def indexes(self, table: str) -> dict[str, list[str]]:
        """Index name -> its columns in order; the primary key is `PRIMARY`."""
        rows = self._ask(
            "SELECT INDEX_NAME, COLUMN_NAME FROM information_schema.STATISTICS "
            "WHERE TABLE_SCHEMA = :d AND TABLE_NAME = :t ORDER BY INDEX_NAME, SEQ_IN_INDEX",
            d=self.address.database, t=table,
        )  # fmt: skip
        found: dict[str, list[str]] = {}
        for name, column in rows:
            found.setdefault(str(name), []).append(str(column))
        return found

    def about(self, table: str) -> int:
        """Roughly how many rows; 0 where the server does not know."""
        rows = self._ask(
            "SELECT TABLE_ROWS FROM information_schema.TABLES WHERE TABLE_SCHEMA = :d "
            "AND TABLE_NAME = :t", d=self.address.database, t=table,
        )  # fmt: skip
        return int(rows[0][0] or 0) if rows else 0

    def count(self, sql: str) -> int:
        """The one number that a statement gives."""
        return int(self._ask(sql)[0][0] or 0)

    def checksum(self, table: str) -> str:
        """Of all that the table holds; "" of a view."""
        value = self._ask(f"CHECKSUM TABLE {quoted(table)}")[0][1]
        return "" if value is None else str(value)

    def texts(self, sql: str, columns: int) -> pa.Table:
        """What a statement gives, all columns as texts."""
        rows = self._ask(sql)
        arrays = [text_column([row[place] for row in rows]) for place in range(columns)]
        return pa.Table.from_arrays(arrays, names=[f"c{place}" for place in range(columns)])

    def _ask(self, sql: str, **values: str) -> Sequence[Sequence[Any]]:
        """All rows; a connection that is lost is opened again a few times."""
        for turn in range(_TRIES):
            try:
                return self._asked(sql, values)
            except DBAPIError as trouble:
                code = _code(trouble)
                if turn + 1 == _TRIES or code not in (*_LOST, *_AGAIN):
                    raise self._told(trouble) from None
                self._hang_up()
                self._sleep(2.0**turn / 2)
        raise AssertionError("the last turn returns or raises")

    def _asked(self, sql: str, values: Mapping[str, str]) -> Sequence[Sequence[Any]]:
        with _sentences(self.address):
            if self._open is None:
                self._open = self._engine.connect()
            if values:
                return self._open.execute(text(sql), values).fetchall()
            # As it stands: names and values of the table may hold % and :.
            plain = self._open.execution_options(no_parameters=True)
            return plain.exec_driver_sql(sql).fetchall()

    def _hang_up(self) -> None:
        if self._open is not None:
            self._open.invalidate()
            self._open.close()
            self._open = None

    def _told(self, trouble: DBAPIError) -> SourceUnreadable:
        """The trouble as sentences; only what the server says is quoted, and no statement."""
        where, code = self.address, _code(trouble)
        said = str(trouble.orig.args[1]) if trouble.orig and len(trouble.orig.args) > 1 else ""
        if code in (1045, 1698):
            return SourceUnreadable(
                f"The server at {where} does not let {where.user} in with this password",
                found=said,
                fix=f"Keep the right one with `fleetdesk login source {SECRET}`, or in another "
                "secret named by --option password=NAME",
            )
        if code in (1044, 1142, 1143, 1227):
            return SourceUnreadable(
                f"{where.user} has no right to read this", found=said,
                fix="Ask whoever looks after the database for SELECT on the table",
            )  # fmt: skip
        if code == 1049:
            return SourceUnreadable(
                f"The server at {where} has no database {where.database}", found=said,
                fix="Check the end of the address",
            )  # fmt: skip
        if code in (1146, 1356):
            return NoSuchTable("There is no such table", found=said)
        if code in (2002, 2003, 2005):
            return SourceUnreadable(
                f"No database server answers at {where}", found=said,
                fix="Check host and port, and whether the server runs and may be reached from here",
                retry_helps=True,
            )  # fmt: skip
        if code in (*_LOST, *_AGAIN):
            return SourceUnreadable(
                f"The connection to {where} was lost", found=said,
                fix="Import again later; it goes on where it stopped", retry_helps=True,
            )  # fmt: skip
        return SourceUnreadable(
            f"The database at {where} cannot answer", found=f"error {code}: {said}",
            fix="Show this to whoever looks after the database",
        )  # fmt: skip


class NoSuchTable(SourceUnreadable):
    """The table is not there, or not for this user."""


def quoted(name: str) -> str:
    """A table's or column's name as statements need it."""
    return "`" + name.replace("`", "``") + "`"


@contextmanager
def _sentences(where: Address) -> Iterator[None]:
    """What the driver raises besides the server's errors."""
    try:
        yield
    except (RuntimeError, OSError) as trouble:
        raise SourceUnreadable(
            f"The login at {where} does not work", found=str(trouble),
            fix="Give --option tls=yes, or tls= and the path of the authority's certificate",
        ) from None  # fmt: skip


def _code(trouble: DBAPIError) -> int:
    arguments = trouble.orig.args if trouble.orig else ()
    return arguments[0] if arguments and isinstance(arguments[0], int) else -1


def _plain(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _no_address(found: str) -> SourceUnreadable:
    return SourceUnreadable(
        "This is no address of a database", found=found, fix=f"Write it like {_EXAMPLE}"
    )
