import CLinux
import Proxy
import Resources
import Routing
import Transport

/// The configuration in force, in the shapes of Envoy's admin endpoints; private keys are never in it.
struct ConfigurationDump {
  let snapshot: Snapshot
  /// nil for a snapshot that nobody runs.
  let instance: Instance?

  init(instance: Instance) {
    self.instance = instance
    snapshot = instance.loaded.snapshot
  }

  init(_ snapshot: Snapshot) {
    instance = nil
    self.snapshot = snapshot
  }

  // MARK: Server

  var serverInfo: JSON {
    guard let instance else { return .null }
    return .object([
      ("version", .string("sallyport/\(Version.text)")), ("state", .string(instance.isDraining ? "DRAINING" : "LIVE")),
      ("uptime_current_epoch", .string("\(instance.uptimeSeconds)s")),
      ("node", node), ("configuration", configurationState),
      ("command_line_options", .object([("concurrency", .number(instance.options.plane.workers))])),
    ])
  }

  private var configurationState: JSON {
    guard let instance else { return .null }
    return .object([
      ("generation", .number(snapshot.generation)), ("files", .strings(instance.loaded.files)),
      ("rejected", .array(instance.loaded.rejected.map(Self.rejection))),
      ("reload_errors", .strings(instance.reloadErrors)),
      ("problems", .array(instance.problems.map { .string("\($0.subject): \($0.reason)") })),
    ])
  }

  private static func rejection(_ resource: RejectedResource) -> JSON {
    .object([
      ("resource", .string(resource.name)), ("kept", .bool(resource.isKept)), ("error", .string(resource.message)),
      ("location", .optional(resource.location.map { "\($0)" })),
    ])
  }

