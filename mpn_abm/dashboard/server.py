"""The server of the page: on loopback for everybody there, elsewhere for those who know its token."""

from __future__ import annotations

import os
import secrets
import socket
import sys
import threading
import warnings
import webbrowser
from importlib.util import find_spec

from mpn_abm.dashboard.experiment import Experiment
from mpn_abm.dashboard.gate import App, Gate, is_loopback
from mpn_abm.errors import UsageError

NEEDED = ("solara", "solara_assets", "altair", "matplotlib", "PIL")


def refuse_without_extra() -> None:
    """See that what the page needs is installed."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"dashboard: {', '.join(missing)} not installed: expected the extra `dashboard`, "
            "python3 -m pip install 'mpn-abm[dashboard]'"
        )


def serve(experiment: Experiment, host: str, port: int, token: str | None, browser: bool) -> None:
    """Show an experiment until Ctrl-C.

    Parameters
    ----------
    host : str
        The address to listen on. Beyond loopback a token is asked for, and made up unless it is said.
    port : int
        0 takes a free one.
    browser : bool
        Whether a browser is opened.

    Raises
    ------
    UsageError
        If the extra is not installed, or the address cannot be listened on.
    """
    refuse_without_extra()
    with _listen(host, port) as listening:
        app = _page(experiment)
        token = token_for(host, token)
        url = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}/"
        address = url if token is None else f"{url}?token={token}"
        print(f"{experiment.scenario.spec.name}: {address}", flush=True)
        print("Ctrl-C ends it", file=sys.stderr, flush=True)
        if browser:
            threading.Timer(1.0, webbrowser.open, [address]).start()
        _run(Gate(app, token=token, local_only=is_loopback(host)), listening)


def token_for(host: str, said: str | None) -> str | None:
    """The token that a page at an address asks for, None if it asks for none."""
    return secrets.token_urlsafe(16) if said is None and not is_loopback(host) else said


def _page(experiment: Experiment) -> App:
    _keep_to_this_machine()
    from solara.server import starlette

    from mpn_abm.dashboard.opened import OPENED

    OPENED.first = experiment
    app: App = starlette.app
    return app


def _run(app: App, listening: socket.socket) -> None:
    import uvicorn

    uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1)).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise UsageError(f"{host}:{port}: cannot be listened on: {error.strerror or error}") from error


def _keep_to_this_machine() -> None:
    """Settings of Solara, which it reads when it is imported: nothing is told or fetched from elsewhere."""
    os.environ["SOLARA_APP"] = "mpn_abm.dashboard.page"
    os.environ["SOLARA_TELEMETRY_MIXPANEL_ENABLE"] = "false"
    os.environ["SOLARA_ASSETS_CDN"] = "http://127.0.0.1:9/"
    os.environ["SOLARA_THEME_SHOW_BANNER"] = "false"
    # a browser that is gone without a word may still play
    os.environ["SOLARA_KERNEL_CULL_TIMEOUT"] = "5m"
    # what Solara says of Mesa's hooks, and of cookies without https on this machine
    os.environ["SOLARA_CHECK_HOOKS"] = "off"
    warnings.filterwarnings("ignore", "Cookies with samesite=none", UserWarning)
