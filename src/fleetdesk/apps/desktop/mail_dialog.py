"""Look at the crew's mails, then send those that are ticked."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from fleetdesk.apps.desktop.desk import Desk
from fleetdesk.apps.desktop.form import Form, named, tell
from fleetdesk.apps.desktop.work.messages import Failure
from fleetdesk.apps.desktop.work.shapes import Mails

SENDING = "Sending the mails"
_LARGEST, _SHARE = QSize(1500, 1200), 0.85
# A mail stands on white in every look; links would be in the colour of the look.
_ON_WHITE = "a { color: #00639C }"


class MailDialog(QDialog):
    """Nothing is sent before the button is pressed."""

    def __init__(self, desk: Desk, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Send the routes to the crew")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._desk = desk
        self._form = Form("mail", self)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self._form.widget)
        self.letters = named(self._form.get(QListWidget, "letters"), "Mails to be sent")
        self.letters.setFixedWidth(200)
        self.page = named(self._form.get(QTextBrowser, "page"), "The mail as it will look")
        self.page.document().setDefaultStyleSheet(_ON_WHITE)
        self.again = self._form.get(QCheckBox, "again")
        self.send = self._form.get(QPushButton, "send")
        self.send.clicked.connect(self._send)
        self.send.setEnabled(False)
        self._form.get(QPushButton, "close_").clicked.connect(self.reject)
        self.letters.currentItemChanged.connect(self._look)
        self.letters.itemChanged.connect(lambda _: self._buttons())
        self.again.toggled.connect(lambda _: self._ask())
        self.resize(parent.window().size().boundedTo(_LARGEST) * _SHARE)
        self._ask()

    def _ask(self) -> None:
        tell(self._form.label("state"), "Writing the mails …")
        self._desk.ask("mail_preview", self.show_mails, self._cannot, again=self.again.isChecked())

    def show_mails(self, mails: Mails) -> None:
        """List the mails, all of them ticked."""
        self.letters.clear()
        for letter in mails.letters:
            item = QListWidgetItem(letter.worker)
            item.setToolTip(letter.about)
            item.setData(Qt.ItemDataRole.UserRole, letter)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked)
            self.letters.addItem(item)
        self.letters.setCurrentRow(0)
        tell(
            self._form.label("state"),
            "\n".join(f"{worker} gets no mail: {why}" for worker, why in mails.left_out),
        )
        self._buttons()

    def _cannot(self, failure: Failure) -> None:
        self.letters.clear()
        self._buttons()
        tell(self._form.label("state"), failure.text)

    def _look(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            letter = item.data(Qt.ItemDataRole.UserRole)
            self.page.setHtml(Path(letter.page).read_text(encoding="utf-8"))
            self._form.label("about").setText(letter.about)

    def _ticked(self) -> list[str]:
        items = [self.letters.item(row) for row in range(self.letters.count())]
        return [item.text() for item in items if item.checkState() == Qt.CheckState.Checked]

    def _buttons(self) -> None:
        count = len(self._ticked())
        self.send.setEnabled(bool(count) and not self._desk.busy)
        self.send.setText(f"Send {count} mails" if count != 1 else "Send 1 mail")

    def _send(self) -> None:
        begun = self._desk.start(
            SENDING, "mail", workbook=self._desk.workbook, workers=self._ticked(),
            again=self.again.isChecked(),
        )  # fmt: skip
        if begun:
            self.accept()
