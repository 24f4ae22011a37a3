"""A Google Sheet on the loopback interface: the part of Sheets v4 and Drive v3 that is needed.

Every query and body is checked against the description of the interface that Google publishes.
The service's habits are kept: what is 0, false or empty is left out of answers (`sheetId: 0` too),
empty cells and rows at the end are cut off, errors are JSON with a status, and a `batchUpdate` is
carried out whole or not at all.
"""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import googleapiclient
from requests import PreparedRequest, Session
from requests.adapters import HTTPAdapter

Json = dict[str, Any]
KEY = "1aBcDeFgHiJkLmNoPqRsTuVwXyZ"
HOSTS = ("https://sheets.googleapis.com", "https://www.googleapis.com")
EFFECTIVE = ("effectiveValue", "effectiveFormat")
FORMULA_RESULT = {"numberValue": 21}


@dataclass
class Fault:
    """What happens to the next calls: `when` is before or after they are carried out."""

    on: str  # get, details, drive or write
    do: str  # an HTTP status, "drop", "hang", or "call"
    when: str = "before"
    times: int = 1
    skip: int = 0
    headers: Json = field(default_factory=dict)
    call: Callable[[], None] = lambda: None
    reason: str = ""


class Refused(Exception):
    """The service says no, with a status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class GoogleServer:
    """One spreadsheet, its server, and the hands of the planner who edits it."""

    def __init__(self, title: str = "Planner") -> None:
        self.state: Json = {"title": title, "sheets": [], "names": []}
        self.drive_version = 100
        self.calls: list[str] = []
        self.faults: list[Fault] = []
        self.hold = threading.Event()
        self._lock = threading.RLock()
        handler = type("Handler", (_Handler,), {"google": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.hold.set()
        self._http.shutdown()
        self._http.server_close()

    def session(self) -> Session:
        """A session whose calls to Google come here."""
        session = Session()
        for host in HOSTS:
            session.mount(host, _Here(self.address))
        return session

    # What the planner does

    def edit(self, sheet: str, row: int, column: int, value: Any, **more: Any) -> None:
        with self._lock:
            page = self._find(sheet)
            if page is None:
                number = max([s["properties"]["sheetId"] for s in self.state["sheets"]], default=-1)
                self.add(sheet, number + 1)
                page = self._find(sheet)
            assert page is not None
            cell = {"userEnteredValue": extended(value)} if value is not None else {}
            page["cells"][row - 1, column - 1] = cell | more
            self.drive_version += 3

    def add(self, title: str, number: int, **properties: Any) -> None:
        page = {"sheetId": number, "title": title, "sheetType": "GRID", "hidden": False}
        grid = {"rowCount": 1000, "columnCount": 26}
        page |= {"gridProperties": grid} | properties
        self.state["sheets"].append({"properties": page, "cells": {}, "protected": []})

    def rename(self, sheet: str, name: str) -> None:
        self.page(sheet)["properties"]["title"] = name
        self.drive_version += 1

    def delete(self, sheet: str) -> None:
        gone = self.page(sheet)
        self.state["sheets"].remove(gone)
        number = gone["properties"]["sheetId"]
        self.state["names"] = [n for n in self.state["names"] if n["range"]["sheetId"] != number]
        self.drive_version += 1

    def insert_rows(self, sheet: str, row: int, count: int) -> None:
        """Rows inserted before a row: cells and names below move down."""
        page = self.page(sheet)
        page["cells"] = {
            (r + count if r >= row - 1 else r, c): cell for (r, c), cell in page["cells"].items()
        }
        for name in self.state["names"]:
            place = name["range"]
            if place["sheetId"] == page["properties"]["sheetId"]:
                place["startRowIndex"] += count if place["startRowIndex"] >= row - 1 else 0
                place["endRowIndex"] += count if place["endRowIndex"] > row - 1 else 0
        page["properties"]["gridProperties"]["rowCount"] += count
        self.drive_version += 1

    def page(self, title: str) -> Json:
        page = self._find(title)
        assert page is not None, title
        return page

    def cell(self, sheet: str, row: int, column: int) -> Json:
        return dict(self.page(sheet)["cells"].get((row - 1, column - 1), {}))

    def _find(self, title: str) -> Json | None:
        pages = (s for s in self.state["sheets"] if s["properties"]["title"] == title)
        return next(pages, None)

    # What the service does

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Json) -> Json:
        kind = self.kind(method, path, query)
        self.calls.append(kind)
        with self._lock:
            if kind == "drive":
                self._check_query("drive.v3.json", ["files", "get"], query)
                self._known(path.rsplit("/", 1)[1])
                return select({"version": str(self.drive_version)}, query["fields"][0])
            if kind == "write":
                self._check_query("sheets.v4.json", ["spreadsheets", "batchUpdate"], query)
                self._known(path.split("/")[3].removesuffix(":batchUpdate"))
                check(body, "BatchUpdateSpreadsheetRequest")
                return self._batch(body["requests"])
            self._check_query("sheets.v4.json", ["spreadsheets", "get"], query)
            self._known(path.rsplit("/", 1)[1])
            fields = query["fields"][0]
            check_mask(fields, "Spreadsheet")
            return select(self._whole(query.get("ranges", [])), fields)

    def kind(self, method: str, path: str, query: dict[str, list[str]]) -> str:
        if path.startswith("/drive/v3/files/") and method == "GET":
            return "drive"
        if path.startswith("/v4/spreadsheets/") and method == "POST":
            assert path.endswith(":batchUpdate"), path
            return "write"
        assert path.startswith("/v4/spreadsheets/") and method == "GET", (method, path)
        return "details" if "ranges" in query else "get"

    def fault(self, kind: str, when: str) -> Fault | None:
        with self._lock:
            for fault in self.faults:
                if (fault.on, fault.when) == (kind, when) and fault.times > 0:
                    if fault.skip > 0:
                        fault.skip -= 1
                        return None
                    fault.times -= 1
                    return fault
            return None

    def _known(self, key: str) -> None:
        if key != KEY:
            raise Refused(404, "Requested entity was not found.")

    def _check_query(self, document: str, method: list[str], query: dict[str, Any]) -> None:
        described = described_method(document, *method)
        allowed = set(described.get("parameters", {})) | set(discovery(document)["parameters"])
        unknown = set(query) - allowed
        if unknown:
            raise Refused(400, f"Invalid JSON payload received. Unknown name {unknown}")

    def _whole(self, ranges: list[str]) -> Json:
        wanted = [self._parse(text) for text in ranges]
        sheets = []
        for index, page in enumerate(self.state["sheets"]):
            areas = [area for title, area in wanted if title == page["properties"]["title"]]
            if wanted and not areas:
                continue
            number = page["properties"]["sheetId"]
            merges = [{**merge, "sheetId": number} for merge in page.get("merges", [])]
            sheet = {
                "properties": {**page["properties"], "index": index},
                "merges": merges,
                "protectedRanges": page["protected"],
                "charts": page.get("charts", []),
                "data": [grid_data(page["cells"], area) for area in areas or [None]],
            }
            sheets.append(sheet)
        return {
            "spreadsheetId": KEY,
            "properties": {"title": self.state["title"]},
            "sheets": sheets,
            "namedRanges": self.state["names"],
        }

    def _parse(self, text: str) -> tuple[str, tuple[int, int, int, int]]:
        from fleetdesk.sheets.a1 import Area

        title, _, ref = text.rpartition("!")
        title = title[1:-1].replace("''", "'")
        area = Area.parse(ref)
        if area is None or self._find(title) is None:
            raise Refused(400, f"Unable to parse range: {text}")
        return title, (area.top - 1, area.left - 1, area.bottom, area.right)

    def _batch(self, requests: list[Json]) -> Json:
        before = copy.deepcopy(self.state)
        try:
            for request in requests:
                ((kind, content),) = request.items()
                getattr(self, f"_do_{kind}")(content)
        except Exception:
            self.state = before
            raise
        self.drive_version += 1
        return {"spreadsheetId": KEY, "replies": [{} for _ in requests]}

    def _by_id(self, number: int) -> Json:
        for page in self.state["sheets"]:
            if page["properties"]["sheetId"] == number:
                return page
        raise Refused(400, f"Invalid requests: No grid with id: {number}")

    def _do_addSheet(self, content: Json) -> None:  # noqa: N802
        new = content["properties"]
        for page in self.state["sheets"]:
            if page["properties"]["title"].casefold() == new["title"].casefold():
                raise Refused(400, f'A sheet with the name "{new["title"]}" already exists.')
            if page["properties"]["sheetId"] == new["sheetId"]:
                raise Refused(400, f"Invalid requests[0].addSheet: sheetId {new['sheetId']} taken")
        assert 0 <= new["sheetId"] < 2**31
        index = new.pop("index", len(self.state["sheets"]))
        page = {"properties": {"sheetType": "GRID", "hidden": False} | new}
        self.state["sheets"].insert(index, page | {"cells": {}, "protected": []})

    def _do_updateSheetProperties(self, content: Json) -> None:  # noqa: N802
        check_mask(content["fields"], "SheetProperties")
        page = self._by_id(content["properties"]["sheetId"])
        put(page["properties"], content["properties"], content["fields"])

    def _do_updateDimensionProperties(self, content: Json) -> None:  # noqa: N802
        check_mask(content["fields"], "DimensionProperties")
        page = self._by_id(content["range"]["sheetId"])
        place = content["range"]
        sizes = page.setdefault("sizes", {})
        for index in range(place["startIndex"], place["endIndex"]):
            sizes[place["dimension"], index] = content["properties"]["pixelSize"]

    def _do_updateCells(self, content: Json) -> None:  # noqa: N802
        check_mask(content["fields"], "CellData")
        page, area = self._area(content["range"])
        rows = content.get("rows", [])
        if len(rows) > area[2] - area[0]:
            raise Refused(400, "Attempting to write more rows than the range has")
        for row in range(area[0], area[2]):
            cells = rows[row - area[0]].get("values", []) if row - area[0] < len(rows) else []
            if len(cells) > area[3] - area[1]:
                raise Refused(400, "Attempting to write more columns than the range has")
            for column in range(area[1], area[3]):
                at = column - area[1]
                new = cells[at] if at < len(cells) else {}
                put(page["cells"].setdefault((row, column), {}), new, content["fields"])

    def _do_repeatCell(self, content: Json) -> None:  # noqa: N802
        check_mask(content["fields"], "CellData")
        page, area = self._area(content["range"])
        for row in range(area[0], area[2]):
            for column in range(area[1], area[3]):
                cell = page["cells"].setdefault((row, column), {})
                put(cell, copy.deepcopy(content["cell"]), content["fields"])

    def _do_unmergeCells(self, content: Json) -> None:  # noqa: N802
        page, area = self._area(content["range"])
        page["merges"] = [
            m for m in page.get("merges", [])
            if (m["startRowIndex"], m["startColumnIndex"]) != area[:2]
        ]  # fmt: skip

    def _do_addNamedRange(self, content: Json) -> None:  # noqa: N802
        new = content["namedRange"]
        if any(new["name"].casefold() == n["name"].casefold() for n in self.state["names"]):
            raise Refused(400, f"A named range {new['name']} already exists.")
        if any(new["namedRangeId"] == n["namedRangeId"] for n in self.state["names"]):
            raise Refused(400, "A named range with this id already exists.")
        assert new["name"].replace("_", "a").isalnum()
        self._area(new["range"])
        self.state["names"].append(new)

    def _do_updateNamedRange(self, content: Json) -> None:  # noqa: N802
        new = content["namedRange"]
        check_mask(content["fields"], "NamedRange")
        for name in self.state["names"]:
            if name["namedRangeId"] == new["namedRangeId"]:
                self._area(new["range"])
                put(name, new, content["fields"])
                return
        raise Refused(400, "No such named range.")

    def _do_addProtectedRange(self, content: Json) -> None:  # noqa: N802
        new = content["protectedRange"]
        assert new["warningOnly"] is True
        name = next(n for n in self.state["names"] if n["namedRangeId"] == new["namedRangeId"])
        guard = {**new, "protectedRangeId": 77 + len(self.calls)}
        self._by_id(name["range"]["sheetId"])["protected"].append(guard)

    def _do_setDataValidation(self, content: Json) -> None:  # noqa: N802
        page, area = self._area(content["range"])
        for row in range(area[0], area[2]):
            for column in range(area[1], area[3]):
                rule = {"dataValidation": content["rule"]} if "rule" in content else {}
                put(page["cells"].setdefault((row, column), {}), rule, "dataValidation")

    def _do_addChart(self, content: Json) -> None:  # noqa: N802
        new = content["chart"]
        charts = [c["chartId"] for page in self.state["sheets"] for c in page.get("charts", [])]
        if new["chartId"] in charts:
            raise Refused(400, f"Invalid requests: chartId {new['chartId']} taken")
        assert 0 < new["chartId"] < 2**31
        anchor = new["position"]["overlayPosition"]["anchorCell"]
        page = self._by_id(anchor["sheetId"])
        size = page["properties"]["gridProperties"]
        if anchor["rowIndex"] >= size["rowCount"] or anchor["columnIndex"] >= size["columnCount"]:
            raise Refused(400, f"The anchor lies outside the grid: {anchor} {size}")
        self._check_sources(new["spec"])
        page.setdefault("charts", []).append(new)

    def _do_updateChartSpec(self, content: Json) -> None:  # noqa: N802
        self._check_sources(content["spec"])
        self._chart(content["chartId"])[1]["spec"] = content["spec"]

    def _do_deleteEmbeddedObject(self, content: Json) -> None:  # noqa: N802
        page, chart = self._chart(content["objectId"])
        page["charts"].remove(chart)

    def _chart(self, number: int) -> tuple[Json, Json]:
        for page in self.state["sheets"]:
            for chart in page.get("charts", []):
                if chart["chartId"] == number:
                    return page, chart
        raise Refused(400, f"Invalid requests: No chart with id: {number}")

    def _check_sources(self, spec: Json) -> None:
        basic = spec["basicChart"]
        data = [one["domain"] for one in basic["domains"]]
        data += [one["series"] for one in basic["series"]]
        for one in data:
            for place in one["sourceRange"]["sources"]:
                self._area(place)

    def _area(self, place: Json) -> tuple[Json, tuple[int, int, int, int]]:
        page = self._by_id(place["sheetId"])
        keys = ("startRowIndex", "startColumnIndex", "endRowIndex", "endColumnIndex")
        area = tuple(place[key] for key in keys)
        size = page["properties"]["gridProperties"]
        if area[2] > size["rowCount"] or area[3] > size["columnCount"]:
            raise Refused(400, f"Range exceeds grid limits. Max rows: {size}")
        assert area[0] < area[2] and area[1] < area[3], place
        return page, area  # type: ignore[return-value]


class _Here(HTTPAdapter):
    """Sends what is meant for Google to the loopback server."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        assert request.url is not None
        for host in HOSTS:
            request.url = request.url.replace(host, self.address)
        return super().send(request, *args, **kwargs)


