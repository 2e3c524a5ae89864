/// istioctl's tables of what a `ConfigurationSelection` has found.
package enum ConfigurationTables {
  /// `istioctl proxy-config cluster`
  package static func clusters(_ clusters: [JSON]) -> String {
    var table = Table(["SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE"])
    for cluster in clusters {
      let subset = cluster["subset"].plain
      table.add([
        cluster["fqdn"].plain, cluster["port"].plain, subset.isEmpty ? "-" : subset, "outbound", cluster["type"].plain,
        cluster["destination_rule"].plain,
      ])
    }
    return table.text
  }

  /// `istioctl proxy-config listener`: a line for each filter chain; without `chains` one for each socket.
  package static func listeners(_ listeners: [JSON], chains: Bool = true) -> String {
    var table = Table(chains ? ["ADDRESSES", "PORT", "MATCH", "DESTINATION"] : ["ADDRESSES", "PORT", "TYPE"])
    for listener in listeners {
      let socket = listener["address"]["socket_address"]
      let pipe = listener["address"]["pipe"]["path"].plain
      let place =
        pipe.isEmpty
        ? [socket["address"].plain, socket["port_value"].plain] : [Pipe.prefix + pipe, "0"]
      guard chains else {
        table.add(place + [ConfigurationSelection.type(of: listener)])
        continue
      }
      for chain in listener["filter_chains"].items {
        let names = chain["server_names"].items.map(\.plain)
        var parts = names.isEmpty ? [] : ["SNI: \(names.joined(separator: ","))"]
        if chain["tls_mode"].plain == "AUTO_PASSTHROUGH" {
          parts.append("App: istio,istio-peer-exchange,istio-http/1.0,istio-http/1.1,istio-h2")
        }
        table.add(place + [parts.isEmpty ? "ALL" : parts.joined(separator: "; "), destination(of: chain)])
      }
    }
    return table.text
  }

  private static func destination(of chain: JSON) -> String {
    let inline = chain["inline_route"].plain
    if !inline.isEmpty { return "Inline Route: \(inline)" }
    let route = chain["route"].plain
    if !route.isEmpty { return "Route: \(route)" }
    let clusters = chain["clusters"].items.map(\.plain)
    return clusters.isEmpty ? "Non-HTTP/Non-TCP" : "Cluster: \(clusters.joined(separator: ", "))"
  }

  /// `istioctl proxy-config route`
  package static func routes(_ configurations: [JSON]) -> String {
    var table = Table(["NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE"])
    for configuration in configurations {
      let name = configuration["name"].plain
      let hosts = configuration["virtual_hosts"].items
      if hosts.isEmpty { table.add([name, "blackhole:\(port(of: name))", "*", "/*", "404"]) }
      for host in hosts {
        let domains = domains(host["domains"].items.map(\.plain))
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

  /// At most two, and how many there are besides.
  private static func domains(_ all: [String]) -> String {
    all.count <= 2 ? all.joined(separator: ", ") : "\(all[0]), \(all[1]) + \(all.count - 2) more..."
  }

  /// The number in `http.80`, `https.443.https.gateway.namespace`.
  private static func port(of name: String) -> Substring {
    name.split(separator: ".").dropFirst().first ?? ""
  }

  /// `namespace/name` as istioctl writes it: `name.namespace`.
  private static func dotted(_ reference: String) -> String {
    let parts = reference.split(separator: "/")
    return parts.count == 2 ? "\(parts[1]).\(parts[0])" : reference
  }

  /// `istioctl proxy-config endpoint`, and behind its columns what decides how much an endpoint gets.
  package static func endpoints(_ clusters: [JSON]) -> String {
    var table = Table(["NAME", "STATUS", "LOCALITY", "CLUSTER", "OUTLIER CHECK", "PRIORITY", "WEIGHT"])
    for cluster in clusters {
      for host in cluster["host_statuses"].items {
        let socket = host["address"]["socket_address"]
        let address = socket["address"].plain
        let health = host["health_status"]
        var locality = ["region", "zone", "sub_zone"].map { host["locality"][$0].plain }
        while let last = locality.last, last.isEmpty { locality.removeLast() }
        let pipe = host["address"]["pipe"]["path"].plain
        let name = "\(address.contains(":") ? "[\(address)]" : address):\(socket["port_value"].plain)"
        table.add([
          pipe.isEmpty ? name : Pipe.prefix + pipe, health["eds_health_status"].plain,
          locality.isEmpty ? "-" : locality.joined(separator: "/"), cluster["name"].plain,
          health["failed_outlier_check"].plain == "true" ? "FAILED" : "OK", host["priority"].plain,
          host["weight"].plain,
        ])
      }
    }
    return table.text
  }

  /// `istioctl proxy-config secret`
  package static func secrets(_ secrets: [JSON]) -> String {
    var table = Table(["RESOURCE NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE"])
    for secret in secrets {
      table.add([
        secret["name"].plain, secret["type"].plain, secret["state"].plain, secret["valid"].plain,
        secret["serial_number"].plain, secret["expiration_time"].plain, secret["valid_from"].plain,
      ])
    }
    return table.text
  }
}
