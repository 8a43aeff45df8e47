"""The server: the review of a run as a local page, for the reviewer's own browser alone. Nothing leaves the machine."""

from __future__ import annotations

import json
import secrets
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from accordingto.errors import AccordingToError, RunError
from accordingto.review.action import ACTIONS, BadRequestError, Outcome, after, next_article, next_claim, text_in
from accordingto.review.desk import Desk, StaleError
from accordingto.review.guard import Guard, is_loopback
from accordingto.review.log import DecisionLog
from accordingto.review.page import PARTS, Page, View, view_of
from accordingto.review.runs import ReviewRun, read_run

FILES = {"review.css": "text/css", "review.js": "text/javascript", "words.js": "text/javascript", "icon.svg": "image/svg+xml"}
_STEPS = {"next_claim": ("claim", 1), "previous_claim": ("claim", -1), "next_article": ("article", 1), "previous_article": ("article", -1)}
_LAST = {"next_claim": "That was the last claim shown.", "previous_claim": "That was the first claim shown.", "next_article": "That was the last article.", "previous_article": "That was the first article."}


def serve_review(folder: Path, *, reviewer: str = "", lead: bool = False, host: str = "127.0.0.1", port: int = 0, ready: Callable[[str], None]) -> None:
    """Serve the review of a run until Ctrl-C stops it; port: 0 for a free one; ready: is told the address once it can be opened. Raises RunError."""
    import uvicorn

    host = "127.0.0.1" if host == "localhost" else host
    if not is_loopback(host):
        raise RunError(folder, f"the review is served to this machine alone, and {host!r} is none of its own addresses", "leave --host out; from another machine, come through an SSH tunnel (ssh -L)")
    with suppress(KeyboardInterrupt), _stopped_by_ctrl_c(), _opened(folder) as (run, log):
        desk = Desk(run, log, reviewer, lead=lead)
        listener = _listener(folder, host, port)
        token, port = secrets.token_urlsafe(32), listener.getsockname()[1]
        config = uvicorn.Config(Guard(make_app(desk), token, port), log_level="error", access_log=False, lifespan="off", ws="none", http="h11", loop="asyncio", server_header=False, proxy_headers=False, timeout_graceful_shutdown=2)
        server = uvicorn.Server(config)
        if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # from here on a mark: an exception may be swallowed where it strikes while the server begins
            signal.signal(signal.SIGINT, lambda *_: setattr(server, "should_exit", True))
        ready(f"http://{f'[{host}]' if ':' in host else host}:{port}/?token={token}")
        server.run(sockets=[listener])


@contextmanager
def _stopped_by_ctrl_c() -> Iterator[None]:
    """Make Ctrl-C the orderly end of the server; it is no breaking off, for every decision is on the disk already."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN or threading.current_thread() is not threading.main_thread():  # a shell runs us in the background
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _opened(folder: Path) -> Iterator[tuple[ReviewRun, DecisionLog]]:
    """Give a run with its log."""
    if not folder.is_dir():
        kind = "it is a table" if folder.is_file() else "there is no such folder"
        raise RunError(folder, f"{kind}, and a review needs the articles beside the claims", "make a run first: accordingto extract ARTICLES -o FOLDER, then accordingto review FOLDER")
    run = read_run(folder)
    with DecisionLog(folder) as log:
        yield run, log


def _listener(folder: Path, host: str, port: int = 0) -> socket.socket:
    """Return a socket at a port, at one that the system chose for 0."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # the port of a review that was just stopped
    try:
        listener.bind((host, port))
        listener.listen()  # who comes before the server is ready waits
    except OSError as error:
        listener.close()
        raise RunError(folder, f"the page cannot be served at {host}:{port or 'a free port'} ({error.strerror})", "take another --port, or leave it out for a free one" if port else "leave --host out") from error
    return listener


