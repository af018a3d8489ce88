import { extname } from 'node:path'
import { writeTextFile } from '../json-file.ts'
import type { Arrivals } from './arrivals.ts'
import { traceVersion } from './trace-document.ts'

export const traceFormats = ['json', 'lines'] as const

/**
 * How a trace is written down: as one JSON document with everything, or as a number a line.
 *
 * @useDeclaredType
 */
export type TraceFormat = (typeof traceFormats)[number]

const lineExtensions = ['.ndjson', '.jsonl', '.txt']
const arrivalsPerPiece = 4096

/** The format that the name of a file asks for. */
export function formatOf(path: string): TraceFormat {
  return lineExtensions.includes(extname(path).toLowerCase()) ? 'lines' : 'json'
}

/** Writes a file whole or not at all; see {@link writeTextFile}. */
export async function writeTrace(
  path: string,
  { arrivals, format }: { readonly arrivals: Arrivals; readonly format: TraceFormat },
): Promise<void> {
  await writeTextFile(path, textOf(arrivals, format))
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
