"""What every page is: a form, and the duty to read again when the workspace has changed."""

from __future__ import annotations

from typing import Any, ClassVar

from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from fleetdesk.apps.desktop.desk import Desk
from fleetdesk.apps.desktop.form import Form


class Page(QWidget):
    """A page reads when it is seen and what it shows is no longer true.

    Its focus proxy is where the keys go when the planner comes to it.
    """

    title: ClassVar[str]
    icon: ClassVar[str]
    form_name: ClassVar[str]

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.form = Form(self.form_name, self)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.form.widget)
        self._stale = True
        desk.opened.connect(self._forget)
        desk.changed.connect(self.spoil)

    def refresh(self) -> None:
        """Read anew what the page shows; nothing where it reads only what the planner asks."""

    def forget(self) -> None:
        """Another workbook is open: drop what belongs to the old one."""

    def repaint_colours(self) -> None:
        """The look has changed; stylesheets follow by themselves, drawings are done again."""

    def retire(self) -> None:
        """The window closes."""

    def remember_layout(self) -> None:
        """Keep how the planner divided the page."""
        for splitter in self.form.widget.findChildren(QSplitter):
            name = f"{self.form_name}/{splitter.objectName()}"
            self.desk.memory.remember_layout(name, splitter.saveState())

    def recall_layout(self) -> None:
        """Divide the page as it was."""
        for splitter in self.form.widget.findChildren(QSplitter):
            state = self.desk.memory.layout(f"{self.form_name}/{splitter.objectName()}")
            if state is not None:
                splitter.restoreState(state)

    def spoil(self) -> None:
        """What is shown may no longer be true."""
        self._stale = True
        self._maybe_refresh()

    def showEvent(self, event: Any) -> None:
        """Read when first seen."""
        super().showEvent(event)
        self._maybe_refresh()

    def _forget(self, _: str) -> None:
        self.forget()
        self.spoil()

    def _maybe_refresh(self) -> None:
        if self._stale and self.isVisible() and self.desk.workbook:
            self._stale = False
            self.refresh()
