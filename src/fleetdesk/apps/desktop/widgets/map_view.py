"""A map in the window, served by a scheme of our own; the network is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QTimer, QUrl
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from fleetdesk.apps.desktop.form import named

SCHEME = b"fleetdesk"
_SOON_MS = 120
try:
    from PySide6.QtWebEngineCore import (
        QWebEnginePage,
        QWebEngineProfile,
        QWebEngineUrlRequestInfo,
        QWebEngineUrlRequestInterceptor,
        QWebEngineUrlRequestJob,
        QWebEngineUrlScheme,
        QWebEngineUrlSchemeHandler,
    )

    MAPS = True
except ImportError:  # a system without the libraries that a web view needs
    MAPS = False


def register_scheme() -> None:
    """Make the scheme known; needed once, before the application is made."""
    if not MAPS or QWebEngineUrlScheme.schemeByName(QByteArray(SCHEME)).name() == SCHEME:
        return
    scheme = QWebEngineUrlScheme(QByteArray(SCHEME))
    scheme.setSyntax(QWebEngineUrlScheme.Syntax.Host)
    flag = QWebEngineUrlScheme.Flag
    scheme.setFlags(flag.SecureScheme | flag.LocalScheme | flag.LocalAccessAllowed)
    QWebEngineUrlScheme.registerScheme(scheme)


class MapView(QWidget):
    """Shows one self-contained page from a file; says so where there is none.

    The web engine is started with the first page, so that the window itself is there at once.
    `refused` lists what a page asked the network for, in vain.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._said = QLabel("No map yet. It is drawn by the first run.")
        self._said.setProperty("role", "quiet")
        self._said.setWordWrap(True)
        self._box.addWidget(self._said)
        self._name = name
        self._view: Any = None
        self._profile: Any = None
        self._web: Any = None
        self._guard: Any = None
        self._pages: Any = None
        self._path = ""
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON_MS)
        self._soon.timeout.connect(self._load)
        self.setMinimumSize(280, 220)

    @property
    def refused(self) -> list[str]:
        """Addresses outside that a page asked for."""
        return list(self._guard.refused) if self._guard is not None else []

    def show_file(self, path: str) -> None:
        """Show the page of this file; "" for none."""
        self._path = path
        if path and self.isVisible():
            self._soon.start()
        elif not path and self._view is not None:
            self._view.setVisible(False)
            self._said.setVisible(True)

    def showEvent(self, event: Any) -> None:
        """Load the page when it is first seen."""
        super().showEvent(event)
        if self._path:
            self._soon.start()

    def retire(self) -> None:
        """End the web engine's page before its profile, as the engine asks for."""
        self._soon.stop()
        self._path = ""
        if self._view is not None:
            import shiboken6

            for part in (self._view, self._web):
                shiboken6.delete(part)
            self._web = self._view = None

    def _load(self) -> None:
        if not (self._path and self.isVisible()):
            return
        if not MAPS:
            self._said.setText(
                f"Maps cannot be shown in this window here. The map is in the file {self._path}."
            )
            return
        if self._view is None:
            self._make()
        content = Path(self._path).read_bytes() if Path(self._path).is_file() else b""
        if self._pages.put(content):
            self._view.setUrl(QUrl("fleetdesk://map/page.html"))
        self._said.setVisible(False)
        self._view.setVisible(True)

    def _make(self) -> None:
        from PySide6.QtWebEngineWidgets import QWebEngineView

        self._profile = QWebEngineProfile(self)
        self._guard = _NoNetwork(self)
        self._pages = _Pages(self)
        self._profile.setUrlRequestInterceptor(self._guard)
        self._profile.installUrlSchemeHandler(QByteArray(SCHEME), self._pages)
        self._web = QWebEnginePage(self._profile, self)
        self._view = named(QWebEngineView(self), self._name)
        self._view.setPage(self._web)
        self._box.addWidget(self._view, 1)


if MAPS:

    class _NoNetwork(QWebEngineUrlRequestInterceptor):
        """Refuses everything that is not in the page itself."""

        def __init__(self, parent: QWidget) -> None:
            super().__init__(parent)
            self.refused: list[str] = []

        def interceptRequest(self, info: QWebEngineUrlRequestInfo) -> None:
            """Let our own scheme and inlined data pass."""
            url = info.requestUrl()
            if url.scheme() not in (SCHEME.decode(), "data", "blob"):
                self.refused.append(url.toString())
                info.block(True)

    class _Pages(QWebEngineUrlSchemeHandler):
        """Answers the one address of our scheme with the present page."""

        def __init__(self, parent: QWidget) -> None:
            super().__init__(parent)
            self._content = b""

        def put(self, content: bytes) -> bool:
            """Take a page; False when it is the one that is there."""
            if content == self._content:
                return False
            self._content = content
            return True

        def requestStarted(self, job: QWebEngineUrlRequestJob) -> None:
            """Hand the page out, or say that there is no such thing."""
            if job.requestUrl().path() != "/page.html":
                job.fail(QWebEngineUrlRequestJob.Error.UrlNotFound)
                return
            buffer = QBuffer(job)
            buffer.setData(QByteArray(self._content))
            buffer.open(QIODevice.OpenModeFlag.ReadOnly)
            job.reply(QByteArray(b"text/html"), buffer)
