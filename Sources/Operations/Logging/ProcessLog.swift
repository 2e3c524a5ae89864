import CLinux
import Proxy
import Synchronization
import Transport

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
    var writer: LogWriter?
  }

  /// Bytes that may wait to be written.
  private static let capacity = 128 * 1024

  private let state: Mutex<State>
  private let isJSON: Bool

  package init(level: Level, isJSON: Bool) {
    self.isJSON = isJSON
    state = Mutex(State(levels: Dictionary(uniqueKeysWithValues: Self.components.map { ($0, level) })))
  }

  /// Writes one line if the component's level allows it.
  package func log(_ level: Level, _ component: String, _ message: String) {
    let (threshold, writer) = state.withLock { ($0.levels[component] ?? .info, $0.writer) }
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
    if let writer {
      // A worker must not wait for whoever reads standard error; without room the line is lost.
      _ = writer.write(bytes)
    } else {
      _ = unsafe write(2, bytes, bytes.count)
    }
  }

  /// From now on lines are written by a thread of their own. Before, while an instance starts, they are written at once,
  /// so that they stand before the message of a start that fails.
  ///
  /// - Throws: `SystemError` when the thread cannot be started.
  func writeInBackground() throws(SystemError) {
    let writer = try LogWriter(descriptor: 2, capacity: Self.capacity)
    state.withLock { $0.writer = writer }
  }

  /// Waits until everything is written, and writes at once from now on; at the end of the process.
  func finish() {
    let writer = state.withLock { state in
      let writer = state.writer
      state.writer = nil
      return writer
    }
    writer?.flush()
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
