import Testing

@testable import Operations
@testable import Routing

@Suite struct CurlLineTests {
  private func only(_ line: String) throws -> SampleRequest {
    let requests = try CurlLine.requests(line)
    #expect(requests.count == 1)
    return requests[0]
  }

  private func value(_ request: SampleRequest, _ name: String) -> String? {
    request.fields.first { $0.name.lowercased() == name }?.value
  }

  @Test func `reads the command of the main job as it is`() throws {
    let request = try only(
      "curl -HHost:httpbin.example.com --resolve \"httpbin.example.com:15443:127.0.0.1\" --cacert certs/ca.crt "
        + "\\\n  \"https://httpbin.example.com:15443/status/200\" -v")
    #expect(request.isTLS && request.port == 15443 && request.serverName == "httpbin.example.com")
    #expect(request.authority == "httpbin.example.com" && request.target == "/status/200" && request.method == "GET")
    #expect(value(request, "accept") == "*/*")
  }

  @Test(arguments: [
    ("curl http://a/", "GET"), ("curl -I http://a/", "HEAD"), ("curl -d x=1 http://a/", "POST"),
    ("curl -XDELETE http://a/", "DELETE"), ("curl -X PUT -d x http://a/", "PUT"), ("curl -T file http://a/", "PUT"),
    ("curl --json '{}' http://a/", "POST"), ("curl -F a=b http://a/", "POST"), ("curl -G -d q=1 http://a/", "GET"),
    ("curl -sSfLkv http://a/", "GET"), ("curl -sXPATCH http://a/", "PATCH"),
  ])
  func `knows the method that options imply`(_ line: String, _ method: String) throws {
    #expect(try only(line).method == method)
  }

  @Test(arguments: [
    "kubectl -n httpbin exec deploy/curl -c app -it -- curl -sI http://a.test/x",
    "docker run --rm -e A=b curlimages/curl:8.0 -sI http://a.test/x", "podman run curlimages/curl -I http://a.test/x",
    "ssh -p 22 root@box curl -I http://a.test/x", "timeout 5 curl -I http://a.test/x",
    "docker run --network host curlimages/curl curl -I http://a.test/x",
  ])
  func `reads the curl that another command runs`(_ line: String) throws {
    let request = try only(line)
    #expect(request.method == "HEAD" && request.authority == "a.test" && request.target == "/x")
  }

  @Test(arguments: [
    ("kubectl get pods", "kubectl is not curl"), ("curl http://$HOST/x", "$HOST is a variable of the shell"),
    ("curl https://${HOST}:15443/x", "${HOST} is a variable of the shell"),
  ])
  func `says what it cannot know`(_ line: String, _ message: String) {
    let error = #expect(throws: CurlLine.Malformed.self) { try CurlLine.requests(line) }
    #expect(error?.description.hasPrefix(message) ?? false, "\(error?.description ?? "")")
  }

  @Test(arguments: [
    ("curl -p -x http://gw:80 http://db:5432/", false, 80, "db:5432", "gw"),
    ("curl -p -xgw http://db/", false, 1080, "db:80", "gw"),
    ("curl --proxytunnel --proxy https://gw.test https://[::1]/x", true, 443, "[::1]:443", "gw.test"),
    ("curl --unix-socket /s -X CONNECT --request-target db:1 http://gw:80/", false, 80, "db:1", "gw"),
  ])
  func `reads a tunnel through a proxy`(
    _ line: String, _ isTLS: Bool, _ port: Int, _ authority: String, _ gateway: String
  ) throws {
    let request = try only(line)
    #expect(request.method == "CONNECT" && request.isTLS == isTLS && request.port == port)
    #expect(request.authority == authority && (request.serverName ?? "gw") == gateway)
    // Without -p the proxy is somebody else's.
    #expect(try only("curl -x http://gw:80 http://db/x").target == "/x")
  }

  @Test func `says to a proxy what is for it`() throws {
    let request = try only(
      "curl -p -x http://u:p@gw:80 -H 'x-a: b' --proxy-header 'x-c: d' --proxy-header 'x-e;' http://db:1/")
    #expect(value(request, "x-a") == nil && value(request, "x-c") == "d" && value(request, "x-e") == "")
    #expect(value(request, "proxy-authorization") == "Basic dTpw")
  }

