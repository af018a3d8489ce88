import { badRequest } from './protocol-error.ts'

const integer = /^-?(0|[1-9]\d*)$/
const words: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
])

interface Run {
  readonly start: number
  readonly end: number
  /** Whether some integer may have more digits than a number holds. */
  readonly wide: boolean
  /** Bytes before the chunk, for messages. */
  readonly offset: number
}

/** The numbers between two places of a chunk, and whether a comma follows the last. */
export function parseNumbers(
  chunk: Uint8Array,
  { start, end, wide, offset }: Run,
): { readonly values: readonly unknown[]; readonly commaLast: boolean } {
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset + start, end - start)
  const text = bytes.toString('latin1').trimEnd()
  const commaLast = text.endsWith(',')
  const numbers = commaLast ? text.slice(0, -1) : text
  if (wide) {
    const parts = numbers.split(',')
    return { values: parts.map((part) => parseLiteral(part.trim(), offset + start)), commaLast }
  }
  try {
    return { values: JSON.parse(`[${numbers}]`) as unknown[], commaLast }
  } catch {
    throw badRequest(`JSON is malformed: a list of numbers from byte ${offset + start} is none`)
  }
}

/** A number, a bigint where a number would not be exact, or a word. @throws {ProtocolError} 400 */
export function parseLiteral(text: string, offset: number): unknown {
  if (words.has(text)) return words.get(text)
  if (integer.test(text)) {
    const value = Number(text)
    return Number.isSafeInteger(value) ? value : BigInt(text)
  }
  try {
    return JSON.parse(text)
  } catch {
    const shown = JSON.stringify(text.length > 40 ? `${text.slice(0, 39)}…` : text)
    throw badRequest(`JSON is malformed: ${shown} at byte ${offset} is no value`)
  }
}
