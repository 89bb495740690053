"""Tells a running server that a name points to another version now."""

from __future__ import annotations

from ..config.errors import ModelError
from .registry import Registry


class Watch:
    """Follows one reference such as `detector`. No thread and no clock: whoever has it asks.

    A version that could not be loaded is reported to `refuse` and not offered again until the
    alias moves on, so a bad file costs one attempt, not one a second.

    Attributes:
        ref: the reference that is followed.
        loaded: `name@version` in use.
        problem: why the last look at the shelf failed, or an empty string.
    """

    def __init__(self, registry: Registry, ref: str, loaded: str) -> None:
        self.ref = ref
        self.loaded = loaded
        self.problem = ""
        self._registry = registry
        self._refused = ""

    def poll(self) -> str | None:
        """`name@version` to load next, or None when the one in use is still right.

        A shelf that cannot be read at this moment changes nothing; `problem` says why.
        """
        try:
            wanted = self._registry.ref_of(self.ref)
        except ModelError as error:
            self.problem = str(error)
            return None
        self.problem = ""
        if wanted != self._refused:
            self._refused = ""
        return None if wanted in (self.loaded, self._refused) else wanted

    def accept(self, loaded: str) -> None:
        """`loaded` is in use from now on."""
        self.loaded = loaded

    def refuse(self, ref: str) -> None:
        """`ref` could not be loaded; the one in use stays."""
        self._refused = ref
