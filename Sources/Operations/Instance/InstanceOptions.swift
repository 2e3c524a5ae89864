import Proxy
import Routing
import Transport

/// Everything that `run` is told on the command line.
package struct InstanceOptions: Sendable {
  package var paths: [String] = ["gateways/"]
  package var selection = InstanceSelection()
  package var secrets: [String] = []
  package var compiler = CompilerOptions()
  package var plane = DataPlaneOptions()
  /// nil: what ProxyConfig says, else one a processor.
  package var workers: Int?
  package var accessLog: AccessLogFormat?
  package var adminAddress: SocketAddress?
  package var adminBase = 15000
  package var isStrict = false
  package var drainSeconds = 30
  package var logLevel = ProcessLog.Level.info
  package var logIsJSON = false

  package init() {}

  /// Where the admin endpoints are.
  var admin: SocketAddress { adminAddress ?? SocketAddress(v4: 0x7F00_0001, port: UInt16(clamping: adminBase)) }
}

/// Which instance is meant: by its name in the configuration, or by labels and namespace.
package struct InstanceSelection: Sendable {
  package var name: String?
  package var labels: [String: String] = [:]
  package var namespace: String?

  package init() {}

  /// Nothing was said: verbs that can, look at every instance.
  package var isEmpty: Bool { name == nil && labels.isEmpty && namespace == nil }
}

/// Exit codes of `sysexits.h`, and Istio's 79 for findings.
package enum ExitStatus {
  package static let usage: Int32 = 64
  package static let data: Int32 = 65
  package static let noInput: Int32 = 66
  package static let unavailable: Int32 = 69
  package static let cannotBind: Int32 = 77
  package static let configuration: Int32 = 78
  package static let findings: Int32 = 79
}
