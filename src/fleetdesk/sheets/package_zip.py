"""The workbook's zip: checked before anything is read, rewritten by copying what is not ours.

Members that do not change are copied as they are stored, compressed bytes and all.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO

from fleetdesk.errors import WorkbookRefused

MAX_FILE = 512 * 1024**2
MAX_PARTS = 10_000
MAX_TOTAL = 2 * 1024**3
MAX_RATIO = 400
RATIO_FROM = 64 * 1024**2
"""Below this uncompressed size a high ratio is harmless."""

Writer = Callable[[Callable[[bytes], None]], None]
Content = bytes | Writer | None
"""A part's new content: bytes, a function that streams it, or None to leave the part out."""

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_ROOT = re.compile(rb"<[A-Za-z_]")
_LEVEL = 3
"""Deflate level: sheet XML is so repetitive that higher levels cost time and gain little."""


@dataclass(frozen=True)
class Package:
    """A checked .xlsx package; part names are found whatever their case or leading slash."""

    where: str
    data: bytes
    archive: zipfile.ZipFile
    members: Mapping[str, zipfile.ZipInfo]

    def has(self, name: str) -> bool:
        """Whether there is such a part."""
        return _plain(name) in self.members

    def stored_name(self, name: str) -> str:
        """The name in the zip's capitals, with plain slashes; as given when it is not there."""
        info = self.members.get(_plain(name))
        return info.filename.replace("\\", "/").lstrip("/") if info else name

    def open(self, name: str) -> IO[bytes]:
        """The part's content as a stream."""
        try:
            return self.archive.open(self.members[_plain(name)])
        except _BROKEN as error:
            raise _damaged(self.where, f"{name}: {error}") from error

    def part(self, name: str) -> bytes:
        """The part's whole content."""
        try:
            with self.open(name) as stream:
                return stream.read()
        except _BROKEN as error:
            raise _damaged(self.where, f"{name}: {error}") from error


_BROKEN = (KeyError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


def open_package(data: bytes, where: str) -> Package:
    """Check the file and open it; anything unsafe or unreadable is refused with the fix."""
    _check_kind(data, where)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, EOFError, struct.error, NotImplementedError) as error:
        raise _damaged(where, str(error)) from error
    infos = archive.infolist()
    _check_sizes(infos, len(data), where)
    _check_extents(infos, archive.start_dir, where)
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        if members.setdefault(_plain(info.filename), info) is not info:
            raise _damaged(where, f"the part {info.filename} is there twice")
    package = Package(where, data, archive, members)
    _check_content(package)
    for name in members:
        if name.endswith((".xml", ".rels", ".vml")):
            _check_prolog(package, name)
    return package


def write_package(package: Package, out: IO[bytes], changes: Mapping[str, Content]) -> None:
    """Write the package with some parts replaced, added (at the end) or left out."""
    pending = {_plain(name): (name, content) for name, content in changes.items()}
    central: list[bytes] = []
    infos = sorted(package.archive.infolist(), key=lambda info: info.header_offset)
    ends = [info.header_offset for info in infos[1:]] + [package.archive.start_dir]
    for info, end in zip(infos, ends, strict=True):
        change = pending.pop(_plain(info.filename), None)
        at = out.tell()
        if change is None:
            out.write(memoryview(package.data)[info.header_offset : end])
            central.append(_entry_as_stored(info, at))
        elif change[1] is not None:
            central.append(_write_part(out, info.filename, change[1]))
    for name, content in pending.values():
        if content is not None:
            central.append(_write_part(out, name, content))
    start = out.tell()
    for entry in central:
        out.write(entry)
    size = out.tell() - start
    comment = package.archive.comment
    count = len(central)
    out.write(_END.pack(b"PK\5\6", 0, 0, count, count, size, start, len(comment)) + comment)


def _write_part(out: IO[bytes], name: str, content: bytes | Writer) -> bytes:
    raw_name = name.encode()
    flags = 0 if name.isascii() else 0x800
    at = out.tell()
    out.write(bytes(_LOCAL.size) + raw_name)
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15)
    crc = size = packed = 0

    def write(chunk: bytes) -> None:
        nonlocal crc, size, packed
        crc = zlib.crc32(chunk, crc)
        size += len(chunk)
        small = packer.compress(chunk)
        packed += len(small)
        out.write(small)

    if callable(content):
        content(write)
    else:
        write(content)
    last = packer.flush()
    packed += len(last)
    out.write(last)
    end = out.tell()
    # A fixed date (1 January 1980) so that the same plan always gives the same bytes.
    out.seek(at)
    out.write(
        _LOCAL.pack(
            b"PK\3\4", 20, flags, zipfile.ZIP_DEFLATED, 0, 33, crc, packed, size, len(raw_name), 0
        )
    )
    out.seek(end)
    return (
        _CENTRAL.pack(
            b"PK\1\2", 20, 20, flags, zipfile.ZIP_DEFLATED, 0, 33, crc, packed, size,
            len(raw_name), 0, 0, 0, 0, 0, at,
        )
        + raw_name
    )  # fmt: skip


