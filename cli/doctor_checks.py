"""Every check of `xiaozheng doctor`, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ..serve.settings import Settings
from . import doctor_machine as machine
from . import doctor_parts as parts
from . import doctor_reach as reach
from .doctor_finding import Finding

CHECKS: Final[tuple[tuple[str, Callable[[Settings], list[Finding]]], ...]] = (
    ("处理器", machine.check_cpu),
    ("内存", machine.check_memory),
    ("磁盘", machine.check_disk),
    ("时钟", machine.check_clock),
    ("端口", machine.check_port),
    ("字体", machine.check_font),
    ("检测模型", parts.check_detector),
    ("分派模型", parts.check_router),
    ("地点模型", parts.check_places),
    ("摄像机", parts.check_cameras),
    ("原文密钥", parts.check_originals),
    ("数据库", reach.check_database),
    ("投递", reach.check_delivery),
)
