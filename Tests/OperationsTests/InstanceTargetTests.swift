import Testing

@testable import Operations

@Suite struct InstanceTargetTests {
  @Test(arguments: [
    ("edge", "edge", nil), ("edge.web", "edge", "web"), ("deploy/edge", "edge", nil),
    ("Deployment/edge.web", "edge", "web"),
    ("pod/edge.web", "edge", "web"), ("deployment.apps/a.b.web", "a.b", "web"),
  ])
  func `reads what istioctl reads`(_ text: String, _ name: String, _ namespace: String?) throws {
    let target = try InstanceTarget(text)
    #expect(target.name == name && target.namespace == namespace && "\(target)" == text)
  }

  @Test(arguments: ["", "/", "edge.", ".web", "svc/edge", "pod/", "pod/a/b", "a/b/c"])
  func `refuses what names no instance`(_ text: String) {
    #expect(throws: InstanceTarget.Malformed.self) { try InstanceTarget(text) }
  }

  @Test func `a namespace counts where it is said`() throws {
    #expect(try InstanceTarget("edge").names("edge", "any"))
    #expect(try InstanceTarget("edge.web").names("edge", "web") && !InstanceTarget("edge.web").names("edge", "db"))
    #expect(try InstanceTarget("egde").help(among: [("edge", "web")]) == "did you mean \"edge\"?")
    #expect(try InstanceTarget("edge.wed").help(among: [("edge", "web")]) == "did you mean \"edge.web\"?")
    #expect(try InstanceTarget("other").help(among: [("edge", "web")]) == nil)
  }

  @Test(arguments: [
    ("/usr/bin/sallyport run gateways", "127.0.0.1:15000"), ("sallyport run --admin-base 21000", "127.0.0.1:21000"),
    ("./sallyport run --admin-base=21000 x", "127.0.0.1:21000"), ("sallyport run --admin [::1]:9", "[::1]:9"),
    ("sallyport run --admin-base 1 --admin 127.0.0.2:9", "127.0.0.2:9"), ("sallyport pc l", nil), ("nginx run", nil),
    ("sallyport", nil), ("sallyport run --admin nowhere", nil),
  ])
  func `finds the admin endpoints of a command line`(_ line: String, _ place: String?) {
    let words = line.split(separator: " ").map(String.init)
    #expect(RunningInstance.adminAddress(commandLine: words).map { "\($0)" } == place)
  }
}
