"""Checks, each a sentence that is printed with how it went."""

import sys
import traceback
from collections.abc import Awaitable, Callable


async def check(sentence: str, test: Callable[[], Awaitable[None]]) -> None:
    try:
        await test()
    except BaseException:
        # What follows builds on it.
        print(f"not ok - {sentence}", flush=True)
        traceback.print_exc()
        sys.exit(1)
    print(f"ok - {sentence}", flush=True)
