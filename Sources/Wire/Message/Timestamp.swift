/// Times as HTTP and logs write them, by arithmetic alone.
package enum Timestamp {
  /// Writes an IMF-fixdate (RFC 9110, section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`, 29 bytes.
  package static func writeDate(epochSeconds: Int64, into output: inout MutableRawSpan) -> Int {
    let time = CivilTime(epochSeconds: epochSeconds)
    var writer = ByteWriter()
    writer.write(weekdays(time.weekday), into: &output)
    writer.write(", ", into: &output)
    writer.write(decimal: time.day, digits: 2, into: &output)
    writer.write(months(time.month), into: &output)
    writer.write(decimal: time.year, digits: 4, into: &output)
    writer.write(" ", into: &output)
    writer.write(decimal: time.hour, digits: 2, into: &output)
    writer.write(":", into: &output)
    writer.write(decimal: time.minute, digits: 2, into: &output)
    writer.write(":", into: &output)
    writer.write(decimal: time.second, digits: 2, into: &output)
    writer.write(" GMT", into: &output)
    return writer.position
  }

  /// Writes `2026-08-22T10:00:00.000Z`, 24 bytes, at the writer's position.
  package static func writeISO8601(
    epochMilliseconds: Int64, _ writer: inout ByteWriter, into output: inout MutableRawSpan
  ) {
    let time = CivilTime(epochSeconds: epochMilliseconds / 1000)
    writer.write(decimal: time.year, digits: 4, into: &output)
    writer.write("-", into: &output)
    writer.write(decimal: time.month, digits: 2, into: &output)
    writer.write("-", into: &output)
    writer.write(decimal: time.day, digits: 2, into: &output)
    writer.write("T", into: &output)
    writer.write(decimal: time.hour, digits: 2, into: &output)
    writer.write(":", into: &output)
    writer.write(decimal: time.minute, digits: 2, into: &output)
    writer.write(":", into: &output)
    writer.write(decimal: time.second, digits: 2, into: &output)
    writer.write(".", into: &output)
    writer.write(decimal: Int(epochMilliseconds % 1000), digits: 3, into: &output)
    writer.write("Z", into: &output)
  }

  static func weekdays(_ day: Int) -> StaticString {
    switch day {
    case 0: return "Sun"
    case 1: return "Mon"
    case 2: return "Tue"
    case 3: return "Wed"
    case 4: return "Thu"
    case 5: return "Fri"
    default: return "Sat"
    }
  }

  static func months(_ month: Int) -> StaticString {
    switch month {
    case 1: return " Jan "
    case 2: return " Feb "
    case 3: return " Mar "
    case 4: return " Apr "
    case 5: return " May "
    case 6: return " Jun "
    case 7: return " Jul "
    case 8: return " Aug "
    case 9: return " Sep "
    case 10: return " Oct "
    case 11: return " Nov "
    default: return " Dec "
    }
  }
}

/// A point in time in the Gregorian calendar, UTC.
struct CivilTime {
  let year: Int
  let month: Int
  let day: Int
  let hour: Int
  let minute: Int
  let second: Int
  /// 0 is Sunday.
  let weekday: Int

  /// Days to civil date: Howard Hinnant's algorithm, exact for all years.
  init(epochSeconds: Int64) {
    let days = Int(epochSeconds / 86_400)
    let rest = Int(epochSeconds % 86_400)
    hour = rest / 3600
    minute = rest / 60 % 60
    second = rest % 60
    weekday = (days + 4) % 7
    let shifted = days + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthIndex = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * monthIndex + 2) / 5 + 1
    month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }
}
