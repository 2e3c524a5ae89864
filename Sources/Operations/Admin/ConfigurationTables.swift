/// istioctl's tables, out of an instance's dump.
package enum ConfigurationTables {
  private static func section(_ dump: JSON, _ type: String) -> JSON {
    dump["configs"].items.first { $0["@type"].plain.hasSuffix(type) } ?? .null
  }

  /// `istioctl proxy-config cluster`
  package static func clusters(_ dump: JSON) -> String {
    var table = Table(["SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE"])
    let clusters = section(dump, "ClustersConfigDump")["dynamic_active_clusters"].items.map { $0["cluster"] }
    for cluster in clusters.sorted(by: { $0["name"].plain < $1["name"].plain }) {
      let subset = cluster["subset"].plain
      table.add([
        cluster["fqdn"].plain, cluster["port"].plain, subset.isEmpty ? "-" : subset, "outbound", cluster["type"].plain,
        cluster["destination_rule"].plain,
      ])
    }
    return table.text
  }

  /// `istioctl proxy-config listener`
  package static func listeners(_ dump: JSON) -> String {
    var table = Table(["ADDRESSES", "PORT", "MATCH", "DESTINATION"])
    for listener in section(dump, "ListenersConfigDump")["dynamic_listeners"].items {
      let socket = listener["address"]["socket_address"]
      for chain in listener["filter_chains"].items {
        let names = chain["server_names"].items.map(\.plain)
        table.add([
          socket["address"].plain, socket["port_value"].plain,
          names.isEmpty ? "ALL" : "SNI: \(names.joined(separator: ","))", destination(of: chain),
        ])
      }
    }
    return table.text
  }

  private static func destination(of chain: JSON) -> String {
    let route = chain["route"].plain
    if !route.isEmpty { return "Route: \(route)" }
    let clusters = chain["clusters"].items.map(\.plain)
    return clusters.isEmpty ? "Non-HTTP/Non-TCP" : "Cluster: \(clusters.joined(separator: ", "))"
  }

  /// `istioctl proxy-config route`
  package static func routes(_ dump: JSON) -> String {
    var table = Table(["NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE"])
    for configuration in section(dump, "RoutesConfigDump")["dynamic_route_configs"].items {
      let name = configuration["name"].plain
      let hosts = configuration["virtual_hosts"].items
      if hosts.isEmpty { table.add([name, "blackhole", "*", "/*", "404"]) }
      for host in hosts {
        let domains = host["domains"].items.map(\.plain).joined(separator: ", ")
        let routes = host["routes"].items
        if routes.isEmpty {
          table.add([name, host["name"].plain, domains, "/*", host["require_tls"].plain == "ALL" ? "301" : "404"])
        }
        for route in routes {
          table.add([name, host["name"].plain, domains, route["match"].plain, dotted(route["virtual_service"].plain)])
        }
      }
    }
    return table.text
  }

  /// `namespace/name` as istioctl writes it: `name.namespace`.
  private static func dotted(_ reference: String) -> String {
    let parts = reference.split(separator: "/")
    return parts.count == 2 ? "\(parts[1]).\(parts[0])" : reference
  }

  /// `istioctl proxy-config endpoint`, and behind its columns what decides how much an endpoint gets.
  package static func endpoints(_ clusters: JSON) -> String {
    var table = Table(["ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER", "LOCALITY", "PRIORITY", "WEIGHT"])
    for cluster in clusters["cluster_statuses"].items {
      for host in cluster["host_statuses"].items {
        let socket = host["address"]["socket_address"]
        let health = host["health_status"]
        var locality = ["region", "zone", "sub_zone"].map { host["locality"][$0].plain }
        while let last = locality.last, last.isEmpty { locality.removeLast() }
        table.add([
          "\(socket["address"].plain):\(socket["port_value"].plain)", health["eds_health_status"].plain,
          health["failed_outlier_check"].plain == "true" ? "FAILED" : "OK", cluster["name"].plain,
          locality.isEmpty ? "-" : locality.joined(separator: "/"), host["priority"].plain, host["weight"].plain,
        ])
      }
    }
    return table.text
  }

  /// `istioctl proxy-config secret`
  package static func secrets(_ certificates: JSON) -> String {
    var table = Table(["RESOURCE NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE"])
    for certificate in certificates["certificates"].items {
      let days = Int(certificate["days_until_expiration"].plain) ?? -1
      table.add([
        certificate["name"].plain, "Cert Chain", certificate["problem"].plain.isEmpty ? "ACTIVE" : "WARMING",
        days >= 0 ? "true" : "false", certificate["serial_number"].plain, certificate["expiration_time"].plain,
        certificate["valid_from"].plain,
      ])
    }
    return table.text
  }
}
