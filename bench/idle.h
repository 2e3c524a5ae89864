// Connections that have had one request answered and then do nothing.

#pragma once

// Opens them one after the other, prints {"held": N} when all stand, and holds them until standard input ends.
int hold_idle(int connections, const char *host, int http2);
