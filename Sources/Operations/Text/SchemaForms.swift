import Resources

/// JSON Schemas (draft 7, which editors understand) of the kinds.
package enum SchemaForms {
  private static let draft = "http://json-schema.org/draft-07/schema#"

  /// The name of a kind's file: `virtualservice.json`.
  package static func fileName(of schema: KindSchema) -> String { "\(schema.kind.lowercased()).json" }

  /// The schema of one kind.
  package static func schema(_ schema: KindSchema) -> JSON {
    let spec: [(String, JSON)] = [
      ("apiVersion", .object([("enum", .strings(schema.apiVersions))])),
      ("kind", .object([("const", .string(schema.kind))])), ("metadata", object(schema.metadata)),
      ("spec", object(schema.spec)), ("status", .object([])),
    ]
    return .object([
      ("$schema", .string(draft)), ("title", .string(schema.kind)),
      ("description", .string("\(schema.kind) as Sallyport reads it: made from its decoder by sallyport schema.")),
      ("type", .string("object")), ("properties", .object(spec)),
      ("required", .strings(["apiVersion", "kind"])), ("additionalProperties", .bool(false)),
    ])
  }

  /// One schema for files with any of the kinds: that of the kind that a document says.
  package static func all(_ schemas: [KindSchema]) -> JSON {
    .object([
      ("$schema", .string(draft)), ("title", .string("Sallyport")),
      (
        "description",
        .string("Any resource that Sallyport reads; kinds without a schema of their own are not checked.")
      ),
      ("type", .string("object")), ("required", .strings(["apiVersion", "kind"])),
      (
        "allOf",
        .array(
          schemas.map { schema in
            .object([
              (
                "if",
                .object([
                  ("properties", .object([("kind", .object([("const", .string(schema.kind))]))])),
                  ("required", .strings(["kind"])),
                ])
              ), ("then", .object([("$ref", .string(fileName(of: schema)))])),
            ])
          })
      ),
    ])
  }

  private static func object(_ fields: [SchemaField]) -> JSON {
    let properties = fields.map { field -> (String, JSON) in
      var parts = value(field.value)
      if field.isDeprecated { parts.append(("deprecated", .bool(true))) }
      return (field.name, .object(parts))
    }
    let dependencies = fields.filter { !$0.excludes.isEmpty }.map { ($0.name, exclusion($0, among: fields)) }
    return .object(
      [
        // Kubernetes' objects may have an empty value where none is given.
        ("type", .strings(["object", "null"])), ("properties", .object(properties)),
        ("additionalProperties", .bool(false)),
      ] + (dependencies.isEmpty ? [] : [("dependencies", .object(dependencies))]))
  }

  /// What must not stand beside a field; a list may, while it is empty.
  private static func exclusion(_ field: SchemaField, among fields: [SchemaField]) -> JSON {
    let excluded = field.excludes.compactMap { name -> (String, JSON)? in
      guard let other = fields.first(where: { $0.name == name }) else { return nil }
      guard case .list = other.value else { return (name, .bool(false)) }
      return (name, .object([("maxItems", .number(0))]))
    }
    return .object([("properties", .object(excluded))])
  }

  private static func value(_ schema: FieldSchema) -> [(String, JSON)] {
    switch schema {
    case .string: return [("type", .string("string"))]
    case .choice(let names):
      // Names are read in any case; editors offer the usual one.
      let pattern = "^(?:" + names.map(anyCase).joined(separator: "|") + ")$"
      return [
        ("anyOf", .array([.object([("enum", .strings(names))]), .object([("pattern", .string(pattern))])])),
        ("type", .string("string")),
      ]
    case .duration:
      return [
        ("type", .strings(["string", "integer"])),
        ("pattern", .string("^([0-9]+(\\.[0-9]+)?(h|m|s|ms|us|µs|ns))+$|^0$")),
        // Of numbers, 0 alone needs no unit.
        ("minimum", .number(0)), ("maximum", .number(0)),
      ]
    case .integer: return [("type", .strings(["integer", "string"])), ("pattern", .string("^-?[0-9]+$"))]
    case .number: return [("type", .strings(["number", "string"]))]
    case .boolean: return [("type", .string("boolean"))]
    case .text: return [("type", .strings(["string", "number", "boolean"]))]
    case .list(let inner): return [("type", .string("array")), ("items", .object(value(inner)))]
    case .map(let inner): return [("type", .string("object")), ("additionalProperties", .object(value(inner)))]
    case .object(let fields):
      guard case .object(let parts) = object(fields) else { return [] }
      return parts
    case .any: return []
    }
  }

  private static func anyCase(_ name: String) -> String {
    name.map { $0.isLetter ? "[\($0.uppercased())\($0.lowercased())]" : String($0) }.joined()
  }
}
