"""`mybro setup`: talk key, sign-in, keys, models and the first words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mybro.audio.devices import Device
from mybro.brain import keys
from mybro.cli.first_sound import Heard
from mybro.cli.setup_steps import Large, ModelStep, TryStep, fetch_in_background
from mybro.config import BrainSettings, Settings, load_settings
from mybro.errors import ModelError, Problem
from mybro.ops import keychain, readiness
from mybro.ops.onboarding import Progress, done, failed, skipped, walk
from mybro.ops.onboarding_steps import ClaudeStep, KeyStep, TalkKeyStep
from tests.fakes.desk import FakeDesk, MemoryKeychain

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("home")]
pytest_plugins = ["tests.setup_fixtures"]

USB = Device(3, "USB Microphone", 1, 0, 48_000)


# ---------------------------------------------------------------------------- talk key


def talk_key(trouble: Problem | None = None, listen: str = "push-to-talk") -> TalkKeyStep:
    settings = Settings(audio={"listen": listen})
    return TalkKeyStep(settings, trouble=lambda: trouble, wrong=lambda key: "No." if key == "bogus" else None)


def test_enter_keeps_the_talk_key() -> None:
    assert talk_key().run(FakeDesk([""])).note == "hold right_option while you talk"
    assert talk_key().settled(done("x")) == "right_option"
    assert talk_key().settled(None) is None


def test_another_key_is_kept_and_a_wrong_one_is_asked_for_again() -> None:
    desk = FakeDesk(["bogus", "f9"])
    talk_key(listen="hands-free").run(desk)
    assert "No." in desk.text
    assert load_settings().audio.talk_key == "f9"
    assert load_settings().audio.listen == "push-to-talk"


def test_hands_free_can_be_chosen() -> None:
    talk_key().run(FakeDesk(["hands-free"]))
    assert load_settings().audio.listen == "hands-free"


def test_where_no_key_can_be_noticed_hands_free_is_offered() -> None:
    trouble = Problem("no_talk_key", "there is no display", "use another")
    assert talk_key(trouble).run(FakeDesk(["n"])) == skipped(trouble.message, trouble.hint)
    assert talk_key(trouble).run(FakeDesk(attended=False)) == skipped(trouble.message, trouble.hint)
    assert talk_key(trouble).run(FakeDesk([""])).state == "done"
    assert load_settings().audio.listen == "hands-free"
    assert talk_key(trouble, listen="hands-free").run(FakeDesk()).state == "done"


# ---------------------------------------------------------------------------- sign-in


def claude(folder: Path, *, signed_in: bool, after: bool = False) -> ClaudeStep:
    """A `claude` that tells whether it is signed in, and signs in when asked to if `after`."""
    state = folder / "signed-in"
    state.write_text("true" if signed_in else "false")
    binary = folder / "claude"
    login = f'echo true > "{state}"' if after else ":"
    binary.write_text(
        f'#!/bin/sh\ncase "$2" in login) {login} ;;\n'
        f'*) echo "{{\\"loggedIn\\": $(cat "{state}"), \\"authMethod\\": \\"claude.ai\\"}}" ;; esac\n'
    )
    binary.chmod(0o755)
    return ClaudeStep(Settings(executor={"claude_path": str(binary)}))


def test_a_signed_in_cli_needs_nothing(home: Path) -> None:
    assert claude(home, signed_in=True).settled(None) == "signed in (claude.ai)"


def test_signing_in_is_offered(home: Path) -> None:
    step = claude(home, signed_in=False, after=True)
    assert step.settled(None) is None
    assert step.run(FakeDesk([""])) == done("signed in")


@pytest.mark.parametrize("desk", [FakeDesk(["n"]), FakeDesk([""]), FakeDesk(attended=False)])
def test_who_does_not_sign_in_is_told_how(home: Path, desk: FakeDesk) -> None:
    outcome = claude(home, signed_in=False).run(desk)
    assert outcome.state == "skipped"
    assert "claude auth login" in outcome.remedy


def test_an_absent_cli_is_told_how_to_get(home: Path) -> None:
    step = ClaudeStep(Settings(executor={"claude_path": str(home / "nowhere")}))
    assert step.settled(None) is None
    outcome = step.run(FakeDesk())
    assert outcome.state == "skipped"
    assert "npm install" in outcome.remedy


@pytest.mark.parametrize("says", ["", "not JSON", "{}", "[]"])
def test_a_cli_that_does_not_tell_counts_as_not_signed_in(home: Path, says: str) -> None:
    binary = home / "claude"
    binary.write_text(f"#!/bin/sh\necho '{says}'\n")
    binary.chmod(0o755)
    assert readiness.claude_sign_in(str(binary)) is None


# ---------------------------------------------------------------------------- key

KEY = "sk-ant-api03-0123456789abcdef"


def test_a_key_goes_into_the_keychain_and_nowhere_else(chain: MemoryKeychain, home: Path) -> None:
    desk = FakeDesk(["short", "two words are not a key at all", KEY])
    assert walk([KeyStep(Settings())], desk, Progress())
    assert list(chain.kept.values()) == [KEY]
    assert keychain.read(readiness.KEY_NAME) == KEY
    assert KEY not in desk.text
    assert KEY not in "".join(desk.questions)
    for file in home.rglob("*"):
        if file.is_file():
            assert KEY not in file.read_text()
    assert KeyStep(Settings()).settled(None) == "in the keychain"


def test_the_brain_finds_the_key_that_was_given(chain: MemoryKeychain) -> None:
    KeyStep(Settings()).run(FakeDesk([KEY]))
    assert keys.anthropic(BrainSettings()) == KEY


def test_enter_does_without_a_key(chain: MemoryKeychain) -> None:
    assert KeyStep(Settings()).run(FakeDesk([""])).state == "skipped"
    assert KeyStep(Settings()).run(FakeDesk(attended=False)).state == "skipped"
    assert chain.kept == {}


def test_a_key_in_the_environment_is_enough(chain: MemoryKeychain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    assert KeyStep(Settings()).settled(None) == "from ANTHROPIC_API_KEY"


def test_a_locked_keychain_is_a_sentence(chain: MemoryKeychain) -> None:
    chain.locked = True
    desk = FakeDesk([KEY])
    assert not walk([KeyStep(Settings())], desk, Progress())
    assert "KeyringLocked" in desk.text
    assert KEY not in desk.text


# ---------------------------------------------------------------------------- models


def model(
    large: Large | None, fetched: list[Large] | None = None, small: str | ModelError = "tiny.en"
) -> ModelStep:
    def make_ready() -> str:
        if isinstance(small, ModelError):
            raise small
        return small

    return ModelStep(small=make_ready, large=lambda: large, fetch=([] if fetched is None else fetched).append)


TURBO = Large("mlx-whisper", "large-v3-turbo", 1620, here=False)
TURBO_HERE = Large("mlx-whisper", "large-v3-turbo", 1620, here=True)


def test_the_large_model_is_fetched_in_the_background() -> None:
    fetched: list[Large] = []
    desk = FakeDesk([""])
    assert model(TURBO, fetched).run(desk).state == "done"
    assert fetched == [TURBO]
    assert "1620 MB" in desk.questions[0]


@pytest.mark.parametrize("desk", [FakeDesk(["n"]), FakeDesk(attended=False)])
def test_nothing_large_is_fetched_unasked(desk: FakeDesk) -> None:
    fetched: list[Large] = []
    outcome = model(TURBO, fetched).run(desk)
    assert fetched == []
    assert "mybro models fetch large-v3-turbo" in outcome.note


def test_where_the_large_model_is_here_or_not_worth_it_nothing_is_asked() -> None:
    assert model(TURBO_HERE).settled(None) == "large-v3-turbo"
    assert model(TURBO_HERE).run(FakeDesk()).state == "done"
    assert model(None).run(FakeDesk()).state == "done"
    assert model(None).settled(done("x")) is None


def test_a_missing_small_model_is_a_sentence() -> None:
    desk = FakeDesk()
    assert not walk(
        [model(None, small=ModelError("x", "it is damaged", hint="install it"))], desk, Progress()
    )
    assert "install it" in desk.text


def test_the_download_runs_apart_and_keeps_a_log(home: Path) -> None:
    # A backend that there is not ends it at once, with wrong usage.
    child = fetch_in_background(Large("no-such-backend", "tiny", None, here=False))  # type: ignore[arg-type]
    assert child.wait(timeout=60) != 0
    assert (home / "data/download.log").read_text()


# ---------------------------------------------------------------------------- first words


def first_words(*heard: Heard | None) -> TryStep:
    prepared = list(heard)

    def hear(_seconds: float, listening: Callable[[], None]) -> Heard | None:
        listening()
        return prepared.pop(0)

    return TryStep(hear)


TESTS = Heard("run the tests", "test")


def test_a_command_that_is_understood_is_the_end_of_it() -> None:
    assert first_words(TESTS).run(FakeDesk()) == done("heard and understood")
    assert first_words().settled(done("x"))
    assert first_words().settled(failed("x")) is None


def test_what_is_not_understood_is_tried_again() -> None:
    desk = FakeDesk(["", ""])
    assert first_words(None, Heard("ran the jest", ""), TESTS).run(desk).state == "done"
    assert "Nothing was heard" in desk.text
    assert "ran the jest" in desk.text


def test_three_times_is_enough_and_s_skips() -> None:
    assert first_words(None, None, None).run(FakeDesk(["", ""])).state == "failed"
    assert first_words(None).run(FakeDesk(["s"])).state == "skipped"
    assert first_words().run(FakeDesk(attended=False)).state == "skipped"


def test_what_was_said_is_not_kept(home: Path) -> None:
    walk([first_words(TESTS)], FakeDesk(), Progress())
    assert "run the tests" not in (home / "data/setup.json").read_text()
