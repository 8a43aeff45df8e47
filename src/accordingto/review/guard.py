"""The guard: what a request must show before anything on the page answers it.

Whoever can reach the port is not yet the reviewer: other users of the machine, and every page that the reviewer's browser has
open. So each request needs the token that the terminal showed (as a cookie, once the address was opened), a Host that is this
machine's own name (a name of the web that was bound to 127.0.0.1 meanwhile is none), and, where the browser says from which page
it comes, one of ours. See ECOSYSTEM.md section 5; the matrix is tests/review/test_page_guard.py.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_BYTES = 2 * 2**20  # of a request, as Datasette has it; an edit of a very long claim takes some kilobytes
TOO_LARGE = "The request is too large."
READING = ("GET", "HEAD")
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",  # articles may be confidential, and a page from before a decision would lie
}
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::(\d{1,5}))?")


class Guard:
    """Lets through what comes from the reviewer's own browser and page, and puts the headers of section 5 on every answer."""

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        """Guard an app; token: the one of the opened address, good for one exchange."""
        self.app = app
        self._token, self._spent = token, False
        self._session = secrets.token_urlsafe(32)
        self._cookie = f"accordingto_review_{port}"  # cookies do not know ports: two reviews would overwrite each other's

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            return
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, _with_headers(send))
            return
        await self.app(scope, _bounded(receive), _with_headers(send))

    def _refusal(self, scope: Scope, headers: list[tuple[str, str]]) -> Response | None:
        """Return the answer to a request that may not pass, or that brings the token; None for one that may."""
        if not is_own_host(_only(headers, "host")):
            return PlainTextResponse("This address is not the review's.", 403)
        if not is_own_page(scope["method"], headers):
            return PlainTextResponse("The request comes from another page.", 403)
        if not self._has_cookie(headers):
            return self._exchange(scope)
        if scope["path"] == "/" and b"token=" in scope["query_string"]:
            return RedirectResponse("/", 303)  # opened once more: the cookie is there already
        length = _only(headers, "content-length")
        return PlainTextResponse(TOO_LARGE, 413) if length.isdigit() and int(length) > BODY_BYTES else None

    def _exchange(self, scope: Scope) -> Response:
        """Return the cookie for the token, once; else the refusal."""
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if scope["method"] == "GET" and scope["path"] == "/" and hmac.compare_digest(given.encode("utf-8"), self._token.encode("utf-8")) and not self._spent:
            self._spent = True
            answer = RedirectResponse("/", 303)
            answer.set_cookie(self._cookie, self._session, path="/", httponly=True, samesite="strict")
            return answer
        return PlainTextResponse("Open the review by the address that `accordingto review` showed; each is good for one browser. Start it again for a new one.", 403)

    def _has_cookie(self, headers: list[tuple[str, str]]) -> bool:
        found = [cookie_parser(value).get(self._cookie, "") for name, value in headers if name == "cookie"]  # not SimpleCookie, which gives up at what other pages of this machine may have set
        return any(hmac.compare_digest(value.encode("utf-8"), self._session.encode("utf-8")) for value in found)


def is_own_host(host: str) -> bool:
    """Return whether a Host header names this machine: a loopback address or `localhost`; the port may be that of a tunnel."""
    match = _HOST.fullmatch(host.lower())
    return match is not None and (match[1] == "localhost" or is_loopback(match[1].strip("[]")))


def is_loopback(address: str) -> bool:
    """Return whether an IP address is one that only this machine can reach."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def is_own_page(method: str, headers: list[tuple[str, str]]) -> bool:
    """Return whether a request comes from our own page, or, where it changes nothing, from the reviewer's hand.

    What changes something must say so itself: by Sec-Fetch-Site, or else by an Origin that is ours.
    """
    site, origin = _only(headers, "sec-fetch-site"), _only(headers, "origin")
    if origin and origin != f"http://{_only(headers, 'host')}":
        return False
    if method in READING:
        return site in ("", "none", "same-origin")
    return site == "same-origin" or (not site and bool(origin))


def _only(headers: list[tuple[str, str]], name: str) -> str:
    """Return a header's value, empty where it is missing; one that is given twice is no value that passes."""
    values = [v for n, v in headers if n == name]
    return values[0] if len(values) == 1 else ", ".join(values)


def _bounded(receive: Receive) -> Receive:
    """Return a receiver that stops at BODY_BYTES, whatever the request says of its length."""
    taken = 0

    async def receive_some() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > BODY_BYTES:
            raise HTTPException(413, TOO_LARGE)  # which the app answers
        return message

    return receive_some


def _with_headers(send: Send) -> Send:
    async def send_guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            message = {**message, "headers": [*message["headers"], *own]}
        await send(message)

    return send_guarded
