"""Light and dark, of our own, because bare X11 knows neither; and the size of texts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from string import Template

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from fleetdesk.resources import folder

LIGHT, DARK, SYSTEM = "light", "dark", "system"
SCALES = (80, 90, 100, 110, 125, 150, 175, 200)
_BASE_POINTS = 10.0


class Theme:
    """The look of the whole app; `colours` are `#RRGGBB` by role."""

    def __init__(self, app: QApplication) -> None:
        self._app = app
        self._base = app.font()
        self._all = json.loads((folder("ui") / "desktop" / "theme.json").read_text("utf-8"))
        self._style = Template((folder("ui") / "desktop" / "style.qss").read_text("utf-8"))
        self.name = LIGHT
        self.scale_pct = 100

    @property
    def colours(self) -> Mapping[str, str]:
        """The colours now."""
        found: Mapping[str, str] = self._all[self.name]
        return found

    @property
    def is_dark(self) -> bool:
        """Whether the dark one is shown."""
        return self.name == DARK

    def apply(self, choice: str, scale_pct: int = 100) -> None:
        """Show light, dark, or what the system has; texts at a percentage of their size."""
        self.name = _system() if choice == SYSTEM else choice
        self.scale_pct = scale_pct
        points = _BASE_POINTS * scale_pct / 100
        font = QFont(self._base)
        font.setPointSizeF(points)
        self._app.setFont(font)
        self._app.setPalette(_palette(self.colours))
        sizes = {"title": points * 1.5, "heading": points * 1.12, "number": points * 1.7}
        texts = {name: f"{size:.1f}" for name, size in sizes.items()}
        icons = {"icons": (folder("ui") / "desktop" / "icons").as_posix(), "name": self.name}
        self._app.setStyleSheet(self._style.substitute(self.colours, **texts, **icons))


def _system() -> str:
    dark = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
    return DARK if dark else LIGHT


def _palette(colours: Mapping[str, str]) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for roles, name in (
        ((role.Window, role.Button), "window"),
        ((role.Base,), "paper"),
        ((role.AlternateBase,), "raised"),
        ((role.WindowText, role.Text, role.ButtonText, role.ToolTipText), "text"),
        ((role.ToolTipBase,), "paper"),
        ((role.PlaceholderText,), "quiet"),
        ((role.Highlight, role.Accent), "accent"),
        ((role.HighlightedText,), "on_accent"),
        ((role.Link, role.LinkVisited), "accent"),
        ((role.Mid, role.Dark, role.Midlight), "line"),
    ):
        for one in roles:
            palette.setColor(one, QColor(colours[name]))
    for one in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, one, QColor(colours["disabled"]))
    return palette
