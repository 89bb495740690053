"""A receiver over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

import httpx

from ..security.secrets import read_secret
from ..security.targets import ForbiddenTargetError, Targets
from .config import Webhook
from .courier import NotTakenError
from .parcel import Parcel
from .signing import secret_bytes, signed_headers

MEDIA_TYPE = "application/cloudevents+json; charset=utf-8"
MAX_ANSWER_BYTES = 65_536
AWAY = {429, 502, 503, 504}
GONE = 410


class WebhookSink:
    """Posts events one by one; any 2xx answer means taken. Redirects are not followed: what they
    lead to was not allowed by anybody."""

    def __init__(self, webhook: Webhook, targets: Targets, now: Callable[[], datetime]) -> None:
        """Raises InputError when a secret cannot be had."""
        self.name = f"webhook:{webhook.id}"
        self._webhook = webhook
        self._targets = targets
        self._now = now
        self._keys = [secret_bytes(read_secret(ref)) for ref in webhook.secrets]
        self._url = urlsplit(webhook.url)
        # Proxies of the environment would be asked to resolve the name anew.
        self._client = httpx.AsyncClient(
            timeout=webhook.timeout_s, follow_redirects=False, trust_env=False
        )

    async def open(self) -> None:
        """Nothing: each delivery stands for itself."""

    async def send(self, parcel: Parcel) -> None:
        try:
            async with asyncio.timeout(self._webhook.timeout_s):
                status, retry_after = await self._post(parcel)
        except ForbiddenTargetError as error:
            raise NotTakenError(str(error), away=True) from None
        except TimeoutError:
            raise NotTakenError(
                f"no answer within {self._webhook.timeout_s:g} s", away=True
            ) from None
        except (httpx.TransportError, OSError) as error:
            raise NotTakenError(f"{type(error).__name__}: {error}", away=True) from None
        if not 200 <= status < 300:
            raise NotTakenError(
                f"answered {status}",
                away=status in AWAY,
                final=status == GONE,
                retry_after_s=retry_after,
            )

    async def close(self) -> None:
        await self._client.aclose()

    async def _post(self, parcel: Parcel) -> tuple[int, float]:
        """Status and the seconds it asks for."""
        secure = self._url.scheme == "https"
        host, port = self._url.hostname or "", self._url.port or (443 if secure else 80)
        address = await self._targets.resolve(host, port, secure=secure)
        body = json.dumps(parcel.event, ensure_ascii=False).encode()
        headers = {
            "host": self._url.netloc,
            "content-type": MEDIA_TYPE,
            "user-agent": "xiaozheng",
            **signed_headers(parcel.id, int(self._now().timestamp()), body, self._keys),
        }
        shown = f"[{address}]" if ":" in address else address
        query = f"?{self._url.query}" if self._url.query else ""
        async with self._client.stream(
            "POST",
            f"{self._url.scheme}://{shown}:{port}{self._url.path or '/'}{query}",
            content=body,
            headers=headers,
            # The certificate must be that of the name, though the address is called.
            extensions={"sni_hostname": host},
        ) as answer:
            size = 0
            async for chunk in answer.aiter_raw():
                size += len(chunk)
                if size > MAX_ANSWER_BYTES:
                    break
            return answer.status_code, _seconds(answer.headers.get("retry-after", ""))


def _seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0.0
