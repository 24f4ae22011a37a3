"""The menus: what can be done, under which keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from fleetdesk.apps.desktop.theme import DARK, LIGHT, SYSTEM

Do = Callable[[], object]


class Menus:
    """Makes the menu bar; every action is also in the command palette."""

    def __init__(self, window: QMainWindow) -> None:
        self._window = window
        self.all: list[QAction] = []
        bar = window.menuBar()
        bar.setAccessibleName("Menus")
        self.file = bar.addMenu("&File")
        self.go = bar.addMenu("&Go")
        self.work = bar.addMenu("&Run")
        self.view = bar.addMenu("&View")
        self.help = bar.addMenu("&Help")
        self._recent: QMenu | None = None

    def add(
        self, menu: QMenu, text: str, do: Do, keys: str | QKeySequence.StandardKey = ""
    ) -> QAction:
        """One action more."""
        action = QAction(text, self._window)
        if keys:
            action.setShortcut(QKeySequence(keys))
        action.triggered.connect(lambda _=False: do())
        menu.addAction(action)
        self.all.append(action)
        return action

    def recent(self, paths: list[str], open_: Callable[[str], object]) -> None:
        """The recent workbooks."""
        if self._recent is None:
            self._recent = self.file.addMenu("Open &recent")
        self._recent.clear()
        for path in paths:
            action = self._recent.addAction(f"{Path(path).name} - {Path(path).parent}")
            action.triggered.connect(lambda _=False, chosen=path: open_(chosen))
        self._recent.setEnabled(bool(paths))

    def looks(self, chosen: str, choose: Callable[[str], object]) -> None:
        """Light, dark, or as the system has it."""
        group = QActionGroup(self._window)
        for name, text in ((SYSTEM, "As the &system"), (LIGHT, "&Light"), (DARK, "&Dark")):
            action = self.add(self.view, text, lambda name=name: choose(name))  # type: ignore[misc]
            action.setCheckable(True)
            action.setChecked(name == chosen)
            group.addAction(action)
