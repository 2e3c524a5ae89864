import CLinux
import Transport

/// Keeps web pages of others from using the admin port through the browser of somebody who can reach it: by a request across
/// sites, or with a name of theirs that they let point to this machine (DNS rebinding).
///
/// Tools send neither `Origin` nor `Sec-Fetch-Site`, and are let through by whatever name they have for the port.
enum BrowserGuard {
  /// Why `request` is refused; nil when it is not.
  static func problem(with request: ServiceRequest) -> String? {
    let host = request.header("host") ?? ""
    // A page of another site may ask, and cannot read the answer. With a name that was pointed here it can.
    if request.isLocal, !host.isEmpty, !isOwn(host) {
      return "\(name(host)) is not a name of this machine: use localhost or an IP address"
    }
    guard request.method != "GET", request.method != "HEAD" else { return nil }
    if let site = request.header("sec-fetch-site"), site != "same-origin", site != "none" {
      return "requests of web pages of other sites are refused"
    }
    guard let origin = request.header("origin") else { return nil }
    let isSame = origin.lowercased() == "http://" + host.lowercased() && isOwn(host)
    return isSame ? nil : "requests of web pages of other sites are refused"
  }

  /// Whether `host`, perhaps with a port, can only be this machine: nobody else can say where it points to.
  private static func isOwn(_ host: String) -> Bool {
    var name = name(host).lowercased()
    if SocketAddress(literal: name, port: 0) != nil { return true }
    if name.hasSuffix(".") { name.removeLast() }
    return name == "localhost" || name.hasSuffix(".localhost") || name == ownName
  }

  /// Without the port.
  private static func name(_ host: String) -> String {
    if host.hasPrefix("["), let end = host.lastIndex(of: "]") { return String(host[...end]) }
    guard let colon = host.lastIndex(of: ":"), host.firstIndex(of: ":") == colon else { return host }
    return String(host[..<colon])
  }

  /// As the system calls itself.
  private static let ownName: String = {
    var bytes = [CChar](repeating: 0, count: 256)
    guard unsafe gethostname(&bytes, bytes.count - 1) == 0 else { return "localhost" }
    return String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).lowercased()
  }()
}
