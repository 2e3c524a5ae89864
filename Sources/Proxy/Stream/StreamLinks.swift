import Transport

/// The downstream side of a stream. An enum with trivial payloads: a switch instead of an existential, and no counting.
enum DownstreamLink {
  case none
  case http1(Ref<HTTP1DownstreamConnection>)
}

/// The upstream side of a stream.
enum UpstreamLink {
  case none
  case http1(Ref<HTTP1UpstreamConnection>)
}
