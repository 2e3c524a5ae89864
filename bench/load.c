// Load that wrk does not make: a full TLS handshake a request, and requests at a fixed rate.
//
//   load handshake HOST-NAME PORT CONNECTIONS SECONDS
//   load paced     HOST-NAME PORT CONNECTIONS SECONDS REQUESTS-PER-SECOND plain|tls
//
// One blocking connection a thread. A paced request's latency counts from the moment it was due, so a stall of the
// server shows in every request that it delayed. Prints one line of JSON.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_SAMPLES = 1 << 20 };

static const char *host;
static int port, connections, paced, use_tls;
static double seconds, rate;
static SSL_CTX *context;
static struct timespec begin;

struct worker {
  pthread_t thread;
  int index;
  long done, failed;
  long count;
  unsigned *microseconds;
};

static double elapsed_since(struct timespec start) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (now.tv_sec - start.tv_sec) + (now.tv_nsec - start.tv_nsec) / 1e9;
}

struct connection {
  int fd;
  SSL *ssl;
};

static int open_connection(struct connection *c) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int on = 1;
  c->ssl = NULL;
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(c->fd, (struct sockaddr *)&address, sizeof address) != 0) {
    close(c->fd);
    c->fd = -1;
    return -1;
  }
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (use_tls) {
    c->ssl = SSL_new(context);
    SSL_set_tlsext_host_name(c->ssl, host);
    SSL_set_fd(c->ssl, c->fd);
    if (SSL_connect(c->ssl) != 1) return -1;
  }
  return 0;
}

static void close_connection(struct connection *c) {
  if (c->ssl) SSL_free(c->ssl);
  if (c->fd >= 0) close(c->fd);
  c->ssl = NULL;
  c->fd = -1;
}

static int send_bytes(struct connection *c, const char *bytes, int length) {
  return c->ssl ? SSL_write(c->ssl, bytes, length) : (int)write(c->fd, bytes, length);
}

static int receive_bytes(struct connection *c, char *bytes, int capacity) {
  return c->ssl ? SSL_read(c->ssl, bytes, capacity) : (int)read(c->fd, bytes, capacity);
}

// One exchange. 0 when a whole 200 response came. Responses here have a Content-Length or end with the connection.
static int exchange(struct connection *c, const char *request, int until_close) {
  char buffer[65536];
  int used = 0, received;
  int length = (int)strlen(request);
  if (send_bytes(c, request, length) != length) return -1;
  long need = -1;
  while ((received = receive_bytes(c, buffer + used, (int)sizeof buffer - 1 - used)) > 0) {
    used += received;
    buffer[used] = 0;
    if (until_close) continue;
    if (need < 0) {
      char *end = strstr(buffer, "\r\n\r\n");
      if (!end) continue;
      char *field = strcasestr(buffer, "\r\ncontent-length:");
      if (!field) return -1;
      need = (end + 4 - buffer) + atol(field + 17);
    }
    if (used >= need) break;
  }
  if (!until_close && used < need) return -1;
  return strncmp(buffer, "HTTP/1.1 200", 12) == 0 ? 0 : -1;
}

static void sample(struct worker *w, double latency) {
  w->done++;
  if (w->count < MAX_SAMPLES) w->microseconds[w->count++] = (unsigned)(latency * 1e6);
}

static void *handshakes(void *argument) {
  struct worker *w = argument;
  char request[512];
  snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host);
  while (elapsed_since(begin) < seconds) {
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    struct connection c;
    if (open_connection(&c) == 0 && exchange(&c, request, 1) == 0) sample(w, elapsed_since(start));
    else w->failed++;
    close_connection(&c);
  }
  return NULL;
}

static void *paced_requests(void *argument) {
  struct worker *w = argument;
  char request[512];
  snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host);
  struct connection c;
  if (open_connection(&c) != 0) {
    w->failed++;
    return NULL;
  }
  double interval = connections / rate;
  for (long i = 0;; i++) {
    double due = (w->index + 0.5) / rate + i * interval;
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
      if (open_connection(&c) != 0) break;
    }
  }
  close_connection(&c);
  return NULL;
}

static int ascending(const void *a, const void *b) {
  unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
  return x < y ? -1 : x > y;
}

int main(int count, char **arguments) {
  if (count < 6) return 64;
  paced = strcmp(arguments[1], "paced") == 0;
  host = arguments[2];
  port = atoi(arguments[3]);
  connections = atoi(arguments[4]);
  seconds = atof(arguments[5]);
  rate = paced ? atof(arguments[6]) : 0;
  use_tls = paced ? strcmp(arguments[7], "tls") == 0 : 1;
  context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);

  struct worker *workers = calloc(connections, sizeof *workers);
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (int i = 0; i < connections; i++) {
    workers[i].index = i;
    workers[i].microseconds = malloc(MAX_SAMPLES * sizeof(unsigned));
    pthread_create(&workers[i].thread, NULL, paced ? paced_requests : handshakes, &workers[i]);
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
  return 0;
}
