import Transport

/// The client connections of one worker, in a list that runs through them: entering and leaving costs a few stores.
final class ConnectionList {
  private var first: Ref<DownstreamConnection>?

  func add(_ connection: DownstreamConnection) {
    connection.nextInList = first
    connection.previousInList = nil
    first?.with { $0.previousInList = Ref(connection) }
    first = Ref(connection)
  }

  func remove(_ connection: DownstreamConnection) {
    let next = connection.nextInList
    let previous = connection.previousInList
    if let previous {
      previous.with { $0.nextInList = next }
    } else {
      first = next
    }
    next?.with { $0.previousInList = previous }
    connection.nextInList = nil
    connection.previousInList = nil
  }

  /// Calls `body` for each connection; it may close the one it is called for.
  func forEach(_ body: (DownstreamConnection) -> Void) {
    var current = first
    while let link = current {
      current = link.with { $0.nextInList }
      link.with(body)
    }
  }
}
