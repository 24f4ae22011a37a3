"""A real MariaDB's tables as a source: what is new, what was changed, what is gone, what breaks."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pytest
from tests.services.mariadb import MariaDbServer
from tests.sources.mapped import counted

from fleetdesk.errors import SourceUnreadable
from fleetdesk.model.tables import TABLES
from fleetdesk.sources import mysql
from fleetdesk.sources.base import Checkpoint, Surroundings, schema_of
from fleetdesk.sources.kinds import KINDS
from fleetdesk.sources.mapped_agreement import MappingNeeded

pymysql = pytest.importorskip("pymysql", reason="the extra 'mysql' is not installed")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
START = datetime(2025, 5, 1, 10)
RIDES = """
CREATE TABLE rides (
  id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, scooter VARCHAR(40), user_id INT,
  start_time DATETIME(3), end_time DATETIME(3), start_location POINT, end_location POINT,
  distance_m DECIMAL(10,2), fare DECIMAL(8,2), updated_at DATETIME(6) NOT NULL,
  mood TEXT, KEY changed (updated_at, id))
"""
COLUMNS = (
    "id", "scooter", "user_id", "start_time", "end_time", "start_location", "end_location",
    "distance_m", "fare", "updated_at",
)  # fmt: skip


@dataclass
class Planner:
    """Imports tables again and again as the command does, with a store of what came."""

    server: MariaDbServer
    database: str
    folder: Path
    watermark: Mapping[str, str] = field(default_factory=dict)
    tables: dict[str, pa.Table] = field(default_factory=dict)
    password: str = ""
    given: int = 0

    def __post_init__(self) -> None:
        (self.folder / "raw").mkdir(exist_ok=True)

    def sql(self, *statements: str, many: Any = None) -> Any:
        with closing(self._login()) as connection, connection.cursor() as cursor:
            for statement in statements:
                if many is None:
                    cursor.execute(statement)
                else:
                    cursor.executemany(statement, many)
            return cursor.fetchall()

    def source(self, /, timezone: str = "UTC", now: datetime = NOW, **options: str) -> Any:
        secret = {"mysql-password": self.password or self.server.password}
        return KINDS["mysql"].build(
            f"mysql://{self.server.user}@{self.server.host}:{self.server.port}/{self.database}",
            Surroundings(
                now=now, watermark=self.watermark, tables=Ibis(self.tables),
                folder=self.folder / "raw", options={"password": "mysql-password", **options},
                secret=secret.get, timezone=timezone, pseudonym=lambda rider: f"rp-{rider}",
            ),
        )  # fmt: skip

    def take(self, /, stop_after: int = 10**9, **options: str) -> Any:
        """Import; what is kept when it is cut off after some checkpoints is up to the last one."""
        source = self.source(**options)
        pieces: list[tuple[str, pa.Table]] = []
        checkpoints, self.given = 0, 0
        reading = source.read()
        try:
            for piece in reading:
                if not isinstance(piece, Checkpoint):
                    pieces.append(piece)
                    continue
                for name, rows in pieces:
                    self._keep(name, rows)
                pieces.clear()
                self.watermark = piece.watermark
                checkpoints += 1
                if checkpoints == stop_after:
                    reading.close()
                    return None
        except SourceUnreadable as trouble:
            return trouble
        return source.report()

    def rows(self, name: str = "trips") -> list[dict[str, Any]]:
        return self.tables[name].to_pylist() if name in self.tables else []

    def _keep(self, name: str, rows: pa.Table) -> None:
        assert rows.schema.equals(schema_of(TABLES[name]))
        self.given += rows.num_rows if name != "vehicles" else 0
        key = TABLES[name].key
        kept = {tuple(row[k] for k in key): row for row in self.rows(name)}
        kept |= {tuple(row[k] for k in key): row for row in rows.to_pylist()}
        ordered = [kept[k] for k in sorted(kept)]
        self.tables[name] = pa.Table.from_pylist(ordered, schema=rows.schema)

    def _login(self) -> Any:
        return pymysql.connect(
            host=self.server.host, port=self.server.port, user=self.server.user,
            password=self.server.password, database=self.database, autocommit=True,
            charset="utf8mb4", init_command="SET time_zone='+00:00', sql_mode=''",
        )  # fmt: skip


@dataclass(frozen=True)
class Ibis(Mapping[str, Any]):
    """The store's tables."""

    tables: Mapping[str, pa.Table]

    def __getitem__(self, name: str) -> Any:
        return ibis.memtable(self.tables.get(name, schema_of(TABLES[name]).empty_table()))

    def __iter__(self) -> Iterator[str]:
        return iter(TABLES)

    def __len__(self) -> int:
        return len(TABLES)


