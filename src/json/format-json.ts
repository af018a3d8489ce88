import { MillraceError } from '../errors.ts'

const widest = 100

/**
 * JSON for people: what fits on a line of 100 columns stands on one, numbers fill their lines, the rest is indented by two
 * spaces. Keys stay in the order they have; undefined ones are left out. Ends with a line break.
 *
 * @throws {MillraceError} MILLRACE_INVALID_FILE for a number that JSON does not have, such as NaN.
 */
export function formatJson(value: unknown): string {
  return `${format(value, '')}\n`
}

function format(value: unknown, indent: string): string {
  if (typeof value !== 'object' || value === null) return scalar(value)
  const inner = `${indent}  `
  if (Array.isArray(value)) {
    const parts = value.map((item) => format(item, inner))
    const filled = value.every((item) => typeof item === 'number')
    return enclose(filled ? fill(parts, inner) : parts, { open: '[', close: ']', indent })
  }
  const parts = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([key, item]) => `${JSON.stringify(key)}: ${format(item, inner)}`)
  return enclose(parts, { open: '{', close: '}', indent })
}

function enclose(
  parts: readonly string[],
  { open, close, indent }: { open: string; close: string; indent: string },
): string {
  if (parts.length === 0) return open + close
  const width = parts.reduce((sum, part) => sum + part.length + 2, indent.length + 4)
  if (width <= widest && !parts.some((part) => part.includes('\n'))) {
    const pad = open === '{' ? ' ' : ''
    return `${open}${pad}${parts.join(', ')}${pad}${close}`
  }
  const inner = `${indent}  `
  return `${open}\n${parts.map((part) => inner + part).join(',\n')}\n${indent}${close}`
}

/** As many numbers on a line as there is room for. */
function fill(parts: readonly string[], indent: string): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const part of parts) {
    const longer = line === '' ? part : `${line}, ${part}`
    if (line !== '' && indent.length + longer.length >= widest) {
      lines.push(line)
      line = part
    } else line = longer
  }
  return line === '' ? lines : [...lines, line]
}

function scalar(value: unknown): string {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    const message = `expected a finite number, got ${value}; JSON has no other numbers`
    throw new MillraceError({ code: 'MILLRACE_INVALID_FILE', message })
  }
  return JSON.stringify(value) ?? 'null'
}
