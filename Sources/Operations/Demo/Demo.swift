import CLinux
import Resources
import Transport

/// The main job on one machine: an upstream, the egress instance and the ingress instance of the article, each in a
/// process of its own, with the resources as they are published.
package final class Demo {
  /// What `demo` is told.
  package struct Options {
    package var paths = ["gateways/"]
    package var certificates = "certs"
    /// A real upstream as `HOST:PORT`; nil for the embedded one.
    package var upstream: String?
    package var host = "httpbin.example.com"
    /// Ask once and end, instead of running until told to end.
    package var once = false

    package init() {}
  }

  private let options: Options
  private let loop: EventLoop
  private var upstream: DemoUpstream?
  private let realAddress: SocketAddress?
  private var children: [pid_t] = []
  private var exitCode: Int32 = 0
  private var waits = 0

  /// Ports of the published Services and of the two instances' own endpoints.
  private static let ingressTLSPort = 15443
  private static let ingressPort = 8080
  private static let egressAdminBase = 15000
  private static let ingressAdminBase = 15100
  private static let waitsMilliseconds: Int64 = 100
  private static let maxWaits = 300
  private static let watchMilliseconds: Int64 = 1000

  /// - Throws: when certificates cannot be made or the embedded upstream cannot listen.
  package init(_ options: Options) throws {
    self.options = options
    realAddress = try options.upstream.map { text throws(SystemError) in try Self.address(of: text) }
    let signals = SignalHandler.open()
    loop = try EventLoop()
    _ = try DevelopmentCertificates(
      directory: options.certificates, hosts: [options.host], upstreams: ["httpbin.org"]
    ).make(force: false)
    if options.upstream == nil {
      upstream = try DemoUpstream(loop: loop, certificates: options.certificates, read: { FileSystem.read($0) })
    }
    _ = try SignalHandler(
      descriptor: signals, loop: loop, handle: { [unowned self] request in if case .drain = request { end(0) } },
      isInterrupt: { _ in })
  }

  /// Runs until told to end, or once; returns the exit code.
  package func run() -> Int32 {
    start(egressArguments, environment: upstream == nil ? [] : ["SSL_CERT_FILE=\(options.certificates)/ca.crt"])
    start(ingressArguments, environment: [])
    waitUntilReady()
    loop.run()
    for child in children { kill(child, SIGTERM) }
    for child in children {
      var status: Int32 = 0
      _ = unsafe waitpid(child, &status, 0)
    }
    return exitCode
  }

  private var egressArguments: [String] {
    var arguments = ["run"] + options.paths
    arguments += ["--instance", "httpbin-egress", "--bind", "127.0.0.1", "--admin-base", "\(Self.egressAdminBase)"]
    arguments += ["--drain", "3", "--workers", "1"]
    if let upstream {
      arguments += ["--resolve", "httpbin.org:443:\(upstream.address)"]
    } else if let address = realAddress {
      arguments += ["--resolve", "httpbin.org:443:\(address)"]
    }
    return arguments
  }

  /// A real upstream's address. It is spoken to as the article's upstream: its certificate must be for httpbin.org.
  private static func address(of text: String) throws(SystemError) -> SocketAddress {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
      throw SystemError(call: "--upstream \(text): write it as HOST:PORT", code: EINVAL)
    }
    let host = String(text[..<colon])
    if let literal = SocketAddress(literal: host, port: port) { return literal }
    var storage = sockaddr_storage()
    guard unsafe shim_look_up(host, &storage) == 0, let found = SocketAddress(storage) else {
      throw SystemError(call: "look up \(host)", code: ENOENT)
    }
    return found.withPort(port)
  }

  private var ingressArguments: [String] {
    ["run"] + options.paths + [
      "--instance", "istio-ingressgateway", "--bind", "127.0.0.1", "--admin-base", "\(Self.ingressAdminBase)",
      "--secrets", options.certificates, "--drain", "3", "--workers", "1",
    ]
  }

  private func start(_ arguments: [String], environment: [String]) {
    var child: pid_t = 0
    let code = ChildProcess.start("/proc/self/exe", ["sallyport"] + arguments, environment: environment, child: &child)
    guard code == 0 else {
      say("cannot start an instance: \(SystemError.text(of: code))")
      return end(1)
    }
    children.append(child)
  }

  private func waitUntilReady() {
    let client = AdminClient(address: SocketAddress(v4: 0x7F00_0001, port: UInt16(Self.ingressAdminBase + 21)))
    let answer = try? client.get("/healthz/ready", timeoutSeconds: 1)
    if answer?.status == 200 { return ready() }
    waits += 1
    guard waits < Self.maxWaits else {
      say("the instances did not become ready: \(answer?.body ?? "no answer")")
      return end(1)
    }
    guard areChildrenAlive() else { return }
    _ = Alarm(on: loop, after: Self.waitsMilliseconds) { [unowned self] in waitUntilReady() }
  }

  /// Ends the demo when an instance has ended.
  private func areChildrenAlive() -> Bool {
    for child in children {
      var status: Int32 = 0
      if unsafe waitpid(child, &status, WNOHANG) == child {
        children.removeAll { $0 == child }
        say("an instance ended early; its log is above")
        end(1)
        return false
      }
    }
    return true
  }

  private func watchChildren() {
    guard areChildrenAlive() else { return }
    _ = Alarm(on: loop, after: Self.watchMilliseconds) { [unowned self] in watchChildren() }
  }

  private func ready() {
    let place = "--resolve \"\(options.host):\(Self.ingressTLSPort):127.0.0.1\" --cacert \(options.certificates)/ca.crt"
    say(
      """
      The main job runs: curl -> ingress (15443) -> egress (18080) -> \(upstream == nil ? options.upstream ?? "" : "embedded upstream (TLS)")
      Try:

        curl -v -HHost:\(options.host) \(place) "https://\(options.host):\(Self.ingressTLSPort)/status/200"
        curl -v --resolve "\(options.host):\(Self.ingressPort):127.0.0.1" "http://\(options.host):\(Self.ingressPort)/get?a=b"
        curl "http://127.0.0.1:\(Self.ingressAdminBase + 21)/healthz/ready?verbose"

      Ctrl-C ends it.
      """)
    watchChildren()
    if options.once { askOnce() }
  }

  /// Sends the article's request through the whole chain, as the curl line would, and ends.
  private func askOnce() {
    let request = DemoRequest(
      host: options.host, path: "/status/200",
      address: SocketAddress(v4: 0x7F00_0001, port: UInt16(Self.ingressTLSPort)),
      authority: FileSystem.read("\(options.certificates)/ca.crt") ?? [])
    request.send(on: loop) { [unowned self] answer in
      switch answer {
      case .status(let status): say("GET https://\(options.host):\(Self.ingressTLSPort)/status/200: \(status)")
      case .failure(let reason): say("GET https://\(options.host):\(Self.ingressTLSPort)/status/200: \(reason)")
      }
      end(answer == .status(200) ? 0 : 1)
    }
  }

  private func end(_ code: Int32) {
    exitCode = code
    loop.stop()
  }

  private func say(_ text: String) {
    let bytes = Array((text + "\n").utf8)
    _ = unsafe write(1, bytes, bytes.count)
  }
}
