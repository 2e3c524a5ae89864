/// What the verbs of `proxy-config` show of a dump: everything that their flags name. A flag that is not given names all.
package struct ConfigurationSelection: Sendable {
  package var fqdn: String?
  package var port: Int?
  package var subset: String?
  package var direction: String?
  package var address: String?
  /// `HTTP`, `TCP`, `HTTP+TCP`
  package var type: String?
  package var name: String?
  package var cluster: String?
  package var status: String?

  package init() {}

  private static func items(_ dump: JSON, _ type: String, _ field: String) -> [JSON] {
    let section = dump["configs"].items.first { $0["@type"].plain.hasSuffix(".\(type)") } ?? .null
    return section[field].items
  }

  private func isSame(_ value: JSON, _ wanted: Int?) -> Bool { wanted.map { value.plain == "\($0)" } ?? true }

  private func isSame(_ value: String, _ wanted: String?) -> Bool {
    wanted.map { value.lowercased() == $0.lowercased() } ?? true
  }

  /// Whether an Envoy `Address` is what `address` and `port` ask for. A unix-domain socket is asked for as it is shown,
  /// or by its path.
  private func isAt(_ place: JSON) -> Bool {
    let path = place["pipe"]["path"].plain
    guard path.isEmpty else {
      return (address == nil || address == path || address == Pipe.prefix + path) && port == nil
    }
    let socket = place["socket_address"]
    return isSame(socket["address"].plain, address) && isSame(socket["port_value"], port)
  }

  /// Clusters in the order of their hosts, ports and subsets. As in istioctl a part of the host is enough.
  package func clusters(_ dump: JSON) -> [JSON] {
    guard isSame("outbound", direction) else { return [] }
    return Self.items(dump, "ClustersConfigDump", "dynamic_active_clusters").map { $0["cluster"] }.filter {
      (fqdn.map($0["fqdn"].plain.contains) ?? true) && isSame($0["port"], port) && isSame($0["subset"].plain, subset)
    }.sorted {
      ($0["fqdn"].plain, Int($0["port"].plain) ?? 0, $0["subset"].plain)
        < ($1["fqdn"].plain, Int($1["port"].plain) ?? 0, $1["subset"].plain)
    }
  }

  /// Listeners, those of the instance itself behind those of Gateways.
  package func listeners(_ dump: JSON) -> [JSON] {
    let all =
      Self.items(dump, "ListenersConfigDump", "dynamic_listeners")
      + Self.items(dump, "ListenersConfigDump", "static_listeners")
    return all.filter { listener in
      isAt(listener["address"]) && isSame(Self.type(of: listener), type)
    }
  }

  /// What istioctl calls a listener by its chains.
  static func type(of listener: JSON) -> String {
    var hasHTTP = false
    var hasTCP = false
    for chain in listener["filter_chains"].items {
      if chain["route"].plain.isEmpty && chain["inline_route"].plain.isEmpty { hasTCP = true } else { hasHTTP = true }
    }
    switch (hasHTTP, hasTCP) {
    case (true, true): return "HTTP+TCP"
    case (true, false): return "HTTP"
    case (false, true): return "TCP"
    case (false, false): return "UNKNOWN"
    }
  }

  /// Route configurations; those that listeners bring with them have no name.
  package func routes(_ dump: JSON) -> [JSON] {
    let all =
      Self.items(dump, "RoutesConfigDump", "dynamic_route_configs")
      + Self.items(dump, "RoutesConfigDump", "static_route_configs")
    return all.filter { name == nil || $0["name"].plain == name }
  }

  /// Clusters with those of their endpoints that are named.
  package func endpoints(_ clusters: JSON) -> [JSON] {
    clusters["cluster_statuses"].items.filter { isSame($0["name"].plain, cluster) }.compactMap { cluster in
      let hosts = cluster["host_statuses"].items.filter { host in
        isAt(host["address"]) && isSame(host["health_status"]["eds_health_status"].plain, status)
      }
      guard case .object(let fields) = cluster, !hosts.isEmpty else { return nil }
      return .object(fields.map { $0.0 == "host_statuses" ? ($0.0, .array(hosts)) : $0 })
    }
  }

  /// Who the instance is and what it was started with.
  package func bootstrap(_ dump: JSON) -> JSON {
    dump["configs"].items.first { $0["@type"].plain.hasSuffix(".BootstrapConfigDump") }?["bootstrap"] ?? .null
  }

  /// Secrets, those in use first; what is missing says so.
  package func secrets(_ dump: JSON) -> [JSON] {
    let state = { (name: String, items: [JSON]) -> [JSON] in
      items.map { item in
        guard case .object(let fields) = item else { return item }
        return .object([("state", .string(name))] + fields)
      }
    }
    return state("ACTIVE", Self.items(dump, "SecretsConfigDump", "dynamic_active_secrets"))
      + state("WARMING", Self.items(dump, "SecretsConfigDump", "dynamic_warming_secrets"))
  }
}
