/// `connectionPool`: limits and timeouts of the connections to a host. Times are in milliseconds.
package struct ConnectionPoolSettings: Sendable {
  package enum H2UpgradePolicy: String, Sendable, CaseIterable {
    case byDefault = "DEFAULT"
    case doNotUpgrade = "DO_NOT_UPGRADE"
    case upgrade = "UPGRADE"
  }

  package struct KeepAlive: Sendable {
    package var probes: Located<Int>?
    package var time: Located<Int>?
    package var interval: Located<Int>?

    init(_ reader: FieldReader) {
      probes = reader.integer("probes", in: 0...Int(UInt32.max))
      time = reader.duration("time")
      interval = reader.duration("interval")
    }
  }

  package struct HTTP2KeepAlive: Sendable {
    package var interval: Located<Int>?
    package var timeout: Located<Int>?

    init(_ reader: FieldReader) {
      interval = reader.duration("interval")
      timeout = reader.duration("timeout")
      reader.require("interval", "http2 keepalive interval is required")
      reader.require("timeout", "http2 keepalive timeout is required")
    }
  }

  package var connectTimeout: Located<Int>?
  package var tcpIdleTimeout: Located<Int>?
  package var maxConnections: Located<Int>?
  package var maxConnectionDuration: Located<Int>?
  package var tcpKeepalive: KeepAlive?
  package var httpIdleTimeout: Located<Int>?
  package var maxRequestsPerConnection: Located<Int>?
  package var http1MaxPendingRequests: Located<Int>?
  package var http2MaxRequests: Located<Int>?
  package var maxRetries: Located<Int>?
  package var maxConcurrentStreams: Located<Int>?
  package var h2UpgradePolicy: Located<H2UpgradePolicy>?
  package var useClientProtocol: Located<Bool>?
  package var http2KeepAlive: HTTP2KeepAlive?

  init(_ reader: FieldReader) {
    _ = reader.object("tcp") { readTCP($0) }
    _ = reader.object("http") { readHTTP($0) }
    reader.require(anyOf: "tcp", "http", message: "connection pool must have at least one field")
  }

  private mutating func readTCP(_ reader: FieldReader) {
    connectTimeout = reader.duration("connectTimeout")
    tcpIdleTimeout = reader.duration("idleTimeout", minimumMilliseconds: 0)
    maxConnections = Self.count("maxConnections", "max connections", reader)
    maxConnectionDuration = reader.duration("maxConnectionDuration")
    tcpKeepalive = reader.object("tcpKeepalive", KeepAlive.init)
  }

  private mutating func readHTTP(_ reader: FieldReader) {
    httpIdleTimeout = reader.duration("idleTimeout", minimumMilliseconds: 0)
    maxRequestsPerConnection = Self.count("maxRequestsPerConnection", "max requests per connection", reader)
    http1MaxPendingRequests = Self.count("http1MaxPendingRequests", "http1 max pending requests", reader)
    http2MaxRequests = Self.count("http2MaxRequests", "http2 max requests", reader)
    maxRetries = Self.count("maxRetries", "max retries", reader)
    maxConcurrentStreams = Self.count("maxConcurrentStreams", "max concurrent streams", reader)
    h2UpgradePolicy = reader.enumeration("h2UpgradePolicy")
    useClientProtocol = reader.boolean("useClientProtocol")
    http2KeepAlive = reader.object("http2KeepAlive", HTTP2KeepAlive.init)
    if let useClientProtocol, useClientProtocol.value, h2UpgradePolicy?.value == .upgrade {
      reader.context.error(
        "use client protocol must not be true when H2UpgradePolicy is UPGRADE", at: useClientProtocol.location)
    }
  }

  private static func count(_ name: String, _ words: String, _ reader: FieldReader) -> Located<Int>? {
    let number = reader.integer(name)
    if let number, number.value < 0 { reader.context.error("\(words) must be non-negative", at: number.location) }
    return number
  }
}
