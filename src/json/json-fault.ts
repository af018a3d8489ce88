// Where a text stops being JSON. Node's own message names a place only for some faults, and differs from version to
// version; this is read only after Node has refused the text.

/** The first thing in a text that JSON does not allow there. */
export interface JsonFault {
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number
  /** What may stand there, such as `a value`. */
  readonly expected: string
  /** The text ends although something is still open: it was cut off. */
  readonly truncated: boolean
}

const blank = /[ \t\n\r]*/y
const text = /"(?:[^"\\\p{Cc}]+|\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4}))*"/uy
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])|(?:true|false|null)(?!\w)/y

type Expected = 'a value' | 'a value or "]"' | 'a key or "}"' | 'a key' | '":"' | '"," or "]"'
type Wanted = Expected | '"," or "}"' | 'nothing more'

/** The first fault of a text that is not JSON; undefined where it is. */
export function jsonFault(json: string): JsonFault | undefined {
  const open: ('{' | '[')[] = []
  let wanted: Wanted = 'a value'
  let at = skip(blank, json, 0)
  while (at < json.length) {
    const end = tokenEnd(json, at, wanted)
    if (end === undefined) return fault(json, at, wanted)
    wanted = next(json.charAt(at), wanted, open)
    at = skip(blank, json, end)
  }
  return wanted === 'nothing more' ? undefined : { ...fault(json, at, wanted), truncated: true }
}

/** Where the token at `at` ends, if it may stand there. */
function tokenEnd(json: string, at: number, wanted: Wanted): number | undefined {
  const token = json.charAt(at)
  if (isMark(token)) return mayStand(token, wanted) ? at + 1 : undefined
  const isText = token === '"'
  const may = wanted.startsWith('a value') || (isText && wanted.startsWith('a key'))
  const end = skip(isText ? text : scalar, json, at)
  return may && end > at ? end : undefined
}

function mayStand(mark: string, wanted: Wanted): boolean {
  return mark === '{' || mark === '[' ? wanted.startsWith('a value') : wanted.includes(`"${mark}"`)
}

/** What is wanted after a token that begins so; what is open changes with it. */
function next(token: string, wanted: Wanted, open: ('{' | '[')[]): Wanted {
  if (token === '{' || token === '[') {
    open.push(token)
    return token === '{' ? 'a key or "}"' : 'a value or "]"'
  }
  if (token === ':') return 'a value'
  if (token === ',') return open.at(-1) === '{' ? 'a key' : 'a value'
  if (token === '"' && wanted.startsWith('a key')) return '":"'
  if (token === '}' || token === ']') open.pop()
  const around = open.at(-1)
  if (around === undefined) return 'nothing more'
  return around === '{' ? '"," or "}"' : '"," or "]"'
}

function fault(json: string, at: number, expected: string): JsonFault {
  const lines = json.slice(0, at).split('\n')
  const column = (lines.at(-1)?.length ?? 0) + 1
  return { line: lines.length, column, expected, truncated: isCutOff(json, at) }
}

// A string, number or word that the end of the text interrupts.
function isCutOff(json: string, at: number): boolean {
  const rest = json.slice(at)
  if (rest.startsWith('"')) return !/^"(?:[^"\\\n]|\\.)*"/.test(rest) && !rest.includes('\n')
  return /^(?:-?\d*(?:\.\d*)?(?:[eE][+-]?)?|t|tr|tru|f|fa|fal|fals|n|nu|nul)$/.test(rest)
}

function isMark(token: string): boolean {
  return '{}[]:,'.includes(token)
}

function skip(pattern: RegExp, json: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(json) ? pattern.lastIndex : at
}
