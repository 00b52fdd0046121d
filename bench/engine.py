"""How the job engine holds under load, printed as ratios; nothing is asserted.

    python -m bench.engine                some minutes
    python -m bench.engine --only a       one part: a, b, c or d
    python -m bench.engine --smoke        a small run that only has to go through

(a) Payloads of mixed kinds, 500 a second for a minute, through one bot. The workspace runs in this process
    and the bot in another, so two cores are enough for both. Each payload is timed from its frame to its
    acknowledgement; those for the bot are looked up in its inbox afterwards.
(b) Open jobs at a provider, most of them waiting, then all of them training, in turned time: calls a minute
    and the lag of events, beside a poller that asks three things about every job (retrieve, events,
    checkpoints) at the interval that gives it the same mean lag, ten seconds at least; its calls are
    computed, not made.
(c) Questions to a model, each in a channel of its own: from the message to the first words in Slack, beside
    the bare SDK's stream of the same provider. Slack's own limits hold, as in a real workspace.
(d) The bot's memory at rest, with 1,000 open jobs, and after 100,000 events.
"""

from __future__ import annotations

import argparse
import asyncio
from functools import partial

from bench.support.flood import acknowledgements, memory
from bench.support.talking import first_tokens
from bench.support.watching import prepared, watch


async def main(only: str, *, smoke: bool) -> None:
    many, few, seconds = (20, 2, 40) if smoke else (1_000, 50, 180)
    if "a" in only:
        await acknowledgements(100 if smoke else 500, 2 if smoke else 60)
    if "b" in only:
        await watch(many, few, seconds)
        await watch(many, many, seconds)
    if "c" in only:
        await first_tokens((1, 2) if smoke else (1, 10, 50), 1 if smoke else 3)
    if "d" in only:
        await memory(1_000 if smoke else 100_000, partial(prepared, open_jobs=many, training=few), many)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--smoke", action="store_true", help="a small run that only has to go through")
    parser.add_argument("--only", default="abcd", help="the parts to run, such as a or bd")
    options = parser.parse_args()
    asyncio.run(main(options.only, smoke=options.smoke))
