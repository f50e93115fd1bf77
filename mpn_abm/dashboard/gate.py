"""Who may see the page: on loopback whoever asks for it by its own name, elsewhere who brings the token."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE = "mpn_abm_token"
ASK = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>mpn_abm</title>
<body style="font-family: sans-serif; margin: 4em"><form><label>The token that the program printed:
<input name="token" type="password" autofocus></label> <button>Open</button></form></body></html>"""


def is_loopback(host: str) -> bool:
    """Whether a name is one of this machine's own that nobody else reaches."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class Gate:
    """An ASGI application before another one.

    Parameters
    ----------
    app : callable
        What is shown to those who may see it.
    token : str or None
        What they have to bring, once in the address or the form, from then on in a cookie.
    local_only : bool
        Whether the names by which it may be asked for are those of loopback alone, so that a page from elsewhere
        cannot have its own name point here.
    """

    def __init__(self, app: App, token: str | None, local_only: bool) -> None:
        self.app = app
        self.token = token
        self.local_only = local_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if not self._is_from_here(headers):
            await _refuse(scope, send, 403, b"this page is not for other sites")
        elif self.token is None or self._is_right(_cookie(headers)):
            await self.app(scope, receive, send)
        elif scope["type"] == "http" and self._is_right(_said(scope)):
            # the token goes from the address into a cookie
            cookie = f"{COOKIE}={self.token}; HttpOnly; SameSite=Strict; Path=/"
            await _answer(send, 303, b"", {"location": scope["path"], "set-cookie": cookie})
        else:
            await _refuse(scope, send, 401, ASK)

    def _is_from_here(self, headers: dict[str, str]) -> bool:
        host = headers.get("host", "")
        if self.local_only and not is_loopback(urlsplit(f"//{host}").hostname or ""):
            return False
        origin = headers.get("origin")
        return origin is None or urlsplit(origin).netloc == host

    def _is_right(self, said: str) -> bool:
        return self.token is not None and hmac.compare_digest(said.encode(), self.token.encode())


def _cookie(headers: dict[str, str]) -> str:
    try:
        cookies: SimpleCookie = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return ""
    return str(cookies[COOKIE].value) if COOKIE in cookies else ""


def _said(scope: Scope) -> str:
    query: bytes = scope["query_string"]
    return parse_qs(query.decode("latin-1")).get("token", [""])[0]


async def _refuse(scope: Scope, send: Send, status: int, body: bytes) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        await _answer(send, status, body, {"content-type": "text/html; charset=utf-8"})


async def _answer(send: Send, status: int, body: bytes, headers: dict[str, str]) -> None:
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
