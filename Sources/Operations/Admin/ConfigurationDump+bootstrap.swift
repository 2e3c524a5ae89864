import Proxy
import Transport

/// Who the instance is and what it was started with: Envoy's bootstrap, with limits and paths beside it.
extension ConfigurationDump {
  /// Envoy's `BootstrapConfigDump`. Of a snapshot that nobody runs it has the node and the listeners.
  var bootstrap: JSON {
    var fields: [(String, JSON)] = [("node", node)]
    if let options = instance?.options {
      fields.append(("configuration", Self.configuration(options)))
      fields.append(("concurrency", .number(options.plane.workers)))
      fields.append(("admin", .object([("address", address(options.admin))])))
      fields.append(("own_listeners", .array(ownPorts(options))))
    }
    fields.append(("listeners", .array(places)))
    if let options = instance?.options { fields += Self.limits(options) }
    return section("BootstrapConfigDump", [("bootstrap", .object(fields))])
  }

  /// Envoy's `Node`.
  var node: JSON {
    let identity = snapshot.identity
    let labels = identity.labels.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value)) }
    return .object([
      ("id", .string("router~\(identity.name).\(identity.namespace)")),
      ("cluster", .string("\(identity.name).\(identity.namespace)")),
      (
        "metadata",
        .object([
          ("NAME", .string(identity.name)), ("NAMESPACE", .string(identity.namespace)), ("LABELS", .object(labels)),
        ])
      ), ("user_agent_name", .string("sallyport")), ("user_agent_version", .string(Version.text)),
    ])
  }

  private static func configuration(_ options: InstanceOptions) -> JSON {
    .object([
      ("paths", .strings(options.paths)), ("secrets", .strings(options.secrets)), ("strict", .bool(options.isStrict)),
    ])
  }

  /// What each listener binds, and the servers of Gateways that asked for it.
  private var places: [JSON] {
    zip(snapshot.listeners, snapshot.listenerFacts).map { listener, facts in
      .object([
        ("name", .string(facts.name)), ("address", address(facts.bindAddress, Int(listener.bindPort))),
        ("servers", .strings(facts.servers)), ("gateway_port", .number(Int(listener.declaredPort))),
      ])
    }
  }

  private func ownPorts(_ options: InstanceOptions) -> [JSON] {
    [("Health", 21), ("Metrics", 20), ("Metrics", 90)].map { name, distance in
      let host = options.compiler.bindAddress ?? "0.0.0.0"
      return .object([("name", .string(name)), ("address", address(host, options.adminBase + distance))])
    }
  }

  private func address(_ socket: SocketAddress) -> JSON { address(socket.host, Int(socket.port)) }

  /// What bounds clients, and where names and logs go.
  private static func limits(_ options: InstanceOptions) -> [(String, JSON)] {
    let limits = options.plane.limits
    let connections: JSON = limits.maxConnections == .max ? .null : .number(limits.maxConnections)
    return [
      (
        "limits",
        .object([
          ("max_connections", connections), ("max_handshakes_per_worker", .number(limits.maxHandshakes)),
          ("descriptors", .number(Int(limits.descriptors.total))),
          ("descriptors_for_clients", .number(Int(limits.descriptors.clients))),
          ("max_header_bytes", .number(limits.http1.maxHeaderBytes)),
          ("max_header_count", .number(limits.http1.maxHeaderCount)),
          ("max_request_line_bytes", .number(limits.http1.maxRequestLineBytes)),
        ])
      ),
      (
        "timeouts",
        .object([
          ("header", seconds(limits.headerTimeoutMilliseconds)), ("idle", seconds(limits.idleTimeoutMilliseconds)),
          ("stream_idle", seconds(limits.streamIdleTimeoutMilliseconds)),
          ("handshake", seconds(limits.handshakeTimeoutMilliseconds)),
          ("drain", seconds(Int64(options.drainSeconds) * 1000)),
        ])
      ), ("access_log", .optional(options.accessLog?.rawValue)), ("dns_servers", .strings(options.plane.dnsServers)),
      (
        "resolve",
        .strings(options.plane.resolveOverrides.map { "\($0.host):\($0.port) → \($0.address)" })
      ),
    ]
  }

  private static func seconds(_ milliseconds: Int64) -> JSON {
    .string("\(JSON.decimal(Double(milliseconds) / 1000).text())s")
  }
}
