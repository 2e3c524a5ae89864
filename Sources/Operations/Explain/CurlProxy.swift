import Routing

/// The proxy of a curl command. Where it is told to make a tunnel (`-p`), what the proxy sees is CONNECT; other uses of
/// a proxy are not followed.
struct CurlProxy {
  var url: String?
  /// `name:password`
  var user: String?
  /// `Name: value`, for the proxy alone.
  var headers: [String] = []
  var isTunnel = false

  /// The request that opens the tunnel through which `request` would be sent; nil when there is none.
  func tunnel(to request: SampleRequest) throws(SampleRequest.MalformedURL) -> SampleRequest? {
    guard isTunnel, let url, !url.lowercased().hasPrefix("socks") else { return nil }
    var opening = try SampleRequest(url: url)
    // Without a port it is 1080, whatever the scheme of a plain proxy is.
    if !opening.isTLS, opening.port == 80, !Self.namesPort(url) { opening.port = 1080 }
    let host = request.authority.last == "]" || !request.authority.contains(":") ? ":\(request.port)" : ""
    opening.method = "CONNECT"
    opening.authority = request.authority + host
    opening.target = "/"
    for header in headers {
      guard let colon = header.firstIndex(of: ":") else {
        if header.hasSuffix(";") { opening.add(String(header.dropLast()), "") }
        continue
      }
      let value = header[header.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
      if !value.isEmpty { opening.add(String(header[..<colon]), String(value)) }
    }
    if let user = user ?? URLPattern.user(of: url) {
      opening.add("Proxy-Authorization", "Basic \(CurlLine.base64(Array(user.utf8)))")
    }
    if !headers.contains(where: { $0.lowercased().hasPrefix("user-agent") }) {
      opening.add("User-Agent", "curl/8.0.0")
    }
    return opening
  }

  private static func namesPort(_ url: String) -> Bool {
    let rest = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
    let authority = rest.prefix { $0 != "/" }
    return authority.last != "]" && (authority.split(separator: "@").last ?? "").contains(":")
  }
}
