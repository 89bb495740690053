"""Every table of the store: whoever asks `METADATA` gets them all, whatever else is imported."""

from __future__ import annotations

from . import tables_hotline as _hotline
from . import tables_idempotency as _idempotency
from .delivery import tables as _delivery
from .security import tables as _security
from .tables import Base

METADATA = Base.metadata
MODULES = (_delivery, _security, _hotline, _idempotency)
