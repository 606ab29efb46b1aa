"""A scripted Messages API on loopback, for tests that drive the real Claude Code CLI."""

from tests.claude_api.replies import bash, broken, error, first, text, tool, tools, write
from tests.claude_api.server import ScriptedServer

__all__ = ["ScriptedServer", "bash", "broken", "error", "first", "text", "tool", "tools", "write"]
