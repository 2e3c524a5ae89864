// Load that wrk and h2load do not make. Prints one line of JSON.
//
//   load handshake HOST PORT CONNECTIONS SECONDS                          a full TLS 1.3 handshake a request
//   load resumed   HOST PORT CONNECTIONS SECONDS                          a resumed TLS 1.3 handshake a request
//   load keep      HOST PORT CONNECTIONS SECONDS plain|tls PATH [BYTES]   kept alive, as fast as it goes, bodies read;
//                                                                         with BYTES a POST with a body of so many
//   load paced     HOST PORT CONNECTIONS SECONDS plain|tls PATH RATE      kept alive, RATE requests a second in all
//   load idle      HOST PORT CONNECTIONS plain|tls|h2                     see idle.h
//
// HOST is the Host field and the server name; the address is 127.0.0.1. One blocking connection a thread. A paced
// request's latency counts from the moment it was due, so a stall of the server shows in every request that it delayed.

#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "idle.h"

enum { MAX_SAMPLES = 1 << 20 };

static const char *host, *path = "/";
static int port, connections, use_tls, resumes, slot;
static double seconds, rate;
static long body_bytes;
static SSL_CTX *context;
static struct timespec begin;

struct worker {
  pthread_t thread;
  int index;
  long done, failed;
  long count;
  unsigned *microseconds;
  SSL_SESSION *session;
};

static double elapsed_since(struct timespec start) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (now.tv_sec - start.tv_sec) + (now.tv_nsec - start.tv_nsec) / 1e9;
}

static int keep_session(SSL *ssl, SSL_SESSION *session) {
  struct worker *w = SSL_get_ex_data(ssl, slot);
  if (!w) return 0;
  if (w->session) SSL_SESSION_free(w->session);
  w->session = session;
  return 1;
}

int open_connection(struct connection *c, struct worker *w) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int on = 1;
  c->ssl = NULL;
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address) != 0) return -1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (use_tls) {
    c->ssl = SSL_new(context);
    SSL_set_tlsext_host_name(c->ssl, host);
    SSL_set_fd(c->ssl, c->fd);
    if (w && resumes) {
      SSL_set_ex_data(c->ssl, slot, w);
      if (w->session) SSL_set_session(c->ssl, w->session);
    }
    if (SSL_connect(c->ssl) != 1) return -1;
  }
  return 0;
}

void close_connection(struct connection *c) {
  if (c->ssl) {
    // Without it OpenSSL takes the connection for broken and its session for one that is not to be resumed.
    SSL_set_shutdown(c->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(c->ssl);
  }
  if (c->fd >= 0) close(c->fd);
  c->ssl = NULL;
  c->fd = -1;
}

int send_bytes(struct connection *c, const void *bytes, int length) {
  return c->ssl ? SSL_write(c->ssl, bytes, length) : (int)write(c->fd, bytes, length);
}

int receive_bytes(struct connection *c, void *bytes, int capacity) {
  return c->ssl ? SSL_read(c->ssl, bytes, capacity) : (int)read(c->fd, bytes, capacity);
}

static int send_body(struct connection *c) {
  static const char zeros[1 << 17];
  for (long left = body_bytes; left > 0;) {
    int sent = send_bytes(c, zeros, left < (long)sizeof zeros ? (int)left : (int)sizeof zeros);
    if (sent <= 0) return -1;
    left -= sent;
  }
  return 0;
}

// One exchange. 0 when a whole 200 response came: a Content-Length of bytes, or all until the connection's end.
int exchange(struct connection *c, const char *request, int until_close) {
  char buffer[65536];
  int used = 0, received;
  int length = (int)strlen(request);
  if (send_bytes(c, request, length) != length || send_body(c) != 0) return -1;
  char *end = NULL;
  while (!end) {
    if (used == sizeof buffer - 1) return -1;
    if ((received = receive_bytes(c, buffer + used, (int)sizeof buffer - 1 - used)) <= 0) return -1;
    used += received;
    buffer[used] = 0;
    end = strstr(buffer, "\r\n\r\n");
  }
  if (strncmp(buffer, "HTTP/1.1 200", 12) != 0) return -1;
  if (until_close) {
    while (receive_bytes(c, buffer, sizeof buffer) > 0) {}
    return 0;
  }
  char *field = strcasestr(buffer, "\r\ncontent-length:");
  if (!field) return -1;
  long left = atol(field + 17) - (used - (end + 4 - buffer));
  while (left > 0) {
    if ((received = receive_bytes(c, buffer, sizeof buffer)) <= 0) return -1;
    left -= received;
  }
  return left == 0 ? 0 : -1;
}

static void sample(struct worker *w, double latency) {
  w->done++;
  if (w->count < MAX_SAMPLES) w->microseconds[w->count++] = (unsigned)(latency * 1e6);
}

static void *handshakes(void *argument) {
  struct worker *w = argument;
  char request[512];
  snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, host);
  while (elapsed_since(begin) < seconds) {
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    struct connection c;
    int first = resumes && !w->session;
    int succeeded = open_connection(&c, w) == 0 && exchange(&c, request, 1) == 0;
    if (succeeded && !first && (!resumes || SSL_session_reused(c.ssl))) sample(w, elapsed_since(start));
    else if (!succeeded || !first || !w->session) w->failed++;
    close_connection(&c);
  }
  return NULL;
}

