// The steps of a profile, one after the other: nothing else is measured while one thing is.
import { statSync } from 'node:fs'
import type { ModelVariant } from '../pipeline/model-variants.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import { isFunctionStage, type Stage } from '../pipeline/stage.ts'
import type { ModelSignature } from '../pipeline/tensor-spec.ts'
import { nodesBefore } from '../pipeline/wiring.ts'
import { toContention } from './contention.ts'
import { loneStage } from './lone-stage.ts'
import { measureContention } from './measure-contention.ts'
import { measureOverhead } from './measure-overhead.ts'
import { batchSizes, blocksPerBatch, type MeasureLimits, measureStage } from './measure-stage.ts'
import { measureWake } from './measure-wake.ts'
import { type RunTerms, throwIfCancelled } from './measuring-engine.ts'
import { toPoints } from './points.ts'
import type {
  ContentionPoint,
  ModelProfile,
  Profile,
  StageProfile,
  TierProfile,
} from './profile.ts'
import type { ProgressCounter } from './profile-progress.ts'
import type { SampleRun } from './sample-run.ts'
import { type BenchOptions, type StageBench, withBench } from './stage-bench.ts'

/** What is known before anything is measured. */
export interface ProfileRunParts {
  readonly pipeline: Pipeline
  readonly signatures: ReadonlyMap<string, ModelSignature>
  readonly samples: SampleRun
  readonly tiers: readonly string[]
  readonly limits: MeasureLimits
  readonly cores: number
  readonly terms: RunTerms
  readonly progress: ProgressCounter
}

/** The only tier of functions, and the one that contention is measured on. */
const oneThread = 'cpu-1'
/** Contention is looked at with batches of at most so long, unless even one row takes longer. */
const longestBusyMs = 100

/** Steps of a run, at most. Pure. */
export function stepsOf(
  pipeline: Pipeline,
  { tiers, maxBatch }: { readonly tiers: readonly string[]; readonly maxBatch: number },
): number {
  const jobs = Object.values<Stage>(pipeline.stages).map((stage) => {
    return Math.max(1, variantsOf(stage).length) * tiersOf(stage, tiers).length
  })
  return jobs.reduce((sum, count) => sum + count, 0) * stepsPerTier(maxBatch) + 2
}

/** Edges of a pipeline: TO waits for FROM. Pure. */
export function edgesOf(pipeline: Pipeline): readonly (readonly [from: string, to: string])[] {
  return pipeline.order.flatMap((to) => {
    const before = nodesBefore(pipeline.stages[to] as Stage)
    return pipeline.order.filter((from) => before.has(from)).map((from) => [from, to] as const)
  })
}

/** A stage, and which of its models where it lists several. */
interface Work {
  readonly name: string
  readonly variant?: ModelVariant | undefined
}

export class ProfileRun {
  readonly #parts: ProfileRunParts
  readonly #edges: readonly (readonly [from: string, to: string])[]

  constructor(parts: ProfileRunParts) {
    this.#parts = parts
    this.#edges = edgesOf(parts.pipeline)
  }

  /** Measures everything. */
  async measure(): Promise<Pick<Profile, 'stages' | 'edges' | 'overhead' | 'contention'>> {
    const { pipeline, progress } = this.#parts
    const stages: Record<string, StageProfile> = {}
    for (const name of pipeline.order) stages[name] = await this.#stage(name)
    const contention = await this.#contention(stages)
    progress.step({ message: 'how replicas slow each other down' })
    const edges = this.#edges
    const slower = contention.length === 0 ? {} : { contention }
    const measured = await this.#overhead({ stages, edges, ...slower })
    progress.step({ message: 'what requests and batches cost beside their service' })
    return { edges, ...slower, ...measured }
  }