@pytest.fixture
def planner(mariadb: MariaDbServer, tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    name = f"shop_{zlib.crc32(request.node.name.encode())}"
    with closing(
        pymysql.connect(
            host=mariadb.host, port=mariadb.port, user=mariadb.user, password=mariadb.password
        )
    ) as connection:
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        yield Planner(mariadb, name, tmp_path)
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name}")


def rides(planner: Planner, first: int, last: int, changed: datetime, step_s: float = 60) -> None:
    rows = [
        (number, f"v{number % 7}", number % 5, START + timedelta(minutes=number),
         START + timedelta(minutes=number + 10), 22.94 + number % 50 / 1e4, 40.63, 22.95, 40.62,
         1500, "2.50", changed + timedelta(seconds=step_s * (number - first)))
        for number in range(first, last + 1)
    ]  # fmt: skip
    planner.sql(
        f"INSERT INTO rides ({', '.join(COLUMNS)}) VALUES "
        "(%s,%s,%s,%s,%s,POINT(%s,%s),POINT(%s,%s),%s,%s,%s)",
        many=rows,
    )


def sure(**options: str) -> dict[str, str]:
    return {"table": "rides", "into": "trips", "confirm": "yes", **options}


def test_rows_come_once_and_changed_ones_again(planner: Planner) -> None:
    planner.sql(RIDES)
    rides(planner, 1, 200, START)
    with pytest.raises(MappingNeeded, match="start_location"):
        planner.source(table="rides", into="trips")
    report = planner.take(**sure(batch="37"))
    assert (report.rows_in, report.rows_kept, len(planner.rows())) == (200, 200, 200)
    first = planner.rows()[0]
    assert (first["trip_id"], first["start_lat"], first["start_lon"]) == ("1", 40.63, 22.9401)
    assert (first["started_at"], first["duration_s"]) == (START + timedelta(minutes=1), 600)
    assert len(planner.rows("vehicles")) == 7

    again = planner.take(table="rides", into="trips")
    assert (again.rows_in, planner.given) == (0, 0)
    assert again.facts["rows read again and found unchanged"] == 16  # 15 minutes, one a minute

    late = START + timedelta(minutes=199)
    planner.sql(
        f"UPDATE rides SET fare = 9, updated_at = '{late}' WHERE id = 3",
        "UPDATE rides SET mood = 'fine' WHERE id = 199",
    )
    rides(planner, 201, 205, late - timedelta(minutes=10))  # committed late
    report = planner.take(table="rides", into="trips")
    assert (report.rows_in, planner.given, len(planner.rows())) == (6, 6, 205)
    assert {row["trip_id"]: row["revenue"] for row in planner.rows()}["3"] == 9
    assert planner.take(table="rides", into="trips").rows_in == 0


def test_a_second_change_within_the_same_moment_is_seen(planner: Planner) -> None:
    planner.sql(RIDES)
    rides(planner, 1, 3, START, step_s=0)
    planner.take(**sure())
    planner.sql("UPDATE rides SET fare = 7 WHERE id = 2")  # updated_at stays
    assert planner.take(**sure()).rows_in == 1
    assert [row["revenue"] for row in planner.rows()] == [2.5, 7, 2.5]


