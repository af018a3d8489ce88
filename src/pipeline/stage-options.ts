// What stages of all kinds have in common.
import { checkBoolean, checkInteger, checkObject, describe } from '../check.ts'
import { type Condition, checkCondition } from './condition.ts'
import { definitionError } from './definition-error.ts'
import { checkName } from './reference.ts'

/** Options that every kind of stage takes. */
export interface StageOptions<Decider extends string = never, Gathered extends string = never> {
  /** Runs the stage only for rows where this holds. Default: always. */
  readonly when?: Condition<Decider> | undefined
  /**
   * Makes every row into items, 0 or more: the first dimension of each output of a row counts them, and what reads
   * these outputs runs once for each item. Default false.
   */
  readonly fanOut?: boolean | undefined
  /**
   * Name of the fan-out stage whose items come together here: this stage runs as often as that one, and an input fed by
   * a value of its items is given all of a row's at once, with one more dimension in front that counts them (0 or
   * more). Default: none.
   */
  readonly gather?: Gathered | undefined
  /**
   * Whether a batch that fails is run again in halves until the guilty rows are found, so that only these fail; false
   * where running a row twice does harm. Default true.
   */
  readonly isolate?: boolean | undefined
  /**
   * Keeps results for rows whose inputs are equal, byte for byte; equal ones in flight run once. Not with `fanOut`.
   * Default: nothing is kept.
   */
  readonly cache?: CacheOptions | undefined
}

/** How many results a stage keeps, and for how long. */
export interface CacheOptions {
  /** Bytes of inputs and outputs together, at least 1; those not used for longest go first. */
  readonly maxBytes: number
  /** Milliseconds after which a result is forgotten, above 0. Default Infinity. */
  readonly ttlMs?: number | undefined
}

/** What every stage has, its defaults filled in. */
export interface StageBase<
  Input extends string = string,
  Decider extends string = string,
  Gathered extends string = string,
> {
  /** What it runs: a model, a function in workers, a function on the event loop, or a kernel on a GPU. */
  readonly kind: 'onnx' | 'js' | 'inline' | 'cuda'
  /** Candidates for each input: references, of which the first whose stage ran feeds it. */
  readonly inputs: Readonly<Record<string, readonly Input[]>>
  /** What must hold for a row to run; undefined: it always does. */
  readonly when: Condition<Decider> | undefined
  /** Whether it makes every row into items. */
  readonly fanOut: boolean
  /** Name of the fan-out stage whose items come together here; undefined where none do. */
  readonly gather: Gathered | undefined
  /** Whether a batch that fails is run again in halves to find the guilty rows. */
  readonly isolate: boolean
  /** The results that are kept; undefined where none are. */
  readonly cache: StageCache | undefined
}

/** The results that a stage keeps. */
export interface StageCache {
  /** Bytes of inputs and outputs together that are kept at most. */
  readonly maxBytes: number
  /** Milliseconds after which a result is forgotten; Infinity: kept for as long as there is room. */
  readonly ttlMs: number
}

export const stageKeys = ['inputs', 'when', 'fanOut', 'gather', 'isolate', 'cache'] as const

type Given = Readonly<Partial<Record<(typeof stageKeys)[number], unknown>>>

const code = 'MILLRACE_INVALID_PIPELINE'
const made = new WeakSet<object>()

/** The common options but the inputs, checked and with their defaults. */
export function checkStageOptions(given: Given, where: string): Omit<StageBase, 'kind' | 'inputs'> {
  const { when, fanOut: givenFanOut = false, gather, isolate = true, cache } = given
  const fanOut = checkBoolean(givenFanOut, { name: `${where}, fanOut`, code })
  if (fanOut && cache !== undefined) {
    const problem = 'a stage with fanOut makes items, which are not kept'
    throw definitionError(
      `${where}, cache`,
      `${problem}; remove cache, or keep what comes of items`,
    )
  }
  return {
    when: when === undefined ? undefined : checkCondition(when, `${where}, when`),
    fanOut,
    gather: gather === undefined ? undefined : checkName(gather, `${where}, gather`),
    isolate: checkBoolean(isolate, { name: `${where}, isolate`, code }),
    cache: cache === undefined ? undefined : checkCache(cache, `${where}, cache`),
  }
}

/** Freezes a stage, and remembers that it has been checked. */
export function sealStage<Stage extends StageBase>(stage: Stage): Stage {
  made.add(Object.freeze(stage))
  return stage
}

/** Whether this went through {@link sealStage}, so that it needs no checking. */
export function isSealed(value: unknown): boolean {
  return typeof value === 'object' && value !== null && made.has(value)
}

/** A time limit in milliseconds; Infinity is one. */
export function checkMs(value: unknown, range: { name: string; min?: number; above?: number }) {
  const { name, min = 0, above = Number.NEGATIVE_INFINITY } = range
  if (typeof value === 'number' && value >= min && value > above) return value
  const bound = range.min === undefined ? `above ${above}` : `of at least ${min}`
  const expected = `expected milliseconds ${bound}, or Infinity`
  throw definitionError(name, `${expected}, got ${describe(value)}; give such a number`)
}

function checkCache(value: unknown, where: string): StageCache {
  const given = checkObject(value, { name: where, keys: ['maxBytes', 'ttlMs'], code })
  const { maxBytes, ttlMs = Number.POSITIVE_INFINITY } = given
  return Object.freeze({
    maxBytes: checkInteger(maxBytes, { name: `${where}, maxBytes`, min: 1, code }),
    ttlMs: checkMs(ttlMs, { name: `${where}, ttlMs`, above: 0 }),
  })
}
