"""The VBA modules of a workbook as text, for tests.

Source: MS-OVBA 2.4.1 (compressed containers) and 2.3.4.2 (the directory of modules).
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import olefile

_NAME, _STREAM, _OFFSET = 0x0019, 0x001A, 0x0031
_VERSION = 0x0009


def modules(workbook: Path) -> dict[str, str]:
    """Name -> source of every module of a macro-enabled workbook."""
    with zipfile.ZipFile(workbook) as archive:
        project = io.BytesIO(archive.read("xl/vbaProject.bin"))
    with olefile.OleFileIO(project) as ole:
        records = _records(decompressed(ole.openstream("VBA/dir").read()))
        found, name, stream = {}, "", ""
        for kind, data in records:
            if kind == _NAME:
                name = data.decode("cp1252")
            elif kind == _STREAM:
                stream = data.decode("cp1252")
            elif kind == _OFFSET:
                code = ole.openstream(f"VBA/{stream}").read()[int.from_bytes(data, "little") :]
                found[name] = decompressed(code).decode("cp1252")
    return found


def decompressed(data: bytes) -> bytes:
    """The content of a compressed container."""
    assert data[0] == 1, "not a compressed container"
    out, at = bytearray(), 1
    while at < len(data):
        header = int.from_bytes(data[at : at + 2], "little")
        end, at = at + (header & 0x0FFF) + 3, at + 2
        if not header & 0x8000:
            out += data[at:end]
            at = end
            continue
        start = len(out)
        while at < min(end, len(data)):
            flags, at = data[at], at + 1
            for bit in range(8):
                if at >= end:
                    break
                if not flags >> bit & 1:
                    out.append(data[at])
                    at += 1
                    continue
                token, at = int.from_bytes(data[at : at + 2], "little"), at + 2
                width = max((len(out) - start - 1).bit_length(), 4)
                back = (token >> (16 - width)) + 1
                for _ in range((token & (0xFFFF >> width)) + 3):
                    out.append(out[-back])
    return bytes(out)


def _records(data: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    while at + 6 <= len(data):
        kind = int.from_bytes(data[at : at + 2], "little")
        size = int.from_bytes(data[at + 2 : at + 6], "little")
        # The version record's size does not count its minor version.
        size = 6 if kind == _VERSION else size
        found.append((kind, data[at + 6 : at + 6 + size]))
        at += 6 + size
    return found
