import Synchronization

/// How many client connections the process may hold, over all workers. Touched when one comes and goes, not with
/// requests.
final class ConnectionBudget: Sendable {
  private let active = Atomic<Int>(0)
  private let limit: Int

  init(limit: Int) {
    self.limit = limit
  }

  /// Takes one place; false when all are taken.
  func take() -> Bool {
    guard active.add(1, ordering: .relaxed).newValue > limit else { return true }
    active.subtract(1, ordering: .relaxed)
    return false
  }

  /// Gives one place back.
  func give() {
    active.subtract(1, ordering: .relaxed)
  }
}
