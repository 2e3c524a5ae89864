#ifndef SALLYPORT_CCARES_SHIM_H
#define SALLYPORT_CCARES_SHIM_H

// c-ares' option struct and address lists, in a form that Swift can use.

#include <ares.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/time.h>

static inline int shim_ares_open(ares_channel *channel, ares_sock_state_cb callback, void *argument, int timeout_ms,
                                 int tries, int flags) {
  struct ares_options options;
  memset(&options, 0, sizeof options);
  options.sock_state_cb = callback;
  options.sock_state_cb_data = argument;
  options.timeout = timeout_ms;
  options.tries = tries;
  options.flags = flags;
  return ares_init_options(channel, &options, ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_FLAGS);
}
static inline int shim_ares_server_count(ares_channel channel) {
  struct ares_addr_port_node *servers = NULL;
  int count = 0;
  if (ares_get_servers_ports(channel, &servers) != ARES_SUCCESS) return 0;
  for (struct ares_addr_port_node *server = servers; server != NULL; server = server->next) count++;
  if (servers != NULL) ares_free_data(servers);
  return count;
}
static inline void shim_ares_ask(ares_channel channel, const char *name, ares_addrinfo_callback callback, void *argument) {
  struct ares_addrinfo_hints hints;
  memset(&hints, 0, sizeof hints);
  hints.ai_family = AF_UNSPEC;
  hints.ai_flags = ARES_AI_NOSORT;
  ares_getaddrinfo(channel, name, NULL, &hints, callback, argument);
}
// Milliseconds until c-ares wants to be called, -1 for never.
static inline int shim_ares_timeout(ares_channel channel) {
  struct timeval value;
  struct timeval *result = ares_timeout(channel, NULL, &value);
  return result == NULL ? -1 : (int)(result->tv_sec * 1000 + result->tv_usec / 1000);
}
// The smallest time to live of the aliases that led to the addresses, INT_MAX if there are none.
static inline int shim_ares_alias_ttl(const struct ares_addrinfo *info) {
  int least = 0x7FFFFFFF;
  for (struct ares_addrinfo_cname *alias = info->cnames; alias != NULL; alias = alias->next)
    if (alias->ttl < least) least = alias->ttl;
  return least;
}
#endif
