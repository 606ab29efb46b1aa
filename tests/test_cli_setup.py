"""`mybro setup`: every step with its person, and the walk through them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from mybro.audio.devices import Device
from mybro.cli import main
from mybro.cli.first_sound import Level
from mybro.cli.setup_steps import MicrophoneStep
from mybro.config import Settings, load_settings
from mybro.errors import AudioError, ConfigError
from mybro.ops.onboarding import Desk, Outcome, Progress, choose, done, failed, skipped, walk
from mybro.ops.onboarding_steps import PermissionsStep
from tests.fakes.desk import FakeDesk, FakePermissions

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("home")]
pytest_plugins = ["tests.setup_fixtures"]

INSIDE = Device(0, "Built-in Microphone", 1, 0, 48_000, default_input=True)
USB = Device(3, "USB Microphone", 1, 0, 48_000)
LOUDSPEAKER = Device(1, "Loudspeaker", 0, 2, 48_000, default_output=True)
LOUD = Level(0.4, 3.0)


class OneStep:
    """A step that does what it is told and counts how often it was taken."""

    def __init__(self, name: str, outcome: Outcome | BaseException, *, settled: str | None = None) -> None:
        self.name = self.title = name
        self.outcome = outcome
        self.note = settled
        self.taken = 0

    def settled(self, before: Outcome | None) -> str | None:
        return self.note or (before.note if before and before.state == "done" else None)

    def run(self, desk: Desk) -> Outcome:
        self.taken += 1
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


# ---------------------------------------------------------------------------- the walk


def test_a_walk_remembers_what_was_done_and_takes_the_rest_again() -> None:
    first, second = OneStep("first", done("good")), OneStep("second", failed("bad", "mend it"))
    desk = FakeDesk()
    assert not walk([first, second], desk, Progress())
    assert "mend it" in desk.text

    second.outcome = done("good now")
    assert walk([first, second], FakeDesk(), Progress())
    assert (first.taken, second.taken) == (1, 2)
    assert walk([first, second], FakeDesk(), Progress())
    assert (first.taken, second.taken) == (1, 2)


def test_a_walk_that_is_asked_for_anew_takes_every_step() -> None:
    step = OneStep("first", done("good"))
    walk([step], FakeDesk(), Progress())
    walk([step], FakeDesk(), Progress(), anew=True)
    assert step.taken == 2


def test_a_step_that_raises_does_not_keep_the_others_from_being_taken() -> None:
    first = OneStep("first", AudioError("x", "the thing is broken", hint="mend it"))
    second = OneStep("second", skipped("not now"))
    desk = FakeDesk()
    assert not walk([first, second], desk, Progress())
    assert second.taken == 1
    assert "the thing is broken" in desk.text
    assert "mend it" in desk.text


def test_what_is_skipped_is_no_failure() -> None:
    assert walk([OneStep("first", skipped("not now"))], FakeDesk(), Progress())


def test_an_interrupted_walk_goes_on_where_it_was() -> None:
    first, second = OneStep("first", done("good")), OneStep("second", done("good"))
    interrupted = OneStep("second", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        walk([first, interrupted], FakeDesk(), Progress())
    walk([first, second], FakeDesk(), Progress())
    assert (first.taken, second.taken) == (1, 1)


@pytest.mark.parametrize("content", ["", "{", '{"steps": 3}', '{"steps": {"a": {"nonsense": 1}}}', "[]"])
def test_a_damaged_memory_means_starting_anew(home: Path, content: str) -> None:
    (home / "data").mkdir()
    (home / "data/setup.json").write_text(content)
    step = OneStep("first", done("good"))
    assert walk([step], FakeDesk(), Progress())
    assert step.taken == 1


def test_a_data_folder_that_cannot_be_written_is_a_sentence(home: Path) -> None:
    (home / "data").write_text("a file where a folder should be")
    with pytest.raises(ConfigError) as refusal:
        walk([OneStep("first", done("good"))], FakeDesk(), Progress())
    assert refusal.value.hint


def test_steps_are_chosen_by_name() -> None:
    steps = [OneStep(name, done("")) for name in ("one", "two", "three")]
    assert [step.name for step in choose(steps, ["two"], [])] == ["two"]
    assert [step.name for step in choose(steps, [], ["two"])] == ["one", "three"]
    with pytest.raises(ConfigError, match="no step 'four'"):
        choose(steps, ["four"], [])


# ---------------------------------------------------------------------------- permissions


def test_permissions_are_no_matter_elsewhere() -> None:
    assert PermissionsStep(Settings(), None).settled(None)


def test_a_permission_that_macos_asks_for_is_granted_there() -> None:
    allowed = FakePermissions(
        {"microphone": "undetermined", "input-monitoring": "granted"}, {"microphone": "granted"}
    )
    assert PermissionsStep(Settings(), allowed).run(FakeDesk()).state == "done"
    assert allowed.requested == ["microphone"]
    assert allowed.opened == []


def test_a_denied_permission_has_its_pane_opened() -> None:
    allowed = FakePermissions(
        {"microphone": "denied", "input-monitoring": "granted"}, {"microphone": "granted"}
    )
    desk = FakeDesk([""])
    assert PermissionsStep(Settings(), allowed).run(desk).state == "done"
    assert allowed.opened[0].endswith("?Privacy_Microphone")
    assert "switch on" in desk.text


@pytest.mark.parametrize("answers", [["s"], ["", "", ""]])
def test_a_permission_that_stays_off_says_where_to_switch_it_on(
    answers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM_PROGRAM", "iTerm.app")
    step = PermissionsStep(
        Settings(), FakePermissions({"microphone": "denied", "input-monitoring": "granted"})
    )
    outcome = step.run(FakeDesk(answers))
    assert outcome.state == "failed"
    assert "iTerm" in outcome.remedy
    assert "Microphone" in outcome.remedy


def test_nobody_there_means_nothing_is_asked_of_macos() -> None:
    allowed = FakePermissions({"microphone": "undetermined", "input-monitoring": "undetermined"})
    assert PermissionsStep(Settings(), allowed).run(FakeDesk(attended=False)).state == "skipped"
    assert allowed.requested == allowed.opened == []


def test_hands_free_needs_no_input_monitoring() -> None:
    settings = Settings(audio={"listen": "hands-free"})
    step = PermissionsStep(settings, FakePermissions({"microphone": "granted", "input-monitoring": "denied"}))
    assert step.settled(None)


# ---------------------------------------------------------------------------- microphone


def microphone(
    devices: Sequence[Device], level: Level | AudioError = LOUD, wanted: str | None = None
) -> MicrophoneStep:
    def measure(_device: str | None, _seconds: float, listening: Callable[[], None]) -> Level:
        listening()
        if isinstance(level, AudioError):
            raise level
        return level

    settings = Settings(audio={"input_device": wanted})
    return MicrophoneStep(settings, devices=lambda: devices, measure=measure)


def test_the_only_microphone_is_taken_without_a_question() -> None:
    desk = FakeDesk()
    outcome = microphone([INSIDE, LOUDSPEAKER]).run(desk)
    assert outcome.state == "done"
    assert "40%" in outcome.note
    assert desk.questions == []
    assert load_settings().audio.input_device is None


def test_another_microphone_is_chosen_by_its_number_and_kept_by_its_name() -> None:
    desk = FakeDesk(["seven", "9", "2"])
    assert microphone([INSIDE, LOUDSPEAKER, USB]).run(desk).state == "done"
    assert load_settings().audio.input_device == "USB Microphone"
    assert "Loudspeaker" not in desk.text


def test_enter_keeps_the_microphone() -> None:
    assert microphone([INSIDE, USB], wanted="USB").run(FakeDesk([""])).state == "done"
    assert load_settings().audio.input_device == "USB Microphone"


def test_a_microphone_that_is_gone_is_replaced_by_what_is_there() -> None:
    step = microphone([INSIDE], wanted="Headset")
    assert step.run(FakeDesk()).state == "done"
    assert load_settings().audio.input_device == "Built-in Microphone"


def test_exact_zeros_are_a_failure_and_a_whisper_is_not() -> None:
    zeros = microphone([INSIDE], Level(0.0, 3.0)).run(FakeDesk())
    assert zeros.state == "failed"
    assert zeros.remedy
    quiet = microphone([INSIDE], Level(0.004, 3.0)).run(FakeDesk())
    assert quiet.state == "done"
    assert "quiet" in quiet.note


def test_no_microphone_and_no_sound_library_are_sentences() -> None:
    desk = FakeDesk()
    assert not walk([microphone([LOUDSPEAKER])], desk, Progress())
    assert "There is no microphone" in desk.text
    gone = AudioError("device_refused", "it is taken", hint="Close the other program")
    assert not walk([microphone([INSIDE], gone)], desk, Progress())
    assert "Close the other program" in desk.text


def test_a_microphone_that_worked_settles_while_it_is_there() -> None:
    assert microphone([INSIDE]).settled(done("x")) == INSIDE.name
    assert microphone([INSIDE]).settled(failed("x")) is None
    assert microphone([INSIDE]).settled(None) is None
    before = Progress()
    before.note("microphone", done("x"))
    desk = FakeDesk()
    walk([microphone([], wanted="USB")], desk, before)
    assert "There is no microphone" in desk.text


# ---------------------------------------------------------------------------- the command


def test_without_a_terminal_nothing_is_asked_and_it_ends(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["setup", "--only", "claude", "--only", "key"]) == 0
    assert "Claude Code" in capsys.readouterr().out
    assert set(json.loads((home / "data/setup.json").read_text())["steps"]) == {"claude", "key"}


def test_an_unknown_step_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["setup", "--only", "coffee"]) == 2
    assert "permissions, microphone" in capsys.readouterr().err