@pytest.mark.parametrize("stop_after", [1, 3])
def test_an_import_that_is_cut_off_goes_on(planner: Planner, stop_after: int) -> None:
    planner.sql(RIDES)
    rides(planner, 1, 300, START)
    planner.take(**sure(batch="50"), stop_after=stop_after)
    assert len(planner.rows()) == 50 * stop_after
    planner.take(**sure(batch="50"))
    assert planner.given == 300 - 50 * stop_after + 16  # the overlap is given again
    assert [int(row["trip_id"]) for row in planner.rows()] == sorted(
        range(1, 301), key=str
    )  # by text


def test_a_lost_connection_is_opened_again(planner: Planner) -> None:
    planner.sql(RIDES)
    rides(planner, 1, 120, START)
    source = planner.source(**sure(batch="40"))
    source._server._sleep = lambda seconds: None
    killed = 0
    for piece in source.read():
        if isinstance(piece, Checkpoint) and killed < 2:
            killed += 1
            for row in planner.sql("SHOW PROCESSLIST"):
                if row[3] == planner.database and row[4] == "Sleep":
                    planner.sql(f"KILL {row[0]}")
    assert (killed, source.report().rows_kept) == (2, 120)


def test_a_server_that_is_gone_for_good_keeps_what_came(planner: Planner) -> None:
    planner.sql(RIDES)
    rides(planner, 1, 120, START)
    source = planner.source(**sure(batch="40"))
    reading = source.read()
    while not isinstance(next(reading), Checkpoint):
        pass
    source._server._sleep = lambda seconds: None
    source._server._engine = gone = mysql.MySqlServer(
        replace(source._server.address, port=1), "x"
    )._engine
    source._server._hang_up()
    with pytest.raises(SourceUnreadable, match="No database server answers") as told:
        list(reading)
    assert told.value.retry_helps
    assert gone is source._server._engine