  @Test(arguments: [
    "curl -p -x http://db:80 --proxy-header 'x-a: b' http://db:5432/", "curl -p -x https://gw.test:443 https://db:443/",
    "curl --unix-socket /s -X CONNECT --request-target db:5432 -H 'x-a: b' http://db:80/",
  ])
  func `a line for CONNECT reads as what it was written for`(_ line: String) throws {
    var request = try only(line)
    request.fields.removeAll { ["User-Agent", "Accept"].contains($0.name) }
    #expect(request.curl == line)
  }

  @Test func `sends data in the query with -G`() throws {
    #expect(try only("curl -G -d a=1 --data b=2 'http://a/x?c=3'").target == "/x?c=3&a=1&b=2")
  }

  @Test func `adds the fields that options stand for, and lets others replace curl's own`() throws {
    let request = try only(
      "curl -u user:pass -A agent -e 'http://from/' -b 'c=1' -H 'Accept:' -H 'X-Empty;' -H \"x: it's\" http://a/")
    #expect(value(request, "authorization") == "Basic dXNlcjpwYXNz")
    #expect(value(request, "user-agent") == "agent" && value(request, "referer") == "http://from/")
    #expect(value(request, "cookie") == "c=1" && value(request, "accept") == nil)
    #expect(value(request, "x-empty") == "" && value(request, "x") == "it's")
  }

