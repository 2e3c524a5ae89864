import Testing

@testable import Transport

@Suite struct CertificateSummaryTests {
  @Test(arguments: [
    (Int64(0), "1970-01-01"), (-1, "1969-12-31"), (951_782_399, "2000-02-28"), (951_782_400, "2000-02-29"),
    (951_868_800, "2000-03-01"), (1_735_689_599, "2024-12-31"), (4_107_542_400, "2100-03-01"),
    (4_107_542_399, "2100-02-28"), (253_402_300_799, "9999-12-31"), (-2_208_988_800, "1900-01-01"),
  ])
  func `names the day of a time`(_ seconds: Int64, _ day: String) {
    #expect(CertificateFacts.day(seconds) == day)
  }
}
