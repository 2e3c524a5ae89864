/// An `http` rule of a VirtualService.
package struct HTTPRoute: Sendable {
  package var location: SourceLocation
  package var name: Located<String>?
  package var match: [HTTPMatch]
  package var route: [RouteDestination]
  package var redirect: HTTPRedirect?
  package var directResponse: HTTPDirectResponse?
  package var rewrite: HTTPRewrite?
  package var headers: Headers?
  /// In milliseconds; 0 for none.
  package var timeout: Located<Int>?
  package var retries: HTTPRetry?
  package var delegate: HTTPDelegate?
  package var fault: HTTPFault?
  /// `mirrors`, and `mirror` with its percentage in the same form.
  package var mirrors: [HTTPMirror]
  package var corsPolicy: CORSPolicy?

  init(_ reader: FieldReader) {
    location = reader.location
    name = reader.string("name")
    match = reader.objects("match", HTTPMatch.init)
    route = reader.objects("route", null: "weight may not be nil", RouteDestination.init)
    redirect = reader.object("redirect", HTTPRedirect.init)
    directResponse = reader.object("directResponse", HTTPDirectResponse.init)
    rewrite = reader.object("rewrite", HTTPRewrite.init)
    headers = reader.object("headers", Headers.init)
    timeout = reader.duration("timeout", minimumMilliseconds: 0)
    retries = reader.object("retries", HTTPRetry.init)
    delegate = reader.object("delegate", HTTPDelegate.init)
    fault = reader.object("fault", HTTPFault.init)
    mirrors = HTTPMirror.all(of: reader)
    corsPolicy = reader.object("corsPolicy", CORSPolicy.init)
    checkActions(reader)
    checkDetails(reader.context)
    checkAuthority(reader.context)
  }

  /// Which actions go together.
  private func checkActions(_ reader: FieldReader) {
    let context = reader.context
    let routes = reader.hasItems("route")
    reader.excludes("redirect", "directResponse", "route")
    for other in ["rewrite", "fault"] {
      reader.excludes("redirect", other)
      reader.excludes("directResponse", other)
    }
    reader.excludes("delegate", "redirect")
    reader.excludes("delegate", "route")
    func refuse(_ isBoth: Bool, _ message: String) {
      if isBoth { context.error(message, at: location) }
    }
    let redirects = redirect != nil
    let responds = directResponse != nil
    let isMisspelled = ["route", "redirect", "directResponse", "delegate"].contains {
      reader.misspelling(of: $0) != nil
    }
    refuse(
      !routes && !redirects && !responds && delegate == nil && !isMisspelled,
      "HTTP route, redirect or direct_response is required")
    refuse(redirects && routes, "HTTP route cannot contain both route and redirect")
    refuse(responds && routes, "HTTP route cannot contain both route and direct_response")
    refuse(redirects && responds, "HTTP route cannot contain both redirect and direct_response")
    refuse(redirects && rewrite != nil, "HTTP route rule cannot contain both rewrite and redirect")
    refuse(responds && rewrite != nil, "HTTP route rule cannot contain both rewrite and direct_response")
    refuse(redirects && fault != nil, "HTTP route cannot contain both fault and redirect")
    refuse(responds && fault != nil, "HTTP route cannot contain both fault and direct_response")
    guard let delegate else { return }
    let name = delegate.name?.value ?? ""
    refuse(redirects, "root HTTP route \(name) must not specify redirect")
    refuse(routes, "root HTTP route \(name) must not specify route")
  }

  /// A rule may set the authority once: by its rewrite, or by one of its header operations. Those of its destinations
  /// give way to it (Istio's validateAuthorityRewrite and processDestination).
  private func checkAuthority(_ context: DecodingContext) {
    var current = rewrite?.authority
    let values = (headers?.request.map { Array($0.set) + Array($0.add) } ?? []).filter {
      $0.key == ":authority" || $0.key.lowercased() == "host"
    }.map(\.value).sorted { ($0.location.line, $0.location.column) < ($1.location.line, $1.location.column) }
    for value in values {
      if let current {
        context.error(
          "authority header cannot be set multiple times: have \"\(current.value)\", attempting to set \"\(value.value)\"",
          at: value.location)
      }
      current = value
    }
  }

  private func checkDetails(_ context: DecodingContext) {
    if let prefix = redirect?.prefixRewrite {
      let allPrefixes = !match.isEmpty && match.allSatisfy { if case .prefix = $0.uri?.kind { true } else { false } }
      if !allPrefixes {
        context.error("redirect prefix_rewrite requires all URI matches to use prefix match type", at: prefix.location)
      }
    }
    RouteDestination.checkTotal(route, at: location, context)
  }
}

