/// A change of a request that makes a condition of a rule hold or fail.
enum Wish: Hashable {
  case nothing
  case path(String)
  case method(String)
  case authority(String)
  case field(name: String, value: String)
  case noField(name: String)
  case parameter(name: String, value: String)
  case noParameter(name: String)

  /// The request with the change; what it says of the same thing is replaced.
  func applied(to base: SampleRequest) -> SampleRequest {
    var request = base
    switch self {
    case .nothing: break
    case .path(let path): request.target = path + Self.query(of: base.target)
    case .method(let method): request.method = method
    case .authority(let authority): request.authority = authority
    case .field(let name, let value):
      request.fields.removeAll { $0.name == name }
      request.add(name, value)
    case .noField(let name): request.fields.removeAll { $0.name == name }
    case .parameter(let name, let value):
      request.target = Self.replacing(name, in: base.target, with: "\(name)=\(value)")
    case .noParameter(let name): request.target = Self.replacing(name, in: base.target, with: nil)
    }
    return request
  }

  private static func query(of target: String) -> String {
    target.firstIndex(of: "?").map { String(target[$0...]) } ?? ""
  }

  private static func replacing(_ name: String, in target: String, with pair: String?) -> String {
    let path = target.prefix { $0 != "?" }
    var pairs = query(of: target).dropFirst().split(separator: "&").map(String.init)
    pairs.removeAll { $0 == name || $0.hasPrefix(name + "=") }
    if let pair { pairs.append(pair) }
    return pairs.isEmpty ? String(path) : path + "?" + pairs.joined(separator: "&")
  }
}
