import ArgumentParser
import Operations

/// `sallyport man`
struct ManualCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "man", abstract: "Print the manual page.",
    discussion: """
      Read it:     sallyport man | man -l -
      Install it:  sallyport man > /usr/local/share/man/man1/sallyport.1
      """)

  func run() throws {
    guard let page = ManualPage.text(Sallyport._dumpHelp(), version: Version.text) else {
      fail("the command line cannot be described", 1)
    }
    output(page)
  }
}