static void *requests(void *argument) {
  struct worker *w = argument;
  char request[512], field[64] = "";
  if (body_bytes > 0) snprintf(field, sizeof field, "Content-Length: %ld\r\n", body_bytes);
  snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", body_bytes > 0 ? "POST" : "GET", path, host,
           field);
  struct connection c;
  if (open_connection(&c, NULL) != 0) {
    w->failed++;
    return NULL;
  }
  for (long i = 0;; i++) {
    double due = rate > 0 ? (w->index + 0.5) / rate + i * (connections / rate) : elapsed_since(begin);
    if (due > seconds) break;
    double wait = due - elapsed_since(begin);
    if (wait > 0) {
      struct timespec pause = {.tv_sec = (time_t)wait, .tv_nsec = (long)((wait - (time_t)wait) * 1e9)};
      nanosleep(&pause, NULL);
    }
    if (exchange(&c, request, 0) == 0) {
      sample(w, elapsed_since(begin) - due);
    } else {
      w->failed++;
      close_connection(&c);
      if (open_connection(&c, NULL) != 0) break;
    }
  }
  close_connection(&c);
  return NULL;
}

static int ascending(const void *a, const void *b) {
  unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
  return x < y ? -1 : x > y;
}

static void run(void *(*body)(void *)) {
  struct worker *workers = calloc(connections, sizeof *workers);
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (int i = 0; i < connections; i++) {
    workers[i].index = i;
    workers[i].microseconds = malloc(MAX_SAMPLES * sizeof(unsigned));
    pthread_create(&workers[i].thread, NULL, body, &workers[i]);
  }
  long done = 0, failed = 0, samples = 0;
  for (int i = 0; i < connections; i++) {
    pthread_join(workers[i].thread, NULL);
    done += workers[i].done;
    failed += workers[i].failed;
    samples += workers[i].count;
  }
  double duration = elapsed_since(begin);
  unsigned *all = malloc((samples + 1) * sizeof(unsigned));
  long at = 0;
  for (int i = 0; i < connections; i++) {
    memcpy(all + at, workers[i].microseconds, workers[i].count * sizeof(unsigned));
    at += workers[i].count;
  }
  qsort(all, samples, sizeof(unsigned), ascending);
  unsigned p50 = samples ? all[samples / 2] : 0, p99 = samples ? all[samples * 99 / 100] : 0;
  printf("{\"requests\": %ld, \"failed\": %ld, \"seconds\": %.4f, \"p50\": %u, \"p99\": %u}\n", done, failed, duration,
         p50, p99);
}

int main(int count, char **arguments) {
  if (count < 6) return 64;
  const char *mode = arguments[1];
  host = arguments[2];
  port = atoi(arguments[3]);
  connections = atoi(arguments[4]);
  context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);

  if (strcmp(mode, "idle") == 0) {
    int http2 = strcmp(arguments[5], "h2") == 0;
    use_tls = http2 || strcmp(arguments[5], "tls") == 0;
    if (http2) SSL_CTX_set_alpn_protos(context, (const unsigned char *)"\x02h2", 3);
    return hold_idle(connections, host, http2);
  }

  seconds = atof(arguments[5]);
  if (strcmp(mode, "handshake") == 0 || strcmp(mode, "resumed") == 0) {
    use_tls = 1;
    resumes = mode[0] == 'r';
    if (resumes) {
      slot = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
      SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
      SSL_CTX_sess_set_new_cb(context, keep_session);
    }
    run(handshakes);
    return 0;
  }
  if (count < 8 || (strcmp(mode, "paced") == 0 && count < 9)) return 64;
  use_tls = strcmp(arguments[6], "tls") == 0;
  path = arguments[7];
  if (strcmp(mode, "paced") == 0) rate = atof(arguments[8]);
  else if (count > 8) body_bytes = atol(arguments[8]);
  run(requests);
  return 0;
}
