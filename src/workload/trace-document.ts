import { checkJson } from '../json/check-json.ts'
import { parseJson } from '../json-file.ts'
import { type Arrivals, arrivalFault, durationFault } from './arrivals.ts'
import { ByteReader } from './byte-reader.ts'
import { findArray } from './find-array.ts'
import { GrowingTimes } from './growing-times.ts'
import { describeText, faultOf } from './trace-fault.ts'

const [comma, closeBracket] = [0x2c, 0x5d]

export const traceVersion = 1
export const traceKeys = ['$schema', 'version', 'arrivalsMs', 'meta'] as const
const key = 'arrivalsMs'
// Of a number and its comma, about.
const bytesPerArrival = 10
const fix = 'correct the file, or have it written anew with `millrace trace`'
const cutOff = 'the file is cut off: get it whole'

/**
 * A trace from its JSON document. The array is read from the bytes, and JSON.parse reads what is around it: of arrivals it
 * would take twice the time and the memory.
 */
export function readTraceDocument(bytes: Buffer, path: string): Arrivals {
  const fault = faultOf(path)
  const start = findArray(bytes, { key, from: 0 })
  if (start === undefined) {
    checkDocument(bytes.toString(), path)
    throw fault(key, `expected the key to be written without escapes; ${fix}`)
  }
  const reader = new ByteReader(bytes, start + 1)
  const arrivalsMs = readArray(reader, path)
  if (findArray(bytes, { key, from: reader.position }) !== undefined) {
    throw fault(key, 'expected the key once, got it twice; leave one out')
  }
  const around = [bytes.toString('utf8', 0, start), bytes.toString('utf8', reader.position)]
  const { meta } = checkDocument(around.join('[0]'), path)
  const problem = durationFault({ arrivalsMs, meta })
  if (problem !== undefined) throw fault('meta.durationMs', problem)
  return { arrivalsMs, meta }
}

function readArray(reader: ByteReader, path: string): Float64Array {
  const times = new GrowingTimes((reader.bytes.length - reader.position) / bytesPerArrival)
  const problem = readInto(times, reader)
  if (problem === undefined) return times.view()
  // What is wrong with the document as a whole may be why: a newer version, say.
  if (isJson(reader.bytes)) checkDocument(reader.bytes.toString(), path)
  throw faultOf(path)(`${key}[${times.count}]`, problem)
}

/** What is wrong with the value after those that were read; undefined when all were. */
function readInto(times: GrowingTimes, reader: ByteReader): string | undefined {
  for (let beforeMs = 0; ; ) {
    reader.skipSpace()
    const value = reader.number()
    if (Number.isNaN(value)) return noNumber(reader)
    reader.skipSpace()
    const last = reader.take(closeBracket)
    // Before its value: a number that was cut off is no smaller one.
    if (!last && !reader.take(comma)) return `expected "," or "]" after it, got ${next(reader)}`
    const problem = arrivalFault(value, beforeMs)
    if (problem !== undefined) return problem
    times.push(value)
    if (last) return
    beforeMs = value
  }
}

function noNumber(reader: ByteReader): string {
  const token = reader.token()
  try {
    return arrivalFault(JSON.parse(token), 0) ?? `expected a number, got ${next(reader)}`
  } catch {
    return `expected a finite number of milliseconds, got ${next(reader)}`
  }
}

function next(reader: ByteReader): string {
  const token = reader.token()
  const left = reader.bytes.length - reader.position
  const got = describeText(left > 0 ? token || String.fromCharCode(reader.peek()) : '')
  return `${got}; ${Buffer.byteLength(token) < left ? fix : cutOff}`
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString())
    return true
  } catch {
    return false
  }
}

function checkDocument(text: string, path: string): Pick<Arrivals, 'meta'> {
  const subject = { where: path, fix }
  const document = checkJson(parseJson(text, subject), { ...subject, schema: 'trace' })
  const { meta = {} } = document as { readonly meta?: Arrivals['meta'] }
  return { meta }
}