def _entry_as_stored(info: zipfile.ZipInfo, at: int) -> bytes:
    name = info.orig_filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437")
    extra = _without_zip64(info.extra)
    year, month, day, hour, minute, second = info.date_time
    return (
        _CENTRAL.pack(
            b"PK\1\2", info.create_version | info.create_system << 8, info.extract_version,
            info.flag_bits, info.compress_type, hour << 11 | minute << 5 | second // 2,
            (year - 1980) << 9 | month << 5 | day, info.CRC, info.compress_size, info.file_size,
            len(name), len(extra), len(info.comment), 0, info.internal_attr, info.external_attr, at,
        )
        + name + extra + info.comment
    )  # fmt: skip


def _without_zip64(extra: bytes) -> bytes:
    kept, at = b"", 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind != 1:
            kept += extra[at : at + 4 + length]
        at += 4 + length
    return kept


def _check_kind(data: bytes, where: str) -> None:
    if len(data) > MAX_FILE:
        raise WorkbookRefused(
            f"{where} is too large for a planner's workbook",
            found=f"{len(data) / 1024**2:,.0f} MB",
            fix=f"Keep it below {MAX_FILE // 1024**2} MB; move pictures or raw data elsewhere",
        )
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise WorkbookRefused(
                f"{where} is protected by a password, so it cannot be read",
                fix="In Excel: File, Info, Protect Workbook, Encrypt with Password, empty the box",
            )
        raise WorkbookRefused(
            f"{where} is in the old .xls format",
            fix="Open it in Excel or LibreOffice and save it as .xlsx",
        )
    if not data.startswith(b"PK"):
        raise WorkbookRefused(
            f"{where} is not an Excel workbook",
            found="an empty file" if not data else "a file that does not begin as a workbook does",
            fix="Open it in Excel or LibreOffice and save it as .xlsx",
        )


def _check_sizes(infos: list[zipfile.ZipInfo], packed: int, where: str) -> None:
    total = sum(info.file_size for info in infos)
    if len(infos) > MAX_PARTS:
        raise WorkbookRefused(
            f"{where} has more parts than a planner's workbook can have",
            found=f"{len(infos)} parts",
            fix="Remove pictures and copied sheets, or begin from a new workbook",
        )
    if total > MAX_TOTAL or (total > RATIO_FROM and total > MAX_RATIO * packed):
        raise WorkbookRefused(
            f"{where} unpacks to far more than a planner's workbook should",
            found=f"{packed:,} bytes become {total:,}",
            fix="Delete unused rows and columns in Excel, save, and run again",
        )
    if any(info.flag_bits & 1 for info in infos):
        raise WorkbookRefused(
            f"{where} is an encrypted zip", fix="Save it again in Excel without a password"
        )


def _check_extents(infos: list[zipfile.ZipInfo], directory: int, where: str) -> None:
    ordered = sorted(infos, key=lambda info: info.header_offset)
    for info, following in zip(ordered, [*ordered[1:], None], strict=True):
        end = following.header_offset if following else directory
        if info.header_offset + _LOCAL.size + info.compress_size > end:
            raise _damaged(where, f"the part {info.filename} overlaps another")


def _check_content(package: Package) -> None:
    names = package.members
    if any(name.startswith("_xmlsignatures/") for name in names):
        raise WorkbookRefused(
            f"{package.where} is digitally signed, and writing to it would break the signature",
            fix="In Excel: File, Info, View Signatures, remove the signature; or use a copy",
        )
    if "mimetype" in names and "content.xml" in names:
        raise WorkbookRefused(
            f"{package.where} is an OpenDocument spreadsheet",
            fix="In LibreOffice save it as Excel 2007-365 (.xlsx)",
        )
    if "[content_types].xml" not in names:
        raise WorkbookRefused(
            f"{package.where} is not an Excel workbook",
            found="a zip file without [Content_Types].xml",
            fix="Open it in Excel or LibreOffice and save it as .xlsx",
        )
    if any(name.endswith("workbook.bin") for name in names):
        raise WorkbookRefused(
            f"{package.where} is a binary workbook (.xlsb)",
            fix="Open it in Excel and save it as .xlsx",
        )


def _check_prolog(package: Package, name: str) -> None:
    """No DOCTYPE before the first element: entities there can blow up or reach other files."""
    head = b""
    try:
        with package.open(name) as stream:
            while len(head) < 1024**2:
                more = stream.read(4096)
                head += more.replace(b"\0", b"")
                if not more or _ROOT.search(head):
                    break
    except _BROKEN as error:
        raise _damaged(package.where, f"{name}: {error}") from error
    found = _ROOT.search(head)
    prolog = head[: found.start()] if found else head
    if b"<!DOCTYPE" in prolog or b"<!ENTITY" in prolog:
        raise WorkbookRefused(
            f"{package.where} declares a document type, which no spreadsheet program writes",
            found=f"<!DOCTYPE in {name}",
            fix="Open the workbook in Excel or LibreOffice and save it as a new .xlsx",
        )


def _plain(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


def _damaged(where: str, found: str) -> WorkbookRefused:
    return WorkbookRefused(
        f"{where} is damaged or was cut short",
        found=found,
        fix="Copy it again from where it came, restore a file of the backups folder, or let Excel "
        "repair it",
    )
