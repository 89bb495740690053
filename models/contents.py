"""Refuses files that run code when they are read, or that keep their data elsewhere."""

from __future__ import annotations

import lzma
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import IO, Final

import numpy as np

from ..config.errors import ModelError
from .onnx_scan import KNOWN_DOMAINS, scan_onnx

PICKLE_SUFFIXES: Final = frozenset(
    {".pt", ".pth", ".pkl", ".pickle", ".joblib", ".ckpt", ".dill", ".cloudpickle"}
)
_PICKLE_STARTS: Final = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
_ZIP_START: Final = b"PK\x03\x04"
_NPY_START: Final = b"\x93NUMPY"
_UNREADABLE: Final = (
    OSError,
    EOFError,
    ValueError,
    zlib.error,
    lzma.LZMAError,
    tokenize.TokenError,  # numpy parses an array's header as a Python literal
    zipfile.BadZipFile,
    RuntimeError,  # zipfile, on encrypted members and (a subclass) on unknown compression
)


def check_model_file(path: Path) -> None:
    """Refuse a model that is anything but one self-contained ONNX file of known operators.

    Raises:
        ModelError: codes `not_onnx`, `external_data`, `unknown_operators`, or as `check_contents`.
    """
    check_contents(path)
    contents = scan_onnx(path)
    if path.suffix != ".onnx" or not contents.has_graph:
        raise ModelError(
            f"{path}: not an ONNX model", message_zh=f"不是 ONNX 模型：{path}", code="not_onnx"
        )
    if contents.external:
        raise ModelError(
            f"{path}: keeps tensors in another file, which no hash covers; export it as one file",
            message_zh=f"模型把权重放在另一个文件里，哈希管不到，拒绝使用：{path}（请导出为单个文件）",
            code="external_data",
        )
    foreign = sorted(contents.domains - KNOWN_DOMAINS)
    if foreign:
        raise ModelError(
            f"{path}: uses operators of unknown domains: {', '.join(foreign)}",
            message_zh=f"模型使用了未知的算子域 {'、'.join(foreign)}，拒绝使用：{path}",
            code="unknown_operators",
        )


def check_contents(path: Path) -> None:
    """Refuse pickles, whatever they are called: `.pt`, `.pkl`, arrays of Python objects.

    Raises:
        ModelError: code `pickle`, or `unreadable` for a file that cannot be looked into.
    """
    if path.suffix.lower() in PICKLE_SUFFIXES or _holds_pickle(path):
        raise ModelError(
            f"{path}: a pickle, which runs code when it is read; refusing it",
            message_zh=f"这是 pickle 文件，读取时会执行其中的代码，拒绝使用：{path}",
            code="pickle",
        )


def _holds_pickle(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            start = stream.read(len(_NPY_START))
            stream.seek(0)
            if start.startswith(_PICKLE_STARTS):
                return True
            if start == _NPY_START:
                return _is_object_array(stream)
            return start.startswith(_ZIP_START) and _zip_holds_pickle(stream)
    except _UNREADABLE as error:
        raise ModelError(
            f"{path}: cannot be looked into: {error}",
            message_zh=f"无法检查文件内容：{path}",
            code="unreadable",
        ) from None


def _zip_holds_pickle(stream: IO[bytes]) -> bool:
    with zipfile.ZipFile(stream) as archive:
        for member in archive.namelist():
            if Path(member).suffix.lower() in PICKLE_SUFFIXES:
                return True
            with archive.open(member) as inner:
                start = inner.read(len(_NPY_START))
            if start.startswith(_PICKLE_STARTS):
                return True
            if start == _NPY_START:
                with archive.open(member) as inner:
                    if _is_object_array(inner):
                        return True
    return False


def _is_object_array(stream: IO[bytes]) -> bool:
    """Whether a `.npy` stream holds Python objects; only its header is read."""
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        _, _, dtype = np.lib.format.read_array_header_1_0(stream)
    elif version == (2, 0):
        _, _, dtype = np.lib.format.read_array_header_2_0(stream)
    else:
        raise ValueError(f"unknown array format {version}")
    return bool(dtype.hasobject)