class _Handler(BaseHTTPRequestHandler):
    """HTTP around `GoogleServer.answer`, with the faults."""

    google: GoogleServer
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def _serve(self, method: str) -> None:
        url = urlsplit(self.path)
        path, query = unquote(url.path), parse_qs(url.query)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        try:
            kind = self.google.kind(method, path, query)
            if self._faulty(self.google.fault(kind, "before")):
                return
            answer = self.google.answer(method, path, query, body)
            if self._faulty(self.google.fault(kind, "after")):
                return
        except Refused as refused:
            names = {400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}
            self._error(refused.status, str(refused), names[refused.status])
            return
        except (AssertionError, KeyError, TypeError, AttributeError) as error:
            self._error(400, f"{type(error).__name__}: {error}", "INVALID_ARGUMENT")
            return
        self._send(200, answer)

    def _faulty(self, fault: Fault | None) -> bool:
        if fault is None:
            return False
        if fault.do == "call":
            fault.call()
            return False
        if fault.do == "drop":
            self.close_connection = True
            self.connection.close()
            return True
        if fault.do == "hang":
            self.google.hold.wait(5)
            self.close_connection = True
            return True
        self._error(int(fault.do), fault.reason or "fault", "UNAVAILABLE", fault.headers)
        return True

    def _error(self, status: int, message: str, name: str, headers: Json | None = None) -> None:
        error = {"code": status, "message": message, "status": name}
        self._send(status, {"error": error}, headers or {})

    def _send(self, status: int, content: Json, headers: Json | None = None) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        """Quiet."""


