"""Putting a new workbook in place of the old: in one step, with a backup, or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from fleetdesk.errors import WorkbookRefused
from fleetdesk.sheets.base import Receipt

BACKUPS = "backups"
KEEP_BACKUPS = 50

Clock = Callable[[], datetime]


def local_now() -> datetime:
    """The time on this computer's clock, with its zone."""
    return datetime.now().astimezone()


@dataclass(frozen=True)
class PreparedFile:
    """The new workbook, complete and on disk beside the old one under a hidden name."""

    path: Path
    temporary: Path
    before: str
    after: str
    written: tuple[str, ...]
    added: tuple[str, ...]
    clock: Clock

    def switch(self) -> Receipt:
        """Back the old file up and put the new one in its place, unless anybody touched either.

        When the workbook is only open in another program, the prepared file stays, so that the
        switch can be tried again; call `discard` to give up.
        """
        refuse_if_locked(self.path)
        try:
            self._check(self.path, self.before, changed(self.path.name))
            self._check(self.temporary, self.after, _overtaken(self.path.name))
            backup = _back_up(self.path, self.clock())
            self.temporary.replace(self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            raise explained(error, self.path.name) from error
        finally:
            self.discard()
        forget_old_backups(self.path)
        return Receipt(self.after, str(backup), self.written, self.added)

    def discard(self) -> None:
        """Remove the new file; the workbook is untouched."""
        with contextlib.suppress(OSError):
            if fingerprint_of(self.temporary.read_bytes()) == self.after:
                self.temporary.unlink()

    @staticmethod
    def _check(path: Path, expected: str, refusal: WorkbookRefused) -> None:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise refusal from None
        if fingerprint_of(data) != expected:
            raise refusal


def restore(path: Path, wanted: str, expect: str | None, clock: Clock) -> Path | None:
    """Put the backup with fingerprint `wanted` in the workbook's place; returns what it replaced.

    The workbook as it was (it must have fingerprint `expect`, None = there is none) is kept as a
    backup of its own.
    """
    for backup in sorted((path.parent / BACKUPS).glob(f"*{path.suffix}")):
        data = backup.read_bytes()
        if fingerprint_of(data) == wanted:
            break
    else:
        raise WorkbookRefused(
            f"The backup of {path.name} from before that run is gone",
            found=f"looked in {path.parent / BACKUPS}",
            fix="Look for the file in your own backups; nothing was changed",
        )
    refuse_if_locked(path)
    temporary = write_beside(path, lambda out: out.write(data))
    if expect is None:
        temporary.replace(path)
        sync_folder(path.parent)
        return None
    prepared = PreparedFile(path, temporary, expect, wanted, (), (), clock)
    return Path(prepared.switch().backup)


def fingerprint_of(data: bytes) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(data).hexdigest()


def read_workbook(path: Path) -> bytes:
    """The file's bytes, or a refusal that says why they cannot be had."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise WorkbookRefused(
            f"There is no workbook {path.name}",
            found=f"looked in {path.parent}",
            fix="Check the name and the folder",
        ) from None
    except OSError as error:
        raise explained(error, path.name) from error


def temporary_name(path: Path) -> Path:
    """The one hidden name beside the workbook; what an interrupted run left there is replaced."""
    return path.with_name(f".{path.name}.fleetdesk.tmp")


def write_beside(path: Path, fill: Callable[[IO[bytes]], object]) -> Path:
    """Write a complete file under the hidden name and force it to disk; nothing stays on error."""
    temporary = temporary_name(path)
    try:
        temporary.unlink(missing_ok=True)
        with temporary.open("xb") as out:
            fill(out)
            out.flush()
            os.fsync(out.fileno())
        if path.exists():
            shutil.copymode(path, temporary)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise explained(error, path.name) from error
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    return temporary


def refuse_if_locked(path: Path) -> None:
    """Excel and LibreOffice leave a small file beside a workbook that they have open.

    A workbook that is marked read-only is refused too: somebody wants it to stay as it is.
    """
    if path.exists() and not path.stat().st_mode & 0o222:
        raise WorkbookRefused(
            f"{path.name} is marked read-only, so it is not written",
            found="no write permission on the file",
            fix="Allow writing to the file and run again",
        )
    excel = path.with_name(f"~${path.name}")
    office = path.with_name(f".~lock.{path.name}#")
    for lock, program in ((excel, "Excel"), (office, "LibreOffice")):
        if lock.exists():
            raise WorkbookRefused(
                f"{path.name} is open in {program}, so it cannot be written",
                found=_holder(lock),
                fix=f"Close it there and run again; if nobody has it open, delete {lock.name}",
                retry_helps=True,
            )


def explained(error: OSError, name: str) -> WorkbookRefused:
    """An operating system's error as a sentence."""
    if isinstance(error, PermissionError):
        return WorkbookRefused(
            f"{name} cannot be written or read",
            found="access denied: it is open in another program, or it is read-only",
            fix="Close it in the other program, or allow writing to the file and its folder",
            retry_helps=True,
        )
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return WorkbookRefused(
            f"There is no room on the disk for the new {name}; the old one is untouched",
            found=error.strerror or "",
            fix="Free some space, for example old files of the backups folder, and run again",
            retry_helps=True,
        )
    return WorkbookRefused(
        f"{name} cannot be written or read; it is as it was",
        found=error.strerror or str(error),
        fix="Check the disk or the network drive",
        retry_helps=True,
    )


def sync_folder(folder: Path) -> None:
    """Force a folder's new names to disk where the system can."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:
        # Some network file systems cannot; the switch itself has happened.
        return
    finally:
        os.close(handle)


def changed(name: str) -> WorkbookRefused:
    """The refusal when the workbook is no longer the one that was read."""
    return WorkbookRefused(
        f"{name} was changed while FleetDesk was working, so nothing was written",
        found="its content is no longer what was read",
        fix="Run again, so that the new settings are used",
        retry_helps=True,
    )


def _overtaken(name: str) -> WorkbookRefused:
    return WorkbookRefused(
        f"Another run is writing to {name}, so this one stepped back",
        fix="Wait for it to end and run again",
        retry_helps=True,
    )


def backup_path(path: Path, now: datetime) -> Path:
    """A free name for a copy of the workbook in the folder `backups`, which is made."""
    folder = path.parent / BACKUPS
    folder.mkdir(exist_ok=True)
    stem = f"{path.stem} {now:%Y-%m-%d %H.%M.%S}"
    backup, number = folder / f"{stem}{path.suffix}", 2
    while backup.exists():
        backup, number = folder / f"{stem} ({number}){path.suffix}", number + 1
    return backup


def _back_up(path: Path, now: datetime) -> Path:
    """The old file under `backups`, as a second name of the same bytes where that works."""
    backup = backup_path(path, now)
    try:
        os.link(path, backup)
    except OSError:
        shutil.copy2(path, backup)
        with backup.open("rb+") as stream:
            os.fsync(stream.fileno())
    sync_folder(backup.parent)
    return backup


def forget_old_backups(path: Path) -> None:
    """Keep the newest backups of the workbook only."""
    pattern = re.compile(
        re.escape(path.stem)
        + r" \d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d( \(\d+\))?"
        + re.escape(path.suffix)
    )
    with contextlib.suppress(OSError):
        found = [file for file in (path.parent / BACKUPS).iterdir() if pattern.fullmatch(file.name)]
        for file in sorted(found, key=lambda file: file.name)[:-KEEP_BACKUPS]:
            file.unlink()


def _holder(lock: Path) -> str:
    """Who has it open, as far as the lock file says."""
    try:
        data = lock.read_bytes()[:200]
    except OSError:
        return lock.name
    if lock.name.startswith(".~lock."):
        names = [part for part in data.decode("utf-8", "replace").split(",") if part.strip()]
        return f"opened by {names[0].strip()}" if names else lock.name
    length = data[0] if data else 0
    name = data[1 : 1 + length].decode("latin-1", "replace").strip()
    return f"opened by {name}" if name.isprintable() and name else lock.name
