"""The attack matrix of the review's server: who is refused, each by a request that tries."""

import pytest
from asking import HOST, SAME, Browser, as_json, raw
from made import make_run, words

from accordingto.errors import RunError
from accordingto.review.guard import BODY_BYTES, HEADERS, is_loopback, is_own_host
from accordingto.review.server import ACTIONS, FILES, serve_review
from accordingto.schema import Article

TEXT = "Officials said it rained. Residents denied it."


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("guard") / "run", [(Article("a", TEXT), [words(TEXT, "Officials", "said", "it rained")])])


@pytest.fixture
def browser(folder):
    browser = Browser(folder)
    yield browser
    browser.close()


def routes(browser: Browser) -> list[tuple[str, str]]:
    """Every route of the app, with each of its methods."""
    return sorted((method, route.path) for route in browser.app.routes for method in route.methods)


def test_route_table_is_what_the_tests_below_think(browser):
    assert {path for _, path in routes(browser)} == {"/", "/view", "/go", *(f"/{n}" for n in FILES), *(f"/{n}" for n in ACTIONS)}
    assert {path for method, path in routes(browser) if method == "POST"} == {f"/{n}" for n in ACTIONS}


def test_without_the_token_every_route_and_every_other_path_is_refused(browser):
    stranger = dict(browser.cookies)
    wrong = [{}, dict.fromkeys(stranger, "x"), dict.fromkeys(stranger, ""), {"accordingto_review_5001": next(iter(stranger.values()))}]
    for browser.cookies in wrong:
        for method, path in [*routes(browser), ("GET", "/nothing"), ("GET", "/?token="), ("GET", "/?token=the-tokem"), ("GET", "/view?token=the-token"), ("POST", "/?token=the-token"), ("HEAD", "/?token=the-token")]:
            answer = browser.ask(method, path, headers=SAME, content=b"{}" if method == "POST" else None)
            assert answer.status_code == 403, (method, path)
            assert b"rained" not in answer.content
            assert "set-cookie" not in answer.headers


def test_with_the_token_every_route_answers(browser):
    for method, path in routes(browser):
        answer = browser.ask(method, path, headers=SAME | {"content-type": "application/json"}, content=as_json(address="") if method == "POST" else None)
        assert answer.status_code in ((200, 400, 422) if method == "POST" else (200,)), (method, path, answer.text)


@pytest.mark.parametrize("other", ['theme={"dark": true}', "a=b c", "na\u00efve=1", 'open="quote', "no value", "=", "a=b, c=d"])
def test_cookies_of_other_pages_of_this_machine_do_not_lock_the_reviewer_out(browser, other):
    own = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    for cookie in (f"{other}; {own}", f"{own}; {other}"):
        assert raw(browser.guard, [(b"host", b"127.0.0.1:5000"), (b"cookie", cookie.encode("latin-1"))]) == 200
    assert raw(browser.guard, [(b"host", b"127.0.0.1:5000"), (b"cookie", other.encode("latin-1"))]) == 403


def test_token_is_good_once_and_leaves_the_address(folder):
    browser = Browser(folder, cookie=False)
    first = browser.ask("GET", "/?token=the-token")
    assert (first.status_code, first.headers["location"]) == (303, "/")
    cookie = first.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "the-token" not in cookie
    assert browser.ask("GET", "/?token=the-token").status_code == 403
    browser.cookies = dict(first.cookies)
    again = browser.ask("GET", "/?token=the-token")  # the same browser reloads the first address
    assert (again.status_code, again.headers["location"]) == (303, "/")
    browser.close()


NOT_OURS = ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example:5000", "127.0.0.1@evil.example", "0.0.0.0", "10.0.0.1", "192.168.1.2:5000",
             "[::2]", "[fe80::1]:5000", "", " ", "localhost evil.example", "127.1", "2130706433", "localhost:99999999"]  # fmt: skip


@pytest.mark.parametrize("host", NOT_OURS)
def test_hosts_that_are_not_this_machine_are_refused(browser, host):
    cookie = "; ".join(f"{k}={v}" for k, v in browser.cookies.items())
    assert raw(browser.guard, [(b"host", host.encode()), (b"cookie", cookie.encode())]) == 403


@pytest.mark.parametrize("host", ["127.0.0.1:5000", "localhost:5000", "LOCALHOST", "[::1]:5000", "127.0.0.2:80"])
def test_names_of_this_machine_pass(browser, host):
    cookie = "; ".join(f"{k}={v}" for k, v in browser.cookies.items())
    assert is_own_host(host)
    assert raw(browser.guard, [(b"host", host.encode()), (b"cookie", cookie.encode())]) == 200


def test_missing_or_doubled_host_is_refused(browser):
    cookie = (b"cookie", "; ".join(f"{k}={v}" for k, v in browser.cookies.items()).encode())
    assert raw(browser.guard, [cookie]) == 403
    assert raw(browser.guard, [(b"host", b"127.0.0.1"), (b"host", b"evil.example"), cookie]) == 403


FROM_ELSEWHERE = [
    {},  # neither header: no browser of today
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},  # another port of this machine
    {"sec-fetch-site": "none"},  # typed into the address bar: never a decision
    {"sec-fetch-site": "SAME-ORIGIN"},
    {"sec-fetch-site": "same-origin, cross-site"},
    {"sec-fetch-site": "nonsense"},
    {"origin": "null"},
    {"origin": "https://127.0.0.1:5000"},
    {"origin": "http://127.0.0.1:5001"},
    {"origin": "http://127.0.0.1"},
    {"origin": "http://localhost:5000"},  # another origin than the host that is asked
    {"origin": "http://evil.example"},
    {"origin": "http://127.0.0.1:5000.evil.example"},
    {"origin": "://"},
    {"origin": b"\xff\xfe"},
    {"sec-fetch-site": "same-origin", "origin": "http://evil.example"},
    {"sec-fetch-site": "cross-site", "origin": HOST},
    {"authorization": "Bearer the-token"},
]


