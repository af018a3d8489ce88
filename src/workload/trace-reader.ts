import { readFile } from 'node:fs/promises'
import { readTextFile } from '../json-file.ts'
import type { Arrivals } from './arrivals.ts'
import { readTraceDocument, traceKeys } from './trace-document.ts'
import { faultOf } from './trace-fault.ts'
import { readTraceLines } from './trace-lines.ts'

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])
const blank = /^\s*$/
const fix = 'write one with `millrace trace`'
const mostOfFirstLine = 1024

/** A trace from a file in either format: which one it is, is found out. */
export async function readTrace(path: string): Promise<Arrivals> {
  const content = await bytesOf(path)
  const marked = content.subarray(0, byteOrderMark.length).equals(byteOrderMark)
  const bytes = marked ? content.subarray(byteOrderMark.length) : content
  const first = bytes.toString('utf8', 0, mostOfFirstLine).trimStart()
  if (isDocument(first)) return readTraceDocument(bytes, path)
  const arrivalsMs = readTraceLines(bytes, path)
  if (arrivalsMs.length > 0) return { arrivalsMs, meta: {} }
  throw faultOf(path)('', `expected at least one arrival, got an empty file; ${fix}`)
}

// Lines may be objects, too; a document's first line hardly ever is one, and not one with other keys.
function isDocument(text: string): boolean {
  if (text.startsWith('[')) return true
  if (!text.startsWith('{')) return false
  const [line = '', ...others] = text.split('\n')
  if (/^\{\s*"arrivalMs"/.test(line)) return false
  if (others.every((other) => blank.test(other))) return true
  try {
    return Object.keys(JSON.parse(line)).some((key) => traceKeys.some((known) => known === key))
  } catch {
    return true
  }
}

async function bytesOf(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch {
    // Fails in the same way, and says so as of any other file.
    return Buffer.from(await readTextFile(path, { fix }))
  }
}
