"""Says what went wrong, and gives the report to be copied where there is one."""

from __future__ import annotations

import sys
import threading
import traceback
from types import TracebackType

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from fleetdesk.apps.desktop.form import Form, named, tell
from fleetdesk.apps.desktop.work.messages import Failure
from fleetdesk.apps.desktop.work.report import report_text


class TroubleDialog(QDialog):
    """Cause, fix and, for faults of our own, the report."""

    def __init__(self, failure: Failure, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("FleetDesk")
        self._form = Form("trouble", self)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self._form.widget)
        self._form.label("what").setText(failure.cause)
        rest = failure.text.removeprefix(failure.cause).lstrip(". ")
        listed = "\n".join(str(problem) for problem in failure.problems)
        tell(self._form.label("fix"), f"{rest}\n{listed}".strip())
        self.report = named(self._form.get(QPlainTextEdit, "report"), "Report")
        self.report.setPlainText(failure.report)
        self.report.setVisible(bool(failure.report))
        self.copy = self._form.get(QPushButton, "copy")
        self.copy.setVisible(bool(failure.report))
        self.copy.clicked.connect(self._copy)
        close = self._form.get(QPushButton, "close_")
        close.clicked.connect(self.accept)
        close.setDefault(True)
        self.resize(620, 420 if failure.report else 200)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.report.toPlainText())


class Faults(QObject):
    """Catches faults of our own in the window, from any thread, and tells them as failures."""

    met = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._before = sys.excepthook, threading.excepthook

    def catch(self) -> None:
        """From now on."""
        sys.excepthook = self._hook
        threading.excepthook = lambda args: self._hook(
            args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback
        )

    def release(self) -> None:
        """As it was before."""
        sys.excepthook, threading.excepthook = self._before

    def _hook(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        details = "".join(traceback.format_exception(kind, error, trace))
        self.met.emit(
            Failure(
                f"The window met a fault of its own ({kind.__name__})",
                fix="Your workbook is whole. Copy the report and send it to whoever looks after "
                "FleetDesk; you can go on working",
                report=report_text("the window", f"{kind.__name__}: {error}", details),
            )
        )
