"""Designer's forms, loaded as they are from `ui/desktop`, so that code and form cannot drift."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import QFile, QIODevice
from PySide6.QtUiTools import QUiLoader
from PySide6.QtWidgets import QLabel, QLayout, QWidget

from fleetdesk.resources import folder

Child = TypeVar("Child", bound=QWidget)
Place = TypeVar("Place", bound=QLayout)


class Form:
    """One form; its widgets are had by kind and name, and one that is missing is an error."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        file = QFile(str(folder("ui") / "desktop" / f"{name}.ui"))
        if not file.open(QIODevice.OpenModeFlag.ReadOnly):
            raise FileNotFoundError(file.fileName())
        try:
            self.widget: QWidget = QUiLoader().load(file, parent)
        finally:
            file.close()
        self._name = name

    def get(self, kind: type[Child], name: str) -> Child:
        """The widget of this name."""
        found = self.widget.findChild(kind, name)
        if found is None:
            raise LookupError(f"{self._name}.ui has no {kind.__name__} {name}")
        return found

    def label(self, name: str) -> QLabel:
        """The label of this name."""
        return self.get(QLabel, name)

    def place(self, kind: type[Place], name: str) -> Place:
        """The layout of this name, to put widgets into."""
        found = self.widget.findChild(kind, name)
        if found is None:
            raise LookupError(f"{self._name}.ui has no {kind.__name__} {name}")
        return found


def named(widget: Child, name: str, description: str = "") -> Child:
    """The widget with what screen readers say of it."""
    widget.setAccessibleName(name)
    if description:
        widget.setAccessibleDescription(description)
    return widget


def tell(label: QLabel, text: str) -> None:
    """Show a text, or no label where there is none."""
    label.setText(text)
    label.setVisible(bool(text))
