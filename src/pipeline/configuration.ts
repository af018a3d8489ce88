import {
  checkInteger,
  checkNumber,
  checkObject,
  checkOneOf,
  checkRecord,
  describe,
  suggest,
} from '../check.ts'
import { MillraceError } from '../errors.ts'
import { chooseTier, type TierFaults, tiersOf } from './choose-tier.ts'
import type { Pipeline } from './pipeline.ts'
import { isFunctionStage, type Stage } from './stage.ts'
import { isAccelerator, readTier, tierForms } from './tier.ts'

/** How one stage is run. */
export interface StageConfiguration {
  /**
   * Kind of hardware slot a replica takes: `cpu-N` is N threads, from 1 to 256; `cuda`, `tensorrt` (`cuda-N`, `tensorrt-N`
   * on device N) and `webgpu` are accelerators. Default: the first of the stage's `providers`, `cpu-1` where it lists none;
   * the only one for js() and inline(). For cuda(): `cuda`, and where it has a fallback also `cpu-1`, which is that.
   */
  readonly tier?: string | undefined
  /** Most rows of one batch, from 1 to 65,536. Default 16; 1 for inline() given rows one by one (`batched: false`). */
  readonly maxBatch?: number | undefined
  /**
   * Replicas, from 0 (then requests wait) to 1024. Default: an equal share of the cores, at least 1; 1 on an accelerator;
   * for inline(), which takes no share, its `concurrency`.
   */
  readonly replicas?: number | undefined
  /**
   * Milliseconds the oldest row may be held back so that a batch fills, from 0 to 60,000. Default 0: a free replica takes
   * what waits, at once.
   */
  readonly maxDelayMs?: number | undefined
  /** Name of the model that serves, for stages that list several. Default: the first. */
  readonly model?: string | undefined
}

/** How each stage of a pipeline is run. A stage left out takes the defaults. */
export type Configuration<Stages extends string = string> = {
  readonly [Stage in Stages]?: StageConfiguration | undefined
}

/** How each stage of a pipeline is run, with nothing left out. */
export type CompleteConfiguration<Stages extends string = string> = {
  readonly [Stage in Stages]: CompleteStageConfiguration
}

/** How one stage is run, with nothing left out. */
export interface CompleteStageConfiguration {
  /** Kind of hardware slot that each replica takes, such as `cpu-1` or `cuda-0`. */
  readonly tier: string
  /** Most rows of one batch. */
  readonly maxBatch: number
  /** How many replicas it has, or soon will have; 0 where requests wait. */
  readonly replicas: number
  /** Milliseconds the oldest row may be held back so that a batch fills. */
  readonly maxDelayMs: number
  /** Absent where the stage lists no models, and where one that it does not list was swapped in. */
  readonly model?: string
}

/** A stage's configuration with nothing left out. */
export interface ResolvedStageConfiguration {
  readonly tier: string
  /** Threads inside one operator, per replica. */
  readonly threads: number
  readonly maxBatch: number
  readonly replicas: number
  readonly maxDelayMs: number
  /** Which of the models that the stage lists; undefined where it is none of them. */
  readonly model: string | undefined
}

const keys = ['tier', 'maxBatch', 'replicas', 'maxDelayMs', 'model'] as const
const mostReplicas = 1024
const largestBatch = 65536
const longestDelayMs = 60_000
const defaultMaxBatch = 16

/** Tiers that cannot be used here, by name, and why; those that are not listed can. */
interface Faults {
  readonly faults?: TierFaults | undefined
}

/**
 * Checks a configuration and fills in the defaults, one entry for each stage of the pipeline. Where a tier is faulty, the
 * next of the stage's providers takes its place.
 *
 * @throws {MillraceError} MILLRACE_INVALID_OPTION for a stage the pipeline does not have or a value out of range,
 * MILLRACE_DEVICE_UNAVAILABLE where all that a stage may run on is faulty.
 */
export function resolveConfiguration(
  pipeline: Pipeline,
  given: Faults & { readonly configuration: unknown; readonly cores: number },
): ReadonlyMap<string, ResolvedStageConfiguration> {
  const busy = Object.values<Stage>(pipeline.stages).filter(({ kind }) => {
    return kind !== 'inline' && kind !== 'cuda'
  })
  const share = Math.max(1, Math.floor(given.cores / Math.max(1, busy.length)))
  return resolveStages(pipeline, given, (name) => ({
    tier: tiersOf(pipeline.stages[name] as Stage)[0],
    maxBatch: defaultBatch(pipeline.stages[name] as Stage),
    replicasOf: (tier, threads) => {
      if (isAccelerator(tier)) return 1
      return defaultReplicas(pipeline.stages[name] as Stage, Math.floor(share / threads))
    },
    maxDelayMs: 0,
    model: modelsOf(pipeline.stages[name] as Stage)[0],
  }))
}

/**
 * Checks a change of a configuration: what it leaves out stays as it is.
 *
 * @throws {MillraceError} MILLRACE_INVALID_OPTION as {@link resolveConfiguration} does.
 */
