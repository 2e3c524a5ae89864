"""A DNS server over UDP whose zone the test changes while it runs."""

import collections
import dataclasses
import ipaddress
import socket
import struct
import threading

A, CNAME, AAAA = 1, 5, 28
NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3


@dataclasses.dataclass(frozen=True)
class Record:
    """A record of the zone. `value`: an address, or a name for CNAME. `ttl` in seconds."""

    kind: int
    value: str
    ttl: int = 60


class DNSServer:
    """Answers from `zone`: a name maps to its records, or to SERVFAIL, NXDOMAIN or None (silence)."""

    def __init__(self, address: str = "127.0.0.1"):
        self.zone: dict[str, list[Record] | int | None] = {}
        self.queries: collections.Counter = collections.Counter()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 0))
        self.address = f"{address}:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def set(self, name: str, *records: Record) -> None:
        self.zone[name] = list(records)

    def addresses(self, name: str, *values: str, ttl: int = 60) -> None:
        """Points a name at addresses of either family."""
        self.set(name, *[Record(AAAA if ipaddress.ip_address(value).version == 6 else A, value, ttl)
                         for value in values])

    def queries_for(self, name: str) -> int:
        return sum(count for (asked, _), count in self.queries.items() if asked == name)

    def stop(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                query, client = self._socket.recvfrom(4096)
            except OSError:
                return
            answer = self._answer(query)
            if answer:
                try:
                    self._socket.sendto(answer, client)
                except OSError:
                    return

    def _answer(self, query: bytes) -> bytes | None:
        identifier, _, questions = struct.unpack(">HHH", query[:6])
        if questions != 1:
            return None
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        name = ".".join(labels).lower()
        kind, = struct.unpack(">H", query[at + 1:at + 3])
        question = query[12:at + 5]
        self.queries[name, kind] += 1

        entry = self.zone.get(name, NXDOMAIN)
        if entry is None:
            return None
        code, records = (entry, []) if isinstance(entry, int) else (NOERROR, self._chain(name, kind))
        head = struct.pack(">HHHHHH", identifier, 0x8180 | code, 1, len(records), 0, 0)
        return head + question + b"".join(_encode(owner, record) for owner, record in records)

    def _chain(self, name: str, kind: int) -> list[tuple[str, Record]]:
        """The records of the asked kind, through any CNAMEs."""
        answer: list[tuple[str, Record]] = []
        for _ in range(8):
            records = self.zone.get(name)
            if not isinstance(records, list):
                break
            alias = next((record for record in records if record.kind == CNAME), None)
            if alias is None or kind == CNAME:
                answer += [(name, record) for record in records if record.kind == kind]
                break
            answer.append((name, alias))
            name = alias.value
        return answer


def _name(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def _encode(owner: str, record: Record) -> bytes:
    data = _name(record.value) if record.kind == CNAME else ipaddress.ip_address(record.value).packed
    return _name(owner) + struct.pack(">HHIH", record.kind, 1, record.ttl, len(data)) + data
