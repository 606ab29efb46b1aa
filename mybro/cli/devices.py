"""`mybro devices`: microphones and loudspeakers, and whether sound comes from one."""

from __future__ import annotations

import asyncio
import json
import math
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from mybro.errors import AudioError, Problem

if TYPE_CHECKING:
    from mybro.audio.devices import Device, Direction
    from mybro.config import AudioSettings

SECONDS = 4.0
START_S = 10.0
"""Within which a microphone delivers its first block, or something is wrong."""
FULL_SCALE = 32_768
QUIET_DBFS = -34.0
"""A person at arm's length peaks above -20."""
METER_EVERY = 5
"""Blocks of 20 ms."""
METER_WIDTH, METER_FLOOR_DBFS, METER_WARN_DBFS = 40, -60.0, -3.0
USES: tuple[tuple[Direction, str, str], ...] = (
    ("input", "microphone", "mybro listens here"),
    ("output", "loudspeaker", "mybro speaks here"),
)


@click.command("devices")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option(
    "--test", "seconds", is_flag=False, flag_value=SECONDS, type=click.FloatRange(0.5, 600),
    metavar="[SECONDS]", help="Listen to the microphone, and say whether sound arrives.",
)  # fmt: skip
@click.option("--device", metavar="NAME", help="With --test: a name, a part of one, or a number.")
def command(as_json: bool, seconds: float | None, device: str | None) -> None:
    """List microphones and loudspeakers, and which of them mybro uses.

    Choose another: mybro config set audio.input_device NAME. Exit status 1 where there is no device, or,
    with --test, no sound.
    """
    from mybro.config import load_settings

    if device is not None and seconds is None:
        raise click.UsageError("--device goes with --test.")
    settings = load_settings().audio
    if seconds is None:
        _list(settings, as_json=as_json)
    else:
        _test(device or settings.input_device, seconds, as_json=as_json)


# ---------------------------------------------------------------------- the list


def _list(settings: AudioSettings, *, as_json: bool) -> None:
    devices = asyncio.run(_devices())
    if not devices:
        raise AudioError(
            "no_device", "There is no sound device", hint="Connect a microphone, or start the sound server"
        )
    chosen, problems = _chosen(devices, settings)
    if as_json:
        for device in devices:
            used = {f"chosen_{way}": chosen.get(way) is device for way, _, _ in USES}
            click.echo(json.dumps(device.as_json() | used))
    else:
        _print(devices, chosen)
    for problem in problems:
        click.echo(problem.line(), err=True)


async def _devices() -> Sequence[Device]:
    from mybro.audio.sound import SoundProcess

    process = SoundProcess()
    try:
        return await process.devices()
    finally:
        await process.aclose()


def _chosen(
    devices: Sequence[Device], settings: AudioSettings
) -> tuple[dict[Direction, Device], list[Problem]]:
    """What a session would use, and why it would find nothing to use."""
    from mybro.audio.devices import choose_device

    wanted: dict[Direction, str | None] = {"input": settings.input_device, "output": settings.output_device}
    chosen, problems = {}, []
    for direction, name in wanted.items():
        try:
            chosen[direction] = choose_device(devices, name, direction)
        except AudioError as error:
            problems.append(error.problem)
    return chosen, problems


def _print(devices: Sequence[Device], chosen: dict[Direction, Device]) -> None:
    width = max(len(device.name) for device in devices)
    click.secho(f"{'':2}{'#':>3}  {'NAME':<{width}}  {'IN':>3}  {'OUT':>3}  {'RATE':>8}", dim=True)
    for device in devices:
        used = any(device is each for each in chosen.values())
        row = (
            f"{'*' if used else '':2}{device.number:>3}  {device.name:<{width}}  "
            f"{device.inputs or '-':>3}  {device.outputs or '-':>3}  {f'{device.rate / 1000:g} kHz':>8}"
        )
        click.echo("  ".join([click.style(row, bold=used), *filter(None, [_uses(device, chosen)])]))


def _uses(device: Device, chosen: dict[Direction, Device]) -> str:
    uses = [f"default {noun}" for way, noun, _ in USES if device.is_default(way)]
    return ", ".join(uses + [use for way, _, use in USES if chosen.get(way) is device])


# ---------------------------------------------------------------------- the test


def _test(device: str | None, seconds: float, *, as_json: bool) -> None:
    meter = _Meter(visible=not as_json and sys.stdout.isatty())
    try:
        asyncio.run(_listen(device, seconds, meter))
    finally:
        meter.clear()
    problem = judged(meter.name, meter.peak)
    if as_json:
        click.echo(json.dumps(meter.as_json() | {"message": problem.message, "hint": problem.hint}))
    if meter.peak == 0:
        if as_json:
            click.get_current_context().exit(1)
        raise AudioError(problem.code, problem.message, hint=problem.hint)
    if not as_json:
        click.echo(problem.line())


