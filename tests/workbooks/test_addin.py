"""The ribbon add-in's sources fit together; that it works has to be tried in Excel."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from fleetdesk.sheets.excel_launcher import Action

ADDIN = Path(__file__).resolve().parents[2] / "workbooks" / "addin"


def test_every_button_has_its_macro_and_every_macro_its_action() -> None:
    root = ElementTree.parse(ADDIN / "customUI.xml").getroot()
    called = [node.get("onAction") for node in root.iter() if node.get("onAction")]
    code = (ADDIN / "FleetDesk.bas").read_text(encoding="utf-8")
    macros = re.findall(
        r'Public Sub (\w+)\(control As IRibbonControl\)\s+AskFleetDesk "(.*?)"', code
    )
    assert called == [name for name, _ in macros]
    assert [action for _, action in macros] == list(Action)


def test_the_macro_calls_the_door_that_is_there() -> None:
    code = (ADDIN / "FleetDesk.bas").read_text(encoding="utf-8")
    (module,) = re.findall(r"-m ([\w.]+)", code)
    assert module == "fleetdesk.apps.excel"
    assert code.isascii(), "VBA reads sources in the computer's own code page"
