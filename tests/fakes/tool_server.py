"""A person's own MCP server with many long tools: `python tool_server.py COUNT [GATE SEEN]`.

With GATE, it answers nothing until that file is there; SEEN is made once its tools are listed.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

_FIELD = {"type": "string", "description": "what the thing is to be done to, in so many words"}


def _tool(number: int) -> dict[str, Any]:
    schema = {"type": "object", "properties": {f"field{at}": _FIELD for at in range(10)}}
    return {"name": f"work_{number}", "description": "Does a certain thing. " * 60, "inputSchema": schema}


def _answer(asked: dict[str, Any], tools: int) -> dict[str, Any]:
    match asked["method"]:
        case "initialize":
            version = asked["params"]["protocolVersion"]
            about = {"name": "many", "version": "1"}
            return {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": about}
        case "tools/list":
            return {"tools": [_tool(number) for number in range(tools)]}
    return {}


def main(count: str, gate: str = "", seen: str = "") -> None:
    while gate and not Path(gate).exists():
        time.sleep(0.02)
    for line in sys.stdin:
        asked = json.loads(line)
        if "id" in asked:
            told = {"jsonrpc": "2.0", "id": asked["id"], "result": _answer(asked, int(count))}
            sys.stdout.write(f"{json.dumps(told)}\n")
            sys.stdout.flush()
        if seen and asked["method"] == "tools/list":
            Path(seen).touch()


if __name__ == "__main__":
    main(*sys.argv[1:])
