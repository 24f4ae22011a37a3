"""The command palette: everything that can be done, found by typing."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QDialog, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from fleetdesk.apps.desktop.form import Form, named

_KEYS = (Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp)


class CommandPalette(QDialog):
    """Lists the actions whose words contain all that was typed; Enter does the chosen one."""

    def __init__(self, actions: Sequence[QAction], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Commands")
        self._actions = [action for action in actions if action.isEnabled()]
        self._form = Form("commands", self)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self._form.widget)
        self.typed = named(self._form.get(QLineEdit, "find"), "Find a command")
        self.found = named(self._form.get(QListWidget, "found"), "Commands")
        self.typed.textChanged.connect(self._filter)
        self.typed.returnPressed.connect(self._do)
        self.typed.installEventFilter(self)
        self.found.itemActivated.connect(self._do)
        self.resize(560, 420)
        self._filter("")
        self.typed.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrow keys move in the list while the typing goes on above."""
        pressed = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress
        if pressed and event.key() in _KEYS:  # type: ignore[attr-defined]
            self.found.event(event)
            return True
        return super().eventFilter(watched, event)

    def _filter(self, text: str) -> None:
        words = text.casefold().split()
        self.found.clear()
        for action in self._actions:
            said = label_of(action)
            if all(word in said.casefold() for word in words):
                keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
                item = QListWidgetItem(f"{said}    {keys}" if keys else said)
                item.setData(Qt.ItemDataRole.UserRole, action)
                self.found.addItem(item)
        self.found.setCurrentRow(0)

    def _do(self) -> None:
        item = self.found.currentItem()
        self.accept()
        if item is not None:
            item.data(Qt.ItemDataRole.UserRole).trigger()


def label_of(action: QAction) -> str:
    """An action's words without the marks for keys."""
    return action.text().replace("&", "").rstrip("…")
