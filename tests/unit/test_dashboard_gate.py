"""Who may see the page: nobody from another site, and beyond loopback nobody without the token."""

import asyncio
import socket

import pytest
from unit.small import bare

from mpn_abm.cli.main import main
from mpn_abm.dashboard import server
from mpn_abm.dashboard.experiment import Experiment
from mpn_abm.dashboard.gate import COOKIE, Gate, is_loopback
from mpn_abm.scenario.scenario import load

HERE = "127.0.0.1:8765"


def asked(gate_options, kind="http", host=HERE, query="", **headers):
    """What a request comes to: `inside`, or the messages of the answer."""
    sent = []

    async def inside(scope, receive, send):
        sent.append("inside")

    async def send(message):
        sent.append(message)

    scope = {
        "type": kind,
        "path": "/",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in {"host": host, **headers}.items()],
    }
    asyncio.run(Gate(inside, **gate_options)(scope, None, send))
    return sent[0] if sent[0] == "inside" else sent


LOCAL = {"token": None, "local_only": True}
TOLD = {"token": "secret", "local_only": False}


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("host", [HERE, "localhost:8765", "[::1]:8765"])
def test_on_loopback_everybody_is_let_in(kind, host):
    assert asked(LOCAL, kind, host) == "inside"
    assert asked(LOCAL, kind, host, origin=f"http://{host}") == "inside"


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    "headers", [{"host": "evil.example:8765"}, {"host": ""}, {"origin": "http://evil.example"}, {"origin": "null"}]
)
def test_a_page_from_elsewhere_is_not(kind, headers):
    """A name of its own that points here, or a socket to here."""
    answer = asked(LOCAL, kind, **headers)
    assert answer[0] == {"type": "websocket.close", "code": 1008} if kind == "websocket" else answer[0]["status"] == 403


def test_beyond_loopback_the_token_is_asked_for():
    start, body = asked(TOLD, host="marrow.example")
    assert start["status"] == 401
    assert b'name="token"' in body["body"]
    assert asked(TOLD, "websocket", "marrow.example")[0]["type"] == "websocket.close"


@pytest.mark.parametrize("wrong", ["", "token=", "token=Secret", "token=secret2", "other=secret", "token=%FF"])
def test_a_wrong_token_opens_nothing(wrong):
    assert asked(TOLD, query=wrong)[0]["status"] == 401
    assert asked(TOLD, "websocket", query="token=secret")[0]["type"] == "websocket.close"
    assert asked(TOLD, cookie=f"{COOKIE}=wrong; other=secret")[0]["status"] == 401


def test_the_token_goes_from_the_address_into_a_cookie():
    start, _ = asked(TOLD, query="token=secret")
    headers = dict(start["headers"])
    assert (start["status"], headers[b"location"]) == (303, b"/")
    assert headers[b"set-cookie"] == f"{COOKIE}=secret; HttpOnly; SameSite=Strict; Path=/".encode()
    for kind in ("http", "websocket"):
        assert asked(TOLD, kind, cookie=f"{COOKIE}=secret") == "inside"


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),
     ("192.168.0.7", False), ("localhost.example", False), ("", False)],
)  # fmt: skip
def test_loopback_is_what_nobody_else_reaches(host, local):
    assert is_loopback(host) == local


# The command.


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "bare.yaml"
    file.write_text(load(bare()).to_yaml())
    return file


def test_without_the_extra_it_says_what_to_install(file, monkeypatch, capsys):
    monkeypatch.setattr(server, "find_spec", lambda name: None if name.startswith("solara") else object())
    assert main(["dashboard", str(file)]) == 2
    said = capsys.readouterr().err
    assert "solara, solara_assets not installed" in said
    assert "pip install 'mpn-abm[dashboard]'" in said


@pytest.fixture
def installed(monkeypatch):
    monkeypatch.setattr(server, "find_spec", lambda name: object())


def test_a_port_that_is_taken_is_named(file, installed, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["dashboard", str(file), "--port", str(port), "--no-browser"]) == 2
        assert f"127.0.0.1:{port}: cannot be listened on" in capsys.readouterr().err


def test_the_scenario_is_checked_first(tmp_path, installed, capsys):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("schema: mpn-abm/1\nseed: -1\n")
    assert main(["dashboard", str(wrong)]) == 3
    assert "wrong.yaml:2:1: seed" in capsys.readouterr().err
    assert main(["dashboard", str(tmp_path)]) == 2
    assert "scenario.resolved.yaml" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("host", "token", "asks"),
    [("127.0.0.1", None, False), ("127.0.0.1", "mine", True), ("0.0.0.0", None, True), ("0.0.0.0", "mine", True)],
)
def test_a_token_is_made_up_where_one_is_needed(host, token, asks, monkeypatch, installed, capsys):
    """Catches a page that the whole network can open."""
    gates = []
    monkeypatch.setattr(server, "_page", lambda experiment: None)
    monkeypatch.setattr(server, "_run", lambda gate, listening: gates.append(gate))
    server.serve(Experiment(load(bare())), host, 0, token, browser=False)
    printed = capsys.readouterr().out
    (gate,) = gates
    assert (gate.token is not None, gate.local_only) == (asks, host == "127.0.0.1")
    assert (f"?token={gate.token}" in printed) == asks
    if token is not None:
        assert gate.token == token
    elif asks:
        assert len(gate.token) >= 20


def test_an_empty_token_is_none(file, installed, capsys):
    assert main(["dashboard", str(file), "--token", ""]) == 2
    assert "--token" in capsys.readouterr().err
