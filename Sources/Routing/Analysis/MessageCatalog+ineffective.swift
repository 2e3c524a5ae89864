extension MessageCatalog {
  /// Our own codes of what is valid and never takes effect.
  static let ineffective: [Message] = [
    Message(
      "SP1028", .warning, "ConditionNeverHolds",
      cause:
        "A condition can hold for no request: a port that the Gateway does not have, labels or a namespace of no instance, a scheme that none of its servers has, a method in small letters.",
      fix: "Correct the value, or remove the condition with its rule."),
    Message(
      "SP1029", .warning, "LiteralAsterisk",
      cause: "exact and prefix compare letter by letter: an asterisk in them is one in the path.",
      fix: "Leave the asterisk out of a prefix, or write a regular expression, where .* stands for any text."),
    Message(
      "SP1030", .warning, "HeaderNamedAsRequestPart",
      cause:
        "uri, scheme, method or authority stands among the headers of a match. Istio's documentation says that such keys are ignored; in Istio and here they compare a header field of that name, which requests do not have.",
      fix: "Write the condition beside headers, not in it."),
    Message(
      "SP1037", .warning, "RedirectLoop",
      cause: "A rule redirects to what it redirects again: clients give up after some rounds.",
      fix: "Narrow the match, or put a rule for the target before it."),
    Message(
      "SP1038", .warning, "VirtualServiceWithoutGateways",
      cause:
        "A VirtualService names no gateways, which means the sidecars of the mesh, and its host is one of a Gateway's that nothing else serves there: requests get 404.",
      fix: "Name the Gateway in gateways; where sidecars are meant, say so with gateways: [mesh]."),
    Message(
      "SP1039", .warning, "RulesOfAnotherProtocol",
      cause:
        "A VirtualService has tls or tcp rules alone, and the servers of its hosts read HTTP, which such rules do not apply to: requests get 404.",
      fix: "Write http rules, or give the server a protocol of connections."),
    Message(
      "SP1047", .error, "TLSVersionsExcludeEachOther",
      cause: "The least version of TLS that a server accepts is above the highest: no handshake can succeed.",
      fix: "Exchange them, or remove one."),
    Message(
      "SP1057", .warning, "DestinationRuleShadowed",
      cause:
        "Several DestinationRules of one namespace are for one host. They are merged in the order of creation (in files: of their names): of trafficPolicy, and of subsets of one name, the first is in force.",
      fix: "Make them one DestinationRule."),
    Message(
      "SP1058", .warning, "DestinationRuleOutOfReach",
      cause:
        "A rule of a gateway leads to the host of a DestinationRule, and the gateway does not see it: it looks into its own namespace, that of the host, and the root namespace.",
      fix: "Move the DestinationRule to one of these namespaces."),
    Message(
      "SP1059", .warning, "PortLevelWithoutPort",
      cause: "portLevelSettings are for a port that the host does not have.",
      fix: "Correct the number: it is the port that rules name, not the one that the endpoints listen on."),
    Message(
      "SP1061", .warning, "PublishWithoutPort",
      cause: "--publish names a port that no Gateway of the instance has any more; it has no effect.",
      fix: "Write it as LOCAL:GATEWAY, with a port of a Gateway that selects the instance."),
    Message(
      "SP1062", .warning, "FolderWithoutConfiguration",
      cause:
        "A folder holds no file that is read: of folders these are *.yaml, *.yml and *.json, hidden ones left out.",
      fix: "Correct the path, or name the file itself: an argument is read whatever its name."),
    Message(
      "SP1063", .warning, "NotAFile",
      cause:
        "A folder holds a pipe, a socket or a device with the name of a configuration file. It is not read: that might never end.",
      fix: "Remove it from the folder, or give it as an argument of its own."),
    Message(
      "SP1064", .warning, "ProbeNeverRun",
      cause:
        "An UpstreamProbe, or the curl of a readiness probe, is for a host, or a port of it, that no rule leads to. An instance runs the probes of what it routes to, so nobody runs this one.",
      fix: "Correct host and port to those of a rule's destination, or remove the probe."),
    Message(
      "SP1065", .warning, "TargetPortUnknown",
      cause:
        "The targetPort of a Service that selects the instance is a name, and no Deployment that the Service selects has a container port of this name: which socket is meant is not known, and the Gateway's port is bound as it is.",
      fix:
        "Add the Deployment of the instance with its container ports to the configuration, write the number, or use --publish."
    ),
  ]
}
