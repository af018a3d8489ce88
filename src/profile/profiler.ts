import { cpus, totalmem } from 'node:os'
import { checkInteger, checkNumber, checkObject, describe } from '../check.ts'
import { availableCores } from '../devices/available-cores.ts'
import { faultText } from '../devices/provider-fault.ts'
import { stageFault } from '../devices/stage-fault.ts'
import { checkSignal } from '../engine/infer-options.ts'
import { stageSignatures } from '../engine/stage-signatures.ts'
import { MillraceError } from '../errors.ts'
import { packageManifest } from '../package-manifest.ts'
import { needOf, providersOf } from '../pipeline/choose-tier.ts'
import { checkPipeline } from '../pipeline/define-pipeline.ts'
import type { InputsOf, Pipeline } from '../pipeline/pipeline.ts'
import type { Stage } from '../pipeline/stage.ts'
import { readTier, tierForms } from '../pipeline/tier.ts'
import type { MeasureLimits } from './measure-stage.ts'
import { type RunTerms, throwIfCancelled } from './measuring-engine.ts'
import type { MachineProfile, MeasuredWith, Profile } from './profile.ts'
import { type ProfileProgress, ProgressCounter } from './profile-progress.ts'
import { ProfileRun, stepsOf } from './profile-run.ts'
import { tiersOf } from './profiled-tiers.ts'
import { runSamples, type Samples } from './sample-run.ts'

/** What is measured, and how thoroughly. */
export interface ProfilerOptions<P extends Pipeline = Pipeline> {
  /**
   * Requests such as will come, one after the other or as they are made; at least one, all are run. Each stage must run
   * for one of them at least. Their shares say how often requests take each way: 100 to 256 are a good number.
   */
  readonly samples: Samples<InputsOf<P>>
  /**
   * Tiers to measure models on: `cpu-N` of N threads each, `cuda`, `tensorrt` and `webgpu`, which must be there. A stage
   * that lists its providers is measured on those of the tiers that are of one of them. Functions have `cpu-1` alone.
   * Default `['cpu-1']`.
   */
  readonly tiers?: readonly string[] | undefined
  /**
   * Most rows in a batch, from 1 to 4096; larger ones are not looked at even where they would pay. Default 64, and 256 on
   * accelerators.
   */
  readonly maxBatch?: number | undefined
  /** How many batches are run for each point unless that takes longer than `maxPointMs`, from 1 to 100,000. Default 20. */
  readonly minRuns?: number | undefined
  /**
   * Milliseconds after which a point has been looked at enough even with fewer than `minRuns`, above 0; it has 5 runs in
   * any case. Default 2000.
   */
  readonly maxPointMs?: number | undefined
  /** Chooses, where samples make more than 256 rows for a stage, those it is measured with: an integer from 0. Default 1. */
  readonly seed?: number | undefined
}

/** How a run is watched and ended. */
export interface ProfileRunOptions {
  /** Told after each step. What it throws ends the run. Default: nobody is told. */
  readonly onProgress?: ((progress: ProfileProgress) => void) | undefined
  /** Aborting it ends the run with MILLRACE_CANCELLED, and interrupts what it is measuring. Default: none. */
  readonly signal?: AbortSignal | undefined
}

const keys = ['samples', 'tiers', 'maxBatch', 'minRuns', 'maxPointMs', 'seed'] as const
const mostRuns = 100_000
const largestBatch = 4096

/**
 * Measures a pipeline on this machine (Crankshaw et al., "InferLine", SoCC 2020, section 4.1): how long batches of each
 * size take in each stage, alone, with the inputs it really gets; which stages requests visit together; what serving costs
 * beside that; and how much replicas slow each other down. It runs the pipeline for real, functions included, and wants the
 * machine for itself.
 */
export class Profiler<P extends Pipeline = Pipeline> {
  readonly #pipeline: P
  readonly #samples: Samples<InputsOf<P>>
  readonly #tiers: readonly string[]
  readonly #limits: MeasureLimits
  readonly #seed: number

  /**
   * Checks what it is given; nothing is loaded or run yet.
   *
   * @throws {MillraceError} MILLRACE_INVALID_PIPELINE, MILLRACE_INVALID_OPTION
   */
  constructor(pipeline: P, options: ProfilerOptions<P>) {
    checkPipeline(pipeline)
    const given = checkObject(options, { name: 'profiler options', keys })
    const { tiers = ['cpu-1'], maxBatch, minRuns = 20, maxPointMs = 2000, seed = 1 } = given
    this.#pipeline = pipeline
    this.#samples = checkSamples(given.samples) as Samples<InputsOf<P>>
    this.#tiers = checkTiers(tiers)
    checkMeasurable(pipeline, this.#tiers)
    this.#limits = {
      maxBatch: checkBatch(maxBatch ?? 64),
      maxAcceleratorBatch: checkBatch(maxBatch ?? 256),
      minRuns: checkInteger(minRuns, { name: 'minRuns', min: 1, max: mostRuns }),
      maxPointMs: checkNumber(maxPointMs, { name: 'maxPointMs', above: 0 }),
    }
    this.#seed = checkInteger(seed, { name: 'seed', min: 0 })
  }