def test_both_ways_of_reading_give_the_same(
    planner: Planner, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("duckdb_extension_mysql_scanner")
    odd(planner)
    rides(planner, 50, 400, START)
    slow = replace(planner, tables={})
    slow.take(**sure(batch="100"))
    monkeypatch.setattr(mysql, "BULK_ROWS", 1)
    opened: list[Any] = []
    open_bulk = mysql.open_bulk

    def noted(*arguments: Any) -> Any:
        opened.append(open_bulk(*arguments))
        return opened[-1]

    monkeypatch.setattr(mysql, "open_bulk", noted)
    fast = replace(planner, watermark={}, tables={})
    source = fast.source(**sure(batch="100"))
    asked: list[str] = []
    server_texts = source._server.texts
    source._server.texts = lambda sql, columns: asked.append(sql) or server_texts(sql, columns)
    assert len([p for p in source.read() if isinstance(p, Checkpoint)]) == 5
    assert (len(opened), asked) == (1, [])
    fast.take(**sure(batch="100"))
    assert fast.rows() == slow.rows()
    assert fast.watermark == slow.watermark


def odd(planner: Planner) -> None:
    """Rows of a table that has lived long."""
    planner.sql(
        RIDES,
        "INSERT INTO rides VALUES (18446744073709551615, 'Θεσσαλονίκη 🛴 \\\\ ''%s:x', 1, "
        "'2025-05-01 10:00:00.25', '2025-05-01 10:10:00', POINT(22.94, 40.63), NULL, 1234.56, "
        "12.50, '2025-05-01 11:00:00.000001', 'a')",
        "INSERT INTO rides VALUES (2, NULL, NULL, '2025-05-01 10:00', '2025-05-01 10:10', "
        "NULL, NULL, 0, NULL, '0000-00-00', NULL)",
        "INSERT INTO rides VALUES (3, 'v', 1, '0000-00-00', '2025-05-01 10:10', "
        "NULL, NULL, 5, NULL, '2025-05-01 10:00', NULL)",
        "INSERT INTO rides VALUES (4, 'v', 1, '2025-05-01 10:00', '2025-05-00 10:10', "
        "NULL, NULL, 5, NULL, '2025-05-01 10:00', NULL)",
    )
    rides(planner, 10, 29, START)


def test_odd_values_are_read_or_named(planner: Planner) -> None:
    odd(planner)
    report = planner.take(**sure())
    rows = {row["trip_id"]: row for row in planner.rows()}
    assert set(rows) == {"18446744073709551615", "2", *map(str, range(10, 30))}
    kept = rows["18446744073709551615"]
    assert kept["vehicle_id"] == "Θεσσαλονίκη 🛴 \\ '%s:x"
    assert kept["started_at"] == datetime(2025, 5, 1, 10, 0, 0, 250000)
    assert (kept["start_lat"], kept["end_lat"]) == (40.63, None)
    assert (kept["distance_m"], kept["revenue"]) == (1234.56, 12.5)
    assert rows["2"]["vehicle_id"] is None
    assert counted(report) == {"no started_at": 1, "end_time cannot be read as ended_at": 1}
    assert report.facts["zero dates in start_time, taken as empty"] == 1
    assert planner.take(**sure()).rows_in == 0


def test_rows_put_aside_tell_no_rider(planner: Planner) -> None:
    odd(planner)
    planner.sql("UPDATE rides SET user_id = 777 WHERE id = 3")
    planner.take(**sure())
    (path,) = planner.folder.glob("rejected rows of *.csv")
    text = path.read_text(encoding="utf-8-sig")
    assert "rp-777" in text
    assert ",777," not in text


@pytest.mark.parametrize(
    ("timezone", "kind", "expected"),
    [
        ("UTC", "DATETIME", 10), ("Europe/Athens", "DATETIME", 7),
        ("America/New_York", "DATETIME", 14), ("America/New_York", "TIMESTAMP NULL", 10),
    ],
)  # fmt: skip
def test_zones(planner: Planner, timezone: str, kind: str, expected: int) -> None:
    planner.sql(
        "SET GLOBAL time_zone = '+05:00'",
        f"CREATE TABLE pings (id INT PRIMARY KEY, scooter_id VARCHAR(9), recorded_at {kind}, "
        "lat DOUBLE, lon DOUBLE, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)",
        "INSERT INTO pings (id, scooter_id, recorded_at, lat, lon) "
        "VALUES (1, 'v', '2025-07-01 10:00:00', 40.63, 22.94)",
    )
    try:
        report = planner.take(timezone=timezone, table="pings", into="telemetry", confirm="yes")
    finally:
        planner.sql("SET GLOBAL time_zone = 'SYSTEM'")
    assert report.rows_kept == 1
    assert planner.rows("telemetry")[0]["recorded_at"] == datetime(2025, 7, 1, expected)


def test_the_hour_that_the_clock_shows_twice_is_read_again(planner: Planner) -> None:
    planner.sql(RIDES)
    rides(planner, 1, 60, datetime(2025, 10, 26, 3, 0))  # Athens: 3:00 to 4:00 comes twice
    planner.take(timezone="Europe/Athens", **sure())
    rides(planner, 61, 65, datetime(2025, 10, 26, 3, 1))  # the second time
    planner.take(timezone="Europe/Athens", **sure())
    assert (planner.given, len(planner.rows())) == (5, 65)


def test_a_changed_table_stops_the_import(planner: Planner) -> None:
    planner.sql(RIDES)
    rides(planner, 1, 20, START)
    planner.take(**sure())
    before = planner.watermark
    planner.sql("ALTER TABLE rides MODIFY fare VARCHAR(20), MODIFY scooter VARCHAR(80)")
    with pytest.raises(SourceUnreadable) as told:
        planner.source(**sure())
    assert "the column fare held decimal and holds text now" in str(told.value)
    assert "scooter" not in told.value.found
    planner.sql("ALTER TABLE rides DROP fare")
    with pytest.raises(SourceUnreadable, match="the column fare is gone"):
        planner.source(**sure())
    assert planner.watermark == before
    planner.watermark = {}  # --again
    assert planner.take(**sure()).rows_kept == 20


def test_what_is_gone_is_counted_and_named(planner: Planner) -> None:
    planner.sql(RIDES)
    rides(planner, 1, 50, START)
    report = planner.take(**sure(deletes="check", batch="20"))
    assert "All trips of the workspace are still in rides." in report.notes
    planner.sql("DELETE FROM rides WHERE id IN (7, 8, 50)")
    report = planner.take(**sure(deletes="check", batch="20"))
    assert report.facts["trips in the workspace that rides does not have"] == 3
    assert any("are not in rides (any more): 50, 7, 8." in note for note in report.notes)
    (path,) = planner.folder.glob("gone from *.csv")
    assert path.read_text(encoding="utf-8-sig").splitlines() == ["trip_id", "50", "7", "8"]
    rides(planner, 7, 8, START)
    rides(planner, 50, 50, START)
    planner.take(**sure(deletes="check"))
    assert not path.exists()


def test_a_table_that_tells_no_change_is_read_whole_when_it_changed(planner: Planner) -> None:
    planner.sql(
        "CREATE TABLE hubs (code VARCHAR(9) PRIMARY KEY, label VARCHAR(60), lat FLOAT, lon FLOAT, "
        "slots SMALLINT, target INT, active BIT(1))",
        "INSERT INTO hubs VALUES ('a', 'Λευκός Πύργος', 40.626446, 22.948426, 9, 4, b'1')",
        "INSERT INTO hubs VALUES ('b', 'Καμάρα', 40.632241, 22.951739, 12, 6, b'0')",
    )
    needed = planner.folder / f"mapping for {planner.database}.hubs.csv"
    with pytest.raises(MappingNeeded):
        planner.source(table="hubs", into="parkings")
    text = needed.read_text(encoding="utf-8-sig").replace("(confirmed),,no", "(confirmed),,yes")
    lines = text.splitlines()
    said = [line for line in lines if not line.startswith(("code,", "(not found)"))]
    code = next(line for line in lines if line.startswith("code,")).split(",")
    code[2] = "parking_id"
    needed.write_text("\n".join([*said, ",".join(code)]), encoding="utf-8")
    options = {"table": "hubs", "into": "parkings"}
    report = planner.take(**options)
    assert (report.rows_kept, planner.rows("parkings")[0]["name"]) == (2, "Λευκός Πύργος")
    assert round(planner.rows("parkings")[0]["lat"], 5) == 40.62645
    assert planner.take(**options).rows_in == 0
    planner.sql("UPDATE hubs SET slots = 10 WHERE code = 'a'")
    assert planner.take(**options).rows_in == 2
    assert planner.rows("parkings")[0]["capacity"] == 10


def test_rows_without_a_time_of_change_come_too(planner: Planner) -> None:
    planner.sql(RIDES.replace("updated_at DATETIME(6) NOT NULL", "updated_at DATETIME NULL"))
    rides(planner, 1, 10, START)
    planner.sql("UPDATE rides SET updated_at = NULL WHERE id < 6")
    assert planner.take(**sure(batch="2")).rows_in == 10
    assert planner.take(**sure(batch="2")).rows_in == 0
    rides(planner, 11, 12, START)
    planner.sql("UPDATE rides SET updated_at = NULL WHERE id > 10")
    planner.sql("UPDATE rides SET updated_at = '2025-06-01', fare = 3 WHERE id = 1")
    assert planner.take(**sure()).rows_in == 3
    assert len(planner.rows()) == 12


@pytest.mark.parametrize("together", [False, True])
def test_telemetry_in_a_column_of_json(planner: Planner, together: bool) -> None:
    planner.sql(
        "CREATE TABLE raw_pings (id INT AUTO_INCREMENT PRIMARY KEY, device_id VARCHAR(20), "
        "payload JSON, received TIMESTAMP(3) DEFAULT CURRENT_TIMESTAMP(3), KEY (received))"
    )
    at = int(START.replace(tzinfo=UTC).timestamp())
    pings = [
        {"ts": at + second, "gps": {"lat": 40.63, "lon": 22.94, "hdop": 0.8},
         "battery": {"level": 87}, "lock": {"state": "unlocked"}}
        for second in range(4)
    ]  # fmt: skip
    documents: list[Any] = [{"pings": pings[:2]}, {"pings": pings[2:]}] if together else pings
    planner.sql(
        "INSERT INTO raw_pings (device_id, payload) VALUES ('a', %s)",
        many=[(json.dumps(document),) for document in documents],
    )
    planner.sql("INSERT INTO raw_pings (device_id, payload) VALUES ('c', NULL)")
    options = {"table": "raw_pings", "into": "telemetry", "updated_at": "received"}
    report = planner.take(**options, confirm="yes")
    rows = planner.rows("telemetry")
    assert [row["recorded_at"].second for row in rows] == [0, 1, 2, 3]
    assert {
        (r["vehicle_id"], r["lat"], r["hdop"], r["battery_pct"], r["locked"]) for r in rows
    } == {("a", 40.63, 0.8, 87.0, False)}
    assert (report.rows_in, report.rows_kept) == (5, 4)
    assert planner.take(**options).rows_in == 0


def test_several_tables_of_one_database_keep_their_own_marks(planner: Planner) -> None:
    planner.sql(RIDES, "CREATE TABLE rides2 LIKE rides")
    rides(planner, 1, 5, START)
    planner.sql("INSERT INTO rides2 SELECT * FROM rides")
    planner.take(**sure())
    planner.take(**sure(table="rides2"))
    assert set(planner.watermark) == {"rides", "rides2"}
    assert planner.take(**sure()).rows_in == 0


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("mysql://u:hunter22@h/d", "must not hold a password"),
        ("mysql://h/d", "no user"),
        ("mysql://u@h", "not exactly one database"),
        ("http://u@h/d", "no mysql://"),
        ("mysql://u@h:port/d", "port or host"),
    ],
)
def test_addresses(place: str, told: str) -> None:
    with pytest.raises(SourceUnreadable, match=told) as trouble:
        mysql.address_of(place)
    assert "hunter22" not in str(trouble.value)


