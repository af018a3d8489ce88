// The steps of a profile, one after the other: nothing else is measured while one thing is.
import { statSync } from 'node:fs'
import type { Pipeline } from '../pipeline/pipeline.ts'
import { isFunctionStage, type Stage } from '../pipeline/stage.ts'
import type { ModelSignature } from '../pipeline/tensor-spec.ts'
import { nodesBefore } from '../pipeline/wiring.ts'
import { toContention } from './contention.ts'
import { loneStage } from './lone-stage.ts'
import { measureContention } from './measure-contention.ts'
import { measureLoneOverhead, measurePathOverhead } from './measure-overhead.ts'
import { batchSizes, blocksPerBatch, type MeasureLimits, measureStage } from './measure-stage.ts'
import { type RunTerms, throwIfCancelled } from './measuring-engine.ts'
import { type LoneOverhead, solveOverhead } from './overhead.ts'
import { toPoints } from './points.ts'
import type {
  ContentionPoint,
  OverheadProfile,
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

/** The only tier of functions, and the one that contention and overhead are measured on. */
const oneThread = 'cpu-1'
/** Contention is looked at with batches of at most so long, unless even one row takes longer. */
const longestBusyMs = 100

/** Steps of a run, at most. Pure. */
export function stepsOf(
  pipeline: Pipeline,
  { tiers, maxBatch }: { readonly tiers: readonly string[]; readonly maxBatch: number },
): number {
  const jobs = Object.values<Stage>(pipeline.stages).flatMap((stage) => tiersOf(stage, tiers))
  return jobs.length * stepsPerTier(maxBatch) + 2
}

/** Edges of a pipeline: TO waits for FROM. Pure. */
export function edgesOf(pipeline: Pipeline): readonly (readonly [from: string, to: string])[] {
  return pipeline.order.flatMap((to) => {
    const before = nodesBefore(pipeline.stages[to] as Stage)
    return pipeline.order.filter((from) => before.has(from)).map((from) => [from, to] as const)
  })
}

export class ProfileRun {
  readonly #parts: ProfileRunParts
  readonly #edges: readonly (readonly [from: string, to: string])[]
  readonly #overheads: { readonly stage: Stage; readonly overhead: LoneOverhead }[] = []

  constructor(parts: ProfileRunParts) {
    this.#parts = parts
    this.#edges = edgesOf(parts.pipeline)
  }

  /** Measures everything. */
  async measure(): Promise<Pick<Profile, 'stages' | 'edges' | 'overhead' | 'contention'>> {
    const { pipeline, progress } = this.#parts
    const stages: Record<string, StageProfile> = {}
    for (const name of pipeline.order) stages[name] = await this.#stage(name)
    const overhead = await this.#overhead()
    progress.step({ message: 'what a request and a batch cost beside the models' })
    const contention = await this.#contention(stages)
    progress.step({ message: 'how replicas slow each other down' })
    return { stages, edges: this.#edges, overhead, contention }
  }

  async #stage(name: string): Promise<StageProfile> {
    const { pipeline, samples, tiers } = this.#parts
    const stage = pipeline.stages[name] as Stage
    const measured: [string, TierProfile][] = []
    for (const tier of tiersOf(stage, tiers)) measured.push([tier, await this.#tier(name, tier)])
    const { kind, fanOut, gather } = stage
    return {
      scaleFactor: (samples.visits.get(name) ?? 0) / samples.requests,
      kind,
      ...(fanOut ? { fanOut } : {}),
      ...(gather === undefined ? {} : { gather }),
      tiers: Object.fromEntries(measured),
    }
  }

  async #tier(name: string, tier: string): Promise<TierProfile> {
    const { limits, terms, progress } = this.#parts
    const firstStep = progress.done
    const options = this.#bench(name, tier)
    const { stage } = options.lone
    const profile = await withBench(options, terms, async (bench) => {
      const largest = { ...limits, maxBatch: options.largestBatch }
      const points = toPoints(
        await measureStage(bench, largest, (batch) => {
          const message = `${name} on ${tier}, batches of ${batch}`
          progress.step({ stage: name, tier, batch, message })
          throwIfCancelled(terms)
        }),
      )
      if (tier === oneThread) {
        this.#overheads.push({ stage, overhead: await measureLoneOverhead(bench) })
      }
      return { points, ...(await memoryOf(bench, stage)) }
    })
    const message = `${name} on ${tier}`
    progress.reach(firstStep + stepsPerTier(limits.maxBatch), { stage: name, tier, message })
    return profile
  }

  #bench(name: string, tier: string): BenchOptions {
    const { pipeline, signatures, samples, limits } = this.#parts
    const lone = loneStage(pipeline, { name, signature: signatures.get(name) as ModelSignature })
    return {
      lone,
      rows: samples.rows.get(name) ?? [],
      whole: samples.untapped.has(name),
      tier,
      largestBatch: lone.batched ? limits.maxBatch : 1,
    }
  }

  // Inline functions run on this thread, and so do those who measure them: others tell more.
  async #overhead(): Promise<OverheadProfile> {
    const { pipeline, samples, terms } = this.#parts
    const native = this.#overheads.filter(({ stage }) => stage.kind === 'onnx')
    const stages = (native.length > 0 ? native : this.#overheads).map(({ overhead }) => overhead)
    const fansOut = Object.values<Stage>(pipeline.stages).some(({ fanOut }) => fanOut)
    const { requests1: requests } = samples
    if (fansOut || requests.length === 0) return solveOverhead({ stages, paths: [] })
    const paths = await measurePathOverhead(pipeline, { requests, edges: this.#edges, terms })
    return solveOverhead({ stages, paths })
  }

  async #contention(
    stages: Readonly<Record<string, StageProfile>>,
  ): Promise<readonly ContentionPoint[]> {
    const heaviest = heaviestOf(stages)
    if (heaviest === undefined) return []
    const { name, batch, serviceMs } = heaviest
    const { cores, terms } = this.#parts
    const busy = await withBench(this.#bench(name, oneThread), terms, (bench) =>
      measureContention(bench, { batch, serviceMs, cores }),
    )
    return toContention(busy)
  }
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
  const found = Object.entries(stages).flatMap(([name, { kind = 'onnx', tiers }]) => {
    const points = tiers?.[oneThread]?.points ?? []
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
