import { checkObject, describe } from '../check.ts'
import { definitionError } from './definition-error.ts'
import { checkReference, parseReference, requestNode } from './reference.ts'

/**
 * When a stage runs, decided for each row by one number, string or truth value that an earlier
 * stage produced. At least one test must be given and all that are given must hold. Numbers are
 * compared in the precision of the output.
 */
export interface Condition<Text extends string = string> {
  /** Reference to the output of another stage; one element a row. */
  readonly output: Text
  /** Holds below this bound, the bound itself excluded. */
  readonly below?: number | undefined
  /** Holds above this bound, the bound itself excluded. */
  readonly above?: number | undefined
  /** Holds for exactly this value. */
  readonly equals?: number | bigint | boolean | string | undefined
}

const keys = ['output', 'below', 'above', 'equals'] as const

/** A frozen condition that says something and does not contradict itself. */
export function checkCondition(value: unknown, where: string): Condition {
  const given = checkObject(value, { name: where, keys, code: 'MILLRACE_INVALID_PIPELINE' })
  const condition = Object.freeze({
    output: checkOutput(given.output, `${where}, output`),
    below: checkBound(given.below, `${where}, below`),
    above: checkBound(given.above, `${where}, above`),
    equals: checkEquals(given.equals, `${where}, equals`),
  })
  checkPossible(condition, where)
  return condition
}

function checkOutput(value: unknown, where: string): string {
  const reference = checkReference(value, where)
  if (parseReference(reference).node !== requestNode) return reference
  const problem = `expected the output of a stage, got '${reference}'`
  throw definitionError(where, `${problem}; decide what the request says before sending it`)
}

function checkBound(value: unknown, where: string): number | undefined {
  if (value === undefined || (typeof value === 'number' && !Number.isNaN(value))) return value
  throw definitionError(
    where,
    `expected a number, got ${describe(value)}; give a number or leave it out`,
  )
}

function checkEquals(value: unknown, where: string): Condition['equals'] {
  switch (typeof value) {
    case 'undefined':
    case 'bigint':
    case 'boolean':
    case 'string':
      return value
    case 'number':
      if (!Number.isNaN(value)) return value
  }
  const problem = `expected a number, bigint, boolean or string, got ${describe(value)}`
  throw definitionError(where, `${problem}; nothing else can be compared with`)
}

function checkPossible({ below, above, equals }: Condition, where: string): void {
  if (below === undefined && above === undefined && equals === undefined) {
    throw definitionError(where, 'expected a test, got none; give below, above or equals')
  }
  const excluded =
    below !== undefined && above !== undefined && above >= below
      ? `above ${above} and below ${below}`
      : excludedValue({ below, above, equals })
  if (excluded === undefined) return
  throw definitionError(
    where,
    `nothing is ${excluded}, so the stage would never run; change a bound`,
  )
}

function excludedValue({ below, above, equals }: Omit<Condition, 'output'>): string | undefined {
  if (typeof equals !== 'number' && typeof equals !== 'bigint') return undefined
  if (below !== undefined && equals >= below) return `below ${below} and equal to ${equals}`
  if (above !== undefined && equals <= above) return `above ${above} and equal to ${equals}`
  return undefined
}
