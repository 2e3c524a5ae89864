"""Free ports, below the range that the kernel lends to clients, and apart for each parallel test worker."""

import os
import random
import socket

_FIRST, _LAST = 20_000, 32_000
_WORKERS = 8


def _range_of_this_worker() -> range:
    name = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    width = (_LAST - _FIRST) // _WORKERS
    start = _FIRST + (int(name.removeprefix("gw")) % _WORKERS) * width
    return range(start, start + width)


def _cycle():
    ports = _range_of_this_worker()
    offset = random.randrange(len(ports))
    while True:
        yield ports[offset % len(ports)]
        offset += 1


_ports = _cycle()


def place(address: str, port: int) -> tuple[int, object]:
    """Family and address of a socket; paths and `@names` are unix-domain sockets."""
    if address.startswith(("/", "@")):
        return socket.AF_UNIX, "\0" + address[1:] if address.startswith("@") else address
    return socket.AF_INET6 if ":" in address else socket.AF_INET, (address, port)


def is_free(port: int) -> bool:
    """Whether both families can bind it, as a server that does not set SO_REUSEPORT would."""
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::1")):
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


def free_port() -> int:
    """A port that nothing listens on, not handed out twice until the range is used up."""
    while True:
        port = next(_ports)
        if is_free(port):
            return port


ADMIN_OFFSETS = {"admin": 0, "merged_stats": 20, "health": 21, "stats": 90}


def free_admin_base() -> int:
    """A base for --admin-base: it and the ports that move with it (+20, +21, +90) are free."""
    while True:
        base = next(_ports)
        if base + 90 < 65_536 and all(is_free(base + offset) for offset in ADMIN_OFFSETS.values()):
            for _ in range(91):
                next(_ports)
            return base
