"""Lines of the CLI, read and written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mybro.executor.claude import protocol
from mybro.executor.claude.messages import (
    ControlAsked,
    ControlReplied,
    Followed,
    HookAsked,
    Message,
    PermissionAsked,
    PermissionWithdrawn,
    Retrying,
    Said,
    Started,
    StepBegan,
    StepEnded,
    Thinking,
    ToolEnded,
    ToolUsed,
    TurnEnded,
    Words,
)
from mybro.executor.claude.process import arguments, environment
from mybro.executor.claude.protocol import ProtocolError

pytestmark = pytest.mark.unit


def parse(**raw: Any) -> tuple[Message, ...]:
    return protocol.parse(json.dumps(raw).encode() + b"\n")


def delta(kind: str, agent: str | None = None, **fields: str) -> tuple[Message, ...]:
    event = {"type": "content_block_delta", "index": 0, "delta": {"type": kind, **fields}}
    return parse(type="stream_event", event=event, parent_tool_use_id=agent)


def test_what_a_turn_sends() -> None:
    init = {"subtype": "init", "session_id": "s", "model": "m", "claude_code_version": "2.1.329"}
    assert parse(type="system", **init) == (Started("s", "m", "2.1.329"),)
    assert parse(type="command_lifecycle", command_uuid="u", state="queued") == (Followed("u", "queued"),)
    assert delta("text_delta", text="Hel") == (Words("Hel"),)
    assert delta("thinking_delta", thinking="hm") == (Thinking(thought_chars=2),)
    assert delta("input_json_delta", partial_json='{"a": 1') == (Thinking(chars=7),)
    assert delta("text_delta", agent="toolu_1", text="a helper's words") == (Thinking(),)
    assert parse(type="stream_event", event={"type": "ping"}) == ()
    use = {"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": "ls"}}
    content = [{"type": "thinking", "thinking": "…"}, {"type": "text", "text": "Hi"}, use]
    assert parse(type="assistant", message={"content": content}, error="rate_limit") == (
        Said("Hi", "rate_limit"),
        ToolUsed("t", "Bash", {"command": "ls"}),
    )
    retry = {"attempt": 2, "error_status": 529, "error": "overloaded"}
    assert parse(type="system", subtype="api_retry", **retry) == (Retrying(2, 529, "overloaded"),)


def test_tool_results_of_either_form() -> None:
    plain = {"type": "tool_result", "tool_use_id": "a", "content": "one\ntwo"}
    parts = {
        "type": "tool_result",
        "tool_use_id": "b",
        "content": [{"type": "text", "text": "x"}],
        "is_error": True,
    }
    assert parse(type="user", message={"content": [plain, {"type": "text", "text": "no"}, parts]}) == (
        ToolEnded("a", "one\ntwo", False),
        ToolEnded("b", "x", True),
    )
    assert parse(type="user", message={"content": "words"}) == ()


def test_control_messages() -> None:
    ask = {"subtype": "can_use_tool", "tool_name": "Bash", "input": {"command": "ls"}, "tool_use_id": "t"}
    assert parse(type="control_request", request_id="r", request=ask) == (
        PermissionAsked("r", "Bash", {"command": "ls"}, "t"),
    )
    assert parse(type="control_request", request_id="r", request={"subtype": "new"}) == (ControlAsked("r"),)
    assert parse(type="control_cancel_request", request_id="r") == (PermissionWithdrawn("r"),)
    good = {"subtype": "success", "request_id": "r", "response": {"pid": 1}}
    assert parse(type="control_response", response=good) == (ControlReplied("r", True, {"pid": 1}),)
    bad = {"subtype": "error", "request_id": "r", "error": "no"}
    assert parse(type="control_response", response=bad) == (ControlReplied("r", False, {}, "no"),)


def test_a_result_of_an_older_cli_has_less_in_it() -> None:
    (ended,) = parse(type="result", subtype="success", is_error=False, result="Done.", session_id="s")
    assert ended == TurnEnded(False, "success", "Done.", "s", (), 0.0, None, None, "")


@pytest.mark.parametrize(
    "line",
    [b'{"type": "assistant", oops\n', b"\n", b"[]\n", b'{"no": "type"}\n', b'{"type": 3}\n', b"\xff\n",
     b'{"type": "result"}\n', b'{"type": "assistant", "message": null}\n', b'{"type": "control_request"}\n'],
)  # fmt: skip
def test_what_is_no_message_is_refused_without_being_quoted(line: bytes) -> None:
    with pytest.raises(ProtocolError) as error:
        protocol.parse(line)
    assert error.value.data == line
    assert "oops" not in str(error.value)


def test_unknown_types_are_ignored() -> None:
    assert parse(type="system", subtype="status") == ()
    assert parse(type="something_new", whatever=1) == ()


@pytest.mark.parametrize("text", ["two\nlines", "\u2028 \u2029", "half \ud83d", "nul \0", '"\\'])
def test_whatever_is_said_stays_one_line(text: str) -> None:
    line = protocol.line(protocol.prompt(text, "u"))
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert json.loads(line)["message"]["content"][0]["text"] == text


def test_a_number_that_is_none_is_never_sent() -> None:
    with pytest.raises(ValueError, match="JSON"):
        protocol.line(protocol.allow("r", {"x": float("nan")}))


def test_replies() -> None:
    allowed = protocol.allow("r", {"command": "ls"})["response"]["response"]
    assert allowed == {"behavior": "allow", "updatedInput": {"command": "ls"}}
    assert "updatedPermissions" not in str(allowed)
    assert protocol.deny("r", "no")["response"]["response"] == {"behavior": "deny", "message": "no"}
    assert protocol.answer(ControlAsked("r"))["response"]["subtype"] == "error"


def test_the_environment_of_a_session_around_is_left_out() -> None:
    around = {
        "PATH": "/bin", "CLAUDECODE": "1", "CLAUDE_CODE_ENTRYPOINT": "cli", "CLAUDE_CODE_SSE_PORT": "7",
        "CLAUDE_CODE_USE_BEDROCK": "1", "ANTHROPIC_API_KEY": "k",
    }  # fmt: skip
    inner = environment(around)
    assert not {"CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SSE_PORT"} & inner.keys()
    assert inner["CLAUDE_CODE_USE_BEDROCK"] == inner["DISABLE_AUTOUPDATER"] == "1"
    assert inner["ANTHROPIC_API_KEY"] == "k"
    alone = environment({"CLAUDE_CODE_TMPDIR": "/t", "CLAUDE_CODE_MAX_RETRIES": "2"})
    assert (alone["CLAUDE_CODE_TMPDIR"], alone["CLAUDE_CODE_MAX_RETRIES"]) == ("/t", "2")


def test_only_a_trusted_repository_brings_its_own_settings() -> None:
    plain = arguments(
        "claude", system_prompt="p", trusted=False, model="m", resume="s", budget_usd=0.5
    )  # fmt: skip
    assert plain[plain.index("--setting-sources") + 1] == "user"
    for flag, value in (("--model", "m"), ("--resume", "s"), ("--max-budget-usd", "0.5000")):
        assert plain[plain.index(flag) + 1] == value
    trusted = arguments(
        "claude", system_prompt="p", trusted=True, model=None, resume=None, budget_usd=None
    )  # fmt: skip
    assert not {"--setting-sources", "--model", "--resume", "--max-budget-usd"} & set(trusted)


def test_what_tells_of_tokens_and_of_the_next_step() -> None:
    usage = {"input_tokens": 5, "output_tokens": 1}
    start = {"type": "message_start", "message": {"id": "m", "model": "opus", "usage": usage}}
    assert parse(type="stream_event", event=start) == (StepBegan("m", "opus", usage),)
    end = {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 9}}
    assert parse(type="stream_event", event=end) == (StepEnded(9),)
    said = {"id": "m", "model": "opus", "usage": usage, "content": [{"type": "text", "text": "Hi"}]}
    helper = parse(type="assistant", message=said, parent_tool_use_id="t", agent_id="a")
    assert helper == (StepBegan("m", "opus", usage, "a"), Said("Hi", "", "a"))
    thought = {"subtype": "thinking_tokens", "estimated_tokens": 40, "estimated_tokens_delta": 7}
    assert parse(type="system", **thought) == (Thinking(thought=7),)
    picture = [{"type": "text", "text": "12345"}, {"type": "image", "source": {"data": "x" * 100_000}}]
    batch = {"tool_calls": [{"tool_response": "123"}, {"tool_response": picture}], "agent_id": "a"}
    asked = {"subtype": "hook_callback", "callback_id": "step", "input": batch}
    (hook,) = parse(type="control_request", request_id="r", request=asked)
    assert isinstance(hook, HookAsked)
    assert (hook.step, hook.agent, 8 < hook.chars < 7000) == (True, "a", True)
    assert protocol.answer(hook)["response"]["response"] == {}
