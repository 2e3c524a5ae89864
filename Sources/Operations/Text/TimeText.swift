import CLinux
import Wire

/// Times for people.
package enum TimeText {
  /// Now, as `2026-08-22T10:00:00.000Z`.
  package static func now() -> String { iso(shim_realtime_nanoseconds() / 1_000_000) }

  /// Milliseconds since 1970 as `2026-08-22T10:00:00.000Z`.
  package static func iso(_ epochMilliseconds: Int64) -> String {
    var bytes = [UInt8](repeating: 0, count: 32)
    var span = bytes.mutableSpan
    var raw = unsafe span.mutableBytes
    var writer = ByteWriter()
    Timestamp.writeISO8601(epochMilliseconds: epochMilliseconds, &writer, into: &raw)
    return String(decoding: bytes.prefix(24), as: UTF8.self)
  }

  /// Seconds since 1970 as `2026-08-22T10:00:00Z`.
  package static func seconds(_ epochSeconds: Int64) -> String {
    String(iso(epochSeconds * 1000).prefix(19)) + "Z"
  }

  /// Seconds since 1970, now.
  package static var epochSeconds: Int64 { shim_realtime_nanoseconds() / 1_000_000_000 }

  /// A span of time: `3d4h`, `12m5s`, `4s`.
  package static func duration(_ seconds: Int64) -> String {
    switch seconds {
    case ..<60: return "\(seconds)s"
    case ..<3600: return "\(seconds / 60)m\(seconds % 60)s"
    case ..<86_400: return "\(seconds / 3600)h\(seconds / 60 % 60)m"
    default: return "\(seconds / 86_400)d\(seconds / 3600 % 24)h"
    }
  }
}
