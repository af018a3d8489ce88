import { ByteReader } from './byte-reader.ts'

const [colon, quote, backslash] = [0x3a, 0x22, 0x5c]
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d]

export interface ArrayPlace {
  /** Of the JSON document. */
  readonly key: string
  /** Where to begin: 0, or behind a value of the document's object. */
  readonly from: number
}

/**
 * Where the array begins that is the value of a key of a JSON document, without reading what else is in it; undefined if
 * there is none. In what is not JSON it may be anywhere.
 */
export function findArray(bytes: Buffer, { key, from }: ArrayPlace): number | undefined {
  const text = Buffer.from(JSON.stringify(key))
  let depth = from === 0 ? 0 : 1
  for (let position = from; position < bytes.length; position++) {
    const byte = bytes[position]
    if (byte === openBrace || byte === openBracket) depth++
    else if (byte === closeBrace || byte === closeBracket) depth--
    else if (byte === quote) {
      const end = stringEnd(bytes, position)
      const isKey = depth === 1 && bytes.subarray(position, end).equals(text)
      const start = isKey ? arrayAfter(bytes, end) : undefined
      if (start !== undefined) return start
      position = end - 1
    }
  }
  return undefined
}

function arrayAfter(bytes: Buffer, keyEnd: number): number | undefined {
  const reader = new ByteReader(bytes, keyEnd)
  reader.skipSpace()
  if (!reader.take(colon)) return undefined
  reader.skipSpace()
  return reader.peek() === openBracket ? reader.position : undefined
}

/** Behind the quote that ends the string beginning there. */
function stringEnd(bytes: Buffer, start: number): number {
  for (let position = start + 1; position < bytes.length; position++) {
    if (bytes[position] === backslash) position++
    else if (bytes[position] === quote) return position + 1
  }
  return bytes.length
}
