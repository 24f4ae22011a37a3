"""Lies beside FleetDesk_launcher.xlsm, whose Run button calls `main`."""

from fleetdesk.apps.excel import main

__all__ = ["main"]
