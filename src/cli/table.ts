/**
 * Lines of aligned columns, two spaces apart: the first row is the heading. Columns whose cells are all numbers, with or
 * without a unit, are aligned to the right.
 */
export function formatTable(
  rows: readonly (readonly string[])[],
  { indent = '' }: { readonly indent?: string } = {},
): string {
  const [heading = [], ...body] = rows
  const columns = heading.map((title, column) => {
    const cells = body.map((row) => row[column] ?? '')
    return {
      width: Math.max(0, ...[title, ...cells].map((cell) => cell.length)),
      isNumeric: cells.length > 0 && cells.every(looksNumeric),
    }
  })
  const lines = rows.map((row) =>
    columns
      .map(({ width, isNumeric }, column) => {
        const cell = row[column] ?? ''
        return isNumeric ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  '),
  )
  return lines.map((line) => `${indent}${line}`.trimEnd()).join('\n')
}

/** Lines of a name and what it is. */
export function formatPairs(pairs: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(0, ...pairs.map(([name]) => name.length))
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${value}`.trimEnd()).join('\n')
}

function looksNumeric(cell: string): boolean {
  return /^(-|[-+]?[\d,.]+(e[-+]?\d+)?( (ms|s|%|\/s|\/h|W|MB|points))?)( \(.*\))?$/.test(cell)
}