def extended(value: Any) -> Json:
    """What a planner types, as an `ExtendedValue`."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, str):
        return {"formulaValue" if value.startswith("=") else "stringValue": value}
    return {"numberValue": value}


def grid_data(cells: dict[tuple[int, int], Json], area: tuple[int, int, int, int] | None) -> Json:
    """Cells of an area (all when None) as the service gives them: ends cut off, 0 left out."""
    top, left, bottom, right = area or (0, 0, 1 << 30, 1 << 30)
    rows: dict[int, dict[int, Json]] = {}
    for (row, column), cell in cells.items():
        if cell and top <= row < bottom and left <= column < right:
            rows.setdefault(row - top, {})[column - left] = shown(cell)
    data = []
    for row in range(max(rows, default=-1) + 1):
        filled = rows.get(row, {})
        width = max(filled, default=-1) + 1
        data.append({"values": [filled.get(c, {}) for c in range(width)]} if width else {})
    return {"startRow": top, "startColumn": left, "rowData": data}


def shown(cell: Json) -> Json:
    """A cell with what the service works out."""
    made = dict(cell)
    typed = cell.get("userEnteredValue")
    if typed:
        made["effectiveValue"] = FORMULA_RESULT if "formulaValue" in typed else typed
    if "userEnteredFormat" in cell:
        made["effectiveFormat"] = cell["userEnteredFormat"]
    for key in EFFECTIVE:
        if f"{key}!" in cell:
            made[key] = made.pop(f"{key}!")
    return made


def select(content: Any, mask: str) -> Any:
    """What a field mask picks, without what is 0, false or empty."""
    return _picked(content, parse_mask(mask)) or {}


def _picked(content: Any, mask: Json) -> Any:
    if isinstance(content, list):
        return [_picked(item, mask) or {} for item in content]
    if not isinstance(content, dict):
        # Numbers leave the service as JSON numbers, whole ones without a point.
        whole = isinstance(content, float) and content.is_integer() and abs(content) < 1e15
        return int(content) if whole else content
    picked = {}
    for key, value in content.items():
        if mask and key not in mask:
            continue
        inner = _picked(value, mask.get(key, {}) if mask else {})
        typed = key in ("numberValue", "boolValue", "stringValue")
        if typed or inner not in (0, False, "", [], {}, None):
            picked[key] = inner
    return picked


def parse_mask(text: str) -> Json:
    """`a,b(c,d.e)` -> {a: {}, b: {c: {}, d: {e: {}}}}."""
    tree: Json = {}
    depth, start = 0, 0
    for at, letter in enumerate(text + ","):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            item, start = text[start:at], at + 1
            head, bracket, rest = item.partition("(")
            names = [name for name in head.replace("/", ".").split(".") if name]
            branch = tree
            for name in names:
                branch = branch.setdefault(name, {})
            if bracket:
                branch.update(parse_mask(rest[:-1]))
    return tree


def put(target: Json, new: Json, mask: str) -> None:
    """Set what the mask names, clearing what is absent."""
    for path in mask.split(","):
        *parents, last = path.split(".")
        into, source = target, new
        for name in parents:
            into = into.setdefault(name, {})
            source = source.get(name, {})
        into.pop(last, None)
        if last in source and source[last] not in ({}, []):
            into[last] = source[last]


@cache
def discovery(name: str) -> Json:
    folder = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"
    return dict(json.loads((folder / name).read_text(encoding="utf-8")))


def described_method(document: str, resource: str, method: str) -> Json:
    return dict(discovery(document)["resources"][resource]["methods"][method])


def check(content: Any, schema: str) -> None:
    """Refuse a body that the published description does not allow."""
    _check(content, {"$ref": schema}, schema)


def _check(content: Any, described: Json, where: str) -> None:
    if "$ref" in described:
        name = described["$ref"]
        described = discovery("sheets.v4.json")["schemas"][name]
        if name == "Request" and len(content) != 1:
            raise Refused(400, f"{where}: one kind of request each")
    kind = described["type"]
    good = {
        "object": dict, "array": list, "string": str, "boolean": bool, "integer": int,
        "number": int | float, "any": object,
    }[kind]  # fmt: skip
    if not isinstance(content, good) or (kind in ("integer", "number") and content is True):
        raise Refused(400, f"Invalid value at {where}: {content!r} is no {kind}")
    if kind == "integer" and not -(2**31) <= content < 2**31:
        raise Refused(400, f"Invalid value at {where}: {content} is no int32")
    if "enum" in described and content not in described["enum"]:
        raise Refused(400, f"Invalid value at {where}: {content!r}")
    if "readOnly" in described:
        raise Refused(400, f"{where} is read only")
    if kind == "array":
        for index, item in enumerate(content):
            _check(item, described["items"], f"{where}[{index}]")
    if kind == "object":
        for key, value in content.items():
            inner = described.get("properties", {}).get(key)
            if inner is None:
                raise Refused(400, f'Unknown name "{key}" at {where}: Cannot find field.')
            _check(value, inner, f"{where}.{key}")


def check_mask(mask: str, schema: str) -> None:
    """Refuse a field mask that names what the schema lacks."""
    _check_branch(parse_mask(mask), {"$ref": schema}, mask)


def _check_branch(branch: Json, described: Json, mask: str) -> None:
    while "items" in described or "$ref" in described:
        described = (
            described.get("items") or discovery("sheets.v4.json")["schemas"][described["$ref"]]
        )
    for name, inner in branch.items():
        if name not in described.get("properties", {}):
            raise Refused(400, f"Invalid field mask {mask}: {name}")
        _check_branch(inner, described["properties"][name], mask)


class Time:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def clock(self) -> float:
        return sum(self.waits)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