  @Test func `reads the quoting of browsers`() throws {
    let request = try only(#"curl 'http://a/x' -H $'x-a: it\'s \u0041' -H "x-b: \"q\"" --compressed"#)
    #expect(value(request, "x-a") == "it's A" && value(request, "x-b") == "\"q\"")
    #expect(value(request, "accept-encoding") != nil)
  }

  @Test func `removes dot segments as curl does, unless told not to`() throws {
    #expect(try only("curl http://a/x/../y").target == "/y")
    #expect(try only("curl --path-as-is http://a/x/../y").target == "/x/../y")
  }

  @Test func `connects to another port`() throws {
    let request = try only("curl --connect-to ::127.0.0.1:8443 https://a.test/")
    #expect(request.port == 8443 && request.authority == "a.test" && request.serverName == "a.test")
  }

  @Test func `makes a request for each URL`() throws {
    #expect(try CurlLine.requests("curl http://a/1 --url http://a/2").map(\.target) == ["/1", "/2"])
  }

  /// A pasted text, and `METHOD URL` of each request that it makes.
  @Test(arguments: [
    ("$ curl http://a/x", ["GET http://a/x"]), ("sudo /usr/bin/curl -k https://a/x", ["GET https://a/x"]),
    ("time curl.exe -s http://a/x", ["GET http://a/x"]), ("FOO=bar curl http://a/x # why", ["GET http://a/x"]),
    ("curl http://a/x | jq .", ["GET http://a/x"]), ("curl -s http://a/x > out 2>&1", ["GET http://a/x"]),
    ("curl http://a/x -s 2>/dev/null -d 1", ["POST http://a/x"]),
    ("curl http://a/x && curl -I http://b/y; echo ok", ["GET http://a/x", "HEAD http://b/y"]),
    ("curl http://a/x\ncurl http://b/y\n", ["GET http://a/x", "GET http://b/y"]),
    ("curl http://a/x?a=1&b=2", ["GET http://a/x?a=1&b=2"]),
    ("curl http://a/1 --next -X POST http://b/2", ["GET http://a/1", "POST http://b/2"]),
    (
      "curl 'http://a/{one,two}/[8-10]'",
      [
        "GET http://a/one/8", "GET http://a/one/9", "GET http://a/one/10", "GET http://a/two/8", "GET http://a/two/9",
        "GET http://a/two/10",
      ]
    ),
    (
      "curl 'http://a/[a-e:2][01-02]'",
      [
        "GET http://a/a01", "GET http://a/a02", "GET http://a/c01", "GET http://a/c02", "GET http://a/e01",
        "GET http://a/e02",
      ]
    ),
    ("curl -g 'http://[::1]:8080/{a}'", ["GET http://[::1]:8080/{a}"]),
    ("curl 'http://[::1]:8080/x'", ["GET http://[::1]:8080/x"]),
    ("curl -T a/file http://a/d/", ["PUT http://a/d/file"]),
    ("curl --request-target '*' -X OPTIONS http://a/x", ["OPTIONS http://a*"]),
    ("curl --proto =https --doh-url https://d/ --haproxy-clientip 10.0.0.1 https://a/x", ["GET https://a/x"]),
    ("curl --url-query 'q=a b' 'http://a/x?y=1'", ["GET http://a/x?y=1&q=a+b"]),
  ])
  func `takes the requests out of what surrounds them`(_ text: String, _ expected: [String]) throws {
    #expect(try CurlLine.requests(text).map { "\($0.method) \($0.url)" } == expected)
  }

  @Test(arguments: [
    "curl \"http://a/x?q=1^&r=2\" ^\n  -H \"x-q: ^\\^\"a^\\^\"\" ^\n  --data-raw \"^{1^}\"",
    "curl ^\"http://a/x?q=1^&r=2^\" ^\r\n  -H ^\"x-q: ^\\^\"a^\\^\"^\" ^\r\n  --data-raw ^\"^{1^}^\"",
  ])
  func `reads what browsers copy for Windows`(_ text: String) throws {
    let request = try only(text)
    #expect(request.method == "POST" && request.target == "/x?q=1&r=2" && value(request, "x-q") == "\"a\"")
  }

  @Test func `knows the addresses and the user of a command`() throws {
    let resolved = try only("curl --resolve 'a:8443:127.0.0.9,127.0.0.8' https://a:8443/")
    #expect(resolved.address.map { "\($0)" } == "127.0.0.9" && resolved.port == 8443)
    let connected = try only("curl --connect-to 'a:443:[fd00::1]:15443' --haproxy-clientip 10.1.1.1 https://a/")
    #expect(connected.address.map { "\($0)" } == "fd00::1" && connected.port == 15443)
    #expect(connected.source.map { "\($0)" } == "10.1.1.1")
    #expect(value(try only("curl http://user:pass@a/"), "authorization") == "Basic dXNlcjpwYXNz")
  }

  @Test(arguments: [
    "curl", "curl 'http://a/", "curl -H", "curl ftp://a/", "curl http://a:0/", "wget http://a/", "curl --url=http://a/",
    "curl --request=POST http://a/", "curl ^\"http://a/ ^\n", "",
  ])
  func `refuses what it cannot read`(_ line: String) {
    #expect(throws: CurlLine.Malformed.self) { try CurlLine.requests(line) }
  }

  @Test func `what is printed as curl reads back as the same request`() throws {
    var request = try SampleRequest(url: "https://a.test:8443/x?q=a&b='c'")
    request.method = "POST"
    request.add("Host", "other.test")
    request.add("x-a", "it's; $HOME")
    request.add("x-empty", "")
    var read = try only(request.curl)
    read.fields.removeAll { ["user-agent", "accept"].contains($0.name.lowercased()) }
    #expect(read == request)
  }
}

@Suite struct HARFileTests {
  @Test func `reads requests with pseudo fields and escapes`() throws {
    let text = """
      {"log": {"entries": [
        {"request": {"method": "POST", "url": "https://a.test/x?q=1", "headers": [
          {"name": ":authority", "value": "b.test"}, {"name": ":method", "value": "POST"},
          {"name": "Content-Length", "value": "3"}, {"name": "x-smile", "value": "\\ud83d\\ude00"}]}},
        {"request": {"method": "GET", "url": "http://c.test:8080/", "headers": [{"name": "Host", "value": "d.test"}]}}
      ]}}
      """
    let requests = try HARFile.requests(text)
    #expect(requests.map(\.method) == ["POST", "GET"] && requests.map(\.authority) == ["b.test", "d.test"])
    #expect(requests[0].serverName == "a.test" && requests[0].fields == [.init("x-smile", "😀")])
    #expect(requests[1].port == 8080 && requests[1].fields.isEmpty)
  }

  @Test func `leaves out what never left the browser, and a byte order mark`() throws {
    let urls = ["data:text/plain,x", "blob:https://a/1", "chrome-extension://x/y", "wss://a/socket", "HTTPS://a/x#f"]
    let entries = urls.map { "{\"request\": {\"method\": \"GET\", \"url\": \"\($0)\", \"headers\": []}}" }
    let requests = try HARFile.requests("\u{FEFF}{\"log\": {\"entries\": [\(entries.joined(separator: ","))]}}")
    #expect(requests.map(\.url) == ["https://a/socket", "https://a/x"])
  }

  @Test(arguments: ["", "[]", "{\"log\": {}}", "{\"log\": {\"entries\": [{\"request\": {\"url\": \"file:///x\"}}]}}"])
  func `refuses what is no archive`(_ text: String) {
    #expect(throws: HARFile.Malformed.self) { try HARFile.requests(text) }
  }
}
