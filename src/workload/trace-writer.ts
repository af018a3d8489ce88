import { randomBytes } from 'node:crypto'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { extname } from 'node:path'
import { MillraceError } from '../errors.ts'
import type { Arrivals } from './arrivals.ts'
import { traceVersion } from './trace-document.ts'

/** How a trace is written down. */
export const traceFormats = ['json', 'lines'] as const
export type TraceFormat = (typeof traceFormats)[number]

const lineExtensions = ['.ndjson', '.jsonl', '.txt']
const arrivalsPerPiece = 4096

/** The format that the name of a file asks for. */
export function formatOf(path: string): TraceFormat {
  return lineExtensions.includes(extname(path).toLowerCase()) ? 'lines' : 'json'
}

/**
 * Writes the whole file beside the old one and then puts it in its place: whoever reads it meanwhile, or after this fails,
 * sees the old one.
 */
export async function writeTrace(
  path: string,
  { arrivals, format }: { readonly arrivals: Arrivals; readonly format: TraceFormat },
): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    await writeAll(temporary, textOf(arrivals, format))
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw notWritten(path, error)
  }
}

async function writeAll(path: string, texts: Iterable<string>): Promise<void> {
  const file: FileHandle = await open(path, 'wx')
  try {
    for (const text of texts) await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

// In pieces: all of it at once would be longer than a string may be.
function* textOf({ arrivalsMs, meta }: Arrivals, format: TraceFormat): Iterable<string> {
  const json = format === 'json'
  const separator = json ? ',' : '\n'
  if (json) yield `{"version":${traceVersion},"meta":${JSON.stringify(meta)},"arrivalsMs":[\n`
  for (let start = 0; start < arrivalsMs.length; start += arrivalsPerPiece) {
    const text = arrivalsMs.subarray(start, start + arrivalsPerPiece).join(separator)
    const last = start + arrivalsPerPiece >= arrivalsMs.length
    yield json && !last ? `${text},\n` : `${text}\n`
  }
  if (json) yield ']}\n'
}

function notWritten(path: string, error: unknown): MillraceError {
  const reason = error instanceof Error ? error.message : String(error)
  return new MillraceError({
    code: 'MILLRACE_INVALID_FILE',
    message: `${path}: expected a file that can be written, got ${reason}; check the path`,
    cause: error,
  })
}
