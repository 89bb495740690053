"""The model of one role, exchanged while it serves.

Whoever works takes `current` once a batch: a batch that runs keeps its model, the next one has the
new one. What is promoted is loaded, verified and tried beside the one in use; where any of that
fails, nothing changes but what the service says about it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

from ..config.errors import XiaozhengError
from ..models.registry import Registry
from ..models.watch import Watch

log = logging.getLogger(__name__)

# Files may be mended without the alias being moved.
RETRY_REFUSED_S = 30.0

News = Literal["loaded", "refused", ""]


class Model(Protocol):
    """What every role's model says of itself."""

    @property
    def ref(self) -> str: ...


M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why what the shelf points to is not used. `model` is `name@version`, or the reference where
    the shelf itself cannot be read."""

    model: str
    code: str
    reason: str
    reason_zh: str


class ModelSlot(Generic[M]):
    """Holds one role's model and follows the shelf; one thread at a time may `look`.

    Attributes:
        role: `detector` or `router`.
        current: the model in use.
        refusal: why the promoted one is not in use; None while they are the same.
    """

    def __init__(
        self,
        role: str,
        registry: Registry,
        ref: str,
        *,
        load: Callable[[str], M],
        warm_up: Callable[[M], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`load` opens `name@version`, verified by hash. Raises what `load` raises."""
        self.role = role
        self.refusal: Refusal | None = None
        self._registry = registry
        self._ref = ref
        self._load = load
        self._warm_up = warm_up
        self._clock = clock
        self._retry_at = 0.0
        self.current = load(registry.ref_of(ref))
        self._watch = Watch(registry, ref, self.current.ref)

    def reload(self) -> M:
        """Open the version in use anew, for a worker that follows a dead one."""
        self.current = self._load(self.current.ref)
        return self.current

    def look(self) -> News:
        """Ask the shelf once, and exchange the model where it points to another. Blocks."""
        if self.refusal is not None and self._clock() >= self._retry_at:
            self._watch = Watch(self._registry, self._ref, self.current.ref)
        wanted = self._watch.poll()
        if self._watch.problem:
            # The file is looked at every time; there is nothing to wait for.
            return self._refuse(
                Refusal(self._ref, "bad_shelf", self._watch.problem, "模型库无法读取")
            )
        if wanted is None:
            if self.refusal is not None and self._registry.ref_of(self._ref) == self.current.ref:
                self.refusal = None
            return ""
        try:
            model = self._load(wanted)
            self._warm_up(model)
        except XiaozhengError as error:
            refusal = Refusal(wanted, error.code, str(error), error.message_zh)
        except Exception as error:  # a foreign file: whatever it provokes, the old model stays
            name = type(error).__name__
            refusal = Refusal(wanted, "model_error", f"{name}: {error}", f"模型试运行失败：{name}")
        else:
            log.info("%s: %s replaces %s", self.role, wanted, self.current.ref)
            self.current, self.refusal = model, None
            self._watch.accept(wanted)
            return "loaded"
        self._watch.refuse(wanted)
        self._retry_at = self._clock() + RETRY_REFUSED_S
        return self._refuse(refusal)

    def _refuse(self, refusal: Refusal) -> News:
        """Note it; what was known already is no news."""
        if refusal == self.refusal:
            return ""
        self.refusal = refusal
        log.error(
            "%s: %s is refused, %s stays in use: %s",
            self.role,
            refusal.model,
            self.current.ref,
            refusal.reason,
        )
        return "refused"
