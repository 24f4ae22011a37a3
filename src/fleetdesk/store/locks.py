"""One holder at a time, across processes; the system frees the lock when its holder dies."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fleetdesk.errors import StoreUnusable

_BYTE = 1 << 30  # far behind the text, which others must be able to read on Windows


class FileLock:
    """A lock on a small file that also tells who holds it; not reentrant."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._handle is not None

    def acquire(self, holder: str) -> bool:
        """Take the lock and write `holder` into it; False when somebody else has it."""
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        if not _lock(handle):
            os.close(handle)
            return False
        os.ftruncate(handle, 0)
        os.write(handle, holder.encode("utf-8"))
        self._handle = handle
        return True

    def release(self) -> None:
        """Let go; the file stays, because removing it would let two holders in."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def holder(self) -> str:
        """What the present holder wrote."""
        return self.path.read_text(encoding="utf-8")


@contextmanager
def alone(path: Path, doing: str, wait_s: float = 30.0) -> Iterator[None]:
    """Do short work that no other process does meanwhile; wait for one that is at it.

    StoreUnusable when that takes longer than `wait_s` seconds.
    """
    lock = FileLock(path)
    until = time.monotonic() + wait_s
    while not lock.acquire(doing):
        if time.monotonic() > until:
            raise StoreUnusable(
                "Another program is busy in this folder",
                found=lock.holder(),
                fix="Wait until it has finished",
                retry_helps=True,
            )
        time.sleep(0.02)
    try:
        yield
    finally:
        lock.release()


class Pin:
    """A reader's hold on a generation: while it lasts, the manifest cannot be taken away."""

    def __init__(self, manifest: Path) -> None:
        self._file = manifest.open("rb")
        _lock_shared(self._file.fileno())

    def release(self) -> None:
        """Let go of the generation."""
        self._file.close()


if sys.platform == "win32":
    import msvcrt

    def is_pinned(manifest: Path) -> bool:
        """Whether a reader in any process holds this generation."""
        aside = manifest.with_name(manifest.name + ".aside")
        try:
            manifest.rename(aside)  # Windows refuses while somebody has the file open
        except OSError:
            return manifest.exists()
        aside.rename(manifest)
        return False

    def _lock(handle: int) -> bool:
        os.lseek(handle, _BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        os.lseek(handle, 0, os.SEEK_SET)
        return True

    def _lock_shared(handle: int) -> None:
        """Nothing to do: having the file open is the hold."""

else:
    import fcntl

    def is_pinned(manifest: Path) -> bool:
        """Whether a reader in any process holds this generation."""
        if not manifest.exists():
            return False
        with manifest.open("rb") as file:
            return not _lock(file.fileno())

    def _lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _lock_shared(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_SH)
