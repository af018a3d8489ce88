// Checks of options. Each returns the value with its type, or throws a MillraceError whose message
// says what was expected, what came and what to do. An absent option is for the caller to default
// first: `checkInteger(options.rows ?? 1, ...)` would let null through, a destructuring default
// does not.
import { MillraceError, type MillraceErrorCode } from './errors.ts'

/** What is being checked, for the message. */
export interface Subject {
  /** As the user knows it, such as `maxBatch`. */
  readonly name: string
  /** Default MILLRACE_INVALID_OPTION. */
  readonly code?: MillraceErrorCode
  /** What to do; each check has a default. */
  readonly fix?: string
}

/** Bounds of a number; absent ones do not bind. `above` and `below` exclude the bound itself. */
export interface Range {
  readonly min?: number
  readonly max?: number
  readonly above?: number
  readonly below?: number
}

const longestTextShown = 40
const mostNamesShown = 8
const longestNameCompared = 64

/** An integer within the range and small enough to be exact. */
export function checkInteger(value: unknown, subject: Subject & Range): number {
  if (Number.isSafeInteger(value) && within(value as number, subject)) return value as number
  throw refusal(
    value,
    subject,
    `an integer${rangeText(subject)}`,
    'give a whole number in that range',
  )
}

/** A finite number within the range. */
export function checkNumber(value: unknown, subject: Subject & Range): number {
  if (Number.isFinite(value) && within(value as number, subject)) return value as number
  throw refusal(
    value,
    subject,
    `a finite number${rangeText(subject)}`,
    'give a number in that range',
  )
}

/** A string of at least one character. */
export function checkString(value: unknown, subject: Subject): string {
  if (typeof value === 'string' && value !== '') return value
  throw refusal(value, subject, 'a string that is not empty', 'give a string')
}

export function checkBoolean(value: unknown, subject: Subject): boolean {
  if (typeof value === 'boolean') return value
  throw refusal(value, subject, 'true or false', 'give a boolean')
}

/** One of a few strings. */
export function checkOneOf<Choice extends string>(
  value: unknown,
  subject: Subject & { readonly choices: readonly Choice[] },
): Choice {
  const found = subject.choices.find((choice) => choice === value)
  if (found !== undefined) return found
  const expected = `one of ${subject.choices.map(quote).join(', ')}`
  throw refusal(value, subject, expected, advice(value, subject.choices))
}

/** A plain object whose own keys are all known; nothing is said of their values. */
export function checkObject<Key extends string>(
  value: unknown,
  subject: Subject & { readonly keys: readonly Key[] },
): Readonly<Partial<Record<Key, unknown>>> {
  const record = checkRecord(value, subject)
  const known: readonly string[] = subject.keys
  const unknownKey = Object.keys(record).find((key) => !known.includes(key))
  if (unknownKey === undefined) return record as Readonly<Partial<Record<Key, unknown>>>
  const problem = `${subject.name}: unknown key ${quote(shorten(unknownKey))}`
  throw failure(subject, `${problem}; ${suggest(unknownKey, known)}`)
}

/** A plain object with any keys. */
export function checkRecord(value: unknown, subject: Subject): Readonly<Record<string, unknown>> {
  if (isPlainObject(value)) return value
  throw refusal(value, subject, 'a plain object', 'give one, such as { … }')
}

/**
 * A short phrase for messages, such as `the string "abc"` or `a Float32Array of 784`. Never long,
 * never throws.
 */
export function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return describeString(value)
    case 'number':
      return `the number ${value}`
    case 'bigint':
      return BigInt.asIntN(128, value) === value ? `the bigint ${value}n` : 'a huge bigint'
    case 'boolean':
      return `the boolean ${value}`
    case 'function':
      return 'a function'
    case 'symbol':
      return 'a symbol'
    case 'object':
      return value === null ? 'null' : describeObject(value)
    case 'undefined':
      return 'undefined'
  }
}

/**
 * `did you mean "fast"? (there are: "fast", "accurate")`; the question only where a name is near.
 */
