import { randomUUID } from 'node:crypto'
import { realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
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
 * Writes a file whole or not at all: whoever reads it meanwhile sees what was there before. Links are followed; devices and
 * pipes, such as /dev/stdout, are written in place.
 */
export async function writeTrace(
  path: string,
  { arrivals, format }: { readonly arrivals: Arrivals; readonly format: TraceFormat },
): Promise<void> {
  try {
    const target = await targetOf(path)
    const text = textOf(arrivals, format)
    if (target.inPlace) await writeFile(target.path, text)
    else await replaceFile(target.path, text)
  } catch (error) {
    throw notWritten(path, error)
  }
}

async function replaceFile(path: string, text: Iterable<string>): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`
  try {
    await writeFile(temporary, text, { flag: 'wx' })
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

// By what the path leads to, and not by its real path alone: that of /dev/stdout, where it is a pipe, is none, and the link
// itself would be replaced, for all processes of the machine. Below /dev also a file belongs to whoever opened it.
async function targetOf(path: string): Promise<{ path: string; inPlace: boolean }> {
  try {
    const inPlace = !(await stat(path)).isFile() || resolve(path).startsWith('/dev/')
    return { path: inPlace ? path : await realpath(path), inPlace }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { path, inPlace: false }
    throw error
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
