import ArgumentParser
import Operations

/// `sallyport completion`
struct CompletionCommand: ParsableCommand {
  enum Shell: String, ExpressibleByArgument, CaseIterable {
    case bash, zsh, fish
  }

  static let configuration = CommandConfiguration(
    commandName: "completion", abstract: "Print the completion script of a shell.",
    discussion: """
      bash: source <(sallyport completion bash)
      zsh:  sallyport completion zsh > "${fpath[1]}/_sallyport"
      fish: sallyport completion fish > ~/.config/fish/completions/sallyport.fish
      """)

  @Argument(help: "bash, zsh or fish.")
  var shell: Shell

  func run() {
    let wanted: CompletionShell =
      switch shell {
      case .bash: .bash
      case .zsh: .zsh
      case .fish: .fish
      }
    output(Sallyport.completionScript(for: wanted) + "\n")
  }
}
