extension CertificateFacts {
  /// One line for people: `CN=httpbin.org, for httpbin.org, *.httpbin.org, until 2027-11-21`.
  package var summary: String {
    let all = names.isEmpty ? "no names" : names.joined(separator: ", ")
    return "\(subject.isEmpty ? "no subject" : subject), for \(all), until \(Self.day(notAfter))"
  }

  /// Whether one of the names is `host`, as clients compare them.
  package func covers(_ host: String) -> Bool {
    names.contains { CertificateNames.matches(pattern: $0, host: host) }
  }

  /// The day of a time in seconds since 1970, in the proleptic Gregorian calendar: `2027-11-21`.
  static func day(_ seconds: Int64) -> String {
    let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
    // Years begin in March, so that the leap day is their last.
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let month = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * month + 2) / 5 + 1
    let calendarMonth = month < 10 ? month + 3 : month - 9
    let year = yearOfEra + era * 400 + (calendarMonth <= 2 ? 1 : 0)
    return "\(year)-\(calendarMonth < 10 ? "0" : "")\(calendarMonth)-\(day < 10 ? "0" : "")\(day)"
  }
}
