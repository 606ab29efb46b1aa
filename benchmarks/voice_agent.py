"""A coding agent for measurements: it speaks ACP, and writes each prompt into the repository when it comes.

    python voice_agent.py MARKS

A line in MARKS tells when: nanoseconds since 1970, "prompt", and the words.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

WORK_S = 1.0
"""So long a task takes: a sentence that goes on finds it at work."""


def main() -> None:
    marks = Path(sys.argv[1])
    lock = threading.Lock()
    cancelled: dict[str, threading.Event] = {}

    def send(**message: Any) -> None:
        with lock:
            sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
            sys.stdout.flush()

    def work(number: Any, session: str, text: str) -> None:
        stop = cancelled.setdefault(session, threading.Event())
        stop.clear()
        words = text.strip().splitlines()[-1]
        with marks.open("a") as file:
            file.write(f"{time.time_ns()} prompt {words}\n")
        with Path("said.txt").open("a") as file:
            file.write(words + "\n")
        reason = "cancelled" if stop.wait(WORK_S) else "end_turn"
        send(id=number, result={"stopReason": reason})

    for line in sys.stdin:
        message = json.loads(line)
        match message.get("method"):
            case "initialize":
                result: dict[str, Any] = {"protocolVersion": 1, "agentCapabilities": {"loadSession": True}}
                send(id=message["id"], result=result)
            case "session/new":
                send(id=message["id"], result={"sessionId": "one"})
            case "session/prompt":
                text = message["params"]["prompt"][-1]["text"]
                given = (message["id"], message["params"]["sessionId"], text)
                threading.Thread(target=work, args=given, daemon=True).start()
            case "session/cancel":
                cancelled.setdefault(message["params"]["sessionId"], threading.Event()).set()
            case _ if "id" in message and "method" in message:
                send(id=message["id"], result={})


if __name__ == "__main__":
    main()