  /**
   * Runs the samples, then measures. Every engine it started is closed when this settles.
   *
   * @throws {MillraceError} (by rejecting) MILLRACE_INVALID_OPTION where there are no samples or a stage runs for none of
   * them, MILLRACE_INVALID_INPUT and MILLRACE_STAGE_FAILED with the number of the sample, MILLRACE_INVALID_PIPELINE,
   * MILLRACE_MODEL_LOAD, MILLRACE_NATIVE_LOAD, MILLRACE_DEVICE_UNAVAILABLE, MILLRACE_CANCELLED
   */
  async run(options: ProfileRunOptions = {}): Promise<Profile> {
    const given = checkObject(options, { name: 'run options', keys: ['onProgress', 'signal'] })
    const onProgress = checkProgress(given.onProgress)
    const terms: RunTerms = { signal: checkSignal(given.signal) }
    const pipeline: Pipeline = this.#pipeline
    const tiers = this.#tiers
    const steps = stepsOf(pipeline, { tiers, limits: this.#limits })
    const progress = new ProgressCounter(steps + 1, onProgress)
    throwIfCancelled(terms)
    await checkThere(pipeline, tiers)
    const signatures = await stageSignatures(pipeline)
    const sampling = { signatures, samples: this.#samples, seed: this.#seed, terms }
    const samples = await runSamples(pipeline, sampling)
    progress.step({ message: `${samples.requests} sample requests` })
    const cores = availableCores()
    const limits = this.#limits
    const parts = { pipeline, signatures, samples, tiers, limits, cores, terms, progress }
    const measured = await new ProfileRun(parts).measure()
    return {
      version: 1,
      pipeline: pipeline.name,
      ...measured,
      paths: samples.paths,
      machine: machineHere(cores),
      measured: measuredWith(samples.requests),
    }
  }
}

function checkSamples(value: unknown): Samples<unknown> {
  const given = typeof value === 'object' && value !== null ? value : {}
  if (Symbol.iterator in given || Symbol.asyncIterator in given) return value as Samples<unknown>
  throw invalid(
    `samples: expected an iterable of requests, got ${describe(value)}; give an array of inputs of infer()`,
  )
}

function checkTiers(value: unknown): readonly string[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw invalid(`tiers: expected a list of tiers, got ${describe(value)}; give ['cpu-1']`)
  }
  const odd = value.find((tier) => readTier(tier) === undefined)
  if (odd !== undefined) {
    throw invalid(`tiers: expected ${tierForms}, got ${describe(odd)}; take these`)
  }
  return [...new Set(value as string[])]
}

function checkMeasurable(pipeline: Pipeline, tiers: readonly string[]): void {
  for (const [name, stage] of Object.entries<Stage>(pipeline.stages)) {
    const providers = providersOf(stage)
    if (tiersOf(stage, tiers).length > 0 || providers === undefined) continue
    const listed = providers.join(', ')
    const expected = `expected a tier of one of the providers of stage "${name}" (${listed})`
    throw invalid(`tiers: ${expected}, got ${tiers.join(', ')}; add one`)
  }
}

/** Before anything is measured, which may take minutes. */
async function checkThere(pipeline: Pipeline, tiers: readonly string[]): Promise<void> {
  const asked = Object.values<Stage>(pipeline.stages).flatMap((stage) => {
    return tiersOf(stage, tiers).map((tier) => [needOf(stage, tier), { stage, tier }] as const)
  })
  for (const { stage, tier } of new Map(asked).values()) {
    const fault = await stageFault(stage, tier)
    if (fault === undefined) continue
    throw new MillraceError({
      code: 'MILLRACE_DEVICE_UNAVAILABLE',
      message: `tiers: "${tier}" cannot be used here: ${faultText(fault)}`,
    })
  }
}

function checkBatch(value: unknown): number {
  return checkInteger(value, { name: 'maxBatch', min: 1, max: largestBatch })
}

function checkProgress(value: unknown): ((progress: ProfileProgress) => void) | undefined {
  if (value === undefined || typeof value === 'function') {
    return value as ((progress: ProfileProgress) => void) | undefined
  }
  throw invalid(
    `onProgress: expected a function, got ${describe(value)}; give one, or leave it out`,
  )
}

function invalid(message: string): MillraceError {
  return new MillraceError({ code: 'MILLRACE_INVALID_OPTION', message })
}

function machineHere(cores: number): MachineProfile {
  return {
    cpu: cpus()[0]?.model.trim() || 'unknown',
    cores,
    memoryMb: Math.round(totalmem() / 2 ** 20),
    platform: `${process.platform} ${process.arch}`,
  }
}

function measuredWith(samples: number): MeasuredWith {
  const manifest = packageManifest()
  return {
    date: new Date().toISOString(),
    millrace: manifest.version,
    node: process.version,
    // The library is of the version that is asked for, or does not load.
    onnxruntime: manifest.dependencies['onnxruntime-node'] ?? 'unknown',
    samples,
  }
}
