"""What the app remembers between starts: recent workbooks, layout, look; in one file of its own."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

_RECENT = 8


class Memory:
    """Kept in `file`, an INI file."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._kept = QSettings(str(file), QSettings.Format.IniFormat)

    @classmethod
    def of_this_person(cls) -> Memory:
        """Where the system keeps such things."""
        from platformdirs import user_config_path

        return cls(user_config_path("FleetDesk", appauthor=False) / "desktop.ini")

    @property
    def recent(self) -> list[str]:
        """The workbooks opened last, the newest first."""
        found = self._kept.value("recent", [])
        listed = [found] if isinstance(found, str) else list(found or [])  # type: ignore[call-overload]
        return [str(path) for path in listed if path]

    def opened(self, workbook: str) -> None:
        """Put a workbook at the top of the recent ones."""
        others = [path for path in self.recent if path != workbook]
        self._kept.setValue("recent", [workbook, *others][:_RECENT])

    def forget(self, workbook: str) -> None:
        """One that is gone."""
        self._kept.setValue("recent", [path for path in self.recent if path != workbook])

    def text(self, name: str, default: str = "") -> str:
        """A remembered text."""
        return str(self._kept.value(name, default))

    def number(self, name: str, default: int) -> int:
        """A remembered whole number."""
        try:
            return int(self.text(name, str(default)))
        except ValueError:
            return default

    def remember(self, name: str, value: str | int) -> None:
        """Keep a text or number."""
        self._kept.setValue(name, str(value))

    def layout(self, name: str) -> QByteArray | None:
        """A window's or splitter's state."""
        found = self._kept.value(f"layout/{name}")
        return found if isinstance(found, QByteArray) else None

    def remember_layout(self, name: str, state: QByteArray) -> None:
        """Keep it."""
        self._kept.setValue(f"layout/{name}", state)

    def sync(self) -> None:
        """Write it down."""
        self._kept.sync()
