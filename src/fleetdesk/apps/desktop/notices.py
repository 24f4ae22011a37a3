"""A word from the system when long work has ended and the planner is looking elsewhere."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication, QMainWindow, QSystemTrayIcon

LONG_S = 5.0


class Notices:
    """Uses the system's tray where there is one, and asks for attention in any case."""

    def __init__(self, window: QMainWindow) -> None:
        self._window = window
        self._tray: QSystemTrayIcon | None = None
        self.told: list[str] = []

    def tell(self, title: str, text: str, took_s: float) -> None:
        """Only after long work, and only when the window is not being looked at."""
        if took_s < LONG_S or self._window.isActiveWindow():
            return
        self.told.append(text)
        QApplication.alert(self._window)
        if QSystemTrayIcon.isSystemTrayAvailable():
            if self._tray is None:
                self._tray = QSystemTrayIcon(self._window.windowIcon(), self._window)
            self._tray.show()
            self._tray.showMessage(title, text)

    def retire(self) -> None:
        """Take the icon away."""
        if self._tray is not None:
            self._tray.hide()