export function suggest(word: string, names: Iterable<string>): string {
  const all = [...names]
  if (all.length === 0) return 'there are none'
  const near = nearest(word, all)
  const shown = all.slice(0, mostNamesShown).map((name) => quote(shorten(name)))
  const rest = all.length > shown.length ? ` and ${all.length - shown.length} more` : ''
  const list = `there ${all.length === 1 ? 'is' : 'are'}: ${shown.join(', ')}${rest}`
  return near === undefined ? list : `did you mean ${quote(near)}? (${list})`
}

/**
 * The name most like `word`, if any could be a misspelling of it: case aside, a third of the
 * letters may differ.
 */
export function nearest(word: string, names: Iterable<string>): string | undefined {
  if (word.length > longestNameCompared) return undefined
  let best: string | undefined
  let bestEdits = Math.max(1, Math.floor(word.length / 3)) + 1
  for (const name of names) {
    if (name.length > longestNameCompared) continue
    const edits = editDistance(word.toLowerCase(), name.toLowerCase())
    if (edits < bestEdits) [best, bestEdits] = [name, edits]
  }
  return best
}

// Insertions, deletions, substitutions and swaps of neighbours, each counting one.
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const substitution = at(last, column - 1) + (from[row - 1] === to[column - 1] ? 0 : 1)
      let edits = Math.min(at(last, column) + 1, at(current, column - 1) + 1, substitution)
      if (
        row > 1 &&
        column > 1 &&
        from[row - 1] === to[column - 2] &&
        from[row - 2] === to[column - 1]
      ) {
        edits = Math.min(edits, at(beforeLast, column - 2) + 1)
      }
      current.push(edits)
    }
    beforeLast = last
    last = current
  }
  return at(last, to.length)
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY
}

function within(value: number, { min, max, above, below }: Range): boolean {
  if (min !== undefined && value < min) return false
  if (max !== undefined && value > max) return false
  if (above !== undefined && value <= above) return false
  return below === undefined || value < below
}

/** ` from 1 to 10`, ` above 0`: what follows "a number" in a message; empty without bounds. */
export function rangeText({ min, max, above, below }: Range): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`
  const parts = [
    min === undefined ? '' : `at least ${min}`,
    above === undefined ? '' : `above ${above}`,
    max === undefined ? '' : `at most ${max}`,
    below === undefined ? '' : `below ${below}`,
  ].filter((part) => part !== '')
  return parts.length === 0 ? '' : ` ${parts.join(' and ')}`
}

function refusal(value: unknown, subject: Subject, expected: string, fix: string): MillraceError {
  const got = describe(value)
  return failure(
    subject,
    `${subject.name}: expected ${expected}, got ${got}; ${subject.fix ?? fix}`,
  )
}

function failure(subject: Subject, message: string): MillraceError {
  return new MillraceError({ code: subject.code ?? 'MILLRACE_INVALID_OPTION', message })
}

function advice(value: unknown, choices: readonly string[]): string {
  const near = typeof value === 'string' ? nearest(value, choices) : undefined
  return near === undefined ? 'give one of these' : `did you mean ${quote(near)}?`
}

// By the shape of the prototype chain, not by identity, so that objects of another realm pass too.
function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return (
    prototype === null ||
    (Object.getPrototypeOf(prototype) === null && 'hasOwnProperty' in prototype)
  )
}

function describeString(text: string): string {
  const length = text.length > longestTextShown ? ` (${text.length} characters)` : ''
  return `the string ${quote(shorten(text))}${length}`
}

function describeObject(value: object): string {
  try {
    if (Array.isArray(value)) return `an array of ${value.length}`
    if (ArrayBuffer.isView(value) && 'length' in value) {
      return `${withArticle(value.constructor.name)} of ${value.length}`
    }
    if (!isPlainObject(value)) return withArticle(value.constructor.name)
    const keys = Object.keys(value)
    const shown = keys.slice(0, mostNamesShown).map(shorten).join(', ')
    return keys.length === 0
      ? 'an empty object'
      : `an object with ${shown}${keys.length > mostNamesShown ? ', …' : ''}`
  } catch {
    return 'an object' // a hostile proxy or getter must not replace the error being reported
  }
}

function withArticle(name: string): string {
  return `${/^[aeio]/i.test(name) ? 'an' : 'a'} ${shorten(name)}`
}

function quote(text: string): string {
  return JSON.stringify(text)
}

function shorten(text: string): string {
  return text.length > longestTextShown ? `${text.slice(0, longestTextShown - 1)}…` : text
}
