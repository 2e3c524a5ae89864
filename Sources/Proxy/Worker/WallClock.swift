import CLinux
import Transport
import Wire

/// The time of day for headers and logs: read from the system once a second, advanced by the loop's monotonic clock
/// between.
struct WallClock {
  private var offsetNanoseconds: Int64 = 0
  private var validUntil: Int64 = 0
  private var dateSecond: Int64 = -1
  private(set) var date: InlineArray<32, UInt8> = .init(repeating: 0)

  /// The length of an IMF-fixdate (RFC 9110, section 5.6.7).
  static let dateBytes = 29

  /// Nanoseconds since 1970 at `monotonic` (nanoseconds of the loop's clock).
  mutating func now(_ monotonic: Int64) -> Int64 {
    if monotonic >= validUntil {
      offsetNanoseconds = shim_realtime_nanoseconds() - shim_monotonic_nanoseconds()
      validUntil = monotonic + 1_000_000_000
    }
    return monotonic + offsetNanoseconds
  }

  /// Brings `date` up to the second.
  mutating func updateDate(_ monotonic: Int64) {
    let second = now(monotonic) / 1_000_000_000
    guard second != dateSecond else { return }
    dateSecond = second
    var span = date.mutableSpan
    var bytes = unsafe span.mutableBytes
    _ = Timestamp.writeDate(epochSeconds: second, into: &bytes)
  }
}
