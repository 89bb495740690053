"""`xiaozheng serve --json`: a script learns the address from one line and can use it at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx


def test_one_json_line_names_an_address_that_answers(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "xiaozheng.cli.main", "serve", "--json", "--port", "0"]
    with subprocess.Popen(
        [*command, "--var", str(tmp_path), "--detector", ""], stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            assert told["url"] == f"http://{told['host']}:{told['port']}"
            assert httpx.get(f"{told['url']}/healthz", timeout=10).status_code == 200
        finally:
            process.terminate()
            assert process.wait(timeout=30) == 0
