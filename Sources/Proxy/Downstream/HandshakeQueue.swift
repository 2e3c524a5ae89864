import Transport

/// The connections of one worker that have not told who they are, oldest first: TLS handshakes in progress, and those whose
/// ClientHello or PROXY protocol header is awaited. Whoever connects and stays silent is among them until its time is up.
final class HandshakeQueue {
  /// Who waits.
  enum Owner {
    case http(Ref<HTTP1DownstreamConnection>)
    case tcp(Ref<TCPDownstreamConnection>)
    case filter(Ref<ListenerFilter>)
  }

  /// A place in the queue; of a free one `next` is another free one.
  private struct Place {
    var owner: Owner?
    var since: Int64 = 0
    var next: Int32 = -1
    var previous: Int32 = -1
  }

  private var places: [Place] = []
  private var firstFree: Int32 = -1
  private var oldest: Int32 = -1
  private var newest: Int32 = -1
  private(set) var count = 0

  /// What a handshake may take before it makes room for others: several round trips to the far side of the world. With
  /// less, a crowd of honest clients would push one another out, and with none of them served, come again.
  private static let graceMilliseconds: Int64 = 1000

  /// Puts `owner` at the end; returns its place, for `leave`.
  func enter(_ owner: Owner, now: Int64) -> Int32 {
    if firstFree < 0 {
      places.append(Place())
      firstFree = Int32(places.count - 1)
    }
    let place = firstFree
    firstFree = places[Int(place)].next
    places[Int(place)] = Place(owner: owner, since: now, next: -1, previous: newest)
    if newest >= 0 { places[Int(newest)].next = place } else { oldest = place }
    newest = place
    count += 1
    return place
  }

  /// Gives a place back, once; `place` is -1 then.
  func leave(_ place: inout Int32) {
    guard place >= 0 else { return }
    let left = places[Int(place)]
    if left.previous >= 0 { places[Int(left.previous)].next = left.next } else { oldest = left.next }
    if left.next >= 0 { places[Int(left.next)].previous = left.previous } else { newest = left.previous }
    places[Int(place)] = Place(next: firstFree)
    firstFree = place
    place = -1
    count -= 1
    // What a flood has made it grow to is not kept.
    if count == 0, places.count > Self.keptPlaces {
      places = []
      firstFree = -1
    }
  }

  private static let keptPlaces = 64

  /// Closes the connection that has waited for the longest; false when there is none that has had its time.
  func giveUpOldest(now: Int64) -> Bool {
    guard oldest >= 0, now - places[Int(oldest)].since >= Self.graceMilliseconds else { return false }
    // Closing makes it leave.
    switch places[Int(oldest)].owner {
    case .http(let connection): connection.with { $0.close() }
    case .tcp(let connection): connection.with { $0.close() }
    case .filter(let filter): filter.with { $0.giveUp() }
    case nil: return false
    }
    return true
  }
}
