import Wire

/// The whole configuration of one instance, ready for use: immutable, shared by all workers, adopted between requests.
///
/// What requests need is in arrays of trivial structs that refer to each other by index: reading them neither allocates
/// nor counts references. What people need (names, places in files) is in tables beside them.
package final class Snapshot: Sendable {
  /// Counts up with every configuration that was loaded.
  package let generation: Int
  package let identity: InstanceIdentity
  package let settings: InstanceSettings

  package let listeners: [Listener]
  package let filterChains: [FilterChain]
  package let virtualHosts: [VirtualHost]
  package let rules: [Rule]
  package let predicates: [Predicate]
  package let routes: [Route]
  package let destinations: [Destination]
  package let clusters: [Cluster]
  package let probes: [Probe]
  package let unmadeProbes: [UnmadeProbe]
  package let tcpRoutes: [TCPProxyRoute]
  package let subnets: [IPPrefix]
  package let proxyProtocols: [ProxyProtocolPolicy]

  package let policies: [TLSServerPolicy]
  package let redirects: [Redirect]
  package let directResponses: [DirectResponse]
  package let rewrites: [Rewrite]
  package let headerOperations: [HeaderOperations]
  package let retryPolicies: [RetryPolicy]
  package let routeExtras: [RouteExtras]
  package let regexes: RegexTable

  package let listenerFacts: [ListenerFacts]
  package let chainFacts: [FilterChainFacts]
  package let virtualHostFacts: [VirtualHostFacts]
  package let routeFacts: [RouteFacts]
  package let tcpRouteFacts: [TCPProxyRouteFacts]
  /// `http.80`, `https.443.https.my-ingressgateway.istio-system`
  package let routeConfigurationNames: [String]

  /// Paths, names and values that rules compare with.
  let bytes: [UInt8]
  let hosts: NameIndex
  let serverNames: NameIndex
  let routeIndexes: [RouteIndex]

  init(_ parts: SnapshotParts) {
    generation = parts.generation
    identity = parts.identity
    settings = parts.settings
    listeners = parts.listeners
    filterChains = parts.filterChains
    rules = parts.rules
    predicates = parts.predicates
    routes = parts.routes
    destinations = parts.destinations
    clusters = parts.clusters
    probes = parts.probes
    unmadeProbes = parts.unmadeProbes
    tcpRoutes = parts.tcpRoutes
    subnets = parts.subnets
    proxyProtocols = parts.proxyProtocols
    policies = parts.policies
    redirects = parts.redirects
    directResponses = parts.directResponses
    rewrites = parts.rewrites
    headerOperations = parts.headerOperations
    retryPolicies = parts.retryPolicies
    routeExtras = parts.routeExtras
    regexes = parts.regexes
    listenerFacts = parts.listenerFacts
    chainFacts = parts.chainFacts
    virtualHostFacts = parts.virtualHostFacts
    routeFacts = parts.routeFacts
    tcpRouteFacts = parts.tcpRouteFacts
    routeConfigurationNames = parts.routeConfigurationNames
    bytes = parts.bytes
    hosts = NameIndex(
      parts.virtualHostFacts.enumerated().map {
        // An authority has IPv6 addresses in brackets.
        let name = $1.domain.contains(":") ? "[\($1.domain)]" : $1.domain
        return .init(scope: $1.routeConfiguration, name: name, value: Int32($0))
      })
    serverNames = NameIndex(
      parts.chainFacts.enumerated().flatMap { index, facts in
        facts.serverNames.map { .init(scope: parts.filterChains[index].listener, name: $0, value: Int32(index)) }
      })
    var indexes: [RouteIndex] = []
    virtualHosts = parts.virtualHosts.map { host in
      guard Int(host.ruleCount) >= RouteIndex.worthwhileCount else { return host }
      indexes.append(
        RouteIndex(rules: parts.rules[Int(host.firstRule)..<Int(host.firstRule + host.ruleCount)], bytes: parts.bytes))
      return VirtualHost(
        requiresTLS: host.requiresTLS, firstRule: host.firstRule, ruleCount: host.ruleCount,
        index: Int32(indexes.count - 1))
    }
    routeIndexes = indexes
  }

  /// A snapshot without anything: what a worker has before the first one.
  package static let empty = Snapshot(SnapshotParts())

  /// The filter chain of a TLS listener for a server name (empty: the client sent none); -1: nobody owns that name.
  package func chain(ofListener listener: Int32, serverName: RawSpan) -> Int32 {
    serverNames.find(serverName, scope: listener)
  }

  /// The retry policy of a route.
  package func retryPolicy(_ route: Route) -> RetryPolicy {
    route.retryPolicy >= 0 ? retryPolicies[Int(route.retryPolicy)] : .none
  }

  /// Picks one of the route's destinations by weight; `random` is any number.
  package func pickDestination(_ route: Route, random: UInt32) -> Int32 {
    pickDestination(
      first: route.firstDestination, count: route.destinationCount, totalWeight: route.totalWeight, random: random)
  }

  func pickDestination(first: Int32, count: Int32, totalWeight: UInt32, random: UInt32) -> Int32 {
    guard count > 1 else { return first }
    var ticket = UInt32((UInt64(random) * UInt64(totalWeight)) >> 32)
    for offset in 0..<count {
      let weight = destinations[Int(first + offset)].weight
      if ticket < weight { return first + offset }
      ticket -= weight
    }
    return first
  }
}
