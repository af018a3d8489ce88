// References name values: 'request.image' is an input of the request, 'fast.label' an output of the
// stage `fast`. Everything after the first dot is the name of the value, since the names of ONNX
// tensors may hold dots and slashes.
import { describe } from '../check.ts'
import { definitionError } from './definition-error.ts'

const namePattern = /^[A-Za-z0-9_-]{1,128}$/

/** The node that stands for the request; no stage may be called so. */
export const requestNode = 'request'

/** A reference taken apart. */
export interface Reference {
  /** Name of a stage, or `request`. */
  readonly node: string
  /** Name of the request's input, or of the model's output. */
  readonly value: string
}

/**
 * Text of a reference to a value of one of these nodes. Any text where the names are not known at
 * compile time.
 */
export type ReferenceTo<Node extends string> = string extends Node ? string : `${Node}.${string}`

/** One reference, or candidates of which the first whose stage ran is taken. */
export type Candidates<Text extends string = string> = Text | readonly Text[]

/** Takes a reference apart that {@link checkReference} has let through. */
export function parseReference(text: string): Reference {
  const dot = text.indexOf('.')
  return { node: text.slice(0, dot), value: text.slice(dot + 1) }
}

/** Names of pipelines, stages, request inputs and outputs. */
export function checkName(value: unknown, where: string): string {
  if (typeof value === 'string' && namePattern.test(value) && value !== '__proto__') return value
  const rule = 'a name of 1 to 128 letters, digits, _ and -'
  throw definitionError(where, `expected ${rule}, got ${describe(value)}; rename it`)
}

/**
 * The text itself, once it has the form of a reference; whether it leads anywhere is not looked at.
 */
export function checkReference(value: unknown, where: string): string {
  if (typeof value === 'string' && value.includes('.') && hasForm(parseReference(value))) {
    return value
  }
  const expected = "a reference such as 'request.image' or 'stage.output'"
  throw definitionError(where, `expected ${expected}, got ${describe(value)}; write node.value`)
}

/** A frozen list of references, from one or several. */
export function checkCandidates(value: unknown, where: string): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (list.length === 0)
    throw definitionError(where, 'expected a reference, got an empty list; add one')
  const candidates = list.map((candidate) => checkReference(candidate, where))
  const twice = candidates.find((candidate, index) => candidates.indexOf(candidate) !== index)
  if (twice === undefined) return Object.freeze(candidates)
  throw definitionError(where, `'${twice}' is listed twice; remove one`)
}

function hasForm({ node, value }: Reference): boolean {
  return namePattern.test(node) && (node === requestNode ? namePattern.test(value) : value !== '')
}
