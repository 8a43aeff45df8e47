"""Requests to the review's app without a network, as a browser would send them."""

import asyncio
import json
from pathlib import Path
from urllib.parse import urlencode

import httpx

from accordingto.review.desk import Desk
from accordingto.review.guard import Guard
from accordingto.review.log import DecisionLog
from accordingto.review.runs import read_run
from accordingto.review.server import make_app

HOST = "http://127.0.0.1:5000"
SAME = {"sec-fetch-site": "same-origin"}


class Browser:
    """A browser with the review's cookie, unless `token` is given away."""

    def __init__(self, folder: Path, *, reviewer: str = "Ann", lead: bool = False, cookie: bool = True) -> None:
        self.log = DecisionLog(folder)
        self.desk = Desk(read_run(folder), self.log, reviewer, lead=lead)
        self.app = make_app(self.desk)
        self.guard = Guard(self.app, "the-token", 5000)
        self.cookies: dict[str, str] = {}
        if cookie:
            answer = self.ask("GET", "/?token=the-token")
            assert answer.status_code == 303
            self.cookies = dict(answer.cookies)

    def close(self) -> None:
        self.log.close()

    def ask(self, method: str, path: str, *, headers: dict | None = None, base: str = HOST, **more) -> httpx.Response:
        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.guard), base_url=base, cookies=self.cookies) as client:
                return await client.request(method, path, headers=headers or {}, **more)

        return asyncio.run(send())

    def get(self, path: str, **params: str) -> httpx.Response:
        return self.ask("GET", f"{path}?{urlencode(params)}", headers=SAME)

    def post(self, path: str, address: str = "", **body) -> httpx.Response:
        return self.ask("POST", path, headers=SAME, json={"address": address, "request": "", "have": "", **body})

    def decide(self, claim: str, verdict: str, address: str = "", **more) -> httpx.Response:
        body = {"seen": self.desk.standing.versions.get(claim, 0)} | more
        return self.post("/decide", address or f"?claim={claim}", claim=claim, verdict=verdict, **body)

    def edit(self, which: str, seen: int | None = None, **changes: str) -> httpx.Response:
        return self.post("/edit", f"?claim={which}", claim=which, changes=changes, seen=self.desk.standing.versions.get(which, 0) if seen is None else seen)

    @property
    def claims(self) -> list[str]:
        return [self.desk.queue.ids[n] for n in self.desk.queue.orders["article"]]


def raw(guard: Guard, headers: list[tuple[bytes, bytes]], method: str = "GET", path: str = "/", body: list[bytes] = ()) -> int:
    """Return the status of a request whose headers no client would send."""
    sent: list[dict] = []
    chunks = list(body) or [b""]

    async def receive() -> dict:
        return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)} if chunks else {"type": "http.disconnect"}

    async def send(message: dict) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers,
             "http_version": "1.1", "scheme": "http", "server": ("127.0.0.1", 5000), "client": ("127.0.0.1", 1), "root_path": ""}  # fmt: skip
    asyncio.run(guard(scope, receive, send))
    return sent[0]["status"]


def as_json(**body) -> bytes:
    return json.dumps(body).encode()
