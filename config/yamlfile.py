"""Typed YAML files whose errors name file and line.

A file is parsed once into plain data plus a map from each value's path to its line, validated by
a pydantic model, and every complaint of the model is translated back to the line it came from.
"""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from .errors import ConfigError

ModelT = TypeVar("ModelT", bound=BaseModel)
KeyPath = tuple[Hashable, ...]

MAX_FILE_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 50
MAX_VALUES = 1_000_000


def load_yaml(path: Path, model: type[ModelT]) -> ModelT:
    """Read and validate one YAML file.

    Raises:
        ConfigError: unreadable, not UTF-8, broken YAML, a duplicate key, or a value the model
            refuses; the message starts with `file:line` and lists every complaint.
    """
    return parse_yaml(read_text(path), path, model)


def parse_yaml(text: str, path: Path | str, model: type[ModelT]) -> ModelT:
    """Validate YAML `text`; `path` is only used in messages."""
    data, lines = parse_with_lines(text, path)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _config_error(error, lines, path) from None


def read_text(path: Path) -> str:
    """The file's text, or a ConfigError that says why there is none."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ConfigError(path, 0, f"larger than {MAX_FILE_BYTES} bytes", message_zh="文件过大")
        raw = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(
            path, 0, f"cannot be read: {reason}", message_zh=f"无法读取文件（{reason}）"
        ) from None
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigError(
            path, line, f"not valid UTF-8 at byte {error.start}", message_zh="不是有效的 UTF-8 文本"
        ) from None


def parse_with_lines(text: str, path: Path | str) -> tuple[Any, dict[KeyPath, int]]:
    """Plain data and the 1-based line of every value, keyed by its path in the document."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        problem = error.problem or str(error)
        raise ConfigError(
            path, line, f"broken YAML: {problem}", message_zh=f"YAML 格式错误：{problem}"
        ) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(path, 0, f"broken YAML: {error}", message_zh="YAML 格式错误") from None
    if node is None:
        return None, {}
    loader = yaml.SafeLoader("")
    try:
        builder = _Builder(loader, path)
        return builder.build(node, ()), builder.lines
    finally:
        loader.dispose()


class _Builder:
    """Turns YAML nodes into plain data and notes the line of every value.

    Aliases are followed, yet only so far: a value that contains itself, or a few lines that
    unfold to millions of values, would otherwise hang whoever reads the file.
    """

    def __init__(self, loader: yaml.SafeLoader, path: Path | str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._loader = loader
        self._path = path

    def build(self, node: yaml.Node, at: KeyPath) -> Any:
        line = node.start_mark.line + 1
        self.lines[at] = line
        if len(at) > MAX_DEPTH:
            raise ConfigError(
                self._path, line, f"nested deeper than {MAX_DEPTH}", message_zh="嵌套过深"
            )
        if len(self.lines) > MAX_VALUES:
            raise ConfigError(
                self._path, line, f"more than {MAX_VALUES} values", message_zh="内容过多"
            )
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, at)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*at, i)) for i, item in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, at: KeyPath) -> dict[Hashable, Any]:
        mapping: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = self._scalar(key_node)
            if key in mapping:
                raise ConfigError(
                    self._path, line, f"key {key!r} twice", message_zh=f"键 {key!r} 重复"
                )
            mapping[key] = self.build(value_node, (*at, key))
            self.lines[(*at, key)] = line
        return mapping

    def _scalar(self, node: yaml.Node) -> Any:
        line = node.start_mark.line + 1
        if not isinstance(node, yaml.ScalarNode):
            raise ConfigError(
                self._path, line, "a key must be a plain value", message_zh="键必须是简单值"
            )
        try:
            return self._loader.construct_object(node, deep=True)
        except (yaml.YAMLError, ValueError) as error:
            raise ConfigError(
                self._path,
                line,
                f"cannot read value {node.value!r}: {error}",
                message_zh="值无法解析",
            ) from None


def _config_error(
    error: ValidationError, lines: dict[KeyPath, int], path: Path | str
) -> ConfigError:
    complaints: list[tuple[int, str]] = []
    for detail in error.errors(include_url=False):
        loc = detail["loc"]
        field = ".".join(str(part) for part in loc) or "document"
        complaints.append((_nearest_line(loc, lines), f"{field}: {detail['msg']}"))
    complaints.sort(key=lambda complaint: complaint[0])
    first_line, first = complaints[0]
    rest = "".join(f"\n{path}:{line}: {text}" for line, text in complaints[1:])
    return ConfigError(path, first_line, first + rest)


def _nearest_line(loc: tuple[int | str, ...], lines: dict[KeyPath, int]) -> int:
    """A missing field has no line of its own: its parent's is the best there is."""
    for end in range(len(loc), -1, -1):
        if loc[:end] in lines:
            return lines[loc[:end]]
    return 1
