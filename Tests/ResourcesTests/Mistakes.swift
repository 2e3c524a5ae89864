/// A file with a dozen mistakes, and what people see of it.
let mistakesYAML = """
  apiVersion: networking.istio.io/v1
  kind: Gateway
  metadata:
    name: ingress
    namespace: istio-system
  spec:
    selector:
      istio: ingressgateway
    servers:
    - port:
        number: 80
        name: http
        protocol: HTPP
      host:
      - "example.com"
    - port:
        number: "four four three"
        name: https
        protocol: https
      hosts:
      - "*.example.com"
      - httpbin
      tls:
        mode: SIMPEL
        credentialNme: example
  ---
  apiVersion: networking.istio.io/v1beta2
  kind: VirtualService
  metadata:
    name: old
  spec: {}
  ---
  apiVersion: networking.istio.io/v1
  kind: VirtualService
  metadata:
    name: httpbin
    labels:
      version: 1.10
  spec:
    hosts: ["httpbin.example.com"]
    gateways: [istio-system/ingress]
    http:
    - timeout: 5
      route:
      - destination:
          host: httpbin
          subnet: v1
        weight: -1
  ---
  apiVersion: networking.istio.io/v1
  kind: DestinationRul
  metadata:
    name: httpbin
  ---
  apiVersion: v1
  kind: Servce
  metadata:
    name: httpbin
  ---
  apiVersion: networking.istio.io/v1
  kind: ServiceEntry
  metadata:
    name: broken
  spec:
    hosts:
      - a.example.com
     ports: []
  """
let mistakesText = #"""
  test.yaml:13:17: error[IST0106]: invalid protocol "HTPP", supported protocols are HTTP, HTTPS, HTTP2, GRPC, GRPC-WEB, MONGO, REDIS, MYSQL, TCP, TLS
     13 |       protocol: HTPP
        |                 ^^^^
        = help: did you mean "HTTP"?
  test.yaml:14:5: error[IST0106]: unknown field "host"
     14 |     host:
        |     ^^^^
        = help: did you mean "hosts"?
  test.yaml:17:15: error[IST0106]: number: expected an integer, found "four four three"
     17 |       number: "four four three"
        |               ^^^^^^^^^^^^^^^^^
  test.yaml:22:7: error[IST0106]: short names (non FQDN) are not allowed: "httpbin"
     22 |     - httpbin
        |       ^^^^^^^
  test.yaml:24:13: error[IST0106]: mode: unknown value "SIMPEL"
     24 |       mode: SIMPEL
        |             ^^^^^^
        = help: did you mean "SIMPLE"?
  test.yaml:25:7: error[IST0106]: unknown field "credentialNme"
     25 |       credentialNme: example
        |       ^^^^^^^^^^^^^
        = help: did you mean "credentialName"?
  test.yaml:27:13: error[IST0106]: apiVersion "networking.istio.io/v1beta2" is not served for VirtualService
     27 | apiVersion: networking.istio.io/v1beta2
        |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^
        = help: one of networking.istio.io/v1, networking.istio.io/v1beta1, networking.istio.io/v1alpha3
  test.yaml:38:14: error[IST0106]: labels.version: expected a string, found 1.10
     38 |     version: 1.10
        |              ^^^^
        = help: write "1.10" in quotes
  test.yaml:43:14: error[IST0106]: timeout: invalid duration "5"
     43 |   - timeout: 5
        |              ^
        = help: write it as 5s
  test.yaml:47:9: error[IST0106]: unknown field "subnet"
     47 |         subnet: v1
        |         ^^^^^^
        = help: did you mean "subset"?
  test.yaml:48:15: error[IST0106]: weight -1 < 0
     48 |       weight: -1
        |               ^^
  test.yaml:51:7: warning[SP1002]: unknown kind "DestinationRul" is ignored
     51 | kind: DestinationRul
        |       ^^^^^^^^^^^^^^
        = help: did you mean "DestinationRule"?
  test.yaml:56:7: warning[SP1002]: unknown kind "Servce" is ignored
     56 | kind: Servce
        |       ^^^^^^
        = help: did you mean "Service"?
  test.yaml:67:4: error[IST0106]: invalid YAML: did not find expected key (while parsing a block mapping)
     67 |    ports: []
        |    ^
        = help: check the indentation of this line and the one before

  """#
