/// The tokens that make a request's explanation appear in the process log. Whoever may use the admin port hands them
/// out; without one `x-sallyport-explain` does nothing, so that clients can neither fill the log nor learn about rules.
package struct ExplainTokens: Sendable {
  /// A token.
  package struct Token: Sendable {
    package let bytes: [UInt8]
    /// Monotonic time.
    package let expiresNanoseconds: Int64

    package init(bytes: [UInt8], expiresNanoseconds: Int64) {
      self.bytes = bytes
      self.expiresNanoseconds = expiresNanoseconds
    }
  }

  private var tokens: [Token] = []
  /// Whether there are any: all that a request asks when nobody wants an explanation.
  private(set) var isArmed = false

  /// Tokens at a time; the oldest is forgotten.
  private static let limit = 16

  init() {}

  /// Honours `token` until it expires.
  mutating func add(_ token: Token) {
    if tokens.count == Self.limit { tokens.removeFirst() }
    tokens.append(token)
    isArmed = true
  }

  /// Whether `bytes` is a token that has not expired; those that have are forgotten.
  mutating func accepts(_ bytes: [UInt8], now: Int64) -> Bool {
    tokens.removeAll { $0.expiresNanoseconds <= now }
    isArmed = !tokens.isEmpty
    return tokens.contains { token in
      // Every byte is looked at, so that the time tells nothing.
      token.bytes.count == bytes.count && zip(token.bytes, bytes).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
  }
}
