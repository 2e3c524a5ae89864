import Foundation
import Resources
import Testing

/// Paths: files, directories, and folders of secrets.
struct LoaderTests {
  private static func secret(_ name: String) -> [UInt8] {
    Array("apiVersion: v1\nkind: Secret\nmetadata: {name: \(name)}\n".utf8)
  }

  @Test func directoriesAreReadInLexicalOrder() throws {
    let directory = try TemporaryDirectory()
    for name in ["b.yaml", "a/z.yml", "a/b/c.yaml", "c.yaml"] {
      directory.write(name, Self.secret(name.replacing("/", with: "-")))
    }
    for name in [".hidden.yaml", "notes.txt", "a/.git/x.yaml"] { directory.write(name, Self.secret("no")) }
    let result = ResourceLoader.load([directory.path])
    #expect(result.resources.secrets.map(\.metadata.name) == ["a-b-c.yaml", "a-z.yml", "b.yaml", "c.yaml"])
    #expect(result.files.count == 4 && result.unreadable.isEmpty)
  }

  @Test func foldersGiveJSONToo() throws {
    let directory = try TemporaryDirectory()
    let list = #"{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Secret","#
    directory.write("a.json", Array((list + "\n\t" + #""metadata": {"name":"a"}}]}"#).utf8))
    let result = ResourceLoader.load([directory.path])
    #expect(result.resources.secrets.map(\.metadata.name) == ["a"])
    #expect(result.diagnostics.isEmpty)
  }

  @Test(.timeLimit(.minutes(1)))
  func ofFoldersOnlyFilesAreRead() throws {
    let directory = try TemporaryDirectory()
    directory.write("a.yaml", Self.secret("a"))
    try FileManager.default.createSymbolicLink(
      atPath: directory.path + "/b.yaml", withDestinationPath: directory.path + "/a.yaml")
    for name in ["pipe.yaml", "pipe.txt"] { #expect(unsafe mkfifo(directory.path + "/" + name, 0o600) == 0) }
    let result = ResourceLoader.load([directory.path])
    #expect(result.files.map { $0.split(separator: "/").last } == ["a.yaml", "b.yaml"])
    #expect(result.diagnostics.map(\.code) == ["SP1063"])
    #expect(result.diagnostics.first?.message.contains("/pipe.yaml is a pipe") == true)
  }

  @Test(.timeLimit(.minutes(1)))
  func aPipeInAFolderOfSecretsIsNoKey() throws {
    let directory = try TemporaryDirectory()
    directory.write("one/tls.crt", Array("CERT".utf8))
    #expect(unsafe mkfifo(directory.path + "/one/tls.key", 0o600) == 0)
    let secrets = try #require(SecretsDirectory.load(directory.path, namespace: "n"))
    #expect(secrets.map { Array($0.spec.data.keys) } == [["tls.crt"]])
  }

  @Test func aFolderOfWhichNothingIsReadIsSaid() throws {
    let directory = try TemporaryDirectory()
    directory.write("x.txt", [])
    let finding = try #require(ResourceLoader.load([directory.path]).diagnostics.first)
    #expect(finding.code == "SP1062" && finding.severity == .warning)
    #expect(finding.message.hasSuffix("it has no file *.yaml, *.yml or *.json"))
    #expect(finding.help?.contains("/x.txt; a file that is an argument is read whatever its name") == true)
  }

  @Test func aFileIsReadWhateverItsName() throws {
    let directory = try TemporaryDirectory()
    let path = directory.write("notes.txt", Self.secret("a"))
    #expect(ResourceLoader.load([path]).resources.secrets.count == 1)
  }

  @Test func missingPathsAreNamedAndOthersLoad() throws {
    let directory = try TemporaryDirectory()
    let path = directory.write("a.yaml", Self.secret("a"))
    let result = ResourceLoader.load([directory.path + "nowhere", path])
    #expect(result.unreadable == [directory.path + "nowhere"])
    #expect(result.resources.secrets.count == 1)
  }

  @Test func oneBadFileDoesNotHideTheOthers() throws {
    let directory = try TemporaryDirectory()
    directory.write("a.yaml", Array("kind: [".utf8))
    directory.write("b.yaml", Self.secret("b"))
    directory.write("c.yaml", Array("apiVersion: v1\nkind: Secret\nmetadata: {nam: c}\n".utf8))
    let result = ResourceLoader.load([directory.path])
    #expect(result.resources.secrets.map(\.metadata.name) == ["b"])
    #expect(result.broken.count == 2 && result.diagnostics.count == 2)
  }

  @Test func aLinkToItselfEnds() throws {
    let directory = try TemporaryDirectory()
    directory.write("a/b.yaml", Self.secret("b"))
    try FileManager.default.createSymbolicLink(atPath: directory.path + "/a/again", withDestinationPath: directory.path)
    #expect(ResourceLoader.load([directory.path]).resources.secrets.map(\.metadata.name) == ["b"])
  }

  @Test func foldersAreSecrets() throws {
    let directory = try TemporaryDirectory()
    directory.write("one/..2024/tls.crt", Array("CERT".utf8))
    directory.write("one/..2024/tls.key", [0, 255])
    // As the kubelet mounts a secret: keys are links through a link.
    for (link, target) in [("..data", "..2024"), ("tls.crt", "..data/tls.crt"), ("tls.key", "..data/tls.key")] {
      try FileManager.default.createSymbolicLink(atPath: directory.path + "/one/" + link, withDestinationPath: target)
    }
    directory.write("httpbin/two/ca.crt", Array("CA".utf8))
    directory.write("empty/.keep", [])
    let secrets = try #require(SecretsDirectory.load(directory.path, namespace: "istio-system"))
    #expect(secrets.map(\.reference) == ["httpbin/two", "istio-system/one"])
    #expect(secrets[1].spec.data == ["tls.crt": Array("CERT".utf8), "tls.key": [0, 255]])
    #expect(SecretsDirectory.load(directory.path + "/nowhere", namespace: "default") == nil)
  }

  @Test func secretsOfDocumentsAreDecoded() throws {
    let text = """
      apiVersion: v1
      kind: Secret
      metadata: {name: s}
      type: kubernetes.io/tls
      data:
        tls.crt: |
          Q0VS
          VA==
        tls.key: S0VZ
        both: b2xk
      stringData:
        both: new
      """
    let secret = try #require(load(text).resources.secrets.first?.spec)
    #expect(secret.type == "kubernetes.io/tls")
    #expect(
      secret.data.mapValues { String(decoding: $0, as: UTF8.self) } == [
        "tls.crt": "CERT", "tls.key": "KEY", "both": "new",
      ])
  }
}
