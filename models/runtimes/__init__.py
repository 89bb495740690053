"""Inference runtimes behind one small interface."""

from .session import Backend, Session, available_backends, open_session

__all__ = ["Backend", "Session", "available_backends", "open_session"]
