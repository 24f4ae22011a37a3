"""Tells when the workbook on disk has another content; programs that save replace the file."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

_SETTLE_MS = 250
_RETRIES = 40


class WorkbookWatcher(QObject):
    """Watches one file and its folder.

    A replaced file is dropped by the system's watch, so it is added again, with patience: between
    removal and replacement there is no file for a moment.
    """

    changed = Signal()
    gone = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path: Path | None = None
        self._seen: tuple[int, int] | None = None
        self._tries = 0
        self._watch = QFileSystemWatcher(self)
        self._watch.fileChanged.connect(self._stirred)
        self._watch.directoryChanged.connect(self._stirred)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SETTLE_MS)
        self._timer.timeout.connect(self._look)

    def follow(self, path: Path | None) -> None:
        """Watch this file and no other."""
        for old in (*self._watch.files(), *self._watch.directories()):
            self._watch.removePath(old)
        self._timer.stop()
        self._path, self._tries = path, 0
        self._seen = _state(path) if path else None
        self._add()

    def _add(self) -> None:
        if self._path is None:
            return
        if self._path.exists() and str(self._path) not in self._watch.files():
            self._watch.addPath(str(self._path))
        if self._path.parent.exists() and str(self._path.parent) not in self._watch.directories():
            self._watch.addPath(str(self._path.parent))

    def _stirred(self) -> None:
        self._tries = 0
        self._timer.start()

    def _look(self) -> None:
        if self._path is None:
            return
        state = _state(self._path)
        if state is None:
            self._seen = None
            self._tries += 1
            if self._tries == _RETRIES // 4:
                self.gone.emit()
            if self._tries < _RETRIES:
                self._timer.start()
            return
        self._tries = 0
        self._add()
        if state != self._seen:
            self._seen = state
            self.changed.emit()


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