/// One entry of `http[].match`: all conditions must hold.
package struct HTTPMatch: Sendable {
  package var location: SourceLocation
  package var name: Located<String>?
  package var uri: StringMatch?
  package var ignoreUriCase: Bool
  package var scheme: StringMatch?
  package var method: StringMatch?
  package var authority: StringMatch?
  package var headers: [(key: Located<String>, value: StringMatch)]
  package var withoutHeaders: [(key: Located<String>, value: StringMatch)]
  package var queryParams: [(key: Located<String>, value: StringMatch)]
  package var port: Located<Int>?
  package var gateways: [Located<String>]
  package var sourceLabels: [String: Located<String>]
  package var sourceNamespace: Located<String>?
  package var statPrefix: Located<String>?

  init(_ reader: FieldReader) {
    location = reader.location
    name = reader.string("name")
    uri = reader.object("uri", StringMatch.init)
    ignoreUriCase = reader.boolean("ignoreUriCase")?.value ?? false
    scheme = reader.object("scheme", StringMatch.init)
    method = reader.object("method", StringMatch.init)
    authority = reader.object("authority", StringMatch.init)
    headers = reader.objectMap("headers", null: "header match", StringMatch.init)
    withoutHeaders = reader.objectMap("withoutHeaders", null: "withoutHeaders match", StringMatch.init)
    queryParams = reader.objectMap("queryParams", null: "query param match", StringMatch.init)
    port = reader.integer("port")
    gateways = reader.strings("gateways")
    sourceLabels = reader.stringMap("sourceLabels")
    sourceNamespace = reader.string("sourceNamespace")
    statPrefix = reader.string("statPrefix")
    if let sourceNamespace, !HostRules.isLabel(sourceNamespace.value) {
      reader.context.error(
        "sourceNamespace match \(sourceNamespace.value) is invalid", at: sourceNamespace.location)
    }
    HostRules.checkPort(port, reader.context)
    HostRules.checkLabels(sourceLabels, reader.context)
    for gateway in gateways { HostRules.checkGatewayReference(gateway, reader.context) }
    for key in (headers + withoutHeaders).map(\.key) where !key.value.hasPrefix("@request.auth.claims") {
      HeaderRules.checkName(key, reader.context)
    }
  }
}

/// `http[].redirect`
package struct HTTPRedirect: Sendable {
  package enum DerivePort: String, Sendable, CaseIterable {
    case protocolDefault = "FROM_PROTOCOL_DEFAULT"
    case requestPort = "FROM_REQUEST_PORT"
  }

  package var uri: Located<String>?
  package var prefixRewrite: Located<String>?
  package var authority: Located<String>?
  package var scheme: Located<String>?
  package var port: Located<Int>?
  package var derivePort: Located<DerivePort>?
  package var redirectCode: Located<Int>?

  init(_ reader: FieldReader) {
    uri = reader.string("uri")
    prefixRewrite = reader.string("prefixRewrite")
    authority = reader.string("authority")
    scheme = reader.string("scheme")
    port = reader.integer("port")
    derivePort = reader.enumeration("derivePort")
    redirectCode = reader.integer("redirectCode")
    let context = reader.context
    reader.excludes("uri", "prefixRewrite")
    if uri != nil, prefixRewrite != nil {
      context.error("redirect may only specify one of uri or prefix_rewrite", at: reader.location)
    }
    reader.require(
      anyOf: "uri", "prefixRewrite", "authority", "scheme", "port", "derivePort",
      message: "redirect must specify URI, authority, scheme, or port")
    if let uri, uri.value.hasPrefix("%PREFIX()%") {
      context.warning(
        "redirect.uri \"\(uri.value)\" is taken as it is: %PREFIX()% means something in routes of the Gateway API alone",
        at: uri.location, help: "use redirect.prefixRewrite to replace the prefix that matched")
    }
    reader.exclusive("port", "derivePort")
    HostRules.checkPort(port, context)
    if let code = redirectCode {
      if !(300...399).contains(code.value) {
        context.error("\(code.value) is not a valid redirect code, must be 3xx", at: code.location)
      } else if ![301, 302, 303, 307, 308].contains(code.value) {
        // Istio's translateRoute leaves such a route without an action, and Envoy refuses it.
        context.error(
          "redirect code \(code.value) is not supported", at: code.location, help: "301, 302, 303, 307 or 308")
      }
    }
    for text in [uri, prefixRewrite] { WireText.checkTarget(text, context) }
    for text in [authority, scheme] { WireText.checkAuthority(text, context) }
  }
}

