"""Where the service itself may call: nobody may make it knock at doors inside its network.

A name is resolved once, every address it has is judged, and the call goes to a judged address, so
that the name cannot point elsewhere a moment later (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from ...config.errors import InputError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Addresses that carry an IPv4 address inside: a gateway may take them to a private network.
CARRIERS = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16")))


class ForbiddenTargetError(InputError):
    """The address may not be called."""

    default_code = "forbidden_target"


@dataclass(frozen=True, slots=True)
class Targets:
    """Public addresses may be called over TLS; `allowed` networks in any way."""

    allowed: tuple[Network, ...] = ()

    async def resolve(self, host: str, port: int, *, secure: bool) -> str:
        """An address of the host that may be called.

        Raises:
            ForbiddenTargetError: one of its addresses may not be.
            OSError: the name has no address.
        """
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
        self.check(host, addresses, secure=secure)
        return str(addresses[0])

    def check(self, host: str, addresses: Sequence[Address], *, secure: bool) -> None:
        """Raises ForbiddenTargetError when one of the addresses may not be called."""
        for address in map(_plain, addresses):
            if self._is_allowed(address):
                continue
            if not _is_public(address):
                raise ForbiddenTargetError(
                    f"{host} leads to {address}, which is not public; name its network in "
                    "allow_networks if that is meant",
                    message_zh=f"{host} 指向非公网地址 {address}；如确为内网接收方，"
                    "请在 allow_networks 中列出该网段",
                )
            if not secure:
                raise ForbiddenTargetError(
                    f"{host} is public and must be called over https",
                    message_zh=f"{host} 为公网地址，必须使用 https",
                )

    def _is_allowed(self, address: Address) -> bool:
        return any(
            address.version == network.version and address in network for network in self.allowed
        )


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, where it does."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and (
        address.teredo is not None or any(address in network for network in CARRIERS)
    ):
        return False
    return address.is_global and not address.is_multicast
