/// `rules[].to[].operation`: what a request is for. All fields that are given must hold.
package struct AuthorizationOperation: Sendable {
  package let hosts: AuthorizationValues
  package let ports: AuthorizationValues
  package let methods: AuthorizationValues
  package let paths: AuthorizationValues

  init(_ reader: FieldReader, _ index: Int) {
    hosts = AuthorizationValues(reader, "hosts")
    ports = AuthorizationValues(reader, "ports", AuthorizationChecks.port)
    methods = AuthorizationValues(reader, "methods", AuthorizationChecks.method)
    paths = AuthorizationValues(reader, "paths", AuthorizationChecks.path)
    if [hosts, ports, methods, paths].allSatisfy(\.isEmpty), !reader.hasUnknownFields {
      reader.context.error("`to.operation` must not be empty, found at rule \(index)", at: reader.location)
    }
  }

  /// Whether something in it can be told of a connection without HTTP.
  var isOfTCP: Bool { !ports.isEmpty }
}
