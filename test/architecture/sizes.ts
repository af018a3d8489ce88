// Small pieces: caps that nothing may pass, and the typical size, which keeps the caps from becoming the norm.
import type { MeasuredFunction } from './functions.ts'
import type { SourceFile } from './project.ts'

export const MAX_FILE_LINES = 400
/** Benches and tests are lists more than designs; they may run on, not without end. */
export const MAX_TEST_FILE_LINES = 600
export const MAX_FUNCTION_LINES = 60
export const MAX_FUNCTION_P90_LINES = 25
export const MAX_FILE_MEDIAN_LINES = 120
export const MAX_README_LINES = 250

export function filesOver(files: readonly SourceFile[], maxLines: number): readonly string[] {
  return files
    .map((file) => ({ path: file.path, lines: lineCount(file) }))
    .filter(({ lines }) => lines > maxLines)
    .map(({ path, lines }) => `${path} has ${lines} lines, over ${maxLines}`)
}

export function functionsOver(
  functions: readonly MeasuredFunction[],
  maxLines: number,
): readonly string[] {
  return functions
    .filter(({ lines }) => lines > maxLines)
    .map(({ where, lines }) => `${where} has ${lines} lines, over ${maxLines}`)
}

/** The 90th percentile by nearest rank, over functions that have a name; 0 when there are none. */
export function functionP90Lines(functions: readonly MeasuredFunction[]): number {
  return nearestRank(
    functions.filter(({ named }) => named).map(({ lines }) => lines),
    0.9,
  )
}

export function fileMedianLines(files: readonly SourceFile[]): number {
  return nearestRank(files.map(lineCount), 0.5)
}

function nearestRank(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
}

function lineCount({ text }: SourceFile): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
}
