"""Pages from the web, for `--url` alone: the only module that opens a connection, and to public addresses only.

The address is checked after the connection stands and before a word is sent, on every hop: a name that resolves to another
address the second time gains nothing. No proxy of the environment is used, and a wrong certificate is never waved through.
"""

from __future__ import annotations

import ipaddress
import socket
import time
import urllib.robotparser
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError, SSLError

from accordingto import __version__
from accordingto.errors import InputError
from accordingto.reader.blob import MAX_PAGE
from accordingto.schema import WebPage

AGENT = f"accordingto/{__version__}"
MAX_REDIRECTS = 3
SECONDS = 20.0  # to connect, and between two pieces of an answer
PATIENCE = 120.0  # for the whole of a page: a server that drips a byte a second is left
COURTESY = 1.0  # seconds between two requests to a host
PORTS = (None, 80, 443)  # of the web; others belong to services that are not meant for readers
ROBOTS_BYTES = 500_000  # of robots.txt that are read, as search engines do
_TYPES = {"text/html": ".html", "application/xhtml+xml": ".html", "application/pdf": ".pdf", "text/plain": ".txt", "application/rss+xml": ".rss", "application/atom+xml": ".atom"}


class BlockedAddressError(HTTPError):
    """The peer's address is not public."""


def is_public(host: str) -> bool:
    """Return whether a numeric address belongs to the public internet; `::ffff:10.0.0.1` is 10.0.0.1."""
    address = ipaddress.ip_address(host.split("%", 1)[0])
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_global and not address.is_multicast


class _CheckedConnection(urllib3.connection.HTTPConnection):
    """A connection to a public address; what a name stands for is looked at before, so that nothing inside is even knocked at, and after."""

    def _new_conn(self) -> socket.socket:
        with suppress(OSError):  # a name that is not known is told by the connection
            for *_, peer in socket.getaddrinfo(self.host.strip("[]"), self.port, type=socket.SOCK_STREAM):
                if not is_public(str(peer[0])):
                    raise BlockedAddressError(f"{peer[0]} is no public address")
        sock = super()._new_conn()
        peer = sock.getpeername()[0]
        if not is_public(peer):
            sock.close()
            raise BlockedAddressError(f"{peer} is no public address")
        return sock


class _CheckedTLSConnection(_CheckedConnection, urllib3.connection.HTTPSConnection):
    pass


class _CheckedPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _CheckedConnection


class _CheckedTLSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _CheckedTLSConnection


class Fetcher:
    """Fetches pages, one host at a time with a pause, as robots.txt allows."""

    def __init__(self) -> None:
        self._manager = urllib3.PoolManager(cert_reqs="CERT_REQUIRED", retries=False, timeout=urllib3.Timeout(SECONDS), headers={"User-Agent": AGENT, "Accept-Encoding": "gzip, deflate"})
        self._manager.pool_classes_by_scheme = {"http": _CheckedPool, "https": _CheckedTLSPool}
        self._robots: dict[str, urllib.robotparser.RobotFileParser] = {}
        self._last: dict[str, float] = {}

    def fetch(self, url: str) -> WebPage:
        """Return a page; raises InputError."""
        asked = url
        for _ in range(MAX_REDIRECTS + 1):
            self._check_url(url, asked)
            self._check_robots(url, asked)
            with self._open(url, asked) as answer:
                if 300 <= answer.status < 400 and answer.headers.get("Location"):
                    url = urljoin(url, answer.headers["Location"])
                    continue
                if answer.status != 200:
                    raise InputError(asked, "http_status", f"the server answered {answer.status}")
                kind = answer.headers.get("Content-Type", "text/html").split(";")[0].strip().lower()
                if kind not in _TYPES:
                    raise InputError(asked, "unsupported", f"it is {kind[:80]}, no page")
                return WebPage(asked, url, _TYPES[kind], _body(answer, asked))
        raise InputError(asked, "http_status", f"it was sent on more than {MAX_REDIRECTS} times")

    def _open(self, url: str, asked: str) -> Any:
        """Return the server's answer without its body; raises InputError."""
        host = urlsplit(url).netloc
        pause = self._last.get(host, 0.0) + COURTESY - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        self._last[host] = time.monotonic()
        try:
            return _Closing(self._manager.request("GET", url, redirect=False, preload_content=False))
        except Exception as error:
            raise _told(asked, error) from error

    def _check_url(self, url: str, asked: str) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise InputError(asked, "ssrf_blocked", "it is no web address") from error
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise InputError(asked, "ssrf_blocked", "only addresses with http:// or https://, and without a user's name, are fetched")
        if port not in PORTS:
            raise InputError(asked, "ssrf_blocked", f"port {port} is not the web's")

    def _check_robots(self, url: str, asked: str) -> None:
        """Refuse what robots.txt does; where there is none, or none that can be read, all is allowed."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        rules = self._robots.get(origin)
        if rules is None:
            rules = urllib.robotparser.RobotFileParser()
            with self._open(f"{origin}/robots.txt", asked) as answer:
                lines = answer.read(ROBOTS_BYTES).decode("utf-8", "replace").splitlines() if answer.status == 200 else []
            rules.parse(lines)
            self._robots[origin] = rules
        if not rules.can_fetch(AGENT, url):
            raise InputError(asked, "http_status", "the site's robots.txt asks programs not to read it")


class _Closing:
    """An answer that is closed, not kept: half-read ones would be read into the next."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def __enter__(self) -> Any:
        return self.answer

    def __exit__(self, *_: object) -> None:
        self.answer.close()
        self.answer.release_conn()


def _body(answer: Any, asked: str) -> bytes:
    """Return the body, inflated, within the bounds of size and time; raises InputError."""
    data, until = bytearray(), time.monotonic() + PATIENCE
    try:
        for piece in _pieces(answer):
            data += piece
            if len(data) > MAX_PAGE:
                raise InputError(asked, "too_large", f"the page has more than {MAX_PAGE:,} bytes")
            if time.monotonic() > until:
                raise InputError(asked, "timeout", f"the page took more than {PATIENCE:.0f} seconds")
    except (HTTPError, OSError) as error:
        raise _told(asked, error) from error
    return bytes(data)


def _pieces(answer: Any) -> Iterator[bytes]:
    """Yield what comes as it comes: a read of many bytes would wait for all of them."""
    while piece := answer.read1(65_536, decode_content=True):
        yield piece


def _told(asked: str, error: Exception) -> InputError:
    """Return what went wrong with a request, for the user."""
    cause = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    if isinstance(cause, BlockedAddressError) or isinstance(cause.__cause__, BlockedAddressError):
        return InputError(asked, "ssrf_blocked", str(cause))
    if isinstance(cause, SSLError):
        return InputError(asked, "tls_error", "its certificate is wrong, or the connection is not private")
    if isinstance(cause, urllib3.exceptions.TimeoutError):
        return InputError(asked, "timeout", "the server did not answer in time")
    why = "there is no connection to the server" if isinstance(cause, NewConnectionError) else f"the connection failed ({type(cause).__name__})"
    return InputError(asked, "http_status", why)
