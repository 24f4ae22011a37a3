"""What is taken out of the frozen app's libraries on Linux, with the tools of binutils.

Nothing is lost that FleetDesk can call: out go symbols that only a debugger reads, second copies of
a library, ICU's tables that Qt never asks, and what OR-Tools and Arrow are linked with but never
call for routes and tables. All libraries stay files of their own that can be replaced.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

TOOLS = ("strip", "nm", "as", "ld")

# Of an ELF file: its head, one of its parts, the kind of part that is loaded, the largest page.
_HEAD, _PART, _LOADED, _PAGE = "<16sHHIQQQIHHHHHH", "<IIQQQQQQ", 1, 0x10000

# What OR-Tools asks in its linear solver alone, and Arrow in a module that is left out.
_UNCALLED = re.compile(
    r"lib(scip|highs|Cbc|CbcSolver|Cgl|Clp|ClpSolver|CoinUtils|Osi\w*|arrow_substrait)\.so\."
)

# Qt asks ICU for the order of words; the names of days, money, units and places it has of its own,
# and bytes are decoded by Python.
_UNASKED_ICU = re.compile(
    r"(brkitr|curr|lang|region|unit|zone|rbnf|translit)/|[^/]*\.cnv$|unames\.icu$"
    r"|(?!en)[a-z]{2,3}(_[A-Z]\w*)?\.res$"
)


def lighten(folder: Path) -> None:
    """Make the libraries in `folder` lighter; CalledProcessError where a tool fails."""
    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        print(f"The app stays heavier than it need be: install binutils for {', '.join(missing)}.")
        return
    for path in list(_libraries(folder)):
        if path.name.startswith("libicudata.so."):
            _replace_icu(path)
    hollow(folder, _UNCALLED)
    for path in _libraries(folder):
        path.chmod(0o755)
        # Their parts were moved when the wheel was made; `strip` breaks such libraries.
        if path.parent.name.endswith(".libs") and path.parent.name != ".libs":
            path.write_bytes(loaded_parts(path.read_bytes()))
        else:
            subprocess.run(["strip", "--strip-unneeded", path], check=True)
    link_copies(folder)


def hollow(folder: Path, unused: re.Pattern[str]) -> None:
    """Replace the `unused` libraries in `folder` by empty ones with the names that others ask for.

    Such a library loads as before; to call it ends the process.
    """
    kept = [path for path in _libraries(folder) if not unused.match(path.name)]
    asked = _names("--undefined-only", *kept)
    for path in list(_libraries(folder)):
        if unused.match(path.name):
            names = sorted(asked & _names("--defined-only", path))
            labels = "".join(f'.globl "{name}"\n"{name}":\n' for name in names)
            _link(path, f".data\n{labels}.zero 4096\n")


def thin_icu(library: bytes, unasked: re.Pattern[str]) -> bytes:
    """ICU's package of tables, as `library` holds it, without the `unasked` ones.

    Layout (ICU's ucmndata.h): a header that begins with its length; the count of tables; of each
    the places of its name and of its content, counted from the count; the names; the tables.
    """
    start = library.index(b"CmnD") - 12
    base = start + struct.unpack_from("<H", library, start)[0]
    (count,) = struct.unpack_from("<I", library, base)
    places = list(struct.iter_unpack("<II", library[base + 4 : base + 4 + 8 * count]))
    ends = [content for _, content in places[1:]] + [len(library) - base]
    kept = {}
    for (place, content), end in zip(places, ends, strict=True):
        name = library[base + place : library.index(b"\0", base + place) + 1]
        if not unasked.match(name.decode().rstrip("\0").split("/", 1)[1]):
            kept[name] = library[base + content : base + end]
    words = b"".join(kept)
    words += bytes(-(4 + 8 * len(kept) + len(words)) % 16)
    index = struct.pack("<I", len(kept))
    place, content = 4 + 8 * len(kept), 4 + 8 * len(kept) + len(words)
    for name, table in kept.items():
        index += struct.pack("<II", place, content)
        place, content = place + len(name), content + len(table)
    return library[start:base] + index + words + b"".join(kept.values())


def loaded_parts(library: bytes) -> bytes:
    """The parts of a 64-bit ELF `library` that a process loads, moved together.

    Gone are gaps of up to 2 MB, symbols and the list of sections, which only tools read. Source:
    the System V ABI, chapter "Object files".
    """
    head = list(struct.unpack_from(_HEAD, library))
    at, count = head[5], head[10]
    parts = [list(struct.unpack_from(_PART, library, at + n * 56)) for n in range(count)]
    packed, moves = bytearray(), []
    for part in sorted((part for part in parts if part[0] == _LOADED), key=lambda part: part[2]):
        part[7] = min(part[7], _PAGE)
        start, end = part[2], part[2] + part[5]
        packed += bytes((start - len(packed)) % part[7])
        moves.append((start, end, len(packed) - start))
        packed += library[start:end]
    for part in parts:
        part[2] += next(
            (by for start, end, by in moves if start <= part[2] < max(end, start + 1)), 0
        )
    head[6] = head[11] = head[12] = head[13] = 0
    struct.pack_into(_HEAD, packed, 0, *head)
    for n, part in enumerate(parts):
        struct.pack_into(_PART, packed, at + n * 56, *part)
    return bytes(packed)


def link_copies(folder: Path) -> None:
    """Turn libraries that are equal to the last byte into links to one of them."""
    first: dict[str, Path] = {}
    for path in list(_libraries(folder)):
        known = first.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), path)
        if known is not path:
            path.unlink()
            path.symlink_to(os.path.relpath(known, path.parent))


def _replace_icu(path: Path) -> None:
    (name,) = _names("--defined-only", path)
    with tempfile.NamedTemporaryFile() as tables:
        tables.write(thin_icu(path.read_bytes(), _UNASKED_ICU))
        tables.flush()
        source = f'.section .rodata\n.balign 16\n.globl {name}\n{name}:\n.incbin "{tables.name}"\n'
        _link(path, source)


def _link(path: Path, source: str) -> None:
    """Make the library `path` anew from assembler's `source`."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made.o"
        subprocess.run(["as", "-o", made], input=source, text=True, check=True)
        path.unlink()
        subprocess.run(
            ["ld", "-shared", "-z", "noexecstack", "-soname", path.name, "-o", path, made],
            check=True,
        )


def _names(which: str, *libraries: Path) -> set[str]:
    listed = subprocess.run(
        ["nm", "-D", "--format=just-symbols", which, *libraries],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return {line.split("@")[0] for line in listed.splitlines()}


def _libraries(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*.so*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(4) == b"\x7fELF":
                    yield path
