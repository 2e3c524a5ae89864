#include "idle.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

enum { FRAME_HEAD = 9, DATA = 0, HEADERS = 1, SETTINGS = 4, ACK = 1, END_STREAM = 1 };

static int receive_exactly(struct connection *c, uint8_t *bytes, int length) {
  for (int at = 0; at < length;) {
    int received = receive_bytes(c, bytes + at, length - at);
    if (received <= 0) return -1;
    at += received;
  }
  return 0;
}

// Preface, SETTINGS, then GET / on stream 1 in a header block that needs no table: 0 when the stream has ended.
static int exchange_http2(struct connection *c, const char *host) {
  uint8_t out[512] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
  int used = 24 + FRAME_HEAD, name = (int)strlen(host);
  if (name > 100) return -1;
  uint8_t head[FRAME_HEAD] = {0, 0, (uint8_t)(5 + name), HEADERS, 5, 0, 0, 0, 1};  // END_STREAM, END_HEADERS
  memcpy(out + used, head, FRAME_HEAD);
  used += FRAME_HEAD;
  const uint8_t block[5] = {0x82, 0x87, 0x84, 0x01, (uint8_t)name};  // GET, https, /, :authority without indexing
  memcpy(out + used, block, sizeof block);
  used += sizeof block;
  memcpy(out + used, host, name);
  used += name;
  if (send_bytes(c, out, used) != used) return -1;

  uint8_t in[FRAME_HEAD], payload[1 << 14];
  for (int acknowledged = 0, ended = 0; !acknowledged || !ended;) {
    if (receive_exactly(c, in, FRAME_HEAD) != 0) return -1;
    int length = in[0] << 16 | in[1] << 8 | in[2];
    if (length > (int)sizeof payload || receive_exactly(c, payload, length) != 0) return -1;
    if (in[3] == SETTINGS && !(in[4] & ACK)) {
      const uint8_t answer[FRAME_HEAD] = {0, 0, 0, SETTINGS, ACK, 0, 0, 0, 0};
      if (send_bytes(c, answer, FRAME_HEAD) != FRAME_HEAD) return -1;
      acknowledged = 1;
    } else if (in[8] == 1 && (in[3] == HEADERS || in[3] == DATA)) {
      ended = in[4] & END_STREAM;
    } else if (in[3] == 3 || in[3] == 7) {  // RST_STREAM, GOAWAY
      return -1;
    }
  }
  return 0;
}

int hold_idle(int connections, const char *host, int http2) {
  struct connection *held = calloc(connections, sizeof *held);
  char request[512];
  snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host);
  for (int i = 0; i < connections; i++) {
    int failed = open_connection(&held[i], NULL) != 0;
    if (!failed) failed = (http2 ? exchange_http2(&held[i], host) : exchange(&held[i], request, 0)) != 0;
    if (failed) {
      fprintf(stderr, "connection %d of %d failed\n", i + 1, connections);
      return 1;
    }
  }
  printf("{\"held\": %d}\n", connections);
  fflush(stdout);
  char end;
  while (read(0, &end, 1) > 0) {}
  return 0;
}
