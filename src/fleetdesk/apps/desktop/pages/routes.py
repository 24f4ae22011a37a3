"""Routes: map and stops side by side; every change is priced at once."""

from __future__ import annotations

from typing import ClassVar

from fleetdesk.apps.desktop.pages.page import Page


class RoutesPage(Page):
    """To come."""

    title: ClassVar[str] = "Routes"
    icon: ClassVar[str] = "mdi6.routes"
    form_name: ClassVar[str] = "routes"

    def refresh(self) -> None:
        """Read the routes."""
