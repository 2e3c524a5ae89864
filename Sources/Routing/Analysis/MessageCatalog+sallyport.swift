extension MessageCatalog {
  /// Our own codes.
  static let sallyport: [Message] = [
    Message(
      "SP1001", .warning, "NotActedOn",
      cause: "A field or kind is known, and this version behaves as if it were absent.",
      fix: "See docs/istio-support.md for what is acted on; remove what has no effect."),
    Message(
      "SP1002", .warning, "UnknownKind", cause: "A resource is of a kind that is not known; it is ignored.",
      fix: "Correct kind or apiVersion."),
    Message(
      "SP1003", .warning, "DuplicateResource",
      cause:
        "Two documents have the same kind, namespace and name. A cluster would keep the last; here both are in force.",
      fix: "Remove one, or give it another name."),
    Message(
      "SP1010", .info, "PortLevelReplacesSiblings",
      cause: "An entry of portLevelSettings replaces what stands beside it for that port, wholesale, as in Istio.",
      fix: "Repeat inside the entry what is to stay in force."),
    Message(
      "SP1011", .info, "HostLeftToNameService",
      cause: "A host of the mesh is in no Service of the configuration: its addresses are asked of the name service.",
      fix: "Nothing, if that is meant; else add the Service and its EndpointSlice."),
    Message(
      "SP1012", .warning, "ResolutionWithoutEndpoints",
      cause:
        "A ServiceEntry gives a gateway no addresses: its resolution is NONE or not given, it has no endpoints, or its workloadSelector selects no WorkloadEntry. Requests get 503.",
      fix: "Set resolution to DNS, or to STATIC with endpoints; give a WorkloadEntry the labels."),
    Message(
      "SP1013", .info, "VerifiedNameIsInferred",
      cause:
        "The Host of requests is not a host of the upstream, and no rule says which name to ask for. The ServiceEntry's host is the server name and the verified name, where Istio would use the client's Host.",
      fix: "Set tls.sni in the DestinationRule or rewrite.authority in the VirtualService to be explicit."),
    Message(
      "SP1014", .info, "PeerAuthenticationHasNoEffect",
      cause: "PeerAuthentication does not apply to the servers of a Gateway.",
      fix: "Use tls.mode MUTUAL in the Gateway where clients must have certificates."),
    Message(
      "SP1015", .info, "NotApplicable",
      cause:
        "A kind or field of Istio's is for sidecars, for a control plane, or for a pod: it means nothing to a gateway.",
      fix: "Nothing; it is checked, and has no effect here."),
    Message(
      "SP1016", .warning, "PolicyNotEnforced",
      cause:
        "A policy that would refuse requests is for this gateway, and the gateway does not enforce it: AuthorizationPolicy, RequestAuthentication, a WasmPlugin of phase AUTHN or AUTHZ. Requests that Istio's gateway would refuse are answered.",
      fix:
        "Let something else refuse them before the gateway is reachable: the sidecar of the upstream, a proxy before the gateway, or the network. Client certificates are verified here with tls.mode MUTUAL in the Gateway. With --strict the gateway does not start until the policy is gone, or its annotation suppresses this code."
    ),
    Message(
      "SP1020", .error, "SocketConflict",
      cause:
        "Two servers want the same socket in ways that exclude each other: TLS and plaintext, HTTP and TCP, or two ports.",
      fix: "Give the later server another port; until then it is left out."),
    Message(
      "SP1021", .warning, "RuleShadowedByOtherVirtualService",
      cause:
        "Several VirtualServices share a host. Their rules are joined in the order of creation (in files: of namespace and name), and an earlier one takes every request of this rule.",
      fix: "Put rules of one host whose order matters into one VirtualService."),
    Message(
      "SP1022", .warning, "PrefixWithoutSlash",
      cause:
        "A prefix is compared letter by letter: /api also takes /apidocs, which has a rule of its own further down.",
      fix: "End the prefix with a slash and add an exact match for the bare path, or move the longer path up."),
    Message(
      "SP1023", .warning, "RewriteSlashes",
      cause:
        "A prefix that ends with a slash is replaced by one that does not, or the reverse: /api/x becomes /v1x or /v1//x.",
      fix: "End both with a slash, or neither."),
    Message(
      "SP1024", .warning, "PathNeverMatches",
      cause:
        "A path condition can hold for no request: it does not begin with a slash, holds a query or fragment, or is one for CONNECT, which has no path.",
      fix: "Begin it with a slash; compare the query with queryParams; a rule for CONNECT has no uri."),
    Message(
      "SP1025", .warning, "WeightsDoNotSum",
      cause:
        "The weights of a rule are near 100 and do not sum to it. They are shares of their sum, so nobody gets the percentage that is written.",
      fix: "Make them sum to 100."),
    Message(
      "SP1026", .warning, "DestinationWithoutWeight",
      cause: "One of several destinations has no weight, or 0: no request goes there.",
      fix: "Give it a weight, or remove it."),
    Message(
      "SP1027", .warning, "RegexLooksLikeGlob",
      cause: "A regular expression ends with /*, which means any number of slashes, and must match the whole path.",
      fix: "Write /.* for anything below, or use prefix."),
    Message(
      "SP1031", .warning, "ServiceEntrySharedPort",
      cause:
        "ServiceEntries resolved by DNS share a TCP port and have no addresses. A connection without a server name does not say which one is meant: in a mesh all of them arrive at one, on a gateway one rule takes the port.",
      fix:
        "Give each its own port, add addresses, use protocol TLS where the client sends a server name, or resolution NONE in the mesh."
    ),
    Message(
      "SP1032", .warning, "TLSToPlaintextPort",
      cause:
        "TLS is originated to port 80, or to one that is declared as plaintext with no targetPort: the handshake will fail.",
      fix: "Send to the TLS port, or set targetPort in the ServiceEntry, or remove tls."),
    Message(
      "SP1033", .warning, "PlaintextToTLSPort",
      cause: "Requests go in plaintext to a port that is declared HTTPS or TLS: the upstream answers 400 or closes.",
      fix: "Add a DestinationRule with tls.mode SIMPLE for the port."),
    Message(
      "SP1034", .info, "ServerWithoutRoutes",
      cause: "A host of a Gateway server has no VirtualService: its requests get 404.",
      fix: "Bind a VirtualService to it, or remove the host."),
    Message(
      "SP1035", .warning, "RedirectWithoutTLSServer",
      cause: "httpsRedirect sends clients to HTTPS, and no server of the instance serves the host with TLS.",
      fix: "Add an HTTPS server for the host."),
    Message(
      "SP1036", .error, "RoutingLoop",
      cause:
        "A request comes back to an instance that has already sent it, for the same host: it goes round until a timeout.",
      fix: "Bind the rules to the gateways that they are for with match.gateways, or correct the destination."),
    Message(
      "SP1040", .warning, "CertificateExpiresSoon", cause: "A certificate in use ends within 30 days.", fix: "Renew it."
    ),
    Message(
      "SP1041", .warning, "CertificateDoesNotCoverHost",
      cause: "A host of a server is not among the names of its certificate: clients will refuse it.",
      fix: "Get a certificate with the host in its subjectAltName, or name another secret."),
    Message(
      "SP1042", .warning, "CertificateChainBroken",
      cause:
        "The certificates of the chain are not in order, each issued by the next: clients may not find the way to the root.",
      fix: "Put the server's certificate first, then its issuer, and so on."),
    Message(
      "SP1043", .info, "CertificateChainIncomplete",
      cause:
        "The chain's last certificate is issued by one that is neither in the chain nor among this machine's roots.",
      fix: "Add the intermediate certificates, unless your clients know the issuer as a root."),
    Message(
      "SP1044", .warning, "WeakKey", cause: "A key is shorter than clients accept: RSA below 2048 bits, EC below 224.",
      fix: "Issue the certificate anew for EC P-256 or RSA 2048 and above."),
    Message(
      "SP1045", .warning, "WrongCertificateUsage",
      cause: "The extended key usage of a certificate does not allow it to be a server's: clients will refuse it.",
      fix: "Issue it with serverAuth."),
    Message(
      "SP1046", .warning, "CertificateNotYetValid", cause: "The certificate's first day is in the future.",
      fix: "Check the clocks, or wait."),
    Message(
      "SP1050", .warning, "FaultWithoutPercentage",
      cause: "A delay or abort has no percentage: as in Istio, it concerns no request.",
      fix: "Add percentage.value, 100 for all requests."),
    Message(
      "SP1051", .warning, "DelegateExcluded",
      cause: "The conditions of a delegate's rule can never hold together with those of the rule that delegates to it.",
      fix: "Make the delegate's conditions narrower ones of its root's; until then the rule is left out there."),
    Message(
      "SP1052", .error, "UnknownCommandOperator",
      cause: "A header value holds a command operator between percent signs that is not known; the header is left out.",
      fix: "Correct its name, or write %% for a percent sign."),
    Message(
      "SP1056", .error, "HeaderOfConnection",
      cause:
        "A rule sets, adds or removes a field that says where a message ends or what its connection is for: connection, content-length, expect, http2-settings, keep-alive, proxy-connection, te, trailer, transfer-encoding, upgrade. The gateway makes them anew for each connection; edited, they would let one message be read as two. The operation is left out.",
      fix: "Remove the operation."),
    Message(
      "SP1053", .warning, "ServerServesNothing",
      cause:
        "A TCP or TLS server of a Gateway has no route: connections to it are closed. Or a VirtualService has rules of a kind that the server does not look at, such as http rules where TLS is passed through.",
      fix: "Bind a VirtualService with a tcp or tls route to it, or let the server end TLS."),
    Message(
      "SP1054", .warning, "ProxyProtocolSettings",
      cause:
        "Annotations of a Gateway about the PROXY protocol are wrong, or contradict those of another Gateway on the socket.",
      fix: "See docs/tcp.md for what they may say."),
    Message(
      "SP1055", .error, "VerifiedNameUnknown",
      cause:
        "TLS is originated to a host with a wildcard, and nothing says which name the upstream's certificate must have: requests get 503.",
      fix: "Set tls.sni or tls.subjectAltNames in the DestinationRule."),
    Message(
      "SP1060", .warning, "LocalityUnknown",
      cause:
        "A DestinationRule prefers endpoints by where they are, and where the instance is nobody says: all endpoints are alike to it.",
      fix:
        "Give the instance the labels of its node: run --label topology.kubernetes.io/region=R --label topology.kubernetes.io/zone=Z, or --label istio-locality=R.Z, or nodeSelector in its Deployment or IstioOperator component."
    ),
  ]
}
