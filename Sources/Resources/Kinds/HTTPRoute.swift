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

  init(_ reader: FieldReader) {
    location = reader.location
    name = reader.string("name")
    match = reader.objects("match", HTTPMatch.init)
    route = reader.objects("route", RouteDestination.init)
    redirect = reader.object("redirect", HTTPRedirect.init)
    directResponse = reader.object("directResponse", HTTPDirectResponse.init)
    rewrite = reader.object("rewrite", HTTPRewrite.init)
    headers = reader.object("headers", Headers.init)
    timeout = reader.duration("timeout", minimumMilliseconds: 0)
    retries = reader.object("retries", HTTPRetry.init)
    reader.notActedOn(
      "delegate", "fault", "mirror", "mirrors", "mirrorPercent", "mirror_percent", "mirrorPercentage", "corsPolicy")
    check(reader)
  }

  private func check(_ reader: FieldReader) {
    let context = reader.context
    let isDelegate = reader.has("delegate")
    if route.isEmpty, redirect == nil, directResponse == nil, !isDelegate {
      context.error("HTTP route, redirect or direct_response is required", at: location)
    }
    if redirect != nil {
      if !route.isEmpty { context.error("HTTP route cannot contain both route and redirect", at: location) }
      if rewrite != nil { context.error("HTTP route rule cannot contain both rewrite and redirect", at: location) }
      if directResponse != nil {
        context.error("HTTP route cannot contain both redirect and direct_response", at: location)
      }
    }
    if directResponse != nil {
      if !route.isEmpty { context.error("HTTP route cannot contain both route and direct_response", at: location) }
      if rewrite != nil { context.error("HTTP route cannot contain both rewrite and direct_response", at: location) }
    }
    if let prefix = redirect?.prefixRewrite {
      let allPrefixes = !match.isEmpty && match.allSatisfy { if case .prefix = $0.uri?.kind { true } else { false } }
      if !allPrefixes {
        context.error("redirect prefix_rewrite requires all URI matches to use prefix match type", at: prefix.location)
      }
    }
    if route.count > 1, route.allSatisfy({ ($0.weight?.value ?? 0) == 0 }) {
      context.error("total destination weight = 0", at: location)
    }
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

  init(_ reader: FieldReader) {
    location = reader.location
    name = reader.string("name")
    uri = reader.object("uri", StringMatch.init)
    ignoreUriCase = reader.boolean("ignoreUriCase")?.value ?? false
    scheme = reader.object("scheme", StringMatch.init)
    method = reader.object("method", StringMatch.init)
    authority = reader.object("authority", StringMatch.init)
    headers = reader.objectMap("headers", StringMatch.init)
    withoutHeaders = reader.objectMap("withoutHeaders", StringMatch.init)
    queryParams = reader.objectMap("queryParams", StringMatch.init)
    port = reader.integer("port")
    gateways = reader.strings("gateways")
    sourceLabels = reader.stringMap("sourceLabels")
    sourceNamespace = reader.string("sourceNamespace")
    reader.notActedOn("statPrefix")
    HostRules.checkPort(port, reader.context)
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
    if uri != nil, prefixRewrite != nil {
      context.error("redirect may only specify one of uri or prefix_rewrite", at: reader.location)
    }
    if uri == nil, prefixRewrite == nil, authority == nil, scheme == nil, port == nil, derivePort == nil {
      context.error("redirect must specify URI, authority, scheme, or port", at: reader.location)
    }
    if let code = redirectCode, !(300...399).contains(code.value) {
      context.error("\(code.value) is not a valid redirect code, must be 3xx", at: code.location)
    }
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
        if let text = body.string("string") { return Array(text.value.utf8) }
        return body.string("bytes").flatMap { Base64.decode($0.value) }
      } ?? nil
    reader.require(status != nil, "direct response status is required")
    if let status, !(200...599).contains(status.value) {
      reader.context.error("direct response status \(status.value) is not valid", at: status.location)
    }
    if let body, body.count > 1_000_000 {
      reader.context.error(
        "large direct_responses may impact control plane performance, must be less than 1MB", at: reader.location)
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
    let regex = reader.object("uriRegexRewrite") { ($0.string("match"), $0.string("rewrite")) }
    regexMatch = regex?.0
    regexRewrite = regex?.1
    if uri != nil, regex != nil {
      reader.context.error("rewrite may only contain one of URI or UriRegexRewrite", at: reader.location)
    }
    if uri == nil, regex == nil, authority == nil {
      reader.context.error(
        "rewrite must specify at least one of URI, UriRegexRewrite, or authority", at: reader.location)
    }
    if regex != nil, regexMatch == nil || regexRewrite == nil {
      reader.context.error(
        "UriRegexRewrite requires both Rewrite and Match fields to be specified", at: reader.location)
    }
  }
}

/// `http[].retries`
package struct HTTPRetry: Sendable {
  package var attempts: Located<Int>?
  package var perTryTimeout: Located<Int>?
  package var retryOn: Located<String>?
  package var backoff: Located<Int>?
  package var location: SourceLocation

  init(_ reader: FieldReader) {
    location = reader.location
    attempts = reader.integer("attempts")
    perTryTimeout = reader.duration("perTryTimeout")
    retryOn = reader.string("retryOn")
    backoff = reader.duration("backoff")
    reader.notActedOn("retryRemoteLocalities", "retryIgnorePreviousHosts")
    if let attempts, attempts.value < 0 { reader.context.error("attempts cannot be negative", at: attempts.location) }
    if attempts?.value ?? 0 == 0, perTryTimeout != nil || retryOn != nil {
      reader.context.error("http retry policy configured when attempts are set to 0 (disabled)", at: location)
    }
  }
}