def test_faults_of_login_and_table_are_sentences(planner: Planner) -> None:
    planner.sql(RIDES, "CREATE TABLE bare (x INT)")
    guest = f"guest_{planner.database}"
    planner.sql(f"CREATE USER '{guest}'@'127.0.0.1' IDENTIFIED BY 'let me in'",
                f"GRANT SELECT ON {planner.database}.bare TO '{guest}'@'127.0.0.1'")  # fmt: skip
    visitor = replace(planner, server=replace(planner.server, user=guest, password="let me in"))
    cases: list[tuple[Planner, dict[str, str], str]] = [
        (planner, {}, "Which table of the database is it? Found: bare, rides"),
        (planner, {"table": "ride"}, "Did you mean rides"),
        (planner, {"table": "bare"}, "has no primary key"),
        (planner, {"table": "bare", "key": "x"}, "it may be empty"),
        (planner, {"table": "rides", "key": "nope"}, "has no column nope"),
        (planner, {"table": "rides", "updated_at": "mood"}, "cannot say when a row"),
        (planner, {"table": "rides", "deletes": "all"}, "deletes cannot be used"),
        (planner, {"table": "rides", "batch": "0"}, "batch cannot be used"),
        (visitor, {"table": "rides"}, "has no right to read this"),
        (replace(planner, password="wrong horse"), {"table": "rides"}, "does not let planner in"),
        (replace(planner, database="nowhere"), {"table": "rides"}, "has no database nowhere"),
        (replace(planner, server=replace(planner.server, port=1)), {"table": "rides"},
         "No database server answers"),
    ]  # fmt: skip
    for who, options, told in cases:
        with pytest.raises(SourceUnreadable) as trouble:
            who.source(**options)
        said = str(trouble.value)
        assert told in said
        assert planner.server.password not in said
        assert "wrong horse" not in said
    planner.sql(f"DROP USER '{guest}'@'127.0.0.1'")


def test_a_view_is_read_by_a_key_that_is_named(planner: Planner) -> None:
    planner.sql(RIDES, "CREATE VIEW shown AS SELECT * FROM rides WHERE id > 2")
    rides(planner, 1, 5, START)
    options = sure(table="shown")
    with pytest.raises(SourceUnreadable, match="has no primary key"):
        planner.source(**options)
    assert planner.take(**options, key="id").rows_in == 3
