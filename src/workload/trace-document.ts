import { checkRecord, describe, suggest } from '../check.ts'
import type { MillraceError } from '../errors.ts'
import { type Arrivals, arrivalFault, durationFault } from './arrivals.ts'
import { ByteReader } from './byte-reader.ts'
import { GrowingTimes } from './growing-times.ts'
import { describeText, type FileFault } from './trace-fault.ts'

const [comma, colon, quote, backslash] = [0x2c, 0x3a, 0x22, 0x5c]
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d]

export const traceVersion = 1
export const traceKeys = ['version', 'arrivalsMs', 'meta'] as const
const arrayKey = Buffer.from('"arrivalsMs"')
// Of a number and its comma, about.
const bytesPerArrival = 10
// Stands for the array while the rest is read.
const placeholder = 'read before'

/**
 * A trace from its JSON document. The array is read from the bytes and JSON.parse reads what is around it: an array of
 * ten million would take JSON.parse several times the memory.
 */
export function readTraceDocument(bytes: Buffer, fault: FileFault): Arrivals {
  const start = arrayStart(bytes)
  if (start === undefined) throw withoutArray(parse(bytes.toString(), fault), fault)
  const reader = new ByteReader(bytes, start + 1)
  const arrivalsMs = readArrayOf(reader, fault)
  const before = bytes.toString('utf8', 0, start)
  const after = bytes.toString('utf8', reader.position)
  const document = parse(`${before}${JSON.stringify(placeholder)}${after}`, fault)
  const meta = checkDocument(document, fault)
  if ((document as { arrivalsMs: unknown }).arrivalsMs !== placeholder) {
    throw fault('arrivalsMs', 'expected the key once, got it twice; leave one out')
  }
  const problem = durationFault({ arrivalsMs, meta })
  if (problem !== undefined) throw fault('meta.durationMs', problem)
  return { arrivalsMs, meta }
}

function readArrayOf(reader: ByteReader, fault: FileFault): Float64Array {
  try {
    return readArray(reader, fault)
  } catch (error) {
    // What is wrong with the document as a whole may be why: a newer version, say.
    const document = parsedOrUndefined(reader.bytes)
    if (document !== undefined) checkDocument(document, fault)
    throw error
  }
}

function readArray(reader: ByteReader, fault: FileFault): Float64Array {
  const times = new GrowingTimes((reader.bytes.length - reader.position) / bytesPerArrival)
  let beforeMs = 0
  reader.skipSpace()
  if (reader.take(closeBracket)) {
    throw fault('arrivalsMs', 'expected at least one arrival, got none; record or generate some')
  }
  for (;;) {
    reader.skipSpace()
    const value = reader.number()
    const problem = Number.isNaN(value) ? faultOfToken(reader) : arrivalFault(value, beforeMs)
    if (problem !== undefined) throw fault(`arrivalsMs[${times.count}]`, problem)
    beforeMs = value
    times.push(value)
    reader.skipSpace()
    if (reader.take(closeBracket)) return times.view()
    if (!reader.take(comma)) throw fault(`after arrivalsMs[${times.count - 1}]`, noComma(reader))
  }
}

function faultOfToken(reader: ByteReader): string {
  if (reader.peek() < 0) return `expected a number, got the end of the file; ${cutOff}`
  const token = reader.token()
  try {
    const value: unknown = JSON.parse(token)
    return arrivalFault(value, 0) ?? `expected a number, got ${describe(value)}; correct it`
  } catch {
    const fix = 'give a finite number of milliseconds'
    return `expected a number, got ${describeText(token)}; ${fix}`
  }
}

const cutOff = 'it was cut off, get it whole'

function noComma(reader: ByteReader): string {
  const got = reader.peek() < 0 ? 'the end of the file' : describeText(reader.token())
  const fix = reader.peek() < 0 ? cutOff : 'correct it'
  return `expected "," or "]", got ${got}; ${fix}`
}

/** Where the value of the key `arrivalsMs` begins, if that is an array. */
function arrayStart(bytes: Buffer): number | undefined {
  let depth = 0
  for (let position = 0; position < bytes.length; position++) {
    const byte = bytes[position]
    if (byte === openBrace || byte === openBracket) depth++
    else if (byte === closeBrace || byte === closeBracket) depth--
    else if (byte === quote) {
      const end = stringEnd(bytes, position)
      const start = depth === 1 ? arrayAfterKey(bytes, { position, end }) : undefined
      if (start !== undefined) return start
      position = end - 1
    }
  }
  return undefined
}

function arrayAfterKey(
  bytes: Buffer,
  { position, end }: { readonly position: number; readonly end: number },
): number | undefined {
  if (!bytes.subarray(position, end).equals(arrayKey)) return undefined
  const reader = new ByteReader(bytes, end)
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

/** The meta of a document in which all but the array is checked. */
function checkDocument(document: unknown, fault: FileFault): Arrivals['meta'] {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw fault('', `expected an object { version, arrivalsMs, meta }, got ${describe(document)}`)
  }
  const { version, meta = {} } = document as Readonly<Record<string, unknown>>
  if (typeof version === 'number' && version > traceVersion) {
    const newer = `expected ${traceVersion}, got ${describe(version)}: written by a newer Millrace`
    throw fault('version', `${newer}; update this one`)
  }
  const known: readonly string[] = traceKeys
  const unknownKey = Object.keys(document).find((key) => !known.includes(key))
  if (unknownKey !== undefined) {
    throw fault('', `unknown key ${describeText(unknownKey)}; ${suggest(unknownKey, known)}`)
  }
  if (version !== traceVersion) {
    throw fault('version', `expected ${traceVersion}, got ${describe(version)}; correct it`)
  }
  try {
    return checkRecord(meta, { name: 'meta' })
  } catch {
    throw fault('meta', `expected an object, got ${describe(meta)}; give one, or leave it out`)
  }
}

function withoutArray(document: unknown, fault: FileFault): MillraceError {
  checkDocument(document, fault)
  const { arrivalsMs } = document as Readonly<Record<string, unknown>>
  const got = arrivalsMs === undefined ? 'none' : describe(arrivalsMs)
  return fault('arrivalsMs', `expected an array of numbers, got ${got}; give one`)
}

function parse(text: string, fault: FileFault): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const end = text.trimEnd().at(-1)
    if (end !== '}' && end !== ']') {
      throw fault('', `expected a whole JSON document, got one that ends early; ${cutOff}`)
    }
    const reason = error instanceof Error ? error.message : String(error)
    throw fault('', `expected JSON, got what is none: ${reason}; correct it`)
  }
}

function parsedOrUndefined(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}
