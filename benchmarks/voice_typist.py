"""A session that is typed to: sentences on standard input, events as JSON lines on standard output.

    python -m benchmarks.voice_typist REPOSITORY

The hands of the arrangements that mybro is measured against: from the text on, both sides do the same.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from mybro.config import load_settings
from mybro.events import Envelope, Typed
from mybro.pipeline.session import session
from mybro.wire import to_line


async def main() -> None:
    def show(envelope: Envelope) -> None:
        print(to_line(envelope), flush=True)

    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with session(load_settings(), Path(sys.argv[1]), (show,), ears=False, voice=False) as running:
        running.warm_up()
        print('{"event": "ready", "wall_ms": 0}', flush=True)
        while line := await lines.readline():
            await running.pipeline.post(Typed(running.pipeline.next_turn(), line.decode().strip()))


if __name__ == "__main__":
    asyncio.run(main())