@pytest.mark.parametrize("headers", FROM_ELSEWHERE)
def test_decisions_from_other_pages_are_refused_though_the_cookie_is_there(browser, headers):
    claim = browser.claims[0]
    for name in ACTIONS:
        answer = browser.ask("POST", f"/{name}", headers=headers | {"content-type": "application/json"}, content=as_json(address="", claim=claim, seen=0, verdict="reject"))
        assert answer.status_code == 403, name
    assert list(browser.log.read()) == []


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "http://evil.example"}, {"sec-fetch-site": "nonsense"}])
def test_reading_from_other_pages_is_refused_too(browser, headers):
    assert browser.ask("GET", "/", headers=headers).status_code == 403


def test_own_page_passes_with_either_header(browser):
    for headers in ({"sec-fetch-site": "same-origin"}, {"origin": HOST}, {"sec-fetch-site": "same-origin", "origin": HOST}):
        answer = browser.ask("POST", "/undo", headers=headers | {"content-type": "application/json"}, content=as_json(address=""))
        assert answer.status_code == 200, headers


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", "text/plain; application/json"])
def test_bodies_that_a_form_of_another_page_could_send_are_refused(browser, kind):
    answer = browser.ask("POST", "/decide", headers=SAME | {"content-type": kind}, content=as_json(address="", claim=browser.claims[0], seen=0, verdict="reject"))
    assert answer.status_code == 400
    assert list(browser.log.read()) == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b'{"address": 1}', b'{"address": ""}', b'{"address": "", "claim": "c_gone", "seen": 0}', b'{"claim": "\\ud800", "address": ""}', b"[" * 100_000])
def test_malformed_bodies_are_refused_and_never_crash(browser, body):
    for name in ("decide", "edit", "accept_all"):
        assert browser.ask("POST", f"/{name}", headers=SAME | {"content-type": "application/json"}, content=body).status_code == 400, name


def test_large_bodies_are_refused_whatever_they_say_of_their_length(browser):
    large = b'{"address": "' + b"x" * BODY_BYTES + b'"}'
    assert browser.ask("POST", "/edit", headers=SAME | {"content-type": "application/json"}, content=large).status_code == 413
    cookie = "; ".join(f"{k}={v}" for k, v in browser.cookies.items()).encode()
    headers = [(b"host", b"127.0.0.1:5000"), (b"cookie", cookie), (b"sec-fetch-site", b"same-origin"), (b"content-type", b"application/json")]
    assert raw(browser.guard, headers, "POST", "/edit", [large[:1_000_000]] * 4) == 413  # in pieces, without a length
    assert raw(browser.guard, [*headers, (b"content-length", b"10")], "POST", "/edit", [large[:1_000_000]] * 4) == 413


OUTSIDE = ["/../pyproject.toml", "/..%2f..%2fetc/passwd", "/%2e%2e/ledger.sqlite", "/review.js/../server.py", "/ledger.sqlite", "/decisions.sqlite",
           "/articles.jsonl", "/browser/review.js", "//etc/passwd", "/review.css%00.txt", "/server.py", "/page.html.jinja"]  # fmt: skip


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_path_leads_to_a_file(browser, path):
    assert browser.ask("GET", path, headers=SAME).status_code == 404


def test_article_of_the_address_is_looked_up_and_never_opened(browser):
    for name in ("../../etc/passwd", "/etc/passwd", "a\0", "a/../a"):
        answer = browser.get("/view", article=name)
        assert answer.status_code == 200
        assert "root:" not in answer.text


def test_reading_never_changes_anything(browser):
    claim = browser.claims[0]
    for path in ("/decide", "/edit", "/add", "/undo", "/redo", "/accept_all"):
        assert browser.get(path, claim=claim, verdict="accept", seen="0", address="").status_code == 405
    for path in ("/", "/view", "/go"):
        browser.get(path, claim=claim, verdict="accept", step="next_claim", decision="left")
        assert browser.ask("POST", path, headers=SAME, content=b"{}").status_code == 405
    assert list(browser.log.read()) == []


def test_every_answer_carries_the_headers_also_a_refusal(browser):
    answers = [browser.get("/"), browser.get("/review.js"), browser.get("/nothing"), browser.ask("GET", "/", headers={"sec-fetch-site": "cross-site"}), browser.post("/decide", claim="x")]
    assert [a.status_code for a in answers] == [200, 200, 404, 403, 400]
    for answer in answers:
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    policy = HEADERS["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "http" not in policy


def test_page_holds_no_script_and_no_style_of_its_own(browser):
    html = browser.get("/").text
    assert html.count("<script") == 1
    assert '<script type="module" src="/review.js"></script>' in html
    assert "<style" not in html
    assert " style=" not in html
    assert " onclick" not in html
    assert "//" not in html.replace("http://www.w3.org", "")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "::", "example.org", ""])
def test_server_listens_at_no_address_that_others_can_reach(folder, host):
    assert not is_loopback(host)
    with pytest.raises(RunError, match="served to this machine alone"):
        serve_review(folder, host=host, ready=lambda _: pytest.fail("it was served"))


@pytest.mark.parametrize(("name", "why"), [("gone", "there is no such folder"), ("claims.csv", "it is a table"), ("empty", "there is no run in it")])
def test_what_is_no_run_is_refused_with_how_to_make_one(tmp_path, name, why):
    (tmp_path / "claims.csv").write_text("claim_id\n")
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunError, match=f"{why}.*accordingto extract"):
        serve_review(tmp_path / name, ready=lambda _: pytest.fail("it was served"))
