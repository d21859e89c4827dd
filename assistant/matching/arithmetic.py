"""How numpy calculates here: with one thread.

The products of a question are small. Two threads that wait for each other on a busy machine took six
times as long as one, and a kiosk's other core is busy hearing.
"""

from __future__ import annotations

from functools import cache

from threadpoolctl import threadpool_limits


@cache
def one_thread() -> None:
    """Keep numpy's linear algebra to one thread, for the whole process and for good."""
    threadpool_limits(limits=1, user_api="blas")
