"""Run the service in this process until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from types import FrameType

import uvicorn
from fastapi import FastAPI

from .app import create_app
from .errors import UnavailableError
from .logs import configure_logs
from .settings import Settings


def run(settings: Settings, *, as_json: bool = False) -> None:
    """Serve until told to stop, then finish what was accepted.

    Raises:
        InputError, ModelError: a settings file or model that cannot be used.
        UnavailableError: the port is taken.
    """
    configure_logs(settings.log_level)
    asyncio.run(_serve(settings, as_json=as_json))


async def _serve(settings: Settings, *, as_json: bool) -> None:
    listener = _listen(settings.host, settings.port)
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        # Entered here, so that what goes wrong at the start reaches the caller as it was raised.
        lifespan="off",
        timeout_graceful_shutdown=int(settings.drain_s) + 1,
    )
    server = _Server(app, config, as_json=as_json)
    with listener:
        async with app.router.lifespan_context(app):
            # uvicorn stops at a signal and then raises it once more, for whoever had it before.
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, _stopping)
            await server.serve(sockets=[listener])


class _Server(uvicorn.Server):
    """Says where it listens, once it does; port 0 is only known then."""

    def __init__(self, app: FastAPI, config: uvicorn.Config, *, as_json: bool) -> None:
        super().__init__(config)
        self.app = app
        self.as_json = as_json

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        host, port = (sockets or [])[0].getsockname()[:2]
        url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        told = (
            json.dumps({"url": url, "host": host, "port": port}) if self.as_json else f"小郑 {url}"
        )
        sys.stdout.write(told + "\n")
        sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Streams of events never end by themselves: they are told to."""
        self.app.state.services.feed.close()
        await super().shutdown(sockets)


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket, taken before the models are loaded: a port in use is told at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host.strip("[]"), port))
    except OSError as error:
        listener.close()
        raise UnavailableError(
            f"cannot listen on {host}:{port}: {error.strerror}",
            message_zh=f"无法监听 {host}:{port}：{error.strerror}",
            code="port_unavailable",
        ) from None
    return listener


def _stopping(number: int, frame: FrameType | None) -> None:
    """The drain has begun; a second signal does not cut it short."""
