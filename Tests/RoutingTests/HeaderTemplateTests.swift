import Testing

@testable import Routing

@Suite struct HeaderTemplateTests {
  private func text(_ text: String) -> HeaderTemplate.Piece { .text(Array(text.utf8)) }

  @Test func `the text of a template is kept as it is written`() throws {
    let parsed = try HeaderTemplate.parse("a %PROTOCOL% 5%%")
    #expect(parsed.template != nil && parsed.plain == Array("a %PROTOCOL% 5%%".utf8))
  }

  @Test(arguments: [("plain", "plain"), ("", ""), ("100%%", "100%"), ("%%a%%%%", "%a%%")])
  func `plain text stays plain`(value: String, plain: String) throws {
    let parsed = try HeaderTemplate.parse(value)
    #expect(parsed.template == nil && parsed.plain == Array(plain.utf8))
  }

  @Test(
    arguments: [
      ("%PROTOCOL%", HeaderOperator.protocol, nil), ("%DOWNSTREAM_REMOTE_ADDRESS%", .remoteAddress, nil),
      ("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", .remoteAddressWithoutPort, nil),
      ("%REQ(X-A)%", .request(Array("x-a".utf8), alternative: nil), nil),
      ("%REQ(X-A?:Path):12%", .request(Array("x-a".utf8), alternative: Array(":path".utf8)), 12),
      ("%RESP(Server)%", .response(Array("server".utf8), alternative: nil), nil), ("%START_TIME%", .startTime([]), nil),
      ("%START_TIME(%s.%3f)%", .startTime(Array("%s.%3f".utf8)), nil), ("%RESPONSE_FLAGS%", .responseFlags, nil),
    ] as [(String, HeaderOperator, Int?)])
  func `an operator is known`(value: String, expected: HeaderOperator, limit: Int?) throws {
    #expect(try HeaderTemplate.parse(value).template?.pieces == [.value(expected, limit: limit)])
  }

  @Test func `text and operators alternate`() throws {
    let template = try HeaderTemplate.parse("a %PROTOCOL%%ROUTE_NAME% 5%% b").template
    #expect(
      template?.pieces == [
        text("a "), .value(.protocol, limit: nil), .value(.routeName, limit: nil), text(" 5% b"),
      ])
  }

  @Test(arguments: ["%NOPE%", "%REQ%", "%PROTOCOL(x)%", "%REQ(a):x%", "%open"])
  func `what is not known is refused`(value: String) {
    #expect(throws: HeaderTemplate.Unknown.self) { try HeaderTemplate.parse(value) }
  }

  @Test func `an unknown operator costs its header and is said`() throws {
    let output = compile(
      routing(
        "- headers: {request: {set: {a: '%NOPE%', b: '%PROTOCOL%', c: d}}}\n  route: [{destination: {host: up.example}}]"
      ))
    #expect(output.diagnostics.map(\.code) == ["SP1052"])
    let operations = try #require(output.snapshot.headerOperations.first)
    #expect(operations.set.map { String(decoding: $0.name, as: UTF8.self) } == ["b", "c"])
    #expect(output.snapshot.routes[0].features == .valueOperators)
  }

  @Test func `operators of a destination count for its route`() throws {
    let output = compile(
      routing("- route: [{destination: {host: up.example}, headers: {response: {add: {a: '%RESPONSE_CODE%'}}}}]"))
    #expect(output.snapshot.routes[0].features == .valueOperators)
  }

  @Test func `fields that come out empty are left out`() {
    let template = HeaderTemplate(pieces: [.value(.serverName, limit: nil)])
    let operations = HeaderOperations(
      set: [.init(name: [1], value: [], template: template), .init(name: [2], value: [3])], add: [], remove: [])
    #expect(operations.evaluated { _ in [] }.set == [.init(name: [2], value: [3])])
  }
}
