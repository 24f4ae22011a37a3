"""Files that are whole or absent: written aside, flushed to the disk, then switched in one step."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fleetdesk.errors import StoreUnusable

_NO_ROOM = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}


def replace_text(path: Path, text: str) -> None:
    """Put `text` in place of a file's content: afterwards the old or the new, never between."""
    aside = path.with_name(path.name + ".tmp")
    aside.write_text(text, encoding="utf-8")
    flush(aside)
    aside.replace(path)
    flush_folder(path.parent)


def flush(path: Path) -> None:
    """Wait until a file's content is on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def flush_folder(path: Path) -> None:
    """Wait until a folder's entries are on the disk (Windows does so by itself)."""
    if sys.platform == "win32":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def link_or_copy(source: Path, target: Path) -> None:
    """The same file under a second name; a flushed copy where the file system has no links."""
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)
        flush(target)


def sha256_of(path: Path) -> str:
    """Hex digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def disk_trouble(doing: str, where: Path) -> Iterator[None]:
    """Turn a disk that refuses into a sentence; `doing` completes "... while"."""
    try:
        yield
    except OSError as trouble:
        raise StoreUnusable(
            f"The disk gave out while {doing}",
            found=f"{_reason(trouble)} in {where}",
            fix="Free some room or check the disk; the data is as it was before",
            retry_helps=True,
        ) from trouble


def _reason(trouble: OSError) -> str:
    if trouble.errno in _NO_ROOM:
        return "no room left"
    return trouble.strerror or str(trouble)
