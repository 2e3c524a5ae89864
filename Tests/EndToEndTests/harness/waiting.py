"""Waiting for a condition, bounded. The bound only says when to give up: no test's outcome depends on how long."""

import socket
import time

BOUND_SECONDS = 20.0


def eventually(condition, what: str, bound: float = BOUND_SECONDS, every: float = 0.01):
    """Calls `condition` until it answers something true, and returns that. Exceptions count as not yet."""
    deadline = time.monotonic() + bound
    last: object = None
    while True:
        try:
            last = condition()
            if last:
                return last
        except (AssertionError, OSError, ValueError, LookupError) as error:
            last = error
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {bound:g} s: {what} (last: {last!r})")
        time.sleep(every)


def accepts(port: int, address: str = "127.0.0.1") -> bool:
    """Whether something accepts TCP connections there."""
    try:
        with socket.create_connection((address, port), timeout=1):
            return True
    except OSError:
        return False
