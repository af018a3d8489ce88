import { checkObject, describe } from '../check.ts'
import { definitionError } from './definition-error.ts'
import { checkReference, parseReference, requestNode } from './reference.ts'
import type { Tensor } from './tensor.ts'

/**
 * When a stage runs, decided for each row by what an earlier stage produced: one number, string or
 * truth value that is compared with `below`, `above` and `equals` (at least one must be given, all
 * that are given must hold; numbers are compared in the precision of the output), or anything that a
 * function looks at.
 */
export interface Condition<Text extends string = string> {
  /** Reference to the output of another stage; one element a row unless there is a `test`. */
  readonly output: Text
  /** Holds below this bound, the bound itself excluded, in the unit of the output. Default: no such bound. */
  readonly below?: number | undefined
  /** Holds above this bound, the bound itself excluded, in the unit of the output. Default: no such bound. */
  readonly above?: number | undefined
  /** Holds for exactly this value, in the unit of the output. Default: any value. */
  readonly equals?: number | bigint | boolean | string | undefined
  /**
   * Decides instead of the bounds, on the event loop, as an inline() stage called `STAGE:when` would: true where the
   * stage is to run. What it throws fails the row. Default: the bounds decide.
   */
  readonly test?: ConditionTest | undefined
}

/** What a test is given: the element of a row that has exactly one, else the tensor of the row. */
export type ConditionValue = number | bigint | boolean | string | Tensor

/** Whether the stage runs for a row; must return a boolean. */
// Declared as a method, so that a test may ask for the one type that its output has.
export type ConditionTest = { test(value: ConditionValue): boolean }['test']

const keys = ['output', 'below', 'above', 'equals', 'test'] as const

/** A frozen condition that says something and does not contradict itself. */
export function checkCondition(value: unknown, where: string): Condition {
  const given = checkObject(value, { name: where, keys, code: 'MILLRACE_INVALID_PIPELINE' })
  const condition = Object.freeze({
    output: checkOutput(given.output, `${where}, output`),
    below: checkBound(given.below, `${where}, below`),
    above: checkBound(given.above, `${where}, above`),
    equals: checkEquals(given.equals, `${where}, equals`),
    test: checkTest(given.test, `${where}, test`),
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

function checkTest(value: unknown, where: string): ConditionTest | undefined {
  if (value === undefined || typeof value === 'function') {
    return value as ConditionTest | undefined
  }
  const problem = `expected a function, got ${describe(value)}`
  throw definitionError(where, `${problem}; to compare with a value, give equals`)
}

function checkPossible({ below, above, equals, test }: Condition, where: string): void {
  const compares = below !== undefined || above !== undefined || equals !== undefined
  if (compares === (test !== undefined)) {
    const found = compares ? 'bounds and a test' : 'none'
    const remedy = compares ? 'put the bounds into the test' : 'give below, above, equals or test'
    throw definitionError(where, `expected bounds or a test, got ${found}; ${remedy}`)
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

function excludedValue({
  below,
  above,
  equals,
}: Omit<Condition, 'output' | 'test'>): string | undefined {
  if (typeof equals !== 'number' && typeof equals !== 'bigint') return undefined
  if (below !== undefined && equals >= below) return `below ${below} and equal to ${equals}`
  if (above !== undefined && equals <= above) return `above ${above} and equal to ${equals}`
  return undefined
}
