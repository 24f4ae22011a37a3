"""Run: choose questions, watch the steps, stop, and read what happened."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
)

from fleetdesk.apps.desktop.desk import Desk
from fleetdesk.apps.desktop.form import named, tell
from fleetdesk.apps.desktop.pages.page import Page
from fleetdesk.apps.desktop.work.messages import Failure
from fleetdesk.apps.desktop.work.shapes import Question
from fleetdesk.errors import Problem
from fleetdesk.workflows.progress import SEARCHING, name_of

_FULL = 1000


class RunPage(Page):
    """One run at a time; the buttons say which. `run_wanted` names the questions, () for all."""

    run_wanted = Signal(tuple)

    title: ClassVar[str] = "Run"
    icon: ClassVar[str] = "mdi6.play-circle-outline"
    form_name: ClassVar[str] = "run"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        get = self.form.get
        self.questions = named(get(QListWidget, "questions"), "Questions to answer")
        self.start = get(QPushButton, "start")
        self.stop = get(QPushButton, "stop")
        self.settle = get(QPushButton, "settle")
        self.check = get(QPushButton, "check")
        self.progress = named(get(QProgressBar, "progress"), "How far the run is")
        self.log = named(get(QPlainTextEdit, "log"), "Log of what happened")
        self.log.setVisible(False)
        self.form.label("logTitle").setVisible(False)
        self._step = ""
        self._unread = False
        tell(self.form.label("outcome"), "")
        self.start.clicked.connect(self.run)
        self.stop.clicked.connect(desk.cancel)
        self.settle.clicked.connect(desk.settle)
        self.check.clicked.connect(self._check)
        get(QCheckBox, "detailed").toggled.connect(self._detailed)
        desk.began.connect(self._began)
        desk.stepped.connect(self._stepped)
        desk.ended.connect(self._ended)
        self.setFocusProxy(self.questions)
        self._buttons()

    def refresh(self) -> None:
        """Read the questions, and which the workbook asks."""
        self.desk.ask("questions", self._show_questions, self._no_questions)

    def forget(self) -> None:
        """Nothing of another workbook stays."""
        self.log.clear()
        tell(self.form.label("outcome"), "")
        self.form.label("step").setText("")
        self.progress.setValue(0)

    def run(self) -> None:
        """Answer the ticked questions."""
        ticked = self.ticked()
        asked = tuple(question.name for question in self._known() if question.asked)
        if not ticked and self.questions.count():
            tell(self.form.label("outcome"), "Tick at least one question.")
            return
        self.run_wanted.emit(() if ticked == asked else ticked)

    def ticked(self) -> tuple[str, ...]:
        """The names of the ticked questions."""
        items = [self.questions.item(row) for row in range(self.questions.count())]
        return tuple(
            item.data(Qt.ItemDataRole.UserRole).name
            for item in items
            if item.flags() & Qt.ItemFlag.ItemIsUserCheckable
            and item.checkState() == Qt.CheckState.Checked
        )

    def _known(self) -> list[Question]:
        items = [self.questions.item(row) for row in range(self.questions.count())]
        found = [item.data(Qt.ItemDataRole.UserRole) for item in items]
        return [question for question in found if question is not None]

    def _show_questions(self, found: tuple[Question, ...]) -> None:
        self.questions.clear()
        group = ""
        for question in found:
            if question.group != group:
                group = question.group
                head = QListWidgetItem(group)
                head.setFlags(Qt.ItemFlag.NoItemFlags)
                font = head.font()
                font.setBold(True)
                head.setFont(font)
                self.questions.addItem(head)
            item = QListWidgetItem(f"{question.title}\n{question.question}")
            item.setData(Qt.ItemDataRole.UserRole, question)
            item.setFlags(
                Qt.ItemFlag.ItemIsEnabled
                | Qt.ItemFlag.ItemIsSelectable
                | Qt.ItemFlag.ItemIsUserCheckable
            )
            state = Qt.CheckState.Checked if question.asked else Qt.CheckState.Unchecked
            item.setCheckState(state)
            self.questions.addItem(item)
        if self._unread:
            self._unread = False
            tell(self.form.label("outcome"), "")

    def _no_questions(self, failure: Failure) -> None:
        self.questions.clear()
        self._unread = True
        self._say(_in_words(failure), good=False)

    def _began(self, title: str) -> None:
        self._step = ""
        self.log.clear()
        self._note(f"{title} began")
        tell(self.form.label("outcome"), "")
        self.progress.setValue(0)
        self._buttons()

    def _stepped(self, step: str, share: float) -> None:
        self.progress.setValue(round(share * _FULL))
        self.form.label("step").setText(step)
        if name_of(step) != self._step:
            self._step = name_of(step)
            self.settle.setVisible(self._step == SEARCHING)
            self._note(self._step)

    def _ended(self, title: str, outcome: object, took_s: float) -> None:
        self._buttons()
        self.form.label("step").setText("")
        if isinstance(outcome, Failure):
            self.progress.setValue(0)
            self._say(_in_words(outcome), good=False)
            self._note(_in_words(outcome))
        elif isinstance(outcome, dict):
            self.progress.setValue(_FULL)
            self._say(f"{title} is done after {took_s:.0f} s.\n{outcome.get('text', '')}")
            self._note(str(outcome.get("text", "")))

    def _check(self) -> None:
        self.desk.ask("check_forms", self._checked, self._no_questions, changes=[])

    def _checked(self, problems: tuple[Problem, ...]) -> None:
        errors = [problem for problem in problems if problem.severity.value == "error"]
        text = "\n".join(str(problem) for problem in problems)
        if errors:
            self._say(text, good=False)
        else:
            self._say(f"All settings can be used.\n{text}".strip())

    def _say(self, text: str, *, good: bool = True) -> None:
        label = self.form.label("outcome")
        label.setProperty("role", "good" if good else "bad")
        label.style().unpolish(label)
        label.style().polish(label)
        # Without this the room around its text would be that of the role before.
        QApplication.sendEvent(label, QEvent(QEvent.Type.StyleChange))
        tell(label, text)

    def _note(self, text: str) -> None:
        self.log.appendPlainText(f"{datetime.now():%H:%M:%S}  {text}")

    def _detailed(self, on: bool) -> None:
        self.log.setVisible(on)
        self.form.label("logTitle").setVisible(on)

    def _buttons(self) -> None:
        busy = self.desk.busy
        self.start.setEnabled(not busy)
        self.check.setEnabled(not busy)
        self.stop.setEnabled(busy)
        self.settle.setVisible(False)


def _in_words(failure: Failure) -> str:
    listed = "\n".join(str(problem) for problem in failure.problems)
    return f"{failure.text}\n{listed}".strip()
