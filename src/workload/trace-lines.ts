import { describe, suggest } from '../check.ts'
import { arrivalFault } from './arrivals.ts'
import { ByteReader } from './byte-reader.ts'
import { GrowingTimes } from './growing-times.ts'
import { describeText, faultOf } from './trace-fault.ts'

const [newline, openBrace, closeBrace] = [0x0a, 0x7b, 0x7d]
const usualLine = Buffer.from('{"arrivalMs":')
const expectedLine =
  'expected a number or {"arrivalMs": number} on each line (or a JSON document with version and arrivalsMs)'
// Of a number and its line end, about.
const bytesPerLine = 10

/** The arrivals of a file with one on each line: a number, or an object with the key `arrivalMs`. */
export function readTraceLines(bytes: Buffer, path: string): Float64Array {
  const reader = new ByteReader(bytes)
  const times = new GrowingTimes(bytes.length / bytesPerLine)
  let beforeMs = 0
  for (let line = 1; reader.peek() >= 0; line++) {
    reader.skipSpaceOfLine()
    if (reader.take(newline) || reader.peek() < 0) continue
    const { value, problem } = valueOfLine(reader)
    const wrong = problem ?? arrivalFault(value, beforeMs)
    if (wrong !== undefined) throw faultOf(path)(`line ${line}`, wrong)
    beforeMs = value as number
    times.push(beforeMs)
    reader.skipSpaceOfLine()
    reader.take(newline)
  }
  return times.view()
}

interface Line {
  readonly value?: unknown
  readonly problem?: string
}

function valueOfLine(reader: ByteReader): Line {
  const start = reader.position
  const inObject = reader.peek() === openBrace
  if (inObject && startsWith(reader, usualLine)) reader.position += usualLine.length
  reader.skipSpaceOfLine()
  const value = reader.number()
  reader.skipSpaceOfLine()
  const closed = !inObject || reader.take(closeBrace)
  reader.skipSpaceOfLine()
  const ended = reader.peek() === newline || reader.peek() < 0
  if (!Number.isNaN(value) && closed && ended) return { value }
  reader.position = start
  return unusualLine(reader)
}

function unusualLine(reader: ByteReader): Line {
  const lineEnd = reader.bytes.indexOf(newline, reader.position)
  const end = lineEnd < 0 ? reader.bytes.length : lineEnd
  const text = reader.bytes.toString('utf8', reader.position, end).trim()
  reader.position = end
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    const cutOff = lineEnd < 0 && text.startsWith('{')
    const fix = cutOff ? 'the file was cut off there, get it whole' : 'correct it'
    return { problem: `${expectedLine}, got ${describeText(text)}; ${fix}` }
  }
  if (typeof value !== 'object' || value === null) return { value }
  if (Array.isArray(value))
    return { problem: `${expectedLine}, got ${describe(value)}; correct it` }
  const unknownKey = Object.keys(value).find((key) => key !== 'arrivalMs')
  if (unknownKey !== undefined) {
    return {
      problem: `unknown key ${JSON.stringify(unknownKey)}; ${suggest(unknownKey, ['arrivalMs'])}`,
    }
  }
  return { value: (value as { readonly arrivalMs?: unknown }).arrivalMs }
}

function startsWith({ bytes, position }: ByteReader, text: Buffer): boolean {
  return bytes.subarray(position, position + text.length).equals(text)
}
