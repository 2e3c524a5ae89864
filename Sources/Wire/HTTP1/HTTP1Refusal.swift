/// Why a message is refused: one case a rule, so that logs and tests can tell them apart.
package enum HTTP1Refusal: UInt8, Sendable, CaseIterable {
  // Start line.
  case malformedRequestLine, malformedMethod, malformedTarget, unsupportedVersion, malformedVersion, requestLineTooLong
  case malformedStatusLine
  // Fields.
  case malformedFieldName, missingColon, whitespaceBeforeColon, obsoleteLineFolding, invalidFieldValue
  case bareLineFeed, bareCarriageReturn, headersTooLarge, tooManyHeaders, tooManyConnectionOptions
  // Framing.
  case contentLengthWithTransferEncoding, differingContentLengths, malformedContentLength
  case transferEncodingInHTTP10, unknownTransferEncoding, malformedTransferEncoding
  case malformedChunkSize, malformedChunkEnd, chunkExtensionTooLong, trailersTooLarge
  // Host.
  case missingHost, repeatedHost, malformedHost
  // CONNECT.
  case connectWithBody, malformedConnectTarget
  // Other.
  case unsupportedExpectation, headerTimeout, malformedPath

  /// The status that a client gets.
  package var status: Int {
    switch self {
    case .unsupportedVersion: return 505
    case .requestLineTooLong: return 414
    case .headersTooLarge, .tooManyHeaders, .trailersTooLarge: return 431
    case .unknownTransferEncoding: return 501
    case .unsupportedExpectation: return 417
    case .headerTimeout: return 408
    default: return 400
    }
  }

  /// The same of a response, whose fields are no request's.
  package var responseDetail: StaticString {
    self == .headersTooLarge ? "http1.headers_too_large" : detail
  }

  /// `%RESPONSE_CODE_DETAILS%`: Envoy's name where it has one, else `http1.` and the rule.
  package var detail: StaticString {
    switch self {
    case .malformedRequestLine: return "http1.malformed_request_line"
    case .malformedMethod: return "http1.malformed_method"
    case .malformedTarget: return "http1.malformed_target"
    case .unsupportedVersion: return "http1.unsupported_version"
    case .malformedVersion: return "http1.malformed_version"
    case .requestLineTooLong: return "http1.request_line_too_long"
    case .malformedStatusLine: return "http1.malformed_status_line"
    case .malformedFieldName: return "http1.malformed_field_name"
    case .missingColon: return "http1.missing_colon"
    case .whitespaceBeforeColon: return "http1.whitespace_before_colon"
    case .obsoleteLineFolding: return "http1.obsolete_line_folding"
    case .invalidFieldValue: return "http1.invalid_field_value"
    case .bareLineFeed: return "http1.bare_line_feed"
    case .bareCarriageReturn: return "http1.bare_carriage_return"
    case .headersTooLarge: return "request_headers_too_large"
    case .tooManyHeaders: return "http1.too_many_headers"
    case .tooManyConnectionOptions: return "http1.too_many_connection_options"
    case .contentLengthWithTransferEncoding: return "http1.content_length_and_chunked_not_allowed"
    case .differingContentLengths: return "http1.differing_content_lengths"
    case .malformedContentLength: return "http1.malformed_content_length"
    case .transferEncodingInHTTP10: return "http1.transfer_encoding_in_http10"
    case .unknownTransferEncoding: return "http1.invalid_transfer_encoding"
    case .malformedTransferEncoding: return "http1.malformed_transfer_encoding"
    case .malformedChunkSize: return "http1.malformed_chunk_size"
    case .malformedChunkEnd: return "http1.malformed_chunk_end"
    case .chunkExtensionTooLong: return "http1.chunk_extension_too_long"
    case .trailersTooLarge: return "http1.trailers_too_large"
    case .missingHost: return "missing_host_header"
    case .repeatedHost: return "http1.repeated_host"
    case .malformedHost: return "http1.malformed_host"
    case .connectWithBody: return "http1.body_disallowed"
    case .malformedConnectTarget: return "http1.malformed_connect_target"
    case .unsupportedExpectation: return "http1.unsupported_expectation"
    case .headerTimeout: return "request_header_timeout"
    case .malformedPath: return "path_normalization_failed"
    }
  }
}
