"""The main window: pages in the order of the planner's day, menus, and what is under way."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QKeySequence
from PySide6.QtWidgets import (
    QFileDialog,
    QListWidget,
    QListWidgetItem,
    QMainWindow,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QStackedWidget,
)

from fleetdesk import __version__
from fleetdesk.apps.desktop.actions import Menus
from fleetdesk.apps.desktop.commands import CommandPalette
from fleetdesk.apps.desktop.desk import Desk
from fleetdesk.apps.desktop.form import Form, named, tell
from fleetdesk.apps.desktop.mail_dialog import SENDING
from fleetdesk.apps.desktop.notices import Notices
from fleetdesk.apps.desktop.pages.history import HistoryPage
from fleetdesk.apps.desktop.pages.page import Page
from fleetdesk.apps.desktop.pages.results import ResultsPage, RidersPage
from fleetdesk.apps.desktop.pages.routes import RoutesPage
from fleetdesk.apps.desktop.pages.run import RunPage
from fleetdesk.apps.desktop.pages.sandbox import SandboxPage
from fleetdesk.apps.desktop.pages.settings import SettingsPage
from fleetdesk.apps.desktop.pages.start import StartPage
from fleetdesk.apps.desktop.pages.today import TodayPage
from fleetdesk.apps.desktop.theme import SCALES, SYSTEM
from fleetdesk.apps.desktop.trouble import TroubleDialog
from fleetdesk.apps.desktop.widgets.list_editor import ListEditor
from fleetdesk.apps.desktop.widgets.table_view import TableView
from fleetdesk.apps.desktop.work.messages import Failure

PAGES: tuple[type[Page], ...] = (
    TodayPage, SettingsPage, RunPage, ResultsPage, RoutesPage, SandboxPage, RidersPage, HistoryPage,
)  # fmt: skip
SAMPLE_VEHICLES, SAMPLE_DAYS = 400, 30
_MAKING = "Making the sample city"
_LARGEST, _SHARE = QSize(1900, 1200), 0.9
_FULL = 1000
_WARM_MS = 150
_NAV_WIDTH = 150


class MainWindow(QMainWindow):
    """Everything else hangs on it."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.setObjectName("main")
        self.setAcceptDrops(True)
        form = Form("window")
        self.setCentralWidget(form.widget)
        self._form = form
        self._told: Failure | None = None
        self.stack = form.get(QStackedWidget, "stack")
        self.nav = named(form.get(QListWidget, "pages"), "Pages")
        self.run_button = form.get(QPushButton, "run")
        self.cancel_button = form.get(QPushButton, "cancel")
        self.progress = named(form.get(QProgressBar, "progress"), "How far the work is")
        self.progress.setFixedWidth(170)
        self.start = StartPage(desk.memory)
        self.start.sample.connect(self.make_sample)
        self.start.browse.connect(self.browse)
        self.start.chosen.connect(self.open)
        self.stack.addWidget(self.start)
        self.pages = [kind(desk) for kind in PAGES]
        for page in self.pages:
            self.stack.addWidget(page)
        self._fill_nav()
        self.menus = Menus(self)
        self._fill_menus()
        self.notices = Notices(self)
        self._connect()
        tell(form.label("banner"), "")
        self._working(False)
        self._show_workbook("")
        self.setMinimumSize(880, 560)
        self.resize(self.screen().availableSize().boundedTo(_LARGEST) * _SHARE)
        self._recall()
        QTimer.singleShot(_WARM_MS, self, desk.warm)

    def open(self, workbook: str) -> None:
        """Open a workbook, unless work on another one is under way or changes would be lost."""
        asked = "Open a workbook", self._unsaved(), "Open another one all the same?"
        if self._agreed(*asked) and self.desk.open(workbook):
            self.show_page(TodayPage)

    def browse(self) -> None:
        """Let the planner choose a workbook."""
        path, _ = QFileDialog.getOpenFileName(
            self, "Open a workbook", str(Path.home()), "Workbooks (*.xlsx)"
        )
        if path:
            self.open(path)

    def make_sample(self, folder: str = "") -> None:
        """Make the sample city, and open it when it is there."""
        from platformdirs import user_documents_path

        place = Path(folder) if folder else user_documents_path() / "FleetDesk sample city"
        ready = place / "FleetDesk.xlsx"
        if ready.is_file():
            self.open(str(ready))
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        self.desk.start(
            _MAKING, "sample", folder=str(place), vehicles=SAMPLE_VEHICLES, days=SAMPLE_DAYS
        )  # fmt: skip

    def show_page(self, kind: type[Page]) -> None:
        """Go to a page; the keys go there too."""
        number = PAGES.index(kind)
        self.nav.setCurrentRow(number)
        self._go(number)
        self.pages[number].setFocus(Qt.FocusReason.ShortcutFocusReason)

    def page(self, kind: type[Page]) -> Any:
        """The page of a kind."""
        return self.pages[PAGES.index(kind)]

    def palette_of_commands(self) -> CommandPalette:
        """The command palette over what can be done now."""
        return CommandPalette(self.menus.all, self)

    def set_look(self, name: str) -> None:
        """Light, dark or as the system has it."""
        self.desk.memory.remember("look", name)
        self._dress()

    def set_scale(self, step: int) -> None:
        """Larger or smaller texts; 0 for their own size."""
        now = self.desk.theme.scale_pct
        at = min(range(len(SCALES)), key=lambda i: abs(SCALES[i] - now))
        scale = SCALES[max(0, min(len(SCALES) - 1, at + step))] if step else 100
        self.desk.memory.remember("scale_pct", scale)
        self._dress()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Workbooks may be dropped."""
        if any(url.toLocalFile().lower().endswith(".xlsx") for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the first workbook that was dropped."""
        paths = [url.toLocalFile() for url in event.mimeData().urls()]
        self.open(next(path for path in paths if path.lower().endswith(".xlsx")))

    def closeEvent(self, event: Any) -> None:
        """Remember the layout and end the work; changes that were not saved are asked about."""
        asks = self._unsaved()
        if self.desk.busy:
            asks.append("A run is under way; it would be cancelled.")
        if self._agreed("Close FleetDesk", asks, "Close all the same?"):
            memory = self.desk.memory
            memory.remember_layout("window", self.saveGeometry())
            memory.remember("page", self.nav.currentRow())
            for page in self.pages:
                page.remember_layout()
                page.retire()
            self.notices.retire()
            self.desk.close()
            event.accept()
        else:
            event.ignore()

    def _unsaved(self) -> list[str]:
        """What would be lost if another workbook took the place of this one."""
        settings: SettingsPage = self.page(SettingsPage)
        routes: RoutesPage = self.page(RoutesPage)
        asks = []
        if settings.changes():
            asks.append("Changed settings were not saved.")
        if routes.rounds is not None and routes.rounds.changed:
            asks.append("Changed routes were not planned again.")
        return asks

    def _agreed(self, title: str, asks: list[str], question: str) -> bool:
        if not asks:
            return True
        said = QMessageBox.question(self, title, " ".join([*asks, question]))
        return said == QMessageBox.StandardButton.Yes

    def _connect(self) -> None:
        desk = self.desk
        desk.opened.connect(self._show_workbook)
        desk.disturbed.connect(lambda text: tell(self._form.label("banner"), text))
        desk.changed.connect(lambda: tell(self._form.label("banner"), ""))
        desk.began.connect(self._began)
        desk.stepped.connect(self._stepped)
        desk.ended.connect(self._ended)
        desk.failed.connect(self.show_failure)
        self.run_button.clicked.connect(lambda _=False: self.run())
        self.page(RunPage).run_wanted.connect(self.run)
        self.cancel_button.clicked.connect(desk.cancel)
        self.nav.currentRowChanged.connect(self._go)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._system_turned)
        self.page(SandboxPage).sheet_wanted.connect(self._show_sheet)

    def _show_sheet(self, sheet: str) -> None:
        self.show_page(SettingsPage)
        self.page(SettingsPage).choose(sheet)

    def run(self, only: tuple[str, ...] = ()) -> None:
        """Run what the workbook asks, or only these.

        Changed settings are to be saved first, and a plan heeds changed routes only by its page.
        """
        settings: SettingsPage = self.page(SettingsPage)
        if settings.changes():
            self.show_page(SettingsPage)
            tell(self._form.label("banner"), "Save or discard your changed settings first.")
            return
        routes: RoutesPage = self.page(RoutesPage)
        if routes.rounds is not None and routes.rounds.changed and (not only or "plan" in only):
            self.show_page(RoutesPage)
            words = "Plan again with your changed routes, or discard them, first."
            tell(self._form.label("banner"), words)
            return
        self.desk.run(only)

    def show_failure(self, failure: Failure) -> None:
        """Say what went wrong."""
        if failure.cancelled or failure is self._told:
            return
        self._told = failure
        if failure.report:
            dialog = TroubleDialog(failure, self)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.open()
        else:
            tell(self._form.label("banner"), failure.text)

    def _go(self, number: int) -> None:
        if self.desk.workbook and 0 <= number < len(self.pages):
            self.stack.setCurrentWidget(self.pages[number])

    def _show_workbook(self, workbook: str) -> None:
        path = Path(workbook)
        self._form.label("workbook").setText(path.name if workbook else "No workbook open")
        tell(self._form.label("facts"), path.parent.name if workbook else "")
        self._form.label("facts").setToolTip(str(path.parent) if workbook else "")
        self.setWindowTitle(f"{path.name} - FleetDesk" if workbook else "FleetDesk")
        self.nav.setEnabled(bool(workbook))
        self.menus.recent(self.desk.memory.recent, self.open)
        tell(self._form.label("banner"), "")
        self._working(self.desk.busy)
        if workbook:
            self._go(max(self.nav.currentRow(), 0))
        else:
            self.stack.setCurrentWidget(self.start)

    def _began(self, title: str) -> None:
        self._working(True)
        self._form.label("step").setText(title)
        self.progress.setValue(0)
        tell(self._form.label("banner"), "")

    def _stepped(self, step: str, share: float) -> None:
        metrics = self._form.label("step").fontMetrics()
        self._form.label("step").setText(metrics.elidedText(step, Qt.TextElideMode.ElideRight, 300))
        self.progress.setValue(round(share * _FULL))

    def _ended(self, title: str, outcome: object, took_s: float) -> None:
        self._working(False)
        if isinstance(outcome, Failure):
            # The page Run says itself why; only a report to copy is shown over it.
            if outcome.report or self.stack.currentWidget() is not self.page(RunPage):
                self.show_failure(outcome)
            said = "was cancelled" if outcome.cancelled else "did not succeed"
            self.notices.tell(title, f"{title} {said}.", took_s)
            return
        self.notices.tell(title, f"{title} is done.", took_s)
        if title == SENDING and isinstance(outcome, dict):
            # The planner is on the page Routes, not on Run, which tells of all work in full.
            first = str(outcome["text"]).splitlines()[:1]
            tell(self._form.label("banner"), " ".join([*first, *map(str, outcome["warnings"])]))
        if title == _MAKING and isinstance(outcome, dict):
            self.open(str(outcome["workbook"]))

    def _working(self, busy: bool) -> None:
        self.run_button.setEnabled(bool(self.desk.workbook) and not busy)
        self.run_button.setVisible(not busy)
        self.cancel_button.setVisible(busy)
        self.progress.setVisible(busy)
        self._form.label("step").setVisible(busy)
        self.start.make.setEnabled(not busy)

    def _fill_nav(self) -> None:
        self._fit_text()
        self.nav.setIconSize(QSize(20, 20))
        for kind in PAGES:
            self.nav.addItem(QListWidgetItem(kind.title))
        QTimer.singleShot(0, self, self._icons)
        self.nav.setCurrentRow(0)

    def _icons(self) -> None:
        # Loaded once the window is there; it takes longer than all the rest of it.
        import qtawesome

        # The pages' icons are of one font; of itself the library would load a dozen.
        (font,) = (font for font in qtawesome._BUNDLED_FONTS if font[0] == "mdi6")
        self._icon_font = qtawesome.IconicFont(font)
        colour = self.desk.theme.colours["text"]
        for row, kind in enumerate(PAGES):
            self.nav.item(row).setIcon(self._icon_font.icon(kind.icon, color=colour))

    def _fill_menus(self) -> None:
        menus, keys = self.menus, QKeySequence.StandardKey
        menus.add(menus.file, "&Open a workbook…", self.browse, keys.Open)
        menus.recent(self.desk.memory.recent, self.open)
        menus.add(menus.file, "Open the &sample city", self.make_sample)
        menus.file.addSeparator()
        menus.add(menus.file, "Sa&ve changed settings", self._save, keys.Save)
        menus.add(menus.file, "&Export the shown result…", self._export, "Ctrl+E")
        menus.file.addSeparator()
        menus.add(menus.file, "&Quit", self.close, keys.Quit)
        for number, kind in enumerate(PAGES, start=1):
            menus.add(menus.go, kind.title, partial(self.show_page, kind), f"Ctrl+{number}")
        menus.add(menus.work, "&Run", self.run, "F5")
        menus.add(menus.work, "&Cancel the run", self.desk.cancel, "Ctrl+.")
        menus.add(menus.work, "Choose &questions", lambda: self.show_page(RunPage), "Shift+F5")
        menus.add(menus.work, "&Plan again with my changes", partial(self._on_routes, "solve"),
                  "Ctrl+Return")  # fmt: skip
        menus.add(menus.work, "&Send to the crew…", partial(self._on_routes, "mail"), "Ctrl+M")
        menus.add(menus.work, "&Undo the last run…", self._undo)
        menus.looks(self.desk.memory.text("look", SYSTEM), self.set_look)
        menus.view.addSeparator()
        menus.add(menus.view, "&Larger text", lambda: self.set_scale(1), keys.ZoomIn)
        menus.add(menus.view, "&Smaller text", lambda: self.set_scale(-1), keys.ZoomOut)
        menus.add(menus.view, "&Normal text", lambda: self.set_scale(0), "Ctrl+0")
        menus.add(menus.help, "&Commands…", lambda: self.palette_of_commands().exec(), "Ctrl+K")
        menus.add(menus.help, "&About FleetDesk", self._about)

    def _save(self) -> None:
        self.show_page(SettingsPage)
        self.page(SettingsPage).save.click()

    def _on_routes(self, button: str) -> None:
        self.show_page(RoutesPage)
        self.page(RoutesPage).buttons[button].click()

    def _export(self) -> None:
        page = self.stack.currentWidget()
        if not isinstance(page, ResultsPage):
            self.show_page(ResultsPage)
            page = self.page(ResultsPage)
        page.ask_where()

    def _undo(self) -> None:
        self.show_page(HistoryPage)
        self.page(HistoryPage).ask_undo()

    def _about(self) -> None:
        QMessageBox.about(
            self, "About FleetDesk",
            f"FleetDesk {__version__}\nThe planner's tool for shared e-scooter fleets.\n"
            "Nothing leaves this computer unless you send it.",
        )  # fmt: skip

    def _system_turned(self, _: Qt.ColorScheme) -> None:
        if self.desk.memory.text("look", SYSTEM) == SYSTEM:
            self._dress()

    def _dress(self) -> None:
        memory = self.desk.memory
        self.desk.theme.apply(memory.text("look", SYSTEM), memory.number("scale_pct", 100))
        self._icons()
        self._fit_text()
        for page in self.pages:
            page.repaint_colours()

    def _fit_text(self) -> None:
        self.nav.setFixedWidth(round(_NAV_WIDTH * self.desk.theme.scale_pct / 100))
        for table in self.findChildren(TableView):
            table.fit_text()
        for editor in self.findChildren(ListEditor):
            editor.fit_text()

    def _recall(self) -> None:
        state = self.desk.memory.layout("window")
        if state is not None:
            self.restoreGeometry(state)
        for page in self.pages:
            page.recall_layout()
        row = self.desk.memory.number("page", 0)
        self.nav.setCurrentRow(row if 0 <= row < len(PAGES) else 0)
