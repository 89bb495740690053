"""`xiaozheng serve`: the HTTP service and the console."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def serve(
    host: Annotated[str | None, typer.Option(help="监听地址，默认 127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="端口，默认 8600；0 为任意空闲端口")] = None,
    cameras: Annotated[Path | None, typer.Option(help="摄像机与区域：cameras.yaml")] = None,
    kinds: Annotated[Path | None, typer.Option(help="事件类型：kinds.yaml")] = None,
    departments: Annotated[Path | None, typer.Option(help="承办部门：departments.yaml")] = None,
    rules: Annotated[Path | None, typer.Option(help="法定职责规则：rules.yaml")] = None,
    delivery: Annotated[Path | None, typer.Option(help="事件投递：delivery.yaml")] = None,
    var: Annotated[Path | None, typer.Option("--var", help="数据目录，默认 var")] = None,
    db_url: Annotated[str | None, typer.Option(help="数据库地址，默认 <var>/xiaozheng.db")] = None,
    shelf: Annotated[Path | None, typer.Option(help="模型库目录")] = None,
    detector: Annotated[str | None, typer.Option(help="检测模型；空字符串关闭视觉识别")] = None,
    router: Annotated[str | None, typer.Option(help="分派模型；空字符串关闭热线分派")] = None,
    backend: Annotated[
        str | None, typer.Option(help="推理运行时：auto、onnxruntime 或 openvino")
    ] = None,
    threads: Annotated[int | None, typer.Option(help="推理线程数，0 为自动")] = None,
    auth: Annotated[
        str | None, typer.Option(help="auto：监听非本机地址时要求密钥；required：总是要求")
    ] = None,
    allow_anonymous: Annotated[
        bool | None,
        typer.Option("--allow-anonymous", help="不要求访问密钥，谁都可以访问"),
    ] = None,
    log_level: Annotated[str | None, typer.Option(help="debug、info、warning 或 error")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="就绪时以一行 JSON 输出地址")] = False,
) -> None:
    """启动服务：HTTP 接口、控制台与指标。其余设置用环境变量 XIAOZHENG_*。"""
    # Imported here: the other verbs start without the service's libraries.
    from ..serve.run import run
    from ..serve.settings import read_settings

    run(
        read_settings(
            host=host,
            port=port,
            cameras=cameras,
            kinds=kinds,
            departments=departments,
            rules=rules,
            delivery=delivery,
            var=var,
            db_url=db_url,
            shelf=shelf,
            detector=detector,
            router=router,
            backend=backend,
            threads=threads,
            auth=auth,
            allow_anonymous=allow_anonymous,
            log_level=log_level,
        ),
        as_json=as_json,
    )
