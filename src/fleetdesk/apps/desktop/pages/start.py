"""Where there is no workbook yet: the sample city, a workbook of one's own, or a recent one."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from fleetdesk.apps.desktop.form import Form, named
from fleetdesk.apps.desktop.memory import Memory


class StartPage(QWidget):
    """Three ways to begin."""

    sample = Signal()
    browse = Signal()
    chosen = Signal(str)

    def __init__(self, memory: Memory) -> None:
        super().__init__()
        self._memory = memory
        self.form = Form("start", self)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.form.widget)
        self.make = self.form.get(QPushButton, "sample")
        self.make.clicked.connect(self.sample)
        self.form.get(QPushButton, "open").clicked.connect(self.browse)
        self.recent = named(self.form.get(QListWidget, "recent"), "Recent workbooks")
        self.recent.setMinimumWidth(520)
        self.recent.setMaximumHeight(190)
        self.recent.itemActivated.connect(self._open)
        self.list_recent()

    def list_recent(self) -> None:
        """The workbooks opened last."""
        self.recent.clear()
        for path in self._memory.recent:
            item = QListWidgetItem(f"{Path(path).name}\n{Path(path).parent}")
            item.setData(Qt.ItemDataRole.UserRole, path)
            self.recent.addItem(item)
        there = bool(self.recent.count())
        self.recent.setVisible(there)
        self.form.label("recentTitle").setVisible(there)

    def _open(self, item: QListWidgetItem) -> None:
        self.chosen.emit(item.data(Qt.ItemDataRole.UserRole))
