/// `sallyport status` for people.
package enum StatusText {
  /// From the JSON of the instance's `/status`.
  package static func text(_ json: String) -> String {
    guard let status = JSONReader.read(json) else { return json }
    let readiness = status["readiness"]
    let isReady = readiness["ready"].plain == "true"
    var text = "\(status["instance"].plain)  \(isReady ? "ready" : "not ready")\n"
    for reason in readiness["reasons"].items { text += "  not ready: \(reason.plain)\n" }
    let configuration = status["configuration"]
    text += "  version        \(status["version"].plain), \(status["state"].plain), pid \(status["pid"].plain)\n"
    text += "  uptime         \(TimeText.duration(Int64(status["uptime_seconds"].plain) ?? 0))\n"
    text +=
      "  configuration  generation \(configuration["generation"].plain), \(configuration["files"].items.count) files\n"
    for rejected in configuration["rejected"].items {
      let what = rejected["kept"].plain == "true" ? "kept as it was" : "left out"
      let place = rejected["location"].plain
      text += "  rejected       \(rejected["resource"].plain), \(what): \(place.isEmpty ? "" : place + ": ")"
      text += "\(rejected["error"].plain)\n"
    }
    for problem in configuration["problems"].items { text += "  problem        \(problem.plain)\n" }
    for error in configuration["reload_errors"].items { text += "  not reloaded   \(error.plain)\n" }
    text += "  listeners      \(status["listeners"].items.map(\.plain).joined(separator: ", "))\n"
    for upstream in status["upstreams"].items {
      text +=
        "  upstream       \(upstream["name"].plain)  \(upstream["healthy"].plain)/\(upstream["total"].plain) healthy"
      if !upstream["reason"].plain.isEmpty { text += ": \(upstream["reason"].plain)" }
      text += "\n"
    }
    return text
  }
}