  async #stage(name: string): Promise<StageProfile> {
    const { pipeline, samples } = this.#parts
    const stage = pipeline.stages[name] as Stage
    const { kind, fanOut, gather } = stage
    const what = {
      scaleFactor: (samples.visits.get(name) ?? 0) / samples.requests,
      kind,
      ...(fanOut ? { fanOut } : {}),
      ...(gather === undefined ? {} : { gather }),
    }
    const [only, ...others] = variantsOf(stage)
    if (only === undefined) return { ...what, tiers: await this.#tiers({ name }) }
    const models: [string, ModelProfile][] = []
    for (const variant of [only, ...others]) {
      const { accuracy } = variant
      models.push([variant.name, { accuracy, tiers: await this.#tiers({ name, variant }) }])
    }
    return { ...what, models: Object.fromEntries(models) }
  }

  async #tiers(work: Work): Promise<Readonly<Record<string, TierProfile>>> {
    const stage = this.#parts.pipeline.stages[work.name] as Stage
    const measured: [string, TierProfile][] = []
    for (const tier of tiersOf(stage, this.#parts.tiers)) {
      measured.push([tier, await this.#tier(work, tier)])
    }
    return Object.fromEntries(measured)
  }

  async #tier(work: Work, tier: string): Promise<TierProfile> {
    const { limits, terms, progress } = this.#parts
    const firstStep = progress.done
    const options = this.#bench(work, tier)
    const place = { stage: work.name, tier }
    const what = `${[work.name, work.variant?.name ?? []].flat().join(', ')} on ${tier}`
    const profile = await withBench(options, terms, async (bench) => {
      const largest = { ...limits, maxBatch: options.largestBatch }
      const measured = await measureStage(bench, largest, (batch) => {
        progress.step({ ...place, batch, message: `${what}, batches of ${batch}` })
        throwIfCancelled(terms)
      })
      const { stage } = options.lone
      const wakeMs = stage.kind === 'inline' ? 0 : await measureWake(bench, limits)
      return { points: toPoints(measured), wakeMs, ...(await memoryOf(bench, stage)) }
    })
    progress.reach(firstStep + stepsPerTier(limits.maxBatch), { ...place, message: what })
    return profile
  }

  #bench({ name, variant }: Work, tier: string): BenchOptions {
    const { pipeline, signatures, samples, limits } = this.#parts
    const signature = signatures.get(name) as ModelSignature
    const lone = loneStage(pipeline, { name, signature, variant })
    return {
      lone,
      rows: samples.rows.get(name) ?? [],
      whole: samples.untapped.has(name),
      tier,
      largestBatch: lone.batched ? limits.maxBatch : 1,
    }
  }

  async #overhead(
    measured: Pick<Profile, 'stages' | 'edges' | 'contention'>,
  ): Promise<Pick<Profile, 'stages' | 'overhead'>> {
    const { pipeline, samples, limits, terms } = this.#parts
    const whole = { pipeline, requests: samples.some, maxPointMs: limits.maxPointMs, terms }
    const { paths } = samples
    return measureOverhead({ version: 1, pipeline: pipeline.name, ...measured, paths }, whole)
  }

  async #contention(
    stages: Readonly<Record<string, StageProfile>>,
  ): Promise<readonly ContentionPoint[]> {
    const heaviest = heaviestOf(stages)
    if (heaviest === undefined) return []
    const { name, batch, serviceMs } = heaviest
    const { cores, limits, terms, pipeline } = this.#parts
    const [variant] = variantsOf(pipeline.stages[name] as Stage)
    const busy = await withBench(this.#bench({ name, variant }, oneThread), terms, (bench) =>
      measureContention(bench, { batch, serviceMs, cores, maxPointMs: limits.maxPointMs }),
    )
    return toContention(busy)
  }
}

/** The models that a stage lists; none where it has one. */
function variantsOf(stage: Stage): readonly ModelVariant[] {
  return stage.kind === 'onnx' ? (stage.models ?? []) : []
}

function tiersOf(stage: Stage, tiers: readonly string[]): readonly string[] {
  return isFunctionStage(stage) ? [oneThread] : tiers
}

function stepsPerTier(maxBatch: number): number {
  return batchSizes(maxBatch).length * blocksPerBatch
}

/** The stage whose batches keep a core busy for longest, and the batch to look at. Models before functions. */
function heaviestOf(
  stages: Readonly<Record<string, StageProfile>>,
): { name: string; batch: number; serviceMs: number } | undefined {
  const found = Object.entries(stages).flatMap(([name, { kind = 'onnx', models, tiers }]) => {
    const measured = tiers ?? Object.values(models ?? {})[0]?.tiers
    const points = Object.values(measured ?? {})[0]?.points ?? []
    const point = points.findLast(({ meanMs }) => meanMs <= longestBusyMs) ?? points[0]
    if (kind === 'inline' || point === undefined) return []
    return [{ name, kind, batch: point.batch, serviceMs: point.meanMs }]
  })
  const models = found.filter(({ kind }) => kind === 'onnx')
  const candidates = models.length > 0 ? models : found
  return candidates.toSorted((a, b) => b.serviceMs - a.serviceMs)[0]
}

/** Growth of resident memory, which is rough: what was freed before is used again, so not less than the file. */
async function memoryOf(
  bench: StageBench,
  stage: Stage,
): Promise<Pick<TierProfile, 'modelMb' | 'replicaMb'>> {
  if (stage.kind === 'inline') return {}
  const replicaMb = await bench.replicaMb()
  const fileMb = stage.kind === 'onnx' ? sizeOf(stage.source) / 2 ** 20 : 0
  return { modelMb: atLeast0(Math.max(bench.loadedMb, fileMb)), replicaMb: atLeast0(replicaMb) }
}

function sizeOf(source: string | Uint8Array): number {
  if (typeof source !== 'string') return source.byteLength
  return statSync(source, { throwIfNoEntry: false })?.size ?? 0
}

/** To a hundredth. */
function atLeast0(mb: number): number {
  return Math.max(0, Math.round(mb * 100) / 100)
}
