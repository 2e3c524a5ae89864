import Wire

/// A snapshot while it is being made. See `Snapshot` for the meaning of the fields.
struct SnapshotParts {
  var generation = 0
  var identity = InstanceIdentity()
  var settings = InstanceSettings()
  var listeners: [Listener] = []
  var filterChains: [FilterChain] = []
  var virtualHosts: [VirtualHost] = []
  var rules: [Rule] = []
  var predicates: [Predicate] = []
  var routes: [Route] = []
  var destinations: [Destination] = []
  var clusters: [Cluster] = []
  var probes: [Probe] = []
  var unmadeProbes: [UnmadeProbe] = []
  var tcpRoutes: [TCPProxyRoute] = []
  var subnets: [IPPrefix] = []
  var proxyProtocols: [ProxyProtocolPolicy] = []
  var policies: [TLSServerPolicy] = []
  var redirects: [Redirect] = []
  var directResponses: [DirectResponse] = []
  var rewrites: [Rewrite] = []
  var headerOperations: [HeaderOperations] = []
  var retryPolicies: [RetryPolicy] = []
  var routeExtras: [RouteExtras] = []
  var regexes = RegexTable()
  var listenerFacts: [ListenerFacts] = []
  var chainFacts: [FilterChainFacts] = []
  var virtualHostFacts: [VirtualHostFacts] = []
  var routeFacts: [RouteFacts] = []
  var tcpRouteFacts: [TCPProxyRouteFacts] = []
  var routeConfigurationNames: [String] = []
  var bytes: [UInt8] = []
}
