"""Every tool that the CLI offers, and how its use is decided.

Measured with Claude Code 2.1.329; a tool that is not named here is asked about each time.
"""

from __future__ import annotations

from typing import Literal

Way = Literal[
    "free", "read", "write", "command", "page", "search", "choices", "plan", "skill", "server", "off"
]
"""free: unasked, for it changes nothing, or what it starts asks for its own tools. read, write, command: by
the place, or by the command. page, search, skill, server: asked, and remembered for the session on request.
choices, plan: a question to the person by itself. off: never, and not even offered to the model.
"""

_BY_WAY: dict[Way, tuple[str, ...]] = {
    "free": (
        "Agent", "Task", "ToolSearch", "EnterPlanMode", "TodoWrite", "TaskCreate", "TaskGet", "TaskList",
        "TaskUpdate", "RefreshMcpTools", "WaitForMcpServers",
    ),
    "read": ("Read", "Glob", "Grep", "LS", "NotebookRead"),
    "write": ("Write", "Edit", "MultiEdit", "NotebookEdit"),
    "command": ("Bash",),
    "page": ("WebFetch",),
    "search": ("WebSearch",),
    "choices": ("AskUserQuestion",),
    "plan": ("ExitPlanMode",),
    "skill": ("Skill", "SlashCommand"),
    "server": ("ListMcpResourcesTool", "ReadMcpResourceTool", "ReadMcpResourceDirTool"),
    "off": (
        # They go on after the job and its checkpoint, or begin turns of their own.
        "CronCreate", "CronDelete", "CronList", "ScheduleWakeup", "Monitor", "BashOutput", "KillShell",
        "KillBash", "TaskOutput", "TaskStop", "ReadNotifications", "ProposeGoal",
        # Worktrees, agents at work together and notices are this program's: with names, checkpoints, a stop.
        "EnterWorktree", "ExitWorktree", "ListAgents", "SendMessage", "TeamCreate", "TeamDelete",
        "PushNotification", "SendUserMessage", "SendUserFile",
        # It starts as many agents as it likes.
        "Workflow",
        # They show on a screen that is not there, or send away what nobody here has seen.
        "ReportFindings", "Artifact", "ClaudeDesign", "DesignSync", "Projects", "SendFeedback",
        "RemoteTrigger", "OfferChromeSetup", "ShowOnboardingRolePicker", "ProposeSkills", "Config",
        # Commands of languages that are not read here.
        "PowerShell", "REPL",
    ),
}  # fmt: skip

TOOLS: dict[str, Way] = {name: way for way, names in _BY_WAY.items() for name in names}

OFF = _BY_WAY["off"]
WRITERS = frozenset(_BY_WAY["write"])
"""The tools that change files."""
