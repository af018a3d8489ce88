/**
 * Whether a program printed what a guide says. `…` stands for anything in a line, a line that is only `…` for any number of
 * lines, and blanks for any number of blanks; blank lines count, but not at the ends.
 */
export function isExpected(printed: string, expected: string): boolean {
  return new RegExp(`^${patternOf(expected)}$`).test(normalised(printed))
}

/** Whether it has printed that much, and may print more. */
export function beginsAsExpected(printed: string, expected: string): boolean {
  return new RegExp(`^${patternOf(expected)}(\\n|$)`).test(normalised(printed))
}

function patternOf(expected: string): string {
  const lines = normalised(expected).split('\n')
  const parts = lines.map((line, index) => {
    const isLast = index === lines.length - 1
    if (line === '…') return isLast ? '(?:.*\\n)*.*' : '(?:.*\\n)*?'
    const text = line.split('…').map(escaped).join('.*?')
    if (isLast) return text
    // With no line after it where the last one stands for none.
    const isNextToLast = index === lines.length - 2
    return isNextToLast && lines.at(-1) === '…' ? `${text}(?:\\n|$)` : `${text}\\n`
  })
  return parts.join('')
}

function normalised(text: string): string {
  const lines = text.split('\n').map((line) => line.replace(/[ \t]+/g, ' ').trim())
  return lines.join('\n').replace(/^\n+|\n+$/g, '')
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
