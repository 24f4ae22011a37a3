"""Bars of the workbook: writing against openpyxl, memory, untouched parts, reading with checks.

Each measurement runs in a process of its own; one JSON line per bar.
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT / "src"))

NOT_OURS = ("[Content_Types].xml", "workbook.xml", "workbook.xml.rels", "styles.xml")
START = datetime(2024, 5, 1, 6, 0)


class Rows(Sequence[tuple[object, ...]]):
    """Rows made when asked for, as a run's result would stream them."""

    def __init__(self, rows: int, columns: int) -> None:
        self.rows, self.columns = rows, columns

    def __len__(self) -> int:
        return self.rows

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        if not 0 <= index < self.rows:
            raise IndexError(index)
        kinds = (
            f"T{index:06d}",
            f"Battery at {index % 100} %, outside parking {index % 37}",
            index * 0.137,
            index % 1000,
            START + timedelta(minutes=index % 10_000),
            index % 3 == 0,
        )
        return tuple(kinds[column % len(kinds)] for column in range(self.columns))


def main() -> None:
    options = arguments()
    if options.child:
        report = CHILDREN[options.child](Path(options.workbook), options.rows, options.cols)
        print(json.dumps(report))
        return
    with tempfile.TemporaryDirectory() as folder:
        for bar in bars(Path(folder), options):
            print(json.dumps(bar), flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--cols", type=int, default=12)
    parser.add_argument("--settings-rows", type=int, default=20_000)
    parser.add_argument("--workbook", help="an .xlsx to write into; default: a new planner's one")
    parser.add_argument("--child", choices=sorted(CHILDREN), help=argparse.SUPPRESS)
    return parser.parse_args()


def bars(folder: Path, options: argparse.Namespace):  # type: ignore[no-untyped-def]
    source = folder / "source.xlsx"
    if options.workbook:
        shutil.copyfile(options.workbook, source)
    else:
        make_template(source, 50)
    size = {"rows": options.rows, "cols": options.cols}
    for name in ("write", "rewrite"):
        ours, theirs = folder / f"ours-{name}.xlsx", folder / f"theirs-{name}.xlsx"
        start = source if name == "write" else folder / "ours-write.xlsx"
        shutil.copyfile(start, ours)
        shutil.copyfile(start, theirs)
        fleetdesk = child("fleetdesk", ours, **size)
        openpyxl = child("openpyxl", theirs, **size)
        ratio = openpyxl["cpu_s"] / fleetdesk["cpu_s"]
        times = {"fleetdesk_cpu_s": fleetdesk["cpu_s"], "openpyxl_cpu_s": openpyxl["cpu_s"]}
        yield bar(f"sheets.{name}_times_faster_than_openpyxl", ratio, 5, "higher", **times, **size)
        yield bar(f"sheets.{name}_peak_memory_mb", fleetdesk["peak_mb"], 150, "lower",
                  openpyxl_peak_mb=openpyxl["peak_mb"], **size)  # fmt: skip
        changed, untouched = compare(start, ours)
        yield bar(f"sheets.{name}_foreign_parts_changed", len(changed), 0, "lower",
                  untouched=untouched, changed=changed)  # fmt: skip
    planner = folder / "planner.xlsx"
    make_template(planner, options.settings_rows)
    read = child("read", planner, rows=options.settings_rows, cols=0)
    yield bar("sheets.read_and_validate_cpu_s", read["cpu_s"], 2, "lower",
              wall_s=read["wall_s"], peak_mb=read["peak_mb"],
              rows=options.settings_rows, parkings=read["parkings"])  # fmt: skip


def bar(name: str, value: float, limit: float, better: str, **more: object) -> dict[str, object]:
    met = value >= limit if better == "higher" else value <= limit
    return {
        "bar": name,
        "value": round(value, 2),
        "limit": limit,
        "better": better,
        "met": met,
    } | more


def child(kind: str, path: Path, rows: int, cols: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", kind, "--workbook", str(path)]
    command += ["--rows", str(rows), "--cols", str(cols)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def write_fleetdesk(path: Path, rows: int, columns: int) -> dict[str, float]:
    from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet, WritePlan
    from fleetdesk.sheets.xlsx_file import XlsxFile

    styles = (CellStyle.TEXT, CellStyle.TEXT, CellStyle.MONEY, CellStyle.INTEGER)
    styles += (CellStyle.DATETIME, CellStyle.TEXT)
    heads = tuple(
        ResultColumn(f"Column {index + 1}", styles[index % len(styles)]) for index in range(columns)
    )
    sheet = ResultSheet(
        "Benchmark", "Benchmark", "Rows to write.", "Benchmark", heads, Rows(rows, columns),
        key="Column 1",
    )  # fmt: skip
    watch = Watch()
    book = XlsxFile(path)
    book.commit(WritePlan((sheet,)), book.snapshot([]).fingerprint)
    return watch.report()


def write_openpyxl(path: Path, rows: int, columns: int) -> dict[str, float]:
    import openpyxl

    watch = Watch()
    book = openpyxl.load_workbook(path)
    if "Benchmark" in book.sheetnames:
        del book["Benchmark"]
    page = book.create_sheet("Benchmark")
    page.append([f"Column {index + 1}" for index in range(columns)])
    for row in Rows(rows, columns):
        page.append(row)
    book.save(path)
    return watch.report()


def read_settings_sheet(path: Path, *_: int) -> dict[str, float]:
    from fleetdesk.settings.reading import read_settings
    from fleetdesk.sheets.xlsx_file import XlsxFile

    watch = Watch()
    reading = read_settings(XlsxFile(path).snapshot())
    return watch.report() | {"parkings": len(reading.settings.parkings)}


def make_template(path: Path, parkings: int) -> None:
    from fleetdesk.settings.schema import ParkingRow, Settings
    from fleetdesk.settings.template import templates_for
    from fleetdesk.sheets.template_xlsx import write_template

    rows = tuple(
        ParkingRow(parking_id=f"P{i:05d}", name=f"Parking {i}", lat=40.6 + i % 997 / 1e4,
                   lon=22.9 + i % 991 / 1e4, target=4, minimum=1)
        for i in range(parkings)
    )  # fmt: skip
    write_template(path, templates_for(Settings(parkings=rows)))


def compare(before: Path, after: Path) -> tuple[list[str], int]:
    """Names of foreign parts whose stored bytes differ, and how many are the same."""
    old, new = members(before), members(after)
    with zipfile.ZipFile(after) as archive:
        owned = {name for name in archive.namelist() if is_ours(name, archive.read(name))}
    foreign = [n for n in old if n.rpartition("/")[2] not in NOT_OURS and n not in owned]
    changed = [name for name in foreign if new.get(name) != old[name]]
    return changed, len(foreign) - len(changed)


def is_ours(name: str, content: bytes) -> bool:
    marks = (b">Benchmark<", b">manifest_version<", b'displayName="Benchmark"')
    return ("sheets/" in name or "tables/" in name) and any(mark in content for mark in marks)


def members(path: Path) -> dict[str, bytes]:
    data = path.read_bytes()
    found = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            at = info.header_offset
            skip = int.from_bytes(data[at + 26 : at + 28], "little")
            skip += int.from_bytes(data[at + 28 : at + 30], "little")
            found[info.filename] = data[at : at + 30 + skip + info.compress_size]
    return found


class Watch:
    """CPU and wall time since now, and the process's peak memory."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def report(self) -> dict[str, float]:
        return {
            "wall_s": round(time.perf_counter() - self.wall, 3),
            "cpu_s": round(time.process_time() - self.cpu, 3),
            "peak_mb": round(peak_mb(), 1),
        }


def peak_mb() -> float:
    """This process's own peak; `ru_maxrss` on Linux also counts the parent it was forked from."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)


CHILDREN = {
    "fleetdesk": write_fleetdesk,
    "openpyxl": write_openpyxl,
    "read": read_settings_sheet,
}

if __name__ == "__main__":
    main()