/// `http[].directResponse`
package struct HTTPDirectResponse: Sendable {
  package var status: Located<Int>?
  package var body: [UInt8]?

  init(_ reader: FieldReader) {
    status = reader.integer("status")
    body =
      reader.object("body") { body -> [UInt8]? in
        body.exclusive("string", "bytes")
        let text = body.string("string").map { Array($0.value.utf8) }
        return text ?? body.bytes("bytes")
      } ?? nil
    reader.require("status", "direct response status is required")
    if let status, !(200...599).contains(status.value) {
      reader.context.error("direct response status \(status.value) is not valid", at: status.location)
    }
    if let body, body.count > 1_000_000 {
      reader.context.error(
        "large direct_responses may impact control plane performance, must be less than 1MB", at: reader.location)
    } else if let body, body.count > 100_000 {
      reader.context.warning(
        "large direct_responses may impact control plane performance", at: reader.location)
    }
  }
}

/// `http[].rewrite`
package struct HTTPRewrite: Sendable {
  package var uri: Located<String>?
  package var authority: Located<String>?
  package var regexMatch: Located<String>?
  package var regexRewrite: Located<String>?

  init(_ reader: FieldReader) {
    uri = reader.string("uri")
    authority = reader.string("authority")
    let regex = reader.object("uriRegexRewrite") { regex in
      let fields = (regex.string("match"), regex.string("rewrite"))
      let isMisspelled = regex.misspelling(of: "match") != nil || regex.misspelling(of: "rewrite") != nil
      if fields.0 == nil || fields.1 == nil, !isMisspelled {
        reader.context.error(
          "UriRegexRewrite requires both Rewrite and Match fields to be specified", at: reader.location)
      }
      return fields
    }
    regexMatch = regex?.0
    regexRewrite = regex?.1
    reader.excludes("uri", "uriRegexRewrite")
    if uri != nil, regex != nil {
      reader.context.error("rewrite may only contain one of URI or UriRegexRewrite", at: reader.location)
    }
    // An empty text is an absent one, as in Istio.
    let isEmpty = uri?.value.isEmpty ?? true && regex == nil && authority?.value.isEmpty ?? true
    if isEmpty, !["uri", "uriRegexRewrite", "authority"].contains(where: { reader.misspelling(of: $0) != nil }) {
      reader.context.error(
        "rewrite must specify at least one of URI, UriRegexRewrite, or authority", at: reader.location)
    }
    if let regexMatch {
      RegexRules.check(regexMatch, of: "uriRegexRewrite", reader.context)
      if let regexRewrite { RegexRules.checkReplacement(regexRewrite, for: regexMatch.value, reader.context) }
    }
    for text in [uri, regexRewrite] { WireText.checkTarget(text, reader.context) }
    WireText.checkAuthority(authority, reader.context)
  }
}

/// `http[].retries`
package struct HTTPRetry: Sendable {
  package var attempts: Located<Int>?
  package var perTryTimeout: Located<Int>?
  package var retryOn: Located<String>?
  package var backoff: Located<Int>?
  package var retryRemoteLocalities: Located<Bool>?
  package var retryIgnorePreviousHosts: Located<Bool>?
  package var location: SourceLocation

  /// What `retryOn` may list, besides status codes: Envoy's and gRPC's policies.
  private static let policies: Set<String> = [
    "5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "envoy-ratelimited", "retriable-4xx",
    "refused-stream", "retriable-status-codes", "retriable-headers", "http3-post-connect-failure", "cancelled",
    "deadline-exceeded", "internal", "resource-exhausted", "unavailable",
  ]

  init(_ reader: FieldReader) {
    location = reader.location
    attempts = reader.integer("attempts")
    perTryTimeout = reader.duration("perTryTimeout")
    retryOn = reader.string("retryOn")
    backoff = reader.duration("backoff")
    retryRemoteLocalities = reader.boolean("retryRemoteLocalities")
    retryIgnorePreviousHosts = reader.boolean("retryIgnorePreviousHosts")
    if let attempts, attempts.value < 0 { reader.context.error("attempts cannot be negative", at: attempts.location) }
    if attempts?.value ?? 0 == 0, perTryTimeout != nil || retryOn != nil || retryRemoteLocalities != nil {
      reader.context.error("http retry policy configured when attempts are set to 0 (disabled)", at: location)
    }
    checkPolicies(reader.context)
  }

  /// The names are not trimmed: a space after the comma makes a policy unknown, as in Istio.
  private func checkPolicies(_ context: DecodingContext) {
    guard let retryOn, !retryOn.value.isEmpty else { return }
    for name in retryOn.value.split(separator: ",", omittingEmptySubsequences: false) {
      let isStatus = Int(name).map { (100...599).contains($0) } ?? false
      if isStatus || Self.policies.contains(String(name)) { continue }
      let bare = name.drop { $0 == " " }
      let help =
        bare.count < name.count
        ? "write the list without spaces" : Suggestion.help(for: String(name), among: Self.policies.sorted())
      context.error("\"\(name)\" is not a valid retryOn policy", at: retryOn.location, help: help)
    }
  }
}
