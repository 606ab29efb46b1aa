"""The table of verbs: everything `mybro --help` prints, and where each verb's code is."""

from __future__ import annotations

from typing import NamedTuple


class Verb(NamedTuple):
    """One command."""

    section: str
    help: str
    example: str

    module: str
    """A dotted path; the module has a click command named `command`."""


SECTIONS = ("Talk", "Look back", "The repository", "Set up", "For programs")

VERBS: dict[str, Verb] = {
    "run": Verb("Talk", "Listen, and do what is said.", "mybro run --repo ~/code/shop", "mybro.cli.run"),
    "say": Verb("Talk", "Do what a typed sentence says.", 'mybro say "run the tests"', "mybro.cli.say"),
    "hear": Verb(
        "Talk", "Show what is heard in recordings; does nothing.", "mybro hear memo.flac", "mybro.cli.hear"
    ),
    "demo": Verb("Talk", "Watch spoken commands mend a small project.", "mybro demo", "mybro.cli.demo"),
    "serve": Verb("Talk", "The page and the API, in a browser.", "mybro serve", "mybro.cli.serve"),
    "status": Verb("Talk", "What the running session does.", "mybro status", "mybro.cli.status"),
    "stop": Verb("Talk", "Stop everything in the running session.", "mybro stop", "mybro.cli.stop"),
    "ptt": Verb("Talk", "The running session's talk key.", "mybro ptt toggle", "mybro.cli.ptt"),
    "history": Verb("Look back", "What was said, and what came of it.", "mybro history", "mybro.cli.history"),
    "replay": Verb(
        "Look back", "Show one sentence again, with its sound.", "mybro replay 17", "mybro.cli.replay"
    ),
    "worktrees": Verb(
        "The repository",
        "Merge or remove what was done beside you.",
        "mybro worktrees merge parser",
        "mybro.cli.worktrees",
    ),
    "new": Verb(
        "The repository", "Start a project from a template.", "mybro new shop -t vercel", "mybro.cli.new"
    ),
    "packages": Verb(
        "The repository",
        "Add packages, and look after them.",
        "mybro packages add httpx",
        "mybro.cli.packages",
    ),
    "rules": Verb(
        "The repository", "What to build with, and what never.", "mybro rules check", "mybro.cli.rules"
    ),
    "doctor": Verb(
        "The repository",
        "What is wrong in a repository, and how to mend it.",
        "mybro doctor",
        "mybro.cli.doctor",
    ),
    "setup": Verb(
        "Set up", "From nothing to a spoken command that worked.", "mybro setup", "mybro.cli.setup"
    ),
    "check": Verb(
        "Set up", "What is ready, and what to do about the rest.", "mybro check", "mybro.cli.check"
    ),
    "daemon": Verb(
        "Set up", "A session that starts at login and is kept.", "mybro daemon install", "mybro.cli.daemon"
    ),
    "models": Verb(
        "Set up", "List, fetch, verify and remove speech models.", "mybro models list", "mybro.cli.models"
    ),
    "devices": Verb("Set up", "Microphones and loudspeakers.", "mybro devices", "mybro.cli.devices"),
    "voice": Verb("Set up", "Your voice, told from others.", "mybro voice enrol", "mybro.cli.voice"),
    "words": Verb("Set up", "Names and words that it learned to write.", "mybro words", "mybro.cli.words"),
    "config": Verb(
        "Set up", "Show and change the settings.", "mybro config set speak.volume 0.5", "mybro.cli.config"
    ),
    "bench": Verb(
        "Set up", "How quick it is here, and where the time goes.", "mybro bench voice", "mybro.cli.bench"
    ),
    "completions": Verb("Set up", "Shell completions.", "mybro completions zsh", "mybro.cli.completions"),
    "intent-schema": Verb(
        "For programs", "The JSON schema of an intent.", "mybro intent-schema", "mybro.cli.intent_schema"
    ),
    "mcp": Verb(
        "For programs", "Lets a coding agent speak and ask by voice.", "mybro mcp --register", "mybro.cli.mcp"
    ),
}
