"""Services for tests are installed where that may be done, and done without where it may not."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

Missing = Callable[[], dict[str, tuple[str, ...]]]


@pytest.fixture
def needs(checkout: Path) -> ModuleType:
    path = checkout / "build" / "system_needs.py"
    spec = importlib.util.spec_from_file_location("system_needs", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def program(folder: Path, name: str, text: str = "") -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="packages of Debian")
def test_a_service_is_found_on_the_path_and_where_debian_puts_it(
    needs: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(needs, "SERVICE_FOLDERS", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    assert set(needs.missing_services()) == set(needs.SERVICES)
    program(tmp_path, "java")
    assert set(needs.missing_services()) == set(needs.SERVICES) - {"java"}
    elsewhere = tmp_path / "pg" / "15" / "bin"
    elsewhere.mkdir(parents=True)
    program(elsewhere, "initdb")
    pattern = str((tmp_path / "pg" / "*" / "bin").relative_to("/"))
    monkeypatch.setattr(needs, "SERVICE_FOLDERS", (pattern,))
    assert set(needs.missing_services()) == {"mariadbd", "victoria-metrics"}


@pytest.mark.skipif(os.name == "nt", reason="packages of Debian")
def test_packages_are_installed_one_by_one_and_what_fails_is_said(
    needs: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    log = tmp_path / "log"
    # An apt that has neither the one package nor the first of the other's two.
    text = f'echo "$*" >> {log}\ncase "$*" in *none*|*seventeen*) exit 100;; esac'
    program(tmp_path, "apt-get", text)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(needs, "_is_debian", lambda: True)
    monkeypatch.setattr(needs, "_administrator", lambda: [])
    wanted = {"a": ("pa",), "b": ("none",), "java": ("seventeen", "twenty-one")}
    needs.offer(lambda: wanted if not log.exists() else {"b": ("none",)})
    asked = log.read_text(encoding="utf-8").splitlines()
    assert [line.split()[-1] for line in asked] == ["update", "pa", "none", "seventeen",
                                                    "twenty-one"]  # fmt: skip
    assert "skipped: b\n" in capfd.readouterr().err


@pytest.mark.parametrize("debian", [True, False])
def test_without_rights_or_debian_the_work_goes_on(
    debian: bool,
    needs: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(needs, "_is_debian", lambda: debian)
    monkeypatch.setattr(needs, "_administrator", lambda: None)
    monkeypatch.setattr(needs.subprocess, "run", lambda *a, **k: pytest.fail("nothing may run"))
    needs.offer(lambda: {"java": ("openjdk",)})
    assert "skipped: java" in capfd.readouterr().err
    needs.offer(dict)
    assert capfd.readouterr().err == ""
