"""What runs found: the workspace at a glance, the result sheets, and their export."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from fleetdesk.apps.desktop.work.jobs import OnProgress
from fleetdesk.apps.desktop.work.run_jobs import shown
from fleetdesk.apps.desktop.work.shapes import Figure, Listed, Overview, Table
from fleetdesk.apps.desktop.work.tables import shown_table
from fleetdesk.apps.desktop.work.under import under
from fleetdesk.errors import FleetDeskError, StoreUnusable, WorkbookRefused
from fleetdesk.model.analyses import ANALYSES
from fleetdesk.store.base import RunRecord, RunState, Store
from fleetdesk.workflows.context import STORE_FOLDER, city_in, store_of
from fleetdesk.workflows.kept_looks import sheet_of
from fleetdesk.workflows.kept_results import last_plan

_OLDER_RUNS = 10
_TASKS_SHOWN = 40
_OF_EVERY_RUN = ("Issues", "Data quality")
_FIGURES = ("Vehicles", "Available", "Not available: charge too low", "Trips per vehicle per day")


def overview(_: OnProgress, *, workbook: str) -> Overview:
    """The workspace at a glance."""
    path = Path(workbook)
    city = _city_name(path)
    if not (path.parent / STORE_FOLDER).is_dir():
        return Overview(city, "No records yet", None)
    with store_of(path.parent) as store:
        window = store.data_window()
        records = (
            f"{window[0]:%Y-%m-%d} to {window[1]:%Y-%m-%d %H:%M} UTC"
            if window
            else "No records yet"
        )
        run = last_plan(store)
        if run is None:
            return Overview(city, records, None)
        tables = {name: _kept(store, run, name) for name in ("KPIs", "Availability", "Tasks")}
        issues = _kept(store, run, "Issues")
        return Overview(
            city, records, shown(run, path.parent),
            _figures(tables["KPIs"], run), tables["Availability"], _best(tables["Tasks"]),
            _issues(issues), under(run, path.parent),
        )  # fmt: skip


def _city_name(workbook: Path) -> str:
    """The city as the workbook has it; one that cannot be read is known by its folder."""
    try:
        return city_in(workbook).name
    except WorkbookRefused:
        return workbook.parent.name


def listed(_: OnProgress, *, workbook: str) -> tuple[Listed, ...]:
    """The result sheets that some run has, in the order in which they are read."""
    folder = Path(workbook).parent
    if not (folder / STORE_FOLDER).is_dir():
        return ()
    known = [
        *(Listed(sheet, one.title, one.group.value) for one in ANALYSES for sheet in one.sheets),
        *(Listed(sheet, "The run", "The run") for sheet in _OF_EVERY_RUN),
    ]
    with store_of(folder) as store:
        runs = _finished(store)
        return tuple(sheet for sheet in known if any(_has(store, run, sheet.name) for run in runs))


def table(_: OnProgress, *, workbook: str, name: str, run: str = "") -> Table:
    """One result sheet: of the run named, else of the newest that has it."""
    with store_of(Path(workbook).parent) as store:
        return _newest(store, name, run)


def export_tables(
    on_progress: OnProgress, *, workbook: str, names: Sequence[str], to: str
) -> tuple[str, ...]:
    """Write result sheets to one .xlsx, or to one .csv file each; returns the files."""
    from fleetdesk.apps.desktop.work.export import write_csv, write_xlsx

    path = Path(to)
    with store_of(Path(workbook).parent) as store:
        tables = []
        for number, name in enumerate(names):
            on_progress(f"Reading {name}", number / len(names))
            tables.append(_newest(store, name, ""))
    if path.suffix.lower() == ".xlsx":
        write_xlsx(path, tables)
        return (str(path),)
    if len(tables) == 1:
        write_csv(path, tables[0])
        return (str(path),)
    files = [path.with_name(f"{path.stem} {one.name}.csv") for one in tables]
    for file, one in zip(files, tables, strict=True):
        write_csv(file, one)
    return tuple(map(str, files))


def _finished(store: Store) -> list[RunRecord]:
    runs = [run for run in store.runs.list() if run.state is RunState.FINISHED]
    return runs[::-1][:_OLDER_RUNS]


def _newest(store: Store, name: str, run_id: str) -> Table:
    for run in _finished(store):
        if run_id and run.run_id != run_id:
            continue
        found = _kept(store, run, name)
        if found is not None:
            return found
    raise FleetDeskError(
        f"There is no result {name}", found="no finished run has it", fix="Run first"
    )


def _has(store: Store, run: RunRecord, name: str) -> bool:
    return _load(store, run, name) is not None


def _load(store: Store, run: RunRecord, name: str) -> pa.Table | None:
    try:
        return store.result(run.run_id, name)
    except StoreUnusable:
        return None


def _kept(store: Store, run: RunRecord, name: str) -> Table | None:
    kept = _load(store, run, name)
    return None if kept is None else shown_table(sheet_of(name, kept), kept)


def _figures(kpis: Table | None, run: RunRecord) -> tuple[Figure, ...]:
    found = []
    facts = run.summary
    if "profit" in facts:
        of = f"of {facts['tasks_found']}"
        found.append(Figure("Tasks planned", facts["tasks_planned"], 0, of, f"for {facts['day']}"))
        money = facts["currency"]
        found.append(
            Figure("Profit of the plan", facts["profit"], 2, money, "after travel and labour")
        )
    if kpis is not None:
        columns = {column.header: column.values for column in kpis.columns}
        for name, value, unit, formula in zip(
            columns["KPI"], columns["Value"], columns["Unit"], columns["Formula"], strict=True
        ):
            if name in _FIGURES and value == value:
                share = unit == "%"
                found.append(
                    Figure(str(name), value, int(share or value % 1 != 0), "%" * share, formula)
                )
    return tuple(found)


def _best(tasks: Table | None) -> Table | None:
    """The first tasks by rank, with the columns that a glance needs."""
    if tasks is None:
        return None
    wanted = ("Rank", "Vehicle", "What to do", "Where", "Battery (%)", "Planned?", "Why it is here")
    roi = [column.header for column in tasks.columns if column.header.startswith("ROI, ")][:1]
    order = [*wanted[:5], *roi, *wanted[5:]]
    columns = []
    for header in order:
        column = tasks.column(header)
        if column is not None:
            ranks = None if column.ranks is None else column.ranks[:_TASKS_SHOWN]
            kept = column.values[:_TASKS_SHOWN]
            columns.append(
                type(column)(column.header, column.style, kept, ranks, column.help, column.width)
            )
    return Table(tasks.name, tasks.title, tasks.note, tuple(columns))


def _issues(issues: Table | None) -> tuple[str, ...]:
    if issues is None:
        return ()
    columns = {column.header: column.values for column in issues.columns}
    # Runs of before kept each sentence in two halves.
    parts = ("Issue",) if "Issue" in columns else ("Found", "What is wrong")
    said = (" ".join(filter(None, each)) for each in zip(*map(columns.get, parts), strict=True))
    rows = zip(columns["Severity"], columns["Where"], said, strict=True)
    return tuple(
        f"{where}: {issue}" if where else issue for severity, where, issue in rows
        if severity in ("error", "warning")
    )  # fmt: skip