def make_app(desk: Desk) -> Starlette:
    """Return the app that shows a desk; it is not to be served without a Guard.

    Everything happens in the one thread of the event loop, one request after the other: a desk has no locks.
    """
    page = Page(desk)
    routes = [
        Route("/", _reading(desk, lambda request: HTMLResponse(page.whole(view_of(desk, request.query_params.multi_items())))), methods=["GET"]),
        Route("/view", _reading(desk, lambda request: _answer(page, view_of(desk, request.query_params.multi_items()), "", request.query_params.get("have", ""))), methods=["GET"]),
        Route("/go", _reading(desk, lambda request: _go(page, request)), methods=["GET"]),
        *(Route(f"/{name}", _static(name, kind), methods=["GET"]) for name, kind in FILES.items()),
        *(Route(f"/{name}", _writing(page, act), methods=["POST"]) for name, act in ACTIONS.items()),
    ]
    return Starlette(routes=routes, exception_handlers={AccordingToError: _say_error})


async def _say_error(request: Request, error: Exception) -> Response:
    """Answer with what is at fault where nothing can be shown: the run was written anew, or its log cannot be read."""
    return PlainTextResponse(str(error), 503)


Endpoint = Callable[[Request], Awaitable[Response]]


def _reading(desk: Desk, answer: Callable[[Request], Response]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        desk.refresh()
        return answer(request)

    return endpoint


def _static(name: str, kind: str) -> Endpoint:
    body = files("accordingto.review").joinpath("browser", name).read_bytes()

    async def endpoint(request: Request) -> Response:
        return Response(body, media_type=kind)

    return endpoint


def _writing(page: Page, act: Callable[[Page, View, Mapping[str, Any]], Outcome]) -> Endpoint:
    """Return an endpoint that does something and answers with what changed on the page."""

    async def endpoint(request: Request) -> Response:
        body: dict[str, Any] = {}
        have = ""
        try:
            body = _body(await request.body(), request.headers.get("content-type", ""))
            have = text_in(body, "have")
            page.desk.refresh()
            view = view_of(page.desk, _pairs(body))
            return _answer(page, *_acted(page, view, body, act), have)
        except BadRequestError as error:
            return PlainTextResponse(f"This is no request of the page: {error}.", 400)
        except StaleError:
            said = "Not saved: the claim was changed meanwhile, in another tab or by another reviewer. Look again, then decide."
            return _answer(page, view_of(page.desk, _pairs(body)), said, have, status=409)
        except AccordingToError as error:
            return _answer(page, view_of(page.desk, _pairs(body)), f"Not saved: {error}", have, status=422)

    return endpoint


def _acted(page: Page, view: View, body: Mapping[str, Any], act: Callable[[Page, View, Mapping[str, Any]], Outcome]) -> tuple[View, str]:
    """Do what is asked, unless it was done already and only the answer was lost."""
    if page.desk.knows(text_in(body, "request")):
        return after(page, view), "Saved."
    return act(page, view, body)


def _body(data: bytes, kind: str) -> dict[str, Any]:
    """Return the JSON object of a request; a form of another page cannot send one without our consent."""
    if kind.partition(";")[0].strip().lower() != "application/json":
        raise BadRequestError("it is not JSON")
    try:
        body = json.loads(data)
        data.decode("utf-8")
        json.dumps(body, ensure_ascii=False).encode("utf-8")  # half a character cannot be kept
    except (ValueError, RecursionError) as error:
        raise BadRequestError("it is not JSON") from error
    if not isinstance(body, dict):
        raise BadRequestError("it is not an object")
    return body


def _pairs(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the page's address, which each request carries, as its parameters."""
    return parse_qsl(text_in(body, "address").lstrip("/?"), keep_blank_values=True)


def _answer(page: Page, view: View, said: str, have: str, status: int = 200) -> Response:
    """Return the parts of the page that changed; have: the version of the article that the page has."""
    names = [name for name in PARTS if name != "article" or page.article_version(view) != have]
    return JSONResponse({"parts": page.parts(view, names), "address": view.address(page.desk), "said": said}, status)


def _go(page: Page, request: Request) -> Response:
    """Answer with the claim or article after or before the one at hand."""
    pairs = request.query_params.multi_items()
    view, step = view_of(page.desk, pairs), request.query_params.get("step", "")
    kind, direction = _STEPS.get(step, ("claim", 1))
    moved = next_claim(page, view, direction) if kind == "claim" else next_article(page, view, direction)
    return _answer(page, moved or view, "" if moved else _LAST.get(step, ""), request.query_params.get("have", ""))
