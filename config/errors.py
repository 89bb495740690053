"""The error tree.

    XiaozhengError
    ├── InputError            the caller's input is wrong; nothing was changed
    │   ├── ConfigError       a YAML/JSON file of settings: file, line, field
    │   ├── ImageError        one picture: empty, unsupported, too large, truncated
    │   ├── FrameError        one frame's camera, time stamp or sequence number
    │   ├── TranscriptError   one transcript: empty, too long, not text
    │   ├── DatasetError      a labelled data set: file, line
    │   └── SourceError       a video file or stream that cannot be opened or read
    ├── ModelError            the model shelf: missing, altered or foreign artefact
    ├── BusyError             a bounded queue is full; try again later
    └── ExpiredError          the caller's deadline passed before any work was done

Each error carries a stable machine `code`, an English `str()` for logs and developers, and
`message_zh` for users. `serve` maps classes to HTTP statuses and `cli` to exit codes.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar


class XiaozhengError(Exception):
    """Base of every error this project raises on purpose."""

    default_code: ClassVar[str] = "internal"

    def __init__(self, message: str, *, message_zh: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message_zh = message_zh or message
        self.code = code or self.default_code


class InputError(XiaozhengError):
    """The caller's input cannot be used; the text names what and where."""

    default_code = "bad_input"


class ConfigError(InputError):
    """A settings file is wrong at `path`:`line` (1-based; 0 when the whole file is meant)."""

    default_code = "bad_config"

    def __init__(self, path: Path | str, line: int, message: str, *, message_zh: str = "") -> None:
        self.path = str(path)
        self.line = line
        where = f"{self.path}:{line}" if line else self.path
        super().__init__(f"{where}: {message}", message_zh=f"{where}：{message_zh or message}")


class ImageError(InputError):
    """One picture cannot be used. Codes: `empty`, `unsupported_format`, `too_many_pixels`,
    `too_small`, `too_many_bytes`, `truncated`."""

    default_code = "bad_image"


class FrameError(InputError):
    """One frame's metadata cannot be used. Codes: `unknown_camera`, `ts_in_future`,
    `ts_too_old`, `bad_ts`, `missing_part`."""

    default_code = "bad_frame"


class TranscriptError(InputError):
    """One transcript cannot be used. Codes: `empty_text`, `text_too_long`."""

    default_code = "bad_transcript"


class DatasetError(InputError):
    """A data set's file or row cannot be used; the text names file and line."""

    default_code = "bad_dataset"


class SourceError(InputError):
    """A video source cannot be opened or read."""

    default_code = "bad_source"


class ModelError(XiaozhengError):
    """A shelf artefact is missing, altered or does not fit its manifest."""

    default_code = "model_error"


class BusyError(XiaozhengError):
    """A bounded queue is full. `retry_after_s` says when trying again makes sense."""

    default_code = "busy"

    def __init__(self, message: str, *, retry_after_s: float, message_zh: str = "") -> None:
        super().__init__(message, message_zh=message_zh)
        self.retry_after_s = retry_after_s


class ExpiredError(XiaozhengError):
    """The deadline passed while the item still waited; no work was done on it."""

    default_code = "deadline_exceeded"
