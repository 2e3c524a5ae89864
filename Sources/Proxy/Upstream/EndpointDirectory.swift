import Routing
import Transport

/// The addresses behind the names of clusters, kept on the control side and told to all workers.
///
/// A name is asked for when its cluster appears, and again when a worker uses it after its time to live: what nobody
/// uses is not refreshed. The last good answer stays in use when the name service fails.
final class EndpointDirectory {
  /// Says what is known of a cluster to all workers.
  typealias Publish = (_ cluster: String, _ update: Update) -> Void

  enum Update: Sendable {
    case endpoints([ResolvedEndpoint], lifetimeMilliseconds: Int64)
    /// `isNews`: the last failure had another reason, or there was none.
    case failed(reason: String, retryMilliseconds: Int64, isNews: Bool)
  }

  private let resolver: Resolver
  private let overrides: [ResolveOverride]
  private let publish: Publish
  private var entries: [String: Entry] = [:]

  private final class Entry {
    let cluster: Cluster
    var isAsking = false
    var outstanding = 0
    var answers: [Int: DNSAnswer] = [:]
    var failures = 0
    var lastFailure: String?
    var lastGood: [ResolvedEndpoint]?
    init(_ cluster: Cluster) { self.cluster = cluster }
  }

  init(resolver: Resolver, overrides: [ResolveOverride], publish: @escaping Publish) {
    self.resolver = resolver
    self.overrides = overrides
    self.publish = publish
  }

  /// Takes over the clusters of a new snapshot: new ones are resolved at once, unchanged ones keep what is known.
  func adopt(_ clusters: [Cluster]) {
    var kept: [String: Entry] = [:]
    for cluster in clusters where !cluster.settings.dnsNames.isEmpty {
      if let entry = entries[cluster.name], entry.cluster.isUnchanged(from: cluster) {
        kept[cluster.name] = entry
      } else {
        kept[cluster.name] = Entry(cluster)
      }
    }
    entries = kept
    for entry in kept.values where entry.lastGood == nil { ask(entry) }
  }

  /// A worker uses the cluster and its answer has expired.
  func refresh(_ cluster: String) {
    guard let entry = entries[cluster] else { return }
    ask(entry)
  }

  private func ask(_ entry: Entry) {
    guard !entry.isAsking else { return }
    entry.isAsking = true
    entry.answers = [:]
    entry.outstanding = entry.cluster.settings.dnsNames.count
    for (index, name) in entry.cluster.settings.dnsNames.enumerated() {
      if let override = overrides.first(where: { $0.applies(to: name.name, port: name.port) }) {
        answered(entry, index, DNSAnswer(addresses: [override.address], lifetimeSeconds: 3600, problem: nil))
      } else {
        resolver.resolve(name: name.name) { [weak self, weak entry] answer in
          guard let self, let entry else { return }
          self.answered(entry, index, answer)
        }
      }
    }
  }

  private func answered(_ entry: Entry, _ index: Int, _ answer: DNSAnswer) {
    entry.answers[index] = answer
    entry.outstanding -= 1
    guard entry.outstanding == 0 else { return }
    entry.isAsking = false
    conclude(entry)
  }

  /// All names of the cluster are answered. It is good when any of them has addresses.
  private func conclude(_ entry: Entry) {
    var endpoints: [ResolvedEndpoint] = []
    var lifetime = Int64.max
    var reason = "no addresses"
    for (index, name) in entry.cluster.settings.dnsNames.enumerated() {
      guard let answer = entry.answers[index] else { continue }
      if let problem = answer.problem {
        reason = problem
      } else {
        lifetime = min(lifetime, answer.lifetimeMilliseconds)
      }
      for address in answer.addresses {
        let port = address.port == 0 ? name.port : address.port
        var endpoint = ResolvedEndpoint(address: address.withPort(port), weight: name.weight, locality: name.locality)
        endpoint.priority = name.priority
        endpoint.localityWeight = name.localityWeight
        endpoints.append(endpoint)
      }
    }
    guard endpoints.isEmpty else {
      entry.failures = 0
      entry.lastFailure = nil
      entry.lastGood = endpoints
      return publish(entry.cluster.name, .endpoints(endpoints, lifetimeMilliseconds: lifetime))
    }
    entry.failures += 1
    let isNews = entry.lastFailure != reason
    entry.lastFailure = reason
    publish(
      entry.cluster.name,
      .failed(
        reason: reason, retryMilliseconds: DNSRefreshPolicy.pause(afterFailures: entry.failures), isNews: isNews))
  }
}
