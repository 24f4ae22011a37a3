"""A table of the operator's own MySQL or MariaDB database, by a mapping that is confirmed.

docs/sources/mysql.md says how changes are found and what stops an import.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from fleetdesk.errors import SourceUnreadable
from fleetdesk.model.quality import QualityReport
from fleetdesk.model.tables import TABLES
from fleetdesk.sources.base import Checkpoint, OnProgress, Piece, Surroundings, Tally
from fleetdesk.sources.csv_file import Rows
from fleetdesk.sources.mapped_agreement import agreed
from fleetdesk.sources.mapped_checks import Limits
from fleetdesk.sources.mapped_files import Place, Wishes, wishes_of
from fleetdesk.sources.mapped_rejects import MOST, Rejects
from fleetdesk.sources.mapped_rows import Counts, MappedRows
from fleetdesk.sources.mapped_vehicles import SeenVehicles
from fleetdesk.sources.mapping import FILE_NAME, prefixes
from fleetdesk.sources.mapping_sample import densest, sample_of
from fleetdesk.sources.mysql_bulk import Bulk, open_bulk
from fleetdesk.sources.mysql_columns import drift
from fleetdesk.sources.mysql_gone import can_tell, gone, path_of
from fleetdesk.sources.mysql_marks import marks_of
from fleetdesk.sources.mysql_pages import Page, Tail, pages
from fleetdesk.sources.mysql_server import SECRET, MySqlServer, address_of
from fleetdesk.sources.mysql_table import TableSample, look_at, rows_of
from fleetdesk.sources.parsing import floats

BATCH_ROWS = 50_000
BULK_ROWS = 100_000
"""From so many rows on, opening a second and faster connection is worth it."""


def open_mysql(place: str, around: Surroundings) -> MySql:
    """The table that the options name, looked at; SourceUnreadable, MappingNeeded as for files."""
    options = around.options
    if options.get("deletes", "no") not in ("check", "no"):
        raise SourceUnreadable(
            "The option deletes cannot be used", found=repr(options["deletes"]),
            fix="Give check or no",
        )  # fmt: skip
    address = address_of(place)
    password = around.secret(options.get("password") or SECRET) or ""
    tls = options.get("tls", "").strip()
    server = MySqlServer(address, password, tls="" if tls == "no" else tls)
    said = {"timezone": around.timezone, **options, "table": options.get("into", "")}
    try:
        return MySql(
            server, wishes_of(said, around.folder.parent), around,
            batch=_batch(options.get("batch", "")),
            open_bulk=lambda: None if tls else open_bulk(address, password),
        )  # fmt: skip
    except BaseException:
        server.close()
        raise


class MySql:
    """What was changed in one table since the last import, the overlap of 15 minutes told apart.

    `batch` is how many rows are asked for at once and between checkpoints.
    """

    def __init__(
        self,
        server: MySqlServer,
        wishes: Wishes,
        around: Surroundings,
        *,
        batch: int = BATCH_ROWS,
        open_bulk: Callable[[], Bulk | None] = lambda: None,
    ) -> None:
        self._server, self._wishes, self._around = server, wishes, around
        self._batch, self._open_bulk = batch, open_bulk
        self._bulk: Bulk | None = None
        table = around.options.get("table", "")
        self.name = f"{server.address.database}.{table}"
        before = marks_of(around.watermark.get(table, ""))
        if before.kinds:
            drift(before.kinds, server.columns(table), table)
        self._table = look_at(server, around.options)
        looked = [TableSample(self._table)]
        self._mapping, notes = agreed(self.name, looked, lambda: sample_of(looked), wishes.say)
        self._plan = self._table.plan(self._mapping)
        self._before = before
        self._marks = before.renewed(self._mapping, self._plan)
        self._tail = Tail(self._plan)
        self._notes = [*notes, *self._remarks()]
        self._zeros: dict[str, int] = {}
        self._known = 0
        self._report: QualityReport | None = None

    def read(self, on_progress: OnProgress | None = None) -> Iterator[Piece]:
        """Yield the mapped table and `vehicles`, and a checkpoint after each batch."""
        tally, counts = Tally(), Counts()
        rejects = Rejects(self._wishes.say.folder, self.name, list(self._mapping.columns))
        rows: MappedRows | None = None
        vehicles: SeenVehicles | None = None  # the store is asked once there is news
        share = self._progress(on_progress)
        read = 0
        try:
            for page in self._pages():
                read += page.rows
                fresh = self._fresh(page)
                if fresh.rows:
                    rows = rows or MappedRows(
                        self._mapping, self._limits(fresh), tally, counts,
                        types=self._wishes.vehicle_types, later_wins=True,
                    )  # fmt: skip
                    if vehicles is None:
                        known = self._around.tables["vehicles"]
                        vehicles = SeenVehicles(known.to_pyarrow())
                    yield from self._taken(fresh, rows, vehicles, tally, rejects)
                if self._plan.changed is not None:
                    yield self._checkpoint()
                share(read)
            self._end(counts)
        except BaseException:
            rejects.abandon()
            raise
        finally:
            self._hang_up()
        if tally.rows_in and rejects.finish():
            most = f" (the first {MOST})" if rejects.written == MOST else ""
            self._notes.append(
                f"Rows that were dropped are in {rejects.path.name}{most}, with their reasons."
            )
        yield self._checkpoint(whole=True)
        for column, zeros in self._zeros.items():
            counts.add(f"zero dates in {column}, taken as empty", zeros)
        counts.add("rows read again and found unchanged", self._known)
        self._report = tally.report(
            self.name, notes=tuple(self._notes),
            facts={**counts.facts, **(rows.overlaps() if rows else {})},
        )  # fmt: skip

    def report(self) -> QualityReport:
        """What became of the rows; only after `read` has come to its end."""
        if self._report is None:
            raise RuntimeError("the report exists only after the source has been read")
        return self._report

    def _pages(self) -> Iterator[Page]:
        """Rows that were never changed, then the others in the order of their changes."""
        plan, ask = self._plan, self._ask
        if plan.changed is None:
            checksum = self._server.checksum(plan.table)
            if checksum and checksum == self._marks.checksum:
                return
            yield from pages(plan, ask, None, self._batch)
            self._marks = replace(self._marks, checksum=checksum)
            return
        if plan.changed.nullable:
            after = self._marks.unchanged
            for page in pages(plan, ask, after, self._batch, unchanged=True):
                self._marks = replace(self._marks, unchanged=page.last)
                yield page
        for page in pages(plan, ask, self._marks.since, self._batch):
            self._tail.add(page)
            yield page

    def _ask(self, sql: str, columns: int) -> pa.Table:
        if self._bulk is not None:
            try:
                return self._bulk.texts(sql, columns)
            except (duckdb.Error, pa.ArrowInvalid):
                # The driver asks the same again: it knows how to wait and what to say.
                self._bulk.close()
                self._bulk = None
        return self._server.texts(sql, columns)

    def _fresh(self, page: Page) -> Page:
        """The page without the rows that were given before as they are."""
        known = np.isin(page.hashes, self._before.hashes)
        if self._marks.since is None or not known.any():
            return page
        self._known += int(known.sum())
        if known.all():
            return Page([], [], page.texts.slice(0, 0), page.hashes[:0])
        places = np.flatnonzero(~known)
        return Page(
            [page.changes[place] for place in places], [page.keys[place] for place in places],
            page.texts.take(pa.array(places)), page.hashes[places],
        )  # fmt: skip

    def _taken(
        self, page: Page, rows: MappedRows, vehicles: SeenVehicles, tally: Tally, rejects: Rejects
    ) -> Iterator[Piece]:
        texts, header = rows_of(page, self._plan, self._table, self._mapping, self._zeros)
        tally.rows_in += len(texts.numbers)

        def put_aside(piece: Rows, places: Any, reasons: Any) -> None:
            told = self._without_riders(piece, header, places)
            rejects.add(self._plan.table, header, told, np.arange(len(places)), reasons)

        good, kinds = rows.take(self._plan.table, "", header, texts, put_aside)
        if good.num_rows:
            vehicles.see(self._mapping.table, good, kinds)
            yield self._mapping.table, good
        seen = vehicles.fresh()
        if seen.num_rows:
            yield "vehicles", seen

    def _without_riders(self, rows: Rows, header: list[str], places: Any) -> Rows:
        """Some rows, to be put aside, with riders' pseudonyms."""
        texts = rows.texts.take(pa.array(places))
        for rule in self._mapping.rules:
            if rule.target == "rider_id" and rule.column != FILE_NAME:
                place = header.index(rule.column)
                names = [name and self._around.pseudonym(name)
                         for name in texts.column(place).to_pylist()]  # fmt: skip
                texts = texts.set_column(place, f"c{place}", pa.array(names, pa.string()))
        return Rows(rows.numbers[places], texts)

    def _checkpoint(self, *, whole: bool = False) -> Checkpoint:
        """All tables' marks; the hashes only at the end, because only then they are met again."""
        marks = self._marks
        if self._tail:
            marks = replace(marks, since=self._tail.since)
        if self._tail or not whole:
            marks = replace(marks, hashes=self._tail.hashes if whole else np.array([], np.uint64))
        return Checkpoint({**self._around.watermark, self._plan.table: marks.as_text()})

    def _limits(self, page: Page) -> Limits:
        """What is believed: near the city's middle, as told or as the first rows show it."""
        wishes, now = self._wishes, self._around.now
        centre = wishes.centre or self._marks.centre
        if centre is None and wishes.far_km > 0:
            centre = self._middle(page)
            self._marks = replace(self._marks, centre=centre)
        if centre and not wishes.centre:
            self._notes.append(
                f"The city's middle is taken as {centre[0]}, {centre[1]}; another is given with "
                "--option centre=LAT,LON, another distance with far-km."
            )
        return Limits(now, centre, wishes.far_km)

    def _middle(self, page: Page) -> Place | None:
        """Where most of these rows are."""
        texts, header = rows_of(page, self._plan, self._table, self._mapping, {})
        trial = MappedRows(self._mapping, Limits(self._around.now), Tally(), Counts())
        good, _ = trial.take(self._plan.table, "", header, texts, lambda *_: None)
        for prefix in prefixes(TABLES[self._mapping.table]):
            return densest(floats(good.column(f"{prefix}lat")), floats(good.column(f"{prefix}lon")))
        return None

    def _progress(self, on_progress: OnProgress | None) -> Callable[[int], None]:
        """How to tell what share of the rows is read; many are asked for the fast way."""
        since = self._marks.since
        if since is None or self._plan.changed is None:
            rows = self._server.about(self._plan.table)
        else:
            rows = self._server.count(self._plan.count_sql(since))
        if rows >= BULK_ROWS:
            self._bulk = self._open_bulk()
        return lambda read: on_progress(min(1.0, read / max(1, rows))) if on_progress else None

    def _remarks(self) -> Iterator[str]:
        plan, before = self._plan, self._before
        if before.mapping and before.mapping != self._marks.mapping:
            yield "The mapping is another one than before: the table is read from the beginning."
        if plan.changed is None:
            yield (
                f"No column of {plan.table} says when a row was changed: it is read as a whole "
                "whenever anything in it has changed. One is named with --option updated_at="
            )
            return
        yield f"Changes are found by {plan.changed.name}."
        if not self._table.fast:
            wanted = ", ".join([plan.changed.name, *(column.name for column in plan.key)])
            yield (
                f"{plan.table} has no index that begins with {plan.changed.name}; one on "
                f"({wanted}) makes imports fast."
            )

    def _end(self, counts: Counts) -> None:
        """Look for what is gone, when asked to."""
        if self._around.options.get("deletes", "") != "check":
            return
        into, source = self._mapping.table, self._plan.table
        if not can_tell(self._mapping):
            self._notes.append(
                f"What is gone cannot be told: no column alone is {TABLES[into].key[0]}."
            )
            return
        path = path_of(self._wishes.say.folder, self.name)
        found = gone(
            self._mapping, self._around.tables[into], self._all_texts(), self._around.pseudonym,
            path,
        )  # fmt: skip
        counts.add(f"{into} in the workspace that {source} does not have", found.rows)
        if found.rows:
            more = ", ..." if found.rows > len(found.examples) else ""
            self._notes.append(
                f"{found.rows} rows of {into} in the workspace are not in {source} (any more): "
                f"{', '.join(found.examples)}{more}. Their keys are in {path.name}; "
                "they stay in the workspace. Some may have come from another source."
            )
        else:
            self._notes.append(f"All {into} of the workspace are still in {source}.")

    def _all_texts(self) -> Iterator[dict[str, pa.Array]]:
        """The whole table by key, under the mapping's columns."""
        plan = replace(self._plan, changed=None)
        for page in pages(plan, self._ask, None, self._batch):
            rows, header = rows_of(page, plan, self._table, self._mapping, {})
            yield {name: rows.texts.column(place) for place, name in enumerate(header)}

    def _hang_up(self) -> None:
        if self._bulk is not None:
            self._bulk.close()
        self._server.close()


def _batch(text: str) -> int:
    """The option batch."""
    if not text:
        return BATCH_ROWS
    if not text.isdigit() or not 0 < int(text) <= 1_000_000:
        raise SourceUnreadable(
            "The option batch cannot be used", found=repr(text),
            fix="Give a number of rows from 1 to 1000000",
        )  # fmt: skip
    return int(text)
