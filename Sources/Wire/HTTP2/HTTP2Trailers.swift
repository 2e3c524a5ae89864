/// Trailers that wait until the body before them has gone out.
final class HTTP2Trailers {
  let fields: HeaderBlock

  init(_ block: borrowing HeaderBlock) {
    var copy = HeaderBlock(byteCapacity: block.byteCount, fieldCapacity: block.count)
    for index in 0..<block.tableCount where !block.field(at: index).isRemoved {
      let field = block.field(at: index)
      copy.append(name: block.bytes.extracting(field.name.range), value: block.bytes.extracting(field.value.range))
    }
    fields = copy
  }
}