  /// What `sallyport status` shows.
  func status(_ statistics: Statistics) -> JSON {
    guard let instance else { return .null }
    return .object([
      ("version", .string(Version.text)), ("pid", .number(Int(getpid()))),
      ("instance", .string("\(snapshot.identity.namespace)/\(snapshot.identity.name)")),
      ("labels", .object(snapshot.identity.labels.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })),
      ("state", .string(instance.isDraining ? "DRAINING" : "LIVE")),
      ("uptime_seconds", .number(Int(instance.uptimeSeconds))),
      ("configuration", configurationState), ("readiness", instance.readiness.json),
      (
        "listeners",
        .array(snapshot.listenerFacts.map { .string($0.name.replacingLastUnderscore) })
      ),
      (
        "upstreams",
        .array(
          snapshot.clusters.map { cluster in
            let endpoints = statistics.clusters[cluster.name]?.endpoints ?? []
            let probe = statistics.probes.first { $0.cluster == cluster.name }
            return .object([
              ("name", .string(cluster.name)), ("healthy", .number(endpoints.count { $0.isHealthy })),
              ("total", .number(endpoints.count)), ("reason", .optional(probe?.reason)),
            ])
          })
      ),
    ])
  }

  // MARK: Listeners

  /// Envoy's `/listeners`: `name::address`.
  var listenerText: String {
    snapshot.listenerFacts.enumerated().map { index, facts in
      let place = Pipe.path(facts.bindAddress) ?? "\(facts.bindAddress):\(snapshot.listeners[index].bindPort)"
      return "\(facts.name)::\(place)\n"
    }.joined()
  }

  var listenerStatus: JSON {
    .object([
      (
        "listener_statuses",
        .array(
          snapshot.listenerFacts.enumerated().map { index, facts in
            .object([
              ("name", .string(facts.name)),
              ("local_address", address(facts.bindAddress, Int(snapshot.listeners[index].bindPort))),
            ])
          })
      )
    ])
  }

  func address(_ host: String, _ port: Int) -> JSON {
    Pipe.address(host, port)
  }

  // MARK: Dump

  /// Envoy's `/config_dump`.
  var everything: JSON {
    .object([("configs", .array([bootstrap, clusters, listeners, routes, secrets, probes]))])
  }

  func section(_ type: String, _ fields: [(String, JSON)]) -> JSON {
    .object([("@type", .string("type.googleapis.com/envoy.admin.v3.\(type)"))] + fields)
  }

  private var clusters: JSON {
    section(
      "ClustersConfigDump",
      [
        (
          "dynamic_active_clusters",
          .array(snapshot.clusters.map { .object([("cluster", cluster($0.settings))]) })
        )
      ])
  }

  private func cluster(_ settings: Cluster.Settings) -> JSON {
    var fields: [(String, JSON)] = [
      ("name", .string(settings.name)), ("type", .string(settings.discovery.rawValue)),
      ("connect_timeout", .string("\(settings.connectTimeoutMilliseconds)ms")),
      ("lb_policy", .string(settings.loadBalancing.rawValue)),
      (
        "endpoints",
        .array(
          settings.endpoints.map { address($0.address, Int($0.port)) }
            + settings.dnsNames.map { address($0.name, Int($0.port)) })
      ), ("fqdn", .string(settings.host)), ("port", .number(Int(settings.port))), ("subset", .string(settings.subset)),
      ("destination_rule", .optional(settings.destinationRule)),
    ]
    if let tls = settings.tls { fields.append(("transport_socket", transport(tls))) }
    fields.append(("settings", Self.settings(settings.described + settings.undescribed)))
    return .object(fields)
  }

  /// Settings by name, several of one name in a list: what `explain` says, in the words of the resources.
  private static func settings(_ all: [Setting]) -> JSON {
    var names: [String] = []
    for setting in all where !names.contains(setting.name) { names.append(setting.name) }
    return .object(
      names.map { name in
        let values = all.filter { $0.name == name }.map(\.value)
        return (name, values.count == 1 ? .string(values[0]) : .strings(values))
      })
  }

  private func transport(_ tls: TLSClientPolicy) -> JSON {
    let authority: String =
      switch tls.authority {
      case .system: "system"
      case .pem: "inline"
      case .file(let path): path
      }
    return .object([
      ("name", .string("envoy.transport_sockets.tls")), ("mode", .string(tls.mode)), ("sni", .optional(tls.serverName)),
      ("verified_host", .optional(tls.verifiedHost)), ("match_subject_alt_names", .strings(tls.subjectAltNames)),
      ("trusted_ca", .string(authority)), ("insecure_skip_verify", .bool(tls.insecureSkipVerify)),
      ("private_key", tls.identity == nil ? .null : .string("[redacted]")), ("problem", .optional(tls.problem)),
    ])
  }

  private var routes: JSON {
    section(
      "RoutesConfigDump",
      [
        (
          "dynamic_route_configs",
          .array(
            snapshot.routeConfigurationNames.enumerated().map { index, name in
              .object([("name", .string(name)), ("virtual_hosts", .array(virtualHosts(of: index)))])
            })
        ), ("static_route_configs", .array(ownRoutes)),
      ])
  }

  private func virtualHosts(of configuration: Int) -> [JSON] {
    snapshot.virtualHostFacts.indices.filter { Int(snapshot.virtualHostFacts[$0].routeConfiguration) == configuration }
      .map { index in
        let host = snapshot.virtualHosts[index]
        let facts = snapshot.virtualHostFacts[index]
        return .object([
          ("name", .string(facts.name)), ("domains", .strings([facts.domain])),
          ("require_tls", .string(host.requiresTLS ? "ALL" : "NONE")),
          ("routes", .array((host.firstRule..<host.firstRule + host.ruleCount).map { route(Int($0)) })),
        ])
      }
  }

  private func route(_ index: Int) -> JSON {
    let rule = snapshot.rules[index]
    let facts = snapshot.routeFacts[Int(rule.route)]
    let route = snapshot.routes[Int(rule.route)]
    var clusters: [String] = []
    var settings = snapshot.settings(of: route)
    if route.action == .forward {
      clusters = (route.firstDestination..<route.firstDestination + route.destinationCount).map { position in
        let destination = snapshot.destinations[Int(position)]
        let name = destination.cluster < 0 ? "cluster_not_found" : snapshot.clusters[Int(destination.cluster)].name
        if route.destinationCount > 1 { settings.append(Setting("weight", "\(destination.weight) for \(name)")) }
        settings += snapshot.settings(of: destination).map { Setting("\($0.name) to \(name)", $0.value) }
        return name
      }
    }
    return .object([
      ("name", .string(facts.name)), ("match", .string(snapshot.pathText(rule))),
      ("conditions", .string(snapshot.conditions(of: rule))), ("clusters", .strings(clusters)),
      ("action", .string("\(route.action)")), ("settings", Self.settings(settings)),
      ("virtual_service", .string(facts.virtualService)),
      ("location", .string(facts.location)),
    ])
  }

  private var secrets: JSON {
    let list = SecretList(snapshot)
    return section(
      "SecretsConfigDump", [("dynamic_active_secrets", list.active), ("dynamic_warming_secrets", list.warming)])
  }

  /// Active health checks, which Envoy has inside its clusters.
  private var probes: JSON {
    section(
      "ProbesConfigDump",
      [
        (
          "dynamic_probes",
          .array(
            snapshot.probes.map { probe in
              .object([
                ("name", .string(probe.name)), ("cluster", .string(snapshot.clusters[Int(probe.cluster)].name)),
                ("target", .string(probe.target)), ("period_seconds", .number(probe.periodSeconds)),
                ("timeout_seconds", .number(probe.timeoutSeconds)),
                ("success_threshold", .number(probe.successThreshold)),
                ("failure_threshold", .number(probe.failureThreshold)),
              ])
            })
        )
      ])
  }

  /// Envoy's `/certs`.
  var certificates: JSON {
    .object([("certificates", .array(CertificateList.of(snapshot).map(\.json)))])
  }
}

extension String {
  /// `0.0.0.0_443` as `0.0.0.0:443`.
  fileprivate var replacingLastUnderscore: String {
    guard let index = lastIndex(of: "_") else { return self }
    if hasPrefix(Pipe.prefix) { return String(self[..<index]) }
    return String(self[..<index]) + ":" + self[self.index(after: index)...]
  }
}

/// Memory of the process, as the kernel counts it.
enum MemoryReport {
  static func read() -> JSON {
    let status = FileSystem.read("/proc/self/status").map { String(decoding: $0, as: UTF8.self) } ?? ""
    let names = [
      "VmRSS": "rss_kilobytes", "RssAnon": "private_kilobytes", "RssFile": "file_kilobytes",
      "VmSize": "virtual_kilobytes", "Threads": "threads",
    ]
    let fields = status.split(separator: "\n").compactMap { line -> (String, JSON)? in
      let parts = line.split { $0 == ":" || $0 == "\t" || $0 == " " }
      guard parts.count >= 2, let name = names[String(parts[0])], let value = Int(parts[1]) else { return nil }
      return (name, .number(value))
    }
    return .object(fields)
  }
}
