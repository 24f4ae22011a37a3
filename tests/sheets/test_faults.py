"""Bad files, locks, full disks and a kill at any moment: refused or harmless, never half done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from sheet_books import build, changed_parts, clock, new_book, parts, result, write

from fleetdesk.errors import WorkbookRefused
from fleetdesk.sheets import file_switch
from fleetdesk.sheets.base import WritePlan
from fleetdesk.sheets.open import open_workbook
from fleetdesk.sheets.xlsx_file import XlsxFile

HERE = Path(__file__).parent
SOURCE = HERE.parent.parent / "src"


def refusal(path: Path) -> WorkbookRefused:
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(WorkbookRefused) as caught:
        XlsxFile(path).snapshot()
    assert caught.value.fix
    assert (path.read_bytes() if path.is_file() else None) == before
    return caught.value


def test_a_missing_file(tmp_path: Path) -> None:
    assert "There is no workbook" in str(refusal(tmp_path / "none.xlsx"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not an Excel workbook"),
        (b"a;b;c\n1;2;3\n", "not an Excel workbook"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "old .xls format"),
        (b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "password"),
        (b"PK\x03\x04 and then nothing", "damaged"),
    ],
)
def test_files_that_are_no_workbook(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "b.xlsx"
    path.write_bytes(content)
    assert words in str(refusal(path))


@pytest.mark.parametrize("share", [0.3, 0.7, 0.95, 0.999])
def test_a_file_cut_short(tmp_path: Path, share: float) -> None:
    path = new_book(tmp_path / "b.xlsx")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert "damaged" in str(refusal(path))


@pytest.mark.parametrize(
    ("part", "content", "words"),
    [
        ("xl/workbook.bin", b"", "binary workbook"),
        ("_xmlsignatures/sig1.xml", b"<a/>", "signed"),
        (
            "xl/extra.xml",
            b'<!-- --><!DOCTYPE a [<!ENTITY b "c">]><a/>',
            "document type",
        ),
        ("xl/workbook.xml", b"<workbook><sheets>", "damaged"),
        ("xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row", "damaged"),
        (
            "xl/worksheets/sheet1.xml",
            b'<worksheet><sheetData><row r="1"><c r="XFE1"><v>1</v></c></row></sheetData>'
            b"</worksheet>",
            "outside the sheet",
        ),
        (
            "xl/worksheets/sheet1.xml",
            b'<worksheet><sheetData><row r="1"><c r="A1048577"><v>1</v></c></row></sheetData>'
            b"</worksheet>",
            "outside the sheet",
        ),
        (
            "xl/worksheets/sheet1.xml",
            b'<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>7</v></c></row></sheetData>'
            b"</worksheet>",
            "points to a text",
        ),
    ],
)
def test_packages_that_are_refused(tmp_path: Path, part: str, content: bytes, words: str) -> None:
    path = changed_parts(new_book(tmp_path / "b.xlsx"), {part: content})
    assert words in str(refusal(path))


def test_other_zips_are_refused(tmp_path: Path) -> None:
    assert "not an Excel workbook" in str(refusal(build(tmp_path / "a.xlsx", {"a.txt": "b"})))
    ods = build(tmp_path / "b.xlsx", {"mimetype": "x", "content.xml": "<a/>"})
    assert "OpenDocument" in str(refusal(ods))


def test_a_zip_bomb_is_refused_unopened(tmp_path: Path) -> None:
    path = tmp_path / "b.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("xl/worksheets/sheet1.xml", "w") as out:
            for _ in range(80):
                out.write(b" " * 2**20)
        archive.writestr("[Content_Types].xml", "<a/>")
    assert "unpacks to far more" in str(refusal(path))


def test_too_many_parts_are_refused(tmp_path: Path) -> None:
    path = build(tmp_path / "b.xlsx", {f"p{index}": b"" for index in range(10_001)})
    assert "more parts" in str(refusal(path))


def test_a_part_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("XL/Workbook.xml", "<a/>")
    assert "twice" in str(refusal(path))


def test_a_cell_at_the_far_corner_is_harmless(tmp_path: Path) -> None:
    content = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'
    )
    path = changed_parts(new_book(tmp_path / "b.xlsx"), {"xl/worksheets/sheet1.xml": content})
    assert XlsxFile(path).snapshot().sheets["City"].cells == {(1048576, 16384): 1}


@pytest.mark.parametrize("name", ["b.xls", "b.xlsb", "b.ods", "b.csv", "b", "b.docx"])
def test_other_endings_are_refused_by_name(name: str) -> None:
    with pytest.raises(WorkbookRefused, match=r"ends in \.xlsx or \.xlsm"):
        open_workbook(name)


@pytest.mark.parametrize(
    "address", ["https://docs.google.com/spreadsheets/d/abc", "https://example.com/plan.xlsx"]
)
def test_a_web_address_that_is_no_google_sheet_is_refused_as_such(address: str) -> None:
    with pytest.raises(WorkbookRefused, match="not the address of a Google Sheet"):
        open_workbook(address)


def test_a_folder_is_refused_with_the_workbooks_in_it(tmp_path: Path) -> None:
    new_book(tmp_path / "Athens.xlsx")
    with pytest.raises(WorkbookRefused, match="is a folder") as caught:
        open_workbook(tmp_path)
    assert caught.value.found == "Athens.xlsx"


@pytest.mark.parametrize(
    ("lock", "content", "words"),
    [
        ("~$b.xlsx", b"\x05Maria" + b" " * 48, "opened by Maria"),
        (".~lock.b.xlsx#", b",nikos,desk,01.05.2024 10:00,file;", "opened by nikos"),
    ],
)
def test_an_open_workbook_is_read_but_not_written(
    tmp_path: Path, lock: str, content: bytes, words: str
) -> None:
    path = new_book(tmp_path / "b.xlsx")
    (tmp_path / lock).write_bytes(content)
    before = path.read_bytes()
    with pytest.raises(WorkbookRefused, match=words) as caught:
        write(path, result("a"))
    assert caught.value.retry_helps
    assert path.read_bytes() == before


def test_a_workbook_opened_meanwhile_can_be_switched_later(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    book = XlsxFile(path, clock=clock)
    prepared = book.prepare(WritePlan((result("a"),)), book.snapshot().fingerprint)
    lock = tmp_path / "~$b.xlsx"
    lock.write_bytes(b"\x05Maria")
    with pytest.raises(WorkbookRefused):
        prepared.switch()
    lock.unlink()
    prepared.switch()
    assert "Tasks" in book.snapshot().sheet_names


def test_denied_access_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = new_book(tmp_path / "b.xlsx")

    def denied(self: Path, target: Path) -> None:
        raise PermissionError(13, "denied")

    monkeypatch.setattr(Path, "replace", denied)
    before = path.read_bytes()
    with pytest.raises(WorkbookRefused, match="open in another program") as caught:
        write(path, result("a"))
    assert caught.value.retry_helps
    assert path.read_bytes() == before
    assert not list(tmp_path.glob(".*.tmp"))


def test_another_run_in_between_makes_this_one_step_back(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    book = XlsxFile(path, clock=clock)
    fingerprint = book.snapshot().fingerprint
    first = book.prepare(WritePlan((result("a"),)), fingerprint)
    second = book.prepare(WritePlan((result("b"),)), fingerprint)
    with pytest.raises(WorkbookRefused, match="Another run"):
        first.switch()
    second.switch()
    assert book.snapshot(["Tasks"]).sheets["Tasks"].cells[5, 1] == "b"


def test_the_backup_is_the_old_file_and_old_backups_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_switch, "KEEP_BACKUPS", 3)
    path = new_book(tmp_path / "b.xlsx")
    before = path.read_bytes()
    receipt = write(path, result("a"))
    assert Path(receipt.backup) == tmp_path / "backups" / "b 2024-05-01 10.00.00.xlsx"
    assert Path(receipt.backup).read_bytes() == before
    other = tmp_path / "backups" / "b notes.xlsx"
    other.write_bytes(b"the planner's own")
    for key in "bcdef":
        write(path, result(key))
    assert len(list((tmp_path / "backups").iterdir())) == 4
    assert other.exists()


def test_a_link_to_the_workbook_stays_a_link(tmp_path: Path) -> None:
    path = new_book(tmp_path / "real.xlsx")
    link = tmp_path / "link.xlsx"
    link.symlink_to(path)
    write(link, result("a"))
    assert link.is_symlink()
    assert "Tasks" in XlsxFile(path).snapshot().sheet_names


def test_the_rights_of_the_file_stay(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    path.chmod(0o640)
    write(path, result("a"))
    assert path.stat().st_mode & 0o777 == 0o640


RUN = """
import sys
sys.path[:0] = [{source!r}, {here!r}]
from pathlib import Path
from sheet_books import result, write
{before}
print("ready", flush=True)
write(Path({path!r}), result(*(f"T{{i}}" for i in range(20000))))
"""


def child(path: Path, before: str = "") -> subprocess.Popen[str]:
    code = RUN.format(source=str(SOURCE), here=str(HERE), before=before, path=str(path))
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
@pytest.mark.parametrize("delay", [0.0, 0.05, 0.15, 0.3, 0.45])
def test_a_kill_at_any_moment_leaves_the_old_or_the_new_file(tmp_path: Path, delay: float) -> None:
    path = new_book(tmp_path / "b.xlsx")
    old = path.read_bytes()
    process = child(path)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    if path.read_bytes() != old:
        assert len(XlsxFile(path).snapshot(["Tasks"]).sheets["Tasks"].cells) > 60_000
    write(path, result("a"))
    assert XlsxFile(path).snapshot(["Tasks"]).sheets["Tasks"].cells[5, 1] == "a"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.xlsx", "backups"]


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
@pytest.mark.parametrize("moment", ["os.fsync", "os.link", "pathlib.Path.replace"])
def test_a_kill_at_each_step_of_the_switch(tmp_path: Path, moment: str) -> None:
    path = new_book(tmp_path / "b.xlsx")
    old = path.read_bytes()
    owner, _, name = moment.rpartition(".")
    before = (
        f"import os, pathlib, signal\n"
        f"def die(*args, **kw): os.kill(os.getpid(), signal.SIGKILL)\n{owner}.{name} = die"
    )
    process = child(path, before)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert path.read_bytes() == old
    write(path, result("a"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.xlsx", "backups"]


@pytest.mark.skipif(os.name == "nt", reason="needs resource limits")
def test_a_full_disk_is_explained_and_harmless(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    old = path.read_bytes()
    before = (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))"
    )
    process = child(path, before)
    _, errors = process.communicate()
    assert "WorkbookRefused" in errors
    assert "no room on the disk" in errors
    assert path.read_bytes() == old
    assert [p.name for p in tmp_path.iterdir()] == ["b.xlsx"]


def test_parts_keep_their_content_after_many_writes(tmp_path: Path) -> None:
    path = new_book(tmp_path / "b.xlsx")
    before = parts(path)["xl/worksheets/sheet1.xml"]
    sizes = []
    for key in "abcdef":
        write(path, result(key))
        sizes.append(sum(len(data) for data in parts(path).values()))
    assert parts(path)["xl/worksheets/sheet1.xml"] == before
    assert len(set(sizes[1:])) == 1
