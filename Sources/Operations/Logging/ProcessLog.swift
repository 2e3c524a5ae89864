import CLinux
import Proxy
import Synchronization

/// The process log on standard error: one line an event, as text or JSON, by component and level.
package final class ProcessLog: Sendable {
  /// Severities, ordered.
  package enum Level: Int, Sendable, CaseIterable, Comparable {
    case trace, debug, info, warning, error, critical, off

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// `info`, as in flags and in `/logging`.
    package var name: String {
      switch self {
      case .trace: return "trace"
      case .debug: return "debug"
      case .info: return "info"
      case .warning: return "warning"
      case .error: return "error"
      case .critical: return "critical"
      case .off: return "off"
      }
    }

    /// From its name, `warn` included.
    package init?(name: String) {
      guard let level = Self.allCases.first(where: { $0.name == name || ($0 == .warning && name == "warn") }) else {
        return nil
      }
      self = level
    }
  }

  /// The components that log, and that `/logging` can set.
  package static let components = ["admin", "config", "explain", "health", "listener", "main", "tls", "upstream"]

  private struct State {
    var levels: [String: Level]
  }

  private let state: Mutex<State>
  private let isJSON: Bool

  package init(level: Level, isJSON: Bool) {
    self.isJSON = isJSON
    state = Mutex(State(levels: Dictionary(uniqueKeysWithValues: Self.components.map { ($0, level) })))
  }

  /// Writes one line if the component's level allows it.
  package func log(_ level: Level, _ component: String, _ message: String) {
    let threshold = state.withLock { $0.levels[component] ?? .info }
    guard level >= threshold, level != .off else { return }
    let time = TimeText.now()
    let line: String
    if isJSON {
      line =
        "{\"time\":\"\(time)\",\"level\":\"\(level.name)\",\"scope\":\"\(component)\",\"msg\":\(JSON.quoted(message))}\n"
    } else {
      line = "\(time)\t\(level.name)\t\(component)\t\(message)\n"
    }
    let bytes = Array(line.utf8)
    _ = unsafe write(2, bytes, bytes.count)
  }

  /// The levels of all components.
  package var levels: [(name: String, level: Level)] {
    state.withLock { state in Self.components.map { ($0, state.levels[$0] ?? .info) } }
  }

  /// Sets the level of one component, or of all; false when there is no such component.
  package func setLevel(_ level: Level, component: String?) -> Bool {
    state.withLock { state in
      guard let component else {
        for name in Self.components { state.levels[name] = level }
        return true
      }
      guard state.levels[component] != nil else { return false }
      state.levels[component] = level
      return true
    }
  }
}
