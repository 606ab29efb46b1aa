"""An agent that speaks ACP and does as the prompt's last line says: `python -m tests.fakes.acp_agent [KIND]`.

KIND is how it begins: plain, garbage (lines that are no messages, for ever), version (another one),
signed_out, mute (no answer), dies, forgetful (it cannot take up a session again) or lost (it has none).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

Json = dict[str, Any]
SESSION = "session-1"


class Agent:
    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.number = 100
        self.waiting: list[Json] = []

    def run(self) -> None:
        while (message := self.read()) is not None:
            method = message.get("method")
            if method == "initialize":
                self.begin(message)
            elif method == "session/new":
                self.new(message)
            elif method == "session/load" and self.kind == "lost":
                self.send(id=message["id"], error={"code": -32002, "message": "Resource not found"})
            elif method in ("session/load", "session/resume"):
                self.update("agent_message_chunk", content={"type": "text", "text": "history"})
                self.update("usage_update", used=1, size=2, cost={"amount": 1.5, "currency": "USD"})
                self.reply(message, {})
            elif method == "session/prompt":
                text = message["params"]["prompt"][-1]["text"]
                verb, _, rest = text.partition(" ")
                getattr(self, f"do_{verb}")(message, rest)
            elif "id" in message and method:
                self.reply(message, {})

    # ------------------------------------------------------------------------ the wire

    def read(self) -> Json | None:
        line = sys.stdin.readline()
        return dict(json.loads(line)) if line else None

    def line(self, text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def send(self, **message: Any) -> None:
        self.line(json.dumps({"jsonrpc": "2.0", **message}))

    def reply(self, message: Json, result: Json) -> None:
        self.send(id=message["id"], result=result)

    def update(self, kind: str, **fields: Any) -> None:
        update = {"sessionUpdate": kind, **fields}
        self.send(method="session/update", params={"sessionId": SESSION, "update": update})

    def ask(self, method: str, session: str = SESSION, **params: Any) -> Json:
        """Send a request and wait for its answer, whole."""
        self.number += 1
        self.send(id=self.number, method=method, params={"sessionId": session, **params})
        while (message := self.read()) is not None:
            if message.get("id") == self.number and "method" not in message:
                return message
            self.waiting.append(message)
        sys.exit(0)

    def end(self, message: Json, words: str, reason: str = "end_turn") -> None:
        self.update("agent_message_chunk", content={"type": "text", "text": words})
        self.reply(message, {"stopReason": reason})

    # ------------------------------------------------------------------------ the beginning

    def begin(self, message: Json) -> None:
        if self.kind == "garbage":
            while True:
                self.line("starting up")
        elif self.kind == "mute":
            time.sleep(60)
        elif self.kind == "dies":
            os._exit(3)
        version = 7 if self.kind == "version" else 1
        able = {"loadSession": self.kind != "forgetful"}
        self.reply(message, {"protocolVersion": version, "agentCapabilities": able})

    def new(self, message: Json) -> None:
        if self.kind == "signed_out":
            self.send(id=message["id"], error={"code": -32000, "message": "Authentication required"})
        else:
            modes = {"currentModeId": "yolo", "availableModes": [{"id": "yolo"}, {"id": "default"}]}
            self.reply(message, {"sessionId": SESSION, "modes": modes})

    # ------------------------------------------------------------------------ what a prompt says

    def do_say(self, message: Json, rest: str) -> None:
        self.end(message, rest)

    def do_stopwith(self, message: Json, rest: str) -> None:
        self.end(message, "", reason=rest)

    def do_read(self, message: Json, rest: str) -> None:
        request = json.loads(rest)
        self.end(message, json.dumps(self.ask("fs/read_text_file", **request)))

    def do_write(self, message: Json, rest: str) -> None:
        answer = self.ask("fs/write_text_file", path=rest, content="x = 1\n")
        self.end(message, json.dumps(answer))

    def do_call(self, message: Json, rest: str) -> None:
        self.end(message, json.dumps(self.ask(**json.loads(rest))))

    def do_permit(self, message: Json, rest: str) -> None:
        call, kinds = json.loads(rest)
        options = [{"optionId": f"the {kind}", "name": kind, "kind": kind} for kind in kinds]
        tool = {"toolCallId": "call", **call}
        answer = self.ask("session/request_permission", toolCall=tool, options=options)
        self.end(message, json.dumps(answer["result"]["outcome"]))

    def do_withdraw(self, message: Json, rest: str) -> None:
        tool = {"toolCallId": "call", "kind": "execute", "rawInput": {"command": "python3 -O make.py"}}
        self.send(id=99, method="session/request_permission", params={
            "sessionId": SESSION, "toolCall": tool,
            "options": [{"optionId": "a", "name": "a", "kind": "allow_once"}],
        })  # fmt: skip
        time.sleep(0.3)
        self.send(method="$/cancel_request", params={"requestId": 99})
        answer = self.read()
        self.end(message, str((answer or {}).get("error", {}).get("code")))

    def do_die(self, message: Json, rest: str) -> None:
        self.update("agent_message_chunk", content={"type": "text", "text": "I"})
        os.kill(os.getpid(), signal.SIGKILL)

    def do_fail(self, message: Json, rest: str) -> None:
        self.update("usage_update", used=1, size=2, cost={"amount": 0.25, "currency": "USD"})
        self.send(id=message["id"], error={"code": -32603, "message": f"Internal error: {rest}"})

    def do_garble(self, message: Json, rest: str) -> None:
        for line in ("not json", "[1]", '{"id": 5}', "", '{"jsonrpc": "2.0", "method": 3}')[: int(rest or 5)]:
            self.line(line)
        self.end(message, "Done.")

    def do_rave(self, message: Json, rest: str) -> None:
        self.update("agent_message_chunk", content={"type": "text", "text": "I"})
        while True:
            self.line("not json")

    def do_spend(self, message: Json, rest: str) -> None:
        for amount in json.loads(rest):
            self.update("usage_update", used=1, size=2, cost={"amount": amount, "currency": "USD"})
        self.end(message, "Spent.")

    def do_hang(self, message: Json, rest: str) -> None:
        """Ignores everything, session/cancel too; `rest` is a command that it runs beside that."""
        if rest:
            subprocess.Popen(["/bin/sh", "-c", rest], start_new_session=True)
        self.update("agent_message_chunk", content={"type": "text", "text": "hanging"})
        time.sleep(120)

    def do_run(self, message: Json, rest: str) -> None:
        """Runs a command without asking anybody."""
        subprocess.run(["/bin/sh", "-c", rest], check=False, stdout=subprocess.DEVNULL)
        self.end(message, "Done.")

    def do_leave(self, message: Json, rest: str) -> None:
        """Starts a command, and obeys session/cancel without ending it."""
        subprocess.Popen(["/bin/sh", "-c", rest], start_new_session=True, stdout=subprocess.DEVNULL)
        while (told := self.read()) is not None:
            if told.get("method") == "session/cancel":
                self.end(message, "", reason="cancelled")
                return


if __name__ == "__main__":
    Agent((sys.argv[1:] or ["plain"])[0]).run()
