"""A server on the loopback interface that behaves as badly as it is told."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar


@dataclass
class Reply:
    """What is sent: `write` takes over the raw connection once `status` is 0."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    write: Callable[[Any, threading.Event], None] | None = None


@dataclass
class Request:
    """What was asked."""

    path: str
    headers: Message


class Loopback:
    """Paths and the replies to them; a list of replies is used up, its last one stays."""

    def __init__(self, url: str, closing: threading.Event) -> None:
        self.url = url
        self.closing = closing
        self.replies: dict[str, Reply | list[Reply] | Callable[[Request], Reply]] = {}
        self.requests: list[Request] = []

    def reply(self, request: Request) -> Reply:
        self.requests.append(request)
        found = self.replies.get(request.path.split("?")[0], Reply(b"nothing here", 404))
        if isinstance(found, list):
            return found.pop(0) if len(found) > 1 else found[0]
        return found if isinstance(found, Reply) else found(request)

    def asked(self, path: str) -> int:
        return sum(request.path == path for request in self.requests)


@contextlib.contextmanager
def loopback() -> Iterator[Loopback]:
    """A server in a thread, gone at the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_side: ClassVar[Loopback]

        def do_GET(self) -> None:
            reply = self.server_side.reply(Request(self.path, self.headers))
            with contextlib.suppress(OSError):
                if reply.write is not None:
                    self.close_connection = True
                    reply.write(self.wfile, self.server_side.closing)
                    return
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in reply.headers:
                    self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

        def log_message(self, *args: object) -> None:
            """Nobody reads it."""

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """Clients that leave are what is tested."""

    server = Quiet(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    closing = threading.Event()
    side = Loopback(f"http://127.0.0.1:{server.server_port}", closing)
    Handler.server_side = side
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield side
    finally:
        closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
