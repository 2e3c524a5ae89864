import Routing

/// The requests of an HTTP Archive (HAR 1.2), as browsers and proxies save them.
package enum HARFile {
  /// Why a file is not understood, in words.
  package struct Malformed: Error, CustomStringConvertible {
    package let description: String
  }

  /// All requests, in their order. Fields of HTTP/2 that are no headers (`:authority`, `:method`) are read as what they
  /// mean.
  package static func requests(_ text: String) throws(Malformed) -> [SampleRequest] {
    // Some programs begin their files with a byte order mark.
    let bare = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
    guard let json = JSONReader.read(bare) else { throw Malformed(description: "it is not JSON") }
    let entries = json["log"]["entries"].items
    guard !entries.isEmpty else { throw Malformed(description: "it has no log.entries") }
    var requests: [SampleRequest] = []
    for (index, entry) in entries.enumerated() where isHTTP(entry["request"]["url"].plain) {
      do {
        requests.append(try request(entry["request"]))
      } catch {
        throw Malformed(description: "log.entries[\(index)].request.url: \(error.description)")
      }
    }
    guard !requests.isEmpty else { throw Malformed(description: "none of its entries is a request of HTTP") }
    return requests
  }

  /// Browsers also save what never left them: `data:`, `blob:`, extensions.
  private static func isHTTP(_ url: String) -> Bool {
    let scheme = url.prefix { $0 != ":" }.lowercased()
    return ["http", "https", "ws", "wss"].contains(scheme)
  }

  private static func request(_ saved: JSON) throws(SampleRequest.MalformedURL) -> SampleRequest {
    var request = try SampleRequest(url: saved["url"].plain)
    let method = saved["method"].plain
    if !method.isEmpty { request.method = method }
    for field in saved["headers"].items {
      let name = field["name"].plain
      if name == ":authority" {
        request.authority = field["value"].plain
      } else if !name.hasPrefix(":"), !framing.contains(name.lowercased()) {
        request.add(name, field["value"].plain)
      }
    }
    return request
  }

  /// Fields that describe the saved transfer and not the request.
  private static let framing: Set<String> = ["content-length", "transfer-encoding"]
}
