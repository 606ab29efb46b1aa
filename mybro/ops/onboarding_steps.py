"""The steps of `mybro setup` that need neither sound nor a model: permissions, talk key, sign-in, key."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

from mybro.config import Settings
from mybro.errors import Problem
from mybro.ops import keychain, readiness, settings_file
from mybro.ops.onboarding import Desk, Outcome, done, failed, skipped
from mybro.ops.permissions import (
    INPUT_MONITORING,
    MICROPHONE,
    Permission,
    Permissions,
    responsible_app,
)

HANDS_FREE = "hands-free"
PUSH_TO_TALK = "push-to-talk"
LOOKS = 3
"""How often a person is asked to switch a permission on before the step gives up."""
SHORTEST_KEY = 20


class PermissionsStep:
    """macOS: the microphone, and the keyboard for the talk key."""

    name = "permissions"
    title = "Permissions"

    def __init__(self, settings: Settings, permissions: Permissions | None) -> None:
        """`permissions` is None on a platform that has none to give."""
        self._permissions = permissions
        self._wanted = [MICROPHONE]
        if settings.audio.listen == PUSH_TO_TALK:
            self._wanted.append(INPUT_MONITORING)

    def settled(self, before: Outcome | None) -> str | None:
        if self._permissions is None:
            return "none needed on this system"
        if all(self._permissions.access(each) == "granted" for each in self._wanted):
            return f"granted: {', '.join(each.row for each in self._wanted)}"
        return None

    def run(self, desk: Desk) -> Outcome:
        if self._permissions is None:
            return done("none needed on this system")
        lacking = [each for each in self._wanted if not self._granted(each, self._permissions, desk)]
        if not lacking:
            return done(f"granted: {', '.join(each.row for each in self._wanted)}")
        rows = " and ".join(each.row for each in lacking)
        remedy = f"Switch on {responsible_app()} under System Settings > Privacy & Security > {rows}"
        if not desk.attended:
            return skipped(f"not granted yet: {rows}", remedy)
        return failed(f"not granted yet: {rows}", remedy)

    def _granted(self, permission: Permission, permissions: Permissions, desk: Desk) -> bool:
        access = permissions.access(permission)
        if access == "granted" or not desk.attended:
            return access == "granted"
        desk.say(f"      {permission.row}: {permission.why}.")
        if access == "undetermined" and permissions.request(permission) == "granted":
            return True
        app = responsible_app()
        permissions.open_pane(permission)
        desk.say(f"      In the window that opened, switch on {app} under {permission.row}.")
        desk.say(f"      If macOS wants to restart {app}, let it: mybro setup goes on from here.")
        for _ in range(LOOKS):
            answer = desk.ask("Enter when it is on, s to skip")
            if permissions.access(permission) == "granted":
                return True
            if answer.lower().startswith("s"):
                return False
            desk.say(f"      macOS says it is not on for {app} yet.")
        return False


class TalkKeyStep:
    """Which key to hold while talking, or none."""

    name = "talk-key"
    title = "Talk key"

    def __init__(
        self,
        settings: Settings,
        *,
        trouble: Callable[[], Problem | None],
        wrong: Callable[[str], str | None],
    ) -> None:
        """`trouble` says why no key can be noticed and what helps; `wrong`, what is wrong with a name."""
        self._settings = settings.audio
        self._trouble = trouble
        self._wrong = wrong

    def settled(self, before: Outcome | None) -> str | None:
        if before is None or before.state != "done":
            return None
        return HANDS_FREE if self._settings.listen == HANDS_FREE else self._settings.talk_key

    def run(self, desk: Desk) -> Outcome:
        trouble = self._trouble()
        if trouble:
            return self._without_keys(desk, trouble)
        while True:
            answer = desk.ask(f"Key to hold while talking, or {HANDS_FREE}", self._settings.talk_key)
            if answer == HANDS_FREE:
                settings_file.store("audio.listen", HANDS_FREE)
                return done("hands-free: no key")
            wrong = self._wrong(answer)
            if wrong is None:
                break
            desk.say(f"      {wrong}")
        if answer != self._settings.talk_key:
            settings_file.store("audio.talk_key", answer)
        if self._settings.listen != PUSH_TO_TALK:
            settings_file.store("audio.listen", PUSH_TO_TALK)
        return done(f"hold {answer} while you talk")

    def _without_keys(self, desk: Desk, trouble: Problem) -> Outcome:
        if self._settings.listen == HANDS_FREE:
            return done("hands-free: no key")
        if (
            desk.attended
            and desk.ask(f"{trouble.message}. Listen hands-free instead? [Y/n]", "y").lower() == "y"
        ):
            settings_file.store("audio.listen", HANDS_FREE)
            return done("hands-free: no key")
        return skipped(trouble.message, trouble.hint)


class ClaudeStep:
    """The Claude Code CLI: there, and signed in."""

    name = "claude"
    title = "Claude Code"

    def __init__(self, settings: Settings, find: Callable[[], str | None] | None = None) -> None:
        """`find` tells where the CLI is; by default where the settings or PATH say."""
        self._find = find or (lambda: readiness.claude_cli(settings.executor.claude_path))

    def settled(self, before: Outcome | None) -> str | None:
        binary = self._find()
        sign_in = readiness.claude_sign_in(binary) if binary else None
        return f"signed in ({sign_in.how})" if sign_in and sign_in.signed_in else None

    def run(self, desk: Desk) -> Outcome:
        binary = self._find()
        if binary is None:
            remedy = f"{readiness.GET_CLAUDE}; then: mybro setup --only claude"
            return skipped("not installed: commands work, coding tasks do not", remedy)
        if self._signed_in(binary):
            return done("signed in")
        if desk.attended and desk.ask("Sign in now? It opens your browser. [Y/n]", "y").lower() == "y":
            try:
                subprocess.run([binary, "auth", "login"], check=False)
            except OSError as error:
                return failed(f"{binary} did not start: {error.strerror}", readiness.GET_CLAUDE)
            if self._signed_in(binary):
                return done("signed in")
        return skipped("not signed in: coding tasks do not work yet", readiness.SIGN_IN)

    def _signed_in(self, binary: str) -> bool:
        sign_in = readiness.claude_sign_in(binary)
        return sign_in is not None and sign_in.signed_in


class KeyStep:
    """An API key for the brain, into the keychain and nowhere else."""

    name = "key"
    title = "API key (optional)"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def settled(self, before: Outcome | None) -> str | None:
        finding = readiness.api_key(self._settings)
        return finding.detail if finding.state == "ok" else None

    def run(self, desk: Desk) -> Outcome:
        later = "Later: mybro setup --only key"
        if keychain.available() is None:
            return skipped(
                "there is no keychain here to keep one in",
                f"An environment variable serves as well: {readiness.KEY_VARIABLE}",
            )
        if not desk.attended:
            return skipped("none given", later)
        desk.say("      With an Anthropic API key, unclear sentences are understood in a second.")
        while True:
            key = desk.ask_secret("Key (it is not shown; Enter to do without)")
            if not key:
                return skipped("none: unclear sentences go to Claude Code", later)
            if len(key) >= SHORTEST_KEY and key.isascii() and key.isprintable() and " " not in key:
                break
            desk.say("      That does not look like a key: it is one long word.")
        keychain.write(readiness.KEY_NAME, key)
        return done(f"kept in {keychain.available()}")
