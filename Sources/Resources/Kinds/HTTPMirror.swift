/// `http[].mirrors[]`: where copies of requests go.
package struct HTTPMirror: Sendable {
  package var destination: RouteDestination.Destination?
  /// 0 to 100; absent means all requests.
  package var percentage: Located<Double>?

  private init(destination: RouteDestination.Destination?, percentage: Located<Double>?) {
    self.destination = destination
    self.percentage = percentage
  }

  /// The mirrors of a route, in either way of writing them.
  static func all(of reader: FieldReader) -> [HTTPMirror] {
    let list = reader.objects("mirrors", null: "mirror cannot be null") { entry in
      let mirror = HTTPMirror(
        destination: entry.object("destination", RouteDestination.Destination.init),
        percentage: Percentage.read("percentage", entry))
      entry.require("destination", "destination is required for mirrors")
      return mirror
    }
    let single = reader.object("mirror", RouteDestination.Destination.init)
    let whole = reader.integer("mirrorPercent")
    let percentage = Percentage.read("mirrorPercentage", reader)
    reader.deprecated("mirrorPercent", use: "mirrorPercentage.value")
    if let whole, whole.value > 100 {
      reader.context.error("mirror_percent must have a max value of 100 (it has \(whole.value))", at: whole.location)
    }
    reader.excludes("mirror", "mirrors")
    guard let single else { return list }
    if !list.isEmpty {
      reader.context.error("HTTP route cannot contain both mirror and mirrors", at: reader.keyLocation("mirrors"))
    }
    return [
      HTTPMirror(
        destination: single, percentage: percentage ?? whole.map { Located(Double($0.value), at: $0.location) })
    ]
  }
}
