import { checkInteger, checkObject, describe } from '../check.ts'
import { definitionError } from './definition-error.ts'
import {
  checkFunctionOptions,
  type DeclaredInputs,
  type DeclaredOutputs,
  type FunctionBase,
  type FunctionOptions,
  functionKeys,
  type ReferencesIn,
  type TensorsFor,
} from './function-options.ts'
import type { StageFunction } from './stage-function.ts'
import { sealStage } from './stage-options.ts'

/** How a function of the host is wired into its pipeline. */
export interface InlineOptions<
  Inputs extends DeclaredInputs = DeclaredInputs,
  Outputs extends DeclaredOutputs = DeclaredOutputs,
  Decider extends string = never,
  Gathered extends string = never,
> extends FunctionOptions<Inputs, Outputs, Decider, Gathered> {
  /**
   * Calls in work at once, from 1 to 1024: the replicas at the start, unless the configuration says. Where rows are given
   * one by one (`batched: false`) they are not gathered into batches unless the configuration sets `maxBatch`, and then
   * those of a batch follow each other. Default 8.
   */
  readonly concurrency?: number | undefined
}

/** A stage that runs a function on the event loop: frozen, and made by {@link inline} only. */
export interface InlineStage<
  Input extends string = string,
  Decider extends string = string,
  Gathered extends string = string,
> extends FunctionBase<Input, Decider, Gathered> {
  /** Tells it from stages of other kinds. */
  readonly kind: 'inline'
  /** The function, as it was given to {@link inline}. */
  readonly run: StageFunction
  /** Calls in work at once: its replicas, unless a configuration says. */
  readonly concurrency: number
}

const code = 'MILLRACE_INVALID_PIPELINE'
const keys = [...functionKeys, 'concurrency'] as const
const defaultConcurrency = 8
const mostConcurrency = 1024

/**
 * A stage that runs a function on the event loop of the engine: for what waits, such as a database or an HTTP API. Work
 * that keeps the processor busy would hold up everything else there; give it to {@link js}.
 *
 * @throws {MillraceError} MILLRACE_INVALID_PIPELINE where an option has the wrong form.
 */
export function inline<
  const Inputs extends DeclaredInputs,
  const Outputs extends DeclaredOutputs,
  const Decider extends string = never,
  const Gathered extends string = never,
>(
  run: StageFunction<TensorsFor<NoInfer<Inputs>>, Extract<keyof NoInfer<Outputs>, string>>,
  options: InlineOptions<Inputs, Outputs, Decider, Gathered>,
): InlineStage<ReferencesIn<Inputs>, NoInfer<Decider>, NoInfer<Gathered>> {
  if (typeof run !== 'function') {
    throw definitionError('inline()', `expected a function, got ${describe(run)}; give it first`)
  }
  const where = `inline(${run.name})`
  const given = checkObject(options, { name: where, keys, code })
  const { concurrency = defaultConcurrency } = given
  const stage: InlineStage = {
    kind: 'inline',
    run: run as StageFunction,
    concurrency: checkInteger(concurrency, {
      name: `${where}, concurrency`,
      min: 1,
      max: mostConcurrency,
      code,
    }),
    ...checkFunctionOptions(given, { where, batched: true }),
  }
  return sealStage(stage) as InlineStage<ReferencesIn<Inputs>, Decider, Gathered>
}
