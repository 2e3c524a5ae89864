// A blocking connection to the proxy, plain or TLS, as all kinds of load here use it.

#pragma once
#include <openssl/ssl.h>

struct connection {
  int fd;
  SSL *ssl;
};
struct worker;

// 0 when it is connected and, with TLS, the handshake is done. `w` keeps the session to resume, or is NULL.
int open_connection(struct connection *c, struct worker *w);
void close_connection(struct connection *c);
int send_bytes(struct connection *c, const void *bytes, int length);
int receive_bytes(struct connection *c, void *bytes, int capacity);
// One HTTP/1.1 exchange: 0 when a whole 200 response came.
int exchange(struct connection *c, const char *request, int until_close);
