"""Inference runtimes behind one small interface."""

from .session import Backend, InputSpec, Session, available_backends, open_session

__all__ = ["Backend", "InputSpec", "Session", "available_backends", "open_session"]
