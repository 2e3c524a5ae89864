import Routing
import Testing
import Transport

@testable import Proxy

@Suite struct OutlierRecordTests {
  private func record(_ change: (inout OutlierPolicy) -> Void) -> OutlierRecord {
    var policy = OutlierPolicy()
    change(&policy)
    return OutlierRecord(policy)
  }

  @Test func `errors in a row reach the limit once and begin anew`() {
    let record = record { $0.consecutive5xxErrors = 3 }
    #expect((0..<7).map { _ in record.answered(500) != nil } == [false, false, true, false, false, true, false])
  }

  @Test func `a success or an error below 500 begins anew`() {
    let record = record { $0.consecutive5xxErrors = 2 }
    #expect([500, 404, 500, 200, 500].allSatisfy { record.answered($0) == nil })
    #expect(record.answered(503) == .consecutive5xx)
  }

  @Test func `gateway errors have their own count, which a 500 ends`() {
    let record = record {
      $0.consecutive5xxErrors = 0
      $0.consecutiveGatewayErrors = 2
    }
    #expect([502, 500, 503].allSatisfy { record.answered($0) == nil })
    #expect(record.answered(504) == .consecutiveGatewayFailure)
  }

  @Test func `failures without an answer count as 503 unless they are split`() {
    let together = record { $0.consecutive5xxErrors = 2 }
    #expect(together.failed() == nil && together.answered(500) == .consecutive5xx)
    let split = record {
      $0.splitsLocalOriginErrors = true
      $0.consecutive5xxErrors = 2
      $0.consecutiveLocalOriginFailures = 2
    }
    #expect(split.failed() == nil && split.answered(500) == nil)
    #expect(split.failed() == .consecutiveLocalOriginFailure)
    #expect(split.failed() == nil)
    split.connected()
    #expect(split.failed() == nil)
  }
}

@Suite struct EjectionStateTests {
  private static func address(_ number: UInt32) -> SocketAddress { SocketAddress(v4: number, port: 80) }

  private func state(base: Int64 = 1000, percent: Int = 10) -> EjectionState {
    var policy = OutlierPolicy()
    policy.baseEjectionMilliseconds = base
    policy.maxEjectionPercent = percent
    return EjectionState(policy: policy)
  }

  @Test func `each ejection in a row takes longer, up to five minutes`() {
    var state = state(base: 200_000)
    #expect(state.failed(Self.address(1), endpoints: 1, now: 0) == .ejected(200_000))
    #expect(state.failed(Self.address(1), endpoints: 1, now: 10) == .isEjected)
    #expect(state.tick(now: 199_999).isEmpty)
    #expect(state.tick(now: 200_000) == [Self.address(1)])
    #expect(state.failed(Self.address(1), endpoints: 1, now: 200_000) == .ejected(300_000))
  }

  @Test func `good behaviour is rewarded, and then there is nothing to do`() {
    var state = state(base: 1000)
    _ = state.failed(Self.address(1), endpoints: 1, now: 0)
    #expect(!state.isQuiet)
    #expect(state.tick(now: 1000) == [Self.address(1)])
    #expect(state.tick(now: 2000).isEmpty && state.isQuiet)
    #expect(state.failed(Self.address(1), endpoints: 1, now: 3000) == .ejected(1000))
  }

  @Test(arguments: [(10, 1), (50, 2), (51, 3), (100, 4)])
  func `not more than the percentage, but at least one`(percent: Int, ejected: Int) {
    var state = state(percent: percent)
    let count = (0..<4).count { state.failed(Self.address($0), endpoints: 4, now: 0) != .overflow }
    #expect(count == ejected)
  }
}
