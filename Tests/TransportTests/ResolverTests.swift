import Testing

@testable import Transport

@Suite struct ResolverTests {
  /// Asks for `names`, all at once, and returns the answers in their order.
  private func ask(
    _ names: [String], _ table: [String: NameServer.Reply], tries: Int32 = 2, _ check: (NameServer) -> Void = { _ in }
  ) throws -> [DNSAnswer] {
    let server = NameServer(table)
    defer { server.end() }
    let loop = try EventLoop()
    let resolver = Resolver(loop: loop, servers: ["127.0.0.1:\(server.port)"], timeoutMilliseconds: 200, tries: tries)
    var answers = [DNSAnswer?](repeating: nil, count: names.count)
    for (index, name) in names.enumerated() {
      resolver.resolve(name: name) { answer in
        answers[index] = answer
        if !answers.contains(where: { $0 == nil }) { loop.stop() }
      }
    }
    if answers.contains(where: { $0 == nil }) { loop.run() }
    resolver.close()
    check(server)
    return answers.compactMap { $0 }
  }

  @Test func allAddressesOfBothFamiliesAreUsed() throws {
    let answers = try ask(
      ["a.test."],
      [
        "a.test/1": .records([.v4("a.test", 60, [10, 0, 0, 1]), .v4("a.test", 50, [10, 0, 0, 2])]),
        "a.test/28": .records([.v6("a.test", 40, last: 1)]),
      ])
    #expect(Set(answers[0].addresses.map(\.host)) == ["10.0.0.1", "10.0.0.2", "2001:db8::1"])
    #expect(answers[0].lifetimeSeconds == 40)
    #expect(answers[0].problem == nil)
    #expect(answers[0].addresses.allSatisfy { $0.port == 0 })
  }

  @Test(arguments: [(UInt32(300), UInt32(20), UInt32(60), 20), (300, 200, 30, 30), (0, 200, 30, 1), (7, 200, 30, 7)])
  func theLifetimeIsTheLeastOfTheWholeChain(first: UInt32, second: UInt32, address: UInt32, expected: Int) throws {
    let chain: [NameServer.Record] = [.alias("a.test", first, "b.test"), .alias("b.test", second, "c.test")]
    let answers = try ask(
      ["a.test."],
      ["a.test/1": .records(chain + [.v4("c.test", address, [10, 0, 0, 1])]), "a.test/28": .records(chain)])
    #expect(answers[0].addresses.map(\.host) == ["10.0.0.1"])
    #expect(answers[0].lifetimeSeconds == expected)
  }

  @Test(arguments: [
    (NameServer.Reply.code(3), "NXDOMAIN"), (.records([]), "no addresses"), (.code(2), "SERVFAIL"),
    (.code(5), "REFUSED"),
    (.silence, "timeout"),
  ])
  func failuresAreToldApart(reply: NameServer.Reply, problem: String) throws {
    let answers = try ask(["a.test."], ["a.test/1": reply, "a.test/28": reply])
    #expect(answers[0].addresses.isEmpty)
    #expect(answers[0].problem == problem)
  }

  @Test func oneFamilyIsEnough() throws {
    let address: NameServer.Reply = .records([.v4("a.test", 60, [10, 0, 0, 1])])
    for other in [NameServer.Reply.records([]), .code(2), .silence] {
      let answers = try ask(["a.test."], ["a.test/1": address, "a.test/28": other])
      #expect(answers[0].addresses.map(\.host) == ["10.0.0.1"])
    }
  }

  @Test func aLostQuestionIsAskedAgain() throws {
    _ = try ask(["a.test."], ["a.test/1": .silence, "a.test/28": .silence], tries: 3) { server in
      #expect(server.count("a.test/1") == 3)
    }
  }

  @Test func anAnswerThatDoesNotFitComesOverTCP() throws {
    let many = (1...80).map { NameServer.Record.v4("a.test", 60, [10, 0, 0, $0]) }
    let answers = try ask(["a.test."], ["a.test/1": .truncated(many), "a.test/28": .records([])]) { server in
      #expect(server.count("a.test/1") == 2)
    }
    #expect(answers[0].addresses.count == 80)
  }

