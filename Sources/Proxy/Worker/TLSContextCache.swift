import Routing
import Transport

/// The TLS contexts of one worker: one a policy, kept over reloads as long as the policy stays the same. Each worker
/// has its own, because OpenSSL 3.0 takes locks on shared ones.
final class TLSContextCache {
  private var servers: [TLSServerPolicy: TLSServerContext] = [:]
  private var usedServers: Set<TLSServerPolicy> = []
  private var clients: [TLSClientPolicy: TLSClientContext] = [:]
  private var usedClients: Set<TLSClientPolicy> = []
  private let readFile: (String) -> [UInt8]?

  init(readFile: @escaping (String) -> [UInt8]?) {
    self.readFile = readFile
  }

  /// The context of a TLS listener with those of its filter chains; nil for plaintext.
  func listenerContext(_ snapshot: Snapshot, _ listener: Int, _ report: (PublishProblem) -> Void) -> TLSListenerContext?
  {
    guard snapshot.listeners[listener].kind == .tls else { return nil }
    // Where nothing is terminated, the name is read without OpenSSL, and nobody needs a context.
    let terminates = snapshot.filterChains.contains { Int($0.listener) == listener && $0.policy >= 0 }
    guard terminates || !snapshot.listeners[listener].needsClientHello else { return nil }
    var chains: [Int32: TLSServerContext] = [:]
    for (index, chain) in snapshot.filterChains.enumerated() where Int(chain.listener) == listener && chain.policy >= 0
    {
      let policy = snapshot.policies[Int(chain.policy)]
      do {
        chains[Int32(index)] = try serverContext(policy)
      } catch {
        let source = policy.certificates.first?.source ?? "no certificate"
        report(
          PublishProblem(
            subject: "filter chain \(snapshot.chainFacts[index].server)", reason: "\(source): \(error)",
            isBindFailure: false))
      }
    }
    let listenerIndex = Int32(listener)
    return try? TLSListenerContext(chains: chains) {
      snapshot.chain(ofListener: listenerIndex, serverName: $0)
    }
  }

  private func serverContext(_ policy: TLSServerPolicy) throws -> TLSServerContext? {
    if policy.problem != nil { return nil }
    usedServers.insert(policy)
    if let known = servers[policy] { return known }
    var configuration = TLSServerConfiguration()
    configuration.certificates = policy.certificates.map { ($0.chainPEM, $0.keyPEM) }
    configuration.minimumVersion = Self.version(policy.minimumVersion)
    configuration.maximumVersion = Self.version(policy.maximumVersion)
    configuration.cipherSuites = policy.cipherSuites
    configuration.alpn = policy.alpn
    configuration.clientCAPEM = policy.clientCAPEM
    configuration.crlPEM = policy.crlPEM
    configuration.allowedSANs = policy.subjectAltNames
    configuration.spkiPins = policy.spkiPins
    configuration.certificateHashes = policy.certificateHashes
    configuration.acceptsUntrusted = policy.acceptsUntrusted
    switch policy.mode {
    case .simple: break
    case .mutual, .istioMutual: configuration.clientVerification = .required
    case .optionalMutual: configuration.clientVerification = .optional
    }
    configuration.identity = Self.identity(of: policy)
    let context = try TLSServerContext(configuration)
    servers[policy] = context
    return context
  }

  /// Sessions may be resumed where the same client certificates are asked for; the name of the policy's secret keeps
  /// servers with other certificates apart.
  private static func identity(of policy: TLSServerPolicy) -> String {
    let authority = policy.clientCAPEM.map { Digest.sha256($0).map(String.init).joined(separator: ",") } ?? ""
    let sources = policy.certificates.map(\.source).joined(separator: ",")
    return "\(policy.mode.rawValue)|\(sources)|\(authority)|\(policy.subjectAltNames)"
  }

  private static func version(_ version: TLSServerPolicy.Version) -> TLSVersion {
    switch version {
    case .tls10: return .tls10
    case .tls11: return .tls11
    case .tls12: return .tls12
    case .tls13: return .tls13
    }
  }

  /// How a cluster originates TLS.
  func clientTLS(_ cluster: Cluster, _ report: (PublishProblem) -> Void) -> WorkerPlan.ClientTLS {
    guard let policy = cluster.settings.tls else { return .none }
    if let problem = policy.problem { return .broken(problem) }
    usedClients.insert(policy)
    if let known = clients[policy] { return .context(known) }
    do {
      let context = try TLSClientContext(configuration(policy))
      clients[policy] = context
      return .context(context)
    } catch {
      report(PublishProblem(subject: "cluster \(cluster.name)", reason: "\(error)", isBindFailure: false))
      return .broken("\(error)")
    }
  }

  private func configuration(_ policy: TLSClientPolicy) throws -> TLSClientConfiguration {
    var configuration = TLSClientConfiguration()
    switch policy.authority {
    case .system: configuration.authority = .system
    case .pem(let bytes): configuration.authority = .pem(bytes)
    case .file(let path): configuration.authority = .file(path)
    }
    switch policy.identity {
    case .pem(let chain, let key): configuration.certificate = (chain, key)
    case .files(let chain, let key):
      guard let chainPEM = readFile(chain) else { throw SystemError(call: "read \(chain)", code: 2) }
      guard let keyPEM = readFile(key) else { throw SystemError(call: "read \(key)", code: 2) }
      configuration.certificate = (chainPEM, keyPEM)
    case nil: break
    }
    configuration.crlPEM = policy.crlFile.flatMap(readFile)
    configuration.verifiedHost = policy.verifiedHost
    configuration.subjectAltNames = policy.subjectAltNames
    configuration.insecureSkipVerify = policy.insecureSkipVerify
    return configuration
  }

  /// Drops the contexts that the last snapshot did not ask for. Files may have changed: what was read from them is not
  /// kept.
  func forgetUnused() {
    servers = servers.filter { usedServers.contains($0.key) }
    clients = clients.filter { usedClients.contains($0.key) && !$0.key.readsFiles }
    usedServers = []
    usedClients = []
  }
}

extension TLSClientPolicy {
  fileprivate var readsFiles: Bool {
    if case .file = authority { return true }
    if case .files = identity { return true }
    return crlFile != nil
  }
}
