"""Programs in the place of a voice's own, written to the documented interface of the real ones."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

SAY = """\
# macOS say: -o FILE, --file-format, --data-format=LEI16@RATE, -r, -v, -f - reads the text from stdin.
import os, pathlib, struct, sys, time
options = dict(zip(sys.argv[1::1], sys.argv[2::1]))
pathlib.Path(os.environ["SAY_LOG"]).write_text("\\n".join([*sys.argv[1:], "TEXT " + sys.stdin.read()]))
if os.environ.get("SAY_MODE") == "hang":
    time.sleep(600)
if os.environ.get("SAY_MODE") == "fail":
    sys.exit(3)
rate, frames = 22050, 22050
pcm = struct.pack("<h", 2000) * frames
filler = b"FLLR" + struct.pack("<I", 10) + bytes(10)
head = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, rate, rate * 2, 2, 16)
body = b"WAVE" + head + filler + b"data" + struct.pack("<I", len(pcm)) + pcm
pathlib.Path(options["-o"]).write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
"""

AVSPEECH = """\
# The child's side of mybro.speak.avspeech, with a tone for a voice.
import sys, time
from mybro.ops.child import parent_socket
from mybro.ops.frames import pack, read_frame_blocking
sock = parent_socket(sys.argv)
while frame := read_frame_blocking(sock):
    text = frame[0]["text"]
    if text == "die":
        sys.exit(1)
    if text == "fail":
        sock.sendall(pack({"error": "no such voice"}))
        continue
    for _ in range(4):
        sock.sendall(pack({"sample_rate": 24000}, b"\\x10\\x10" * 2400))
    if text == "hang":
        time.sleep(600)
    sock.sendall(pack({"end": True}))
"""


def program(folder: Path, name: str, code: str) -> Path:
    """An executable in `folder` that runs the code with this Python."""
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{code}", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def module(folder: Path, name: str, code: str) -> str:
    """A module in `folder`; the folder has to be on the child's PYTHONPATH."""
    (folder / f"{name}.py").write_text(code, encoding="utf-8")
    return name