export function changeConfiguration(
  pipeline: Pipeline,
  given: Faults & {
    readonly configuration: unknown
    readonly current: ReadonlyMap<string, ResolvedStageConfiguration>
  },
): ReadonlyMap<string, ResolvedStageConfiguration> {
  return resolveStages(pipeline, given, (name) => {
    const current = given.current.get(name) as ResolvedStageConfiguration // one for each stage
    return { ...current, replicasOf: () => current.replicas }
  })
}

/** The same in the form in which configurations are given. */
export function completeConfiguration<Stages extends string>(
  configuration: ReadonlyMap<string, ResolvedStageConfiguration>,
): CompleteConfiguration<Stages> {
  const entries = [...configuration].map(([name, { threads, model, ...stage }]) => {
    return [name, model === undefined ? stage : { ...stage, model }] as const
  })
  return Object.fromEntries(entries) as CompleteConfiguration<Stages>
}

/** What is taken where nothing is given. */
interface StageDefaults {
  readonly tier: string
  readonly maxBatch: number
  readonly replicasOf: (tier: string, threads: number) => number
  readonly maxDelayMs: number
  readonly model: string | undefined
}

function resolveStages(
  pipeline: Pipeline,
  { configuration, faults = new Map() }: Faults & { readonly configuration: unknown },
  defaultsOf: (name: string) => StageDefaults,
): ReadonlyMap<string, ResolvedStageConfiguration> {
  const record = checkRecord(configuration, { name: 'configuration' })
  const names: readonly string[] = pipeline.order
  const unknown = Object.keys(record).find((name) => !names.includes(name))
  if (unknown !== undefined) {
    throw invalid(
      `configuration: pipeline "${pipeline.name}" has no stage "${unknown}"; ${suggest(unknown, names)}`,
    )
  }
  return new Map(
    names.map((name) => {
      const where = `configuration.${name}`
      const stage = pipeline.stages[name] as Stage
      const given = { where, stage, defaults: defaultsOf(name), faults }
      return [name, resolveStage(ownOr(record, name), given)]
    }),
  )
}

function resolveStage(
  value: unknown,
  {
    where,
    stage,
    defaults,
    faults,
  }: { where: string; stage: Stage; defaults: StageDefaults; faults: TierFaults },
): ResolvedStageConfiguration {
  const given = checkObject(value, { name: where, keys })
  const { tier: wanted = defaults.tier } = given
  if (typeof wanted !== 'string' || readTier(wanted) === undefined) {
    throw invalid(
      `${where}.tier: expected ${tierForms}, got ${describe(wanted)}; take one of these`,
    )
  }
  if (isFunctionStage(stage) && wanted !== 'cpu-1' && !isKernelTier(stage, wanted)) {
    const expected = `expected ${stage.kind === 'cuda' ? '"cuda" or ' : ''}"cpu-1", since ${stage.kind}() runs on one thread`
    throw invalid(`${where}.tier: ${expected}, got ${describe(wanted)}; give it more replicas`)
  }
  const tier = chooseTier(wanted, { stage, faults, where: `${where}.tier` })
  const threads = readTier(tier)?.threads ?? 1
  const { maxBatch = defaults.maxBatch, maxDelayMs = defaults.maxDelayMs } = given
  const { replicas = defaults.replicasOf(tier, threads) } = given
  return {
    tier,
    threads,
    maxBatch: checkInteger(maxBatch, { name: `${where}.maxBatch`, min: 1, max: largestBatch }),
    replicas: checkReplicas(replicas, `${where}.replicas`),
    maxDelayMs: checkNumber(maxDelayMs, {
      name: `${where}.maxDelayMs`,
      min: 0,
      max: longestDelayMs,
    }),
    model: given.model === undefined ? defaults.model : checkModel(given.model, { where, stage }),
  }
}

/** Whether a stage is a kernel, and the tier a device of the kind that kernels run on. */
function isKernelTier(stage: Stage, tier: string): boolean {
  return stage.kind === 'cuda' && readTier(tier)?.provider === 'cuda'
}

function checkModel(model: unknown, { where, stage }: { where: string; stage: Stage }): string {
  const choices = modelsOf(stage)
  if (choices.length > 0) return checkOneOf(model, { name: `${where}.model`, choices })
  const problem = `expected none, since the stage lists no models to choose from, got ${describe(model)}`
  throw invalid(`${where}.model: ${problem}; list them with onnx({ models }), or leave it out`)
}

/** Names of the models that a stage lists. */
function modelsOf(stage: Stage): readonly string[] {
  return stage.kind === 'onnx' ? (stage.models ?? []).map(({ name }) => name) : []
}

// Rows given one by one would wait for each other in a batch, while other calls could be made.
function defaultBatch(stage: Stage): number {
  return stage.kind === 'inline' && !stage.batched ? 1 : defaultMaxBatch
}

function defaultReplicas(stage: Stage, share: number): number {
  if (stage.kind === 'cuda') return 1
  return stage.kind === 'inline' ? stage.concurrency : Math.max(1, share)
}

// A stage may be called "constructor"; null is no configuration.
function ownOr(record: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(record, name) && record[name] !== undefined ? record[name] : {}
}

/** The number of replicas a stage may have. */
export function checkReplicas(value: unknown, name: string): number {
  return checkInteger(value, { name, min: 0, max: mostReplicas })
}

function invalid(message: string): MillraceError {
  return new MillraceError({ code: 'MILLRACE_INVALID_OPTION', message })
}
