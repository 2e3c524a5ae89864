import ArgumentParser
import CLinux
import Operations
import Resources
import Routing
import Wire

/// `sallyport explain`
struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Say where a request would go, and why, without sending it.",
    discussion: """
      Exit codes: 0 the request is answered as the rules say, 1 it is not (no listener, no route, TLS redirect, ...).
      sallyport explain --url https://httpbin.example.com:15443/status/200 gateways/
      sallyport explain --url http://example.com/ -X POST -H 'x-canary: 1' -o json
      sallyport explain --url tls://db.example.com:443 --source 10.1.2.3 gateways/
      sallyport explain --curl "curl -HHost:example.com http://127.0.0.1:8080/api"
      """)

  enum Form: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Option(help: "The URL that is asked for; tcp://host:port and tls://host:port for a connection that carries bytes.")
  var url: String?

  @Option(name: [.customShort("X"), .long, .customLong("request")], help: "The method; GET if not said.")
  var method: String?

  @Option(
    name: [.customShort("H", allowingJoined: true), .long],
    help: ArgumentHelp("A header field; repeat for more.", valueName: "name: value"))
  var header: [String] = []

  @Option(help: "The server name of the TLS handshake, instead of the URL's host; empty for none.")
  var sni: String?

  @Option(help: ArgumentHelp("A protocol that the client offers by ALPN; repeat for more.", valueName: "protocol"))
  var alpn: [String] = []

  @Option(help: "The client's address, for rules with sourceSubnet.")
  var source: String?

  @Option(help: "The address that the client connects to, for rules with destinationSubnets; else the URL's.")
  var address: String?

  @Option(help: ArgumentHelp("A curl command, as it was pasted.", valueName: "curl …"))
  var curl: String?

  @Option(help: ArgumentHelp("All requests of an HTTP Archive.", valueName: "file"), completion: .file())
  var har: String?

  @Option(name: [.short, .long], help: "text or json.")
  var output = Form.text

  @OptionGroup var identity: IdentityFlags

  func validate() throws {
    guard [url, curl, har].compactMap({ $0 }).count == 1 else {
      throw ValidationError("say which request: one of --url, --curl and --har")
    }
    _ = try har == nil ? requests() : []
  }

  func run() throws {
    let requests = try self.requests()
    let configuration: CompiledConfiguration
    do {
      configuration = try CompiledConfiguration.load(try identity.source)
    } catch let trouble as CompiledConfiguration.Trouble {
      fail(trouble.message, trouble.exitCode)
    }
    if let slip = configuration.publishSlip(try identity.compilerOptions) { fail(slip, ExitStatus.usage) }
    guard !configuration.selected.isEmpty else {
      fail("the configuration declares no instance: say --label and --namespace", ExitStatus.configuration)
    }
    let fleet = configuration.fleet
    let answers = requests.map { ($0, fleet.explain($0, entry: configuration.selected)) }
    show(answers)
    if configuration.errorCount > 0 { warn(configuration.errorCount) }
    if answers.contains(where: { $0.1.contains { $0.firstError != nil } }) { throw ExitCode(1) }
  }

  private func show(_ answers: [(SampleRequest, [Explanation])]) {
    switch output {
    case .text:
      sallyport.output(answers.map { ExplanationText.text($0.0, $0.1) }.joined(separator: "\n"))
    case .json:
      let forms = answers.map { ExplanationForms.json($0.0, $0.1) }
      sallyport.output((har == nil && forms.count == 1 ? forms[0] : .array(forms)).text() + "\n")
    }
  }

  private func warn(_ count: Int) {
    let text = "sallyport: \(count) error\(count == 1 ? "" : "s") in the configuration, see sallyport check\n"
    let bytes = Array(text.utf8)
    _ = unsafe write(2, bytes, bytes.count)
  }

  // MARK: The request

  private func requests() throws -> [SampleRequest] {
    var all = try saved()
    if let method { try FlagRules.checkToken(method, "--method") }
    if let sni, let problem = sni.isEmpty ? nil : HostRules.problem(with: sni, allowsWildcard: false) {
      throw ValidationError("--sni: \(problem)")
    }
    for index in all.indices {
      if let method { all[index].method = method }
      for field in header {
        guard let colon = field.firstIndex(of: ":") else {
          throw ValidationError("-H \(field): write it as 'name: value'")
        }
        try FlagRules.checkToken(field[..<colon], "-H")
        let value = field[field.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
        all[index].add(String(field[..<colon]), String(value))
      }
      if let sni, all[index].isTLS { all[index].serverName = sni.isEmpty ? nil : sni }
      try connect(&all[index])
    }
    return all
  }

  /// What is said of the connection.
  private func connect(_ request: inout SampleRequest) throws {
    if !request.isHTTP, method != nil || !header.isEmpty {
      throw ValidationError("a connection has no method and no header fields")
    }
    if !alpn.isEmpty { request.protocols = alpn.flatMap { $0.split(separator: ",").map(String.init) } }
    if let source { request.source = try ip(source, "--source") }
    if let address { request.address = try ip(address, "--address") }
  }

  private func ip(_ text: String, _ flag: String) throws -> IPAddress {
    guard let address = IPAddress(text) else { throw ValidationError("\(flag) \(text): not an IP address") }
    return address
  }

  private func saved() throws -> [SampleRequest] {
    if let curl {
      do { return try CurlLine.requests(curl) } catch { throw ValidationError("--curl: \(error)") }
    }
    if let har {
      guard let bytes = FileSystem.read(har) else { fail("cannot read \(har)", ExitStatus.noInput) }
      do { return try HARFile.requests(String(decoding: bytes, as: UTF8.self)) } catch {
        fail("\(har): \(error)", ExitStatus.data)
      }
    }
    do { return [try SampleRequest(url: url ?? "")] } catch { throw ValidationError("--url: \(error)") }
  }
}
