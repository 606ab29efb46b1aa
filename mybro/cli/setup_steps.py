"""The steps of `mybro setup` that hear: the microphone, the models, the first spoken command."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mybro.cli.first_sound import Heard, Level
from mybro.config import Settings, data_dir
from mybro.errors import MybroError
from mybro.ops import settings_file
from mybro.ops.onboarding import Desk, Outcome, done, failed, skipped

if TYPE_CHECKING:
    from mybro.audio.devices import Device
    from mybro.models import Backend

LEVEL_S = 3.0
QUIET_PEAK = 0.02
"""A person at arm's length peaks above a tenth of full scale."""
TRIES = 3
SENTENCE_S = 20.0
SENTENCE = "run the tests"
ACTION = "test"


class MicrophoneStep:
    """Which microphone, and whether it delivers sound."""

    name = "microphone"
    title = "Microphone"

    def __init__(
        self,
        settings: Settings,
        *,
        devices: Callable[[], Sequence[Device]],
        measure: Callable[[str | None, float, Callable[[], None]], Level],
    ) -> None:
        self._wanted = settings.audio.input_device
        self._devices = devices
        self._measure = measure

    def settled(self, before: Outcome | None) -> str | None:
        if before is None or before.state != "done":
            return None
        return self._choice(self._devices(), self._wanted).name

    def run(self, desk: Desk) -> Outcome:
        devices = self._devices()
        device = self._choice(devices, None if not self._there(devices) else self._wanted)
        able = [each for each in devices if each.can("input")]
        if desk.attended and len(able) > 1:
            device = self._asked(desk, able, device)
        if not device.is_default("input") or self._wanted is not None:
            self._wanted = device.name
            settings_file.store("audio.input_device", device.name)

        def listening() -> None:
            if desk.attended:
                desk.say(f"      Say something for {LEVEL_S:.0f} seconds ...")

        return self._judged(device.name, self._measure(self._wanted, LEVEL_S, listening))

    def _there(self, devices: Sequence[Device]) -> bool:
        try:
            self._choice(devices, self._wanted)
        except MybroError:
            return False
        return True

    def _choice(self, devices: Sequence[Device], wanted: str | None) -> Device:
        from mybro.audio.devices import choose_device

        return choose_device(devices, wanted, "input")

    def _asked(self, desk: Desk, able: Sequence[Device], default: Device) -> Device:
        for number, device in enumerate(able, 1):
            desk.say(f"      {number}  {device.name}{'  (now)' if device is default else ''}")
        while True:
            answer = desk.ask("Number of the microphone", str(able.index(default) + 1))
            if answer.isdecimal() and 1 <= int(answer) <= len(able):
                return able[int(answer) - 1]
            desk.say(f"      A number from 1 to {len(able)}, please.")

    def _judged(self, name: str, level: Level) -> Outcome:
        if level.peak == 0:
            permission = "Allow it: mybro setup --only permissions"
            plug = "Unmute it, or choose another: mybro setup --only microphone"
            remedy = permission if sys.platform == "darwin" else plug
            return failed(f"{name} delivers nothing but zeros: it is muted or not allowed", remedy)
        if level.peak < QUIET_PEAK:
            return done(f"{name}, but very quiet: come nearer, or turn its input volume up")
        return done(f"{name}, peak {level.peak:.0%}")


@dataclass(frozen=True, slots=True)
class Large:
    """The model that a machine should have in the end."""

    backend: Backend
    name: str
    megabytes: int | None
    here: bool


class ModelStep:
    """The small model at once, the large one in the background."""

    name = "model"
    title = "Speech model"

    def __init__(
        self,
        *,
        small: Callable[[], str],
        large: Callable[[], Large | None],
        fetch: Callable[[Large], object],
    ) -> None:
        """`small` makes the packaged model ready and names it; `large` is None where none is worth it."""
        self._small = small
        self._large = large
        self._fetch = fetch

    def settled(self, before: Outcome | None) -> str | None:
        large = self._large()
        return large.name if large and large.here else None

    def run(self, desk: Desk) -> Outcome:
        small = self._small()
        large = self._large()
        if large is None:
            return done(f"{small}, which is right for this machine")
        if large.here:
            return done(large.name)
        size = f" ({large.megabytes} MB)" if large.megabytes else ""
        later = f"Later: mybro models fetch {large.name} --backend {large.backend}"
        question = f"{small} is ready. Fetch {large.name}{size} in the background? [Y/n]"
        if desk.ask(question, "y" if desk.attended else "n").lower() != "y":
            return done(f"{small}. {later}")
        self._fetch(large)
        return done(f"{small}; {large.name} is coming and is used as soon as it is here")


def fetch_in_background(large: Large) -> subprocess.Popen[bytes]:
    """Start the download apart from this terminal; an interrupted one goes on where it stopped."""
    log = data_dir() / "download.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "mybro", "models", "fetch", large.name, "--backend", large.backend],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip


class TryStep:
    """The first spoken command, heard and understood; nothing is done with it."""

    name = "try"
    title = f'First words: say "{SENTENCE}"'

    def __init__(self, hear: Callable[[float, Callable[[], None]], Heard | None]) -> None:
        """`hear` waits so many seconds for a sentence, and calls back when it listens."""
        self._hear = hear

    def settled(self, before: Outcome | None) -> str | None:
        return "heard and understood before" if before and before.state == "done" else None

    def run(self, desk: Desk) -> Outcome:
        if not desk.attended:
            return skipped("nobody is here to speak", "Later: mybro setup --only try")
        for attempt in range(TRIES):
            if attempt and desk.ask("Enter to try again, s to skip").lower().startswith("s"):
                return skipped("not tried", "Later: mybro setup --only try")
            heard = self._hear(SENTENCE_S, lambda: desk.say(f'      Now, please: "{SENTENCE}"'))
            if heard is None or not heard.text:
                desk.say("      Nothing was heard. Is it the right microphone, and near enough?")
            elif heard.action == ACTION:
                desk.say(f'      Heard: "{heard.text}"')
                return done("heard and understood")
            else:
                desk.say(f'      Heard "{heard.text}", which is something else.')
        return failed("not recognised", "Try another microphone: mybro setup --only microphone --only try")
