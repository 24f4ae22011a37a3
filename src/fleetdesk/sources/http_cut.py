"""Connections that can be cut from outside, whatever they wait for.

The timeouts of sockets begin anew with each byte that comes, so a server that drips holds a reader
for ever. A second handle on each socket lets a timer shut it down.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any, ClassVar
from weakref import WeakSet

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection


class _Held(HTTPConnection):
    """A connection whose socket can be shut down by another thread, TLS handshake included."""

    held: ClassVar[WeakSet[_Held]]
    handle: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        made = super()._new_conn()
        self.handle = made.dup()
        self.held.add(self)
        return made

    def cut(self) -> None:
        if self.handle is not None:
            with contextlib.suppress(OSError):
                self.handle.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        super().close()
        if self.handle is not None:
            self.handle.close()
            self.handle = None


class _HeldTls(_Held, HTTPSConnection):
    """The same over TLS."""


class CutAdapter(HTTPAdapter):
    """The transport of one `requests.Session` that is used by one thread."""

    def __init__(self) -> None:
        self.fired = False
        held: WeakSet[_Held] = WeakSet()
        self._held = held

        class Plain(_Held):
            pass

        class Tls(_HeldTls):
            pass

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class TlsPool(HTTPSConnectionPool):
            ConnectionCls = Tls

        Plain.held = Tls.held = held
        self._pools: dict[str, Any] = {"http": PlainPool, "https": TlsPool}
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Direct connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> PoolManager:
        """Connections by way of a proxy."""
        manager: PoolManager = super().proxy_manager_for(proxy, **kwargs)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = self._pools
        return manager

    @contextlib.contextmanager
    def after(self, seconds: float) -> Iterator[None]:
        """Cut all connections when the block takes longer; `fired` tells whether that happened."""
        self.fired = False
        timer = threading.Timer(seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _cut(self) -> None:
        self.fired = True
        for connection in list(self._held):
            connection.cut()
