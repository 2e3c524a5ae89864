extension Timestamp {
  /// Writes a time by a pattern of `strftime`, in UTC, as Envoy's `%START_TIME(…)%`: besides the usual letters `%s` are
  /// seconds since 1970, `%f` nanoseconds, `%3f` so many digits of them. Unknown letters stay as they are.
  package static func format(_ pattern: [UInt8], epochNanoseconds: Int64) -> [UInt8] {
    let seconds = epochNanoseconds / 1_000_000_000
    let time = CivilTime(epochSeconds: seconds)
    let fraction = padded(Int(epochNanoseconds % 1_000_000_000), 9)
    var result: [UInt8] = []
    var position = 0
    while position < pattern.count {
      guard pattern[position] == 0x25, position + 1 < pattern.count else {
        result.append(pattern[position])
        position += 1
        continue
      }
      let letter = pattern[position + 1]
      if (0x31...0x39).contains(letter), position + 2 < pattern.count, pattern[position + 2] == 0x66 {
        result += fraction.prefix(Int(letter - 0x30))
        position += 3
      } else {
        result += letter == 0x66 ? fraction : field(letter, time, seconds) ?? [0x25, letter]
        position += 2
      }
    }
    return result
  }

  private static func field(_ letter: UInt8, _ time: CivilTime, _ seconds: Int64) -> [UInt8]? {
    switch Character(Unicode.Scalar(letter)) {
    case "Y": return padded(time.year, 4)
    case "y": return padded(time.year % 100, 2)
    case "m": return padded(time.month, 2)
    case "d": return padded(time.day, 2)
    case "e": return Array((time.day < 10 ? " \(time.day)" : "\(time.day)").utf8)
    case "H": return padded(time.hour, 2)
    case "I": return padded((time.hour + 11) % 12 + 1, 2)
    case "M": return padded(time.minute, 2)
    case "S": return padded(time.second, 2)
    case "p": return Array((time.hour < 12 ? "AM" : "PM").utf8)
    case "s": return Array("\(seconds)".utf8)
    case "z": return Array("+0000".utf8)
    case "Z": return Array("UTC".utf8)
    case "a": return Array(weekdays(time.weekday).description.utf8)
    case "b", "h": return Array(months(time.month).description.utf8.filter { $0 != 0x20 })
    case "u": return Array("\(time.weekday == 0 ? 7 : time.weekday)".utf8)
    case "w": return Array("\(time.weekday)".utf8)
    case "F": return padded(time.year, 4) + [0x2D] + padded(time.month, 2) + [0x2D] + padded(time.day, 2)
    case "T": return padded(time.hour, 2) + [0x3A] + padded(time.minute, 2) + [0x3A] + padded(time.second, 2)
    case "R": return padded(time.hour, 2) + [0x3A] + padded(time.minute, 2)
    case "%": return [0x25]
    default: return nil
    }
  }

  private static func padded(_ number: Int, _ digits: Int) -> [UInt8] {
    let text = Array("\(number)".utf8)
    return [UInt8](repeating: 0x30, count: max(0, digits - text.count)) + text
  }
}