  @Test func manyQuestionsAtOnceAreAllAnswered() throws {
    let names = (0..<50).map { "n\($0).test" }
    var table: [String: NameServer.Reply] = [:]
    for (index, name) in names.enumerated() {
      table["\(name)/1"] = .records([.v4(name, 60, [10, 0, 0, UInt8(index)])])
      table["\(name)/28"] = .records([])
    }
    let answers = try ask(names.map { "\($0)." }, table)
    #expect(answers.map { $0.addresses.first?.host } == names.indices.map { "10.0.0.\($0)" })
  }

  @Test(arguments: [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("[::1]", "::1"), ("localhost", "127.0.0.1")])
  func addressesAndLocalhostNeedNoServer(name: String, address: String) throws {
    let answers = try ask([name], [:]) { #expect($0.count("localhost/1") == 0) }
    #expect(answers[0].addresses.map(\.host).contains(address))
  }

  @Test func aServerListThatIsNoneIsSaidSo() throws {
    let loop = try EventLoop()
    let resolver = Resolver(loop: loop, servers: ["not a server"])
    var answer: DNSAnswer?
    resolver.resolve(name: "a.test") { answer = $0 }
    resolver.close()
    #expect(answer?.problem == "not a server are no name servers")
  }

  @Test func closingAnswersWhatIsOut() throws {
    let server = NameServer(["a.test/1": .silence, "a.test/28": .silence])
    defer { server.end() }
    let loop = try EventLoop()
    let resolver = Resolver(loop: loop, servers: ["127.0.0.1:\(server.port)"])
    var answer: DNSAnswer?
    resolver.resolve(name: "a.test.") { answer = $0 }
    #expect(answer == nil)
    resolver.close()
    #expect(answer?.problem == "cancelled")
    #expect(loop.handlerCount == 0)
  }

  @Test func anAnswerMayLeadToTheNextQuestion() throws {
    var table: [String: NameServer.Reply] = [:]
    for index in 0..<5 {
      table["n\(index).test/1"] = .records([.v4("n\(index).test", 60, [10, 0, 0, UInt8(index)])])
      table["n\(index).test/28"] = .records([])
    }
    let server = NameServer(table)
    defer { server.end() }
    let loop = try EventLoop()
    // The settings are due to be read again with every question, but not while c-ares still hands out an answer.
    let resolver = Resolver(loop: loop, servers: ["127.0.0.1:\(server.port)"], rereadMilliseconds: -1)
    var hosts: [String] = []
    func next(_ index: Int) {
      guard index < 5 else { return loop.stop() }
      resolver.resolve(name: "n\(index).test.") { answer in
        hosts.append(answer.addresses.first?.host ?? answer.problem ?? "")
        next(index + 1)
      }
    }
    next(0)
    loop.run()
    resolver.close()
    #expect(hosts == (0..<5).map { "10.0.0.\($0)" })
  }

  @Test func anAnswerMayEndTheResolver() throws {
    let server = NameServer([
      "a.test/1": .records([.v4("a.test", 60, [10, 0, 0, 1])]), "a.test/28": .records([]),
      "b.test/1": .silence, "b.test/28": .silence,
    ])
    defer { server.end() }
    let loop = try EventLoop()
    let resolver = Resolver(loop: loop, servers: ["127.0.0.1:\(server.port)"])
    var answers: [String] = []
    resolver.resolve(name: "b.test.") { answers.append("b \($0.problem ?? "")") }
    resolver.resolve(name: "a.test.") { answer in
      answers.append("a \(answer.addresses.first?.host ?? "")")
      resolver.close()
      loop.stop()
    }
    loop.run()
    #expect(answers == ["a 10.0.0.1", "b cancelled"])
    #expect(loop.handlerCount == 0)
  }

  @Test func pausesGrowToAMinute() {
    #expect(
      (1...8).map { DNSRefreshPolicy.pause(afterFailures: $0) } == [
        1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000,
      ])
    #expect(DNSRefreshPolicy.pause(afterFailures: 0) == 1000)
    #expect(DNSRefreshPolicy.pause(afterFailures: Int.max) == 60_000)
  }
}