class _Meter:
    """How loud it was, and on a terminal how loud it is."""

    def __init__(self, *, visible: bool) -> None:
        self.name = ""
        self.peak = 0
        self.seconds = 0.0
        self.dropped = 0
        self._visible = visible
        self._recent: list[tuple[float, int]] = []

    def take(self, pcm: bytes) -> None:
        import numpy as np

        samples = np.frombuffer(pcm, "<i2").astype(np.float32)
        peak = int(np.abs(samples).max(initial=0))
        self.peak = max(self.peak, peak)
        self._recent.append((float(np.mean(samples**2)), peak))
        if len(self._recent) == METER_EVERY:
            rms = math.sqrt(sum(square for square, _ in self._recent) / METER_EVERY)
            loudest = max(peak for _, peak in self._recent)
            self._recent.clear()
            if self._visible:
                click.echo(f"\r{self.name}  {bar(dbfs(rms), dbfs(loudest))}\033[K", nl=False)

    def clear(self) -> None:
        if self._visible and self.seconds:
            click.echo("\r\033[K", nl=False)

    def as_json(self) -> dict[str, Any]:
        return {
            "device": self.name, "seconds": round(self.seconds, 2), "peak_dbfs": round(dbfs(self.peak), 1),
            "sound": self.peak > 0, "dropped_blocks": self.dropped,
        }  # fmt: skip


async def _listen(device: str | None, seconds: float, meter: _Meter) -> None:
    """Raises `AudioError` where no sound comes, of whatever kind."""
    from mybro.audio.microphone import MicrophoneSource
    from mybro.audio.sound import SoundProcess

    process = SoundProcess()
    source = MicrophoneSource(process, device)
    try:
        async with asyncio.timeout(START_S + 2 * seconds):
            async for block in source.blocks():
                if isinstance(block, Problem):
                    raise AudioError(block.code, block.message, hint=block.hint)
                if not meter.name:
                    meter.name = source.name
                meter.seconds += block.seconds
                meter.dropped = source.dropped_blocks
                meter.take(block.pcm)
                if meter.seconds >= seconds:
                    return
    except TimeoutError:
        raise AudioError(
            "no_sound",
            f"{source.name} delivered {meter.seconds:.1f} of {seconds:.1f} seconds of sound",
            hint="Unplug it and plug it in again, or see: mybro devices",
        ) from None
    finally:
        await source.aclose()
        await process.aclose()


def judged(name: str, peak: int, platform: str = sys.platform) -> Problem:
    """What the loudest sample of a recording means, in a sentence, with the remedy where one is needed."""
    from mybro.audio.hearing import dead_sound_problem

    if peak == 0:
        muted = "Unmute it in the sound settings, or choose another: mybro config set audio.input_device NAME"
        hint = dead_sound_problem(platform).hint if platform == "darwin" else muted
        return Problem("dead_sound", f"{name} delivers only zeros", hint)
    loudest = f"the loudest at {dbfs(peak):.0f} dBFS"
    if dbfs(peak) < QUIET_DBFS:
        hint = "Say something; if you did, come nearer or turn its input volume up"
        return Problem("quiet_sound", f"Sound arrives from {name}, but it is very quiet, {loudest}", hint)
    if peak >= FULL_SCALE - 1:
        return Problem("clipped", f"Sound arrives from {name}, but too loud", "Turn its input volume down")
    return Problem("sound", f"Sound arrives from {name}, {loudest}", "")


def bar(rms_dbfs: float, peak_dbfs: float, style: Callable[..., str] = click.style) -> str:
    """One line of a level meter: filled up to the level, a mark at the peak."""

    def cells(level: float) -> int:
        return round(METER_WIDTH * min(max(1 - level / METER_FLOOR_DBFS, 0.0), 1.0))

    filled, mark = cells(rms_dbfs), max(cells(peak_dbfs) - 1, 0)
    line = "█" * filled + "·" * (METER_WIDTH - filled)
    line = line[:mark] + "|" + line[mark + 1 :]
    colour = "red" if peak_dbfs > METER_WARN_DBFS else "green" if peak_dbfs > QUIET_DBFS else "yellow"
    return f"{style(line, fg=colour)} {peak_dbfs:5.0f} dBFS"


def dbfs(amplitude: float) -> float:
    """Decibels relative to full scale; -120 for none."""
    from mybro.audio.hearing import dbfs

    return dbfs(amplitude)
