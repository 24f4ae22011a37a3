"""What the system itself must have before `.venv` can be made or Qt can start, and should have.

Missing Debian packages are installed where that is allowed; elsewhere the one line that would
install them is named. The services that some tests talk to are wanted, not needed.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    # What the system lacks, and the Debian package that has it.
    Missing = Callable[[], dict[str, str]]

# The shared libraries that Qt loads even without a screen, and the Debian packages they are in.
QT_LIBRARIES = {
    "libglib-2.0.so.0": "libglib2.0-0",
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libfontconfig.so.1": "libfontconfig1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libxkbcommon.so.0": "libxkbcommon0",
}

# What the maps in the window need beside these; without them the maps are files only.
MAP_LIBRARIES = {
    "libnss3.so": ("libnss3",),
    "libasound.so.2": ("libasound2", "libasound2t64"),
    "libXcomposite.so.1": ("libxcomposite1",),
    "libXdamage.so.1": ("libxdamage1",),
    "libXrandr.so.2": ("libxrandr2",),
    "libXtst.so.6": ("libxtst6",),
    "libxkbfile.so.1": ("libxkbfile1",),
}

# A screen that is none, and what Qt needs to show a real window on it.
SCREEN = {"Xvfb": ("xvfb",), "xauth": ("xauth",)}
SCREEN_LIBRARIES = {
    "libxcb-cursor.so.0": ("libxcb-cursor0",),
    "libxcb-icccm.so.4": ("libxcb-icccm4",),
    "libxcb-keysyms.so.1": ("libxcb-keysyms1",),
    "libxcb-shape.so.0": ("libxcb-shape0",),
    "libxkbcommon-x11.so.0": ("libxkbcommon-x11-0",),
}

# The servers that tests start by themselves, and the Debian packages they are in, the first that
# there is. Their own daemons, if a package starts them, are not used.
SERVICES = {
    "mariadbd": ("mariadb-server",),
    "initdb": ("postgresql",),
    "victoria-metrics": ("victoria-metrics",),
    "java": ("openjdk-17-jre-headless", "openjdk-21-jre-headless"),
}
SERVICE_FOLDERS = ("usr/sbin", "usr/lib/postgresql/*/bin", "usr/lib/jvm/*/bin")


class Stopped(Exception):
    """The work cannot go on; the message says why and what to do."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def say(text: str) -> None:
    """Tell the person at the keyboard something, beside the command's own output."""
    print(f"dev.py: {text}", file=sys.stderr, flush=True)


def missing_for_venv() -> dict[str, str]:
    """What making `.venv` and filling it needs and is not there."""
    missing: dict[str, str] = {}
    importlib.invalidate_caches()
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        missing["Python's venv module"] = f"python{version}-venv"
    if _is_debian() and not _has_certificates():
        missing["the certificates for secure connections"] = "ca-certificates"
    return missing


def missing_for_qt() -> dict[str, str]:
    """The libraries Qt needs even without a screen and that cannot be loaded."""
    if sys.platform != "linux":
        return {}
    return {name: package for name, package in QT_LIBRARIES.items() if not _loads(name)}


def missing_for_maps() -> dict[str, tuple[str, ...]]:
    """The libraries that maps in the window lack, with packages to try."""
    if sys.platform != "linux":
        return {}
    return {name: packages for name, packages in MAP_LIBRARIES.items() if not _loads(name)}


def missing_for_screen() -> dict[str, tuple[str, ...]]:
    """What a real window needs where there is no screen, with packages to try."""
    if sys.platform != "linux":
        return {}
    programs = {name: packages for name, packages in SCREEN.items() if not shutil.which(name)}
    libraries = {name: packages for name, packages in SCREEN_LIBRARIES.items() if not _loads(name)}
    return {**programs, **libraries}


def missing_services() -> dict[str, tuple[str, ...]]:
    """The servers that tests would start and that are not installed, with packages to try."""
    if sys.platform != "linux":
        return {}
    places = [str(path) for glob in SERVICE_FOLDERS for path in Path("/").glob(glob)]
    path = os.pathsep.join([os.environ.get("PATH", ""), *places])
    return {
        name: packages for name, packages in SERVICES.items() if not shutil.which(name, path=path)
    }


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _is_debian() -> bool:
    return Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None


def _has_certificates() -> bool:
    chosen = [os.environ.get(name) for name in ("SSL_CERT_FILE", "PIP_CERT", "UV_CERT")]
    files = [*filter(None, chosen), "/etc/ssl/certs/ca-certificates.crt"]
    return any(Path(file).exists() for file in files)


def provide(missing: Missing) -> None:
    """Install what `missing()` reports, or stop with the one line that would."""
    lacking = missing()
    if not lacking:
        return
    what = ", ".join(lacking)
    if not _is_debian():
        raise Stopped(
            f"This machine lacks {what}. Install what provides it with the system's package "
            f"manager and run the same command again."
        )
    packages = shlex.join(lacking.values())
    script = f"apt-get update && apt-get install -y --no-install-recommends {packages}"
    rights = _administrator()
    if rights is not None:
        say(f"Installing for the system: {packages}")
        shell = ["env", "DEBIAN_FRONTEND=noninteractive", "sh", "-c", script]
        subprocess.run([*rights, *shell], stdout=sys.stderr, check=False)
        lacking = missing()
        if not lacking:
            return
        what = ", ".join(lacking)
    by_hand = "sudo sh -c" if shutil.which("sudo") else "su -c"
    raise Stopped(
        f"This machine lacks {what}. Copy this line, then run the same command again:\n"
        f"{by_hand} {shlex.quote(script)}"
    )


def offer(missing: Callable[[], dict[str, tuple[str, ...]]]) -> None:
    """Install what `missing()` reports as far as that goes; what still lacks is only said."""
    lacking = missing()
    if not lacking:
        return
    rights = _administrator() if _is_debian() else None
    if rights is not None:
        wanted = ", ".join(packages[0] for packages in lacking.values())
        say(f"Installing for some tests: {wanted}")
        apt = "apt-get -o Acquire::Retries=0 -o Acquire::http::Timeout=20"
        install = f"{apt} install -y --no-install-recommends"
        # One at a time: a package that this system does not have must not keep the others out.
        each = [
            " || ".join(f"{install} {shlex.quote(package)}" for package in packages)
            for packages in lacking.values()
        ]
        script = f"{apt} update && {{ {'; '.join(each)}; }}"
        shell = ["env", "DEBIAN_FRONTEND=noninteractive", "sh", "-c", script]
        subprocess.run([*rights, *shell], stdout=sys.stderr, check=False)
        lacking = missing()
    if lacking:
        say(f"Not here, so their tests are skipped: {', '.join(lacking)}")


def _administrator() -> list[str] | None:
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        asked = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
        if asked.returncode == 0:
            return ["sudo", "-n"]
    return None
