// The steps of a profile, one after the other: nothing else is measured while one thing is.
import { statSync } from 'node:fs'
import type { ModelVariant } from '../pipeline/model-variants.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import type { Stage } from '../pipeline/stage.ts'
import type { ModelSignature } from '../pipeline/tensor-spec.ts'
import { isAccelerator, readTier } from '../pipeline/tier.ts'
import { nodesBefore } from '../pipeline/wiring.ts'
import { type BusyService, replicaCounts, threadCounts, toContention } from './contention.ts'
import { loneStage } from './lone-stage.ts'
import { measureContention } from './measure-contention.ts'
import { measureOverhead } from './measure-overhead.ts'
import {
  batchSizes,
  blocksPerBatch,
  largestOn,
  type MeasureLimits,
  measureStage,
} from './measure-stage.ts'
import { measureTimeSharing } from './measure-time-sharing.ts'
import { measureWake } from './measure-wake.ts'
import { type RunTerms, throwIfCancelled } from './measuring-engine.ts'
import { toPoints } from './points.ts'
import type {
  ContentionPoint,
  ModelProfile,
  Profile,
  SharingPoint,
  StageProfile,
  TierProfile,
  TimeSharingProfile,
} from './profile.ts'
import type { ProgressCounter } from './profile-progress.ts'
import { heaviestOf, oneThread, tiersOf, variantsOf } from './profiled-tiers.ts'
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

/** Steps of a run, at most. Pure. */
export function stepsOf(
  pipeline: Pipeline,
  { tiers, limits }: { readonly tiers: readonly string[]; readonly limits: MeasureLimits },
): number {
  const jobs = Object.values<Stage>(pipeline.stages).flatMap((stage) => {
    const models = Math.max(1, variantsOf(stage).length)
    return tiersOf(stage, tiers).map((tier) => models * stepsOn(tier, limits))
  })
  return jobs.reduce((sum, count) => sum + count, 0) + 2
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
  async measure(): Promise<
    Pick<Profile, 'stages' | 'edges' | 'overhead' | 'contention' | 'timeSharing' | 'sharing'>
  > {
    const { pipeline, progress } = this.#parts
    const stages: Record<string, StageProfile> = {}
    for (const name of pipeline.order) stages[name] = await this.#stage(name)
    const contention = await this.#contention(stages)
    const sharing = await this.#sharing(stages)
    const timeSharing = await this.#timeSharing(contention)
    progress.step({ message: 'how replicas slow each other down' })
    const edges = this.#edges
    const slower = {
      ...(contention.length === 0 ? {} : { contention }),
      ...(timeSharing === undefined ? {} : { timeSharing }),
      ...(Object.keys(sharing).length === 0 ? {} : { sharing }),
    }
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
    progress.reach(firstStep + stepsOn(tier, limits), { ...place, message: what })
    return profile
  }

  #bench({ name, variant }: Work, tier: string): BenchOptions {
    const { pipeline, signatures, samples, limits } = this.#parts
    const signature = signatures.get(name) as ModelSignature
    const provider = readTier(tier)?.provider ?? 'cpu'
    const lone = loneStage(pipeline, { name, signature, variant, provider })
    return {
      lone,
      rows: samples.rows.get(name) ?? [],
      whole: samples.untapped.has(name),
      tier,
      largestBatch: lone.batched ? largestOn(tier, limits) : 1,
    }
  }

  async #overhead(
    measured: Pick<Profile, 'stages' | 'edges' | 'contention' | 'timeSharing' | 'sharing'>,
  ): Promise<Pick<Profile, 'stages' | 'overhead'>> {
    const { pipeline, samples, limits, terms } = this.#parts
    const whole = { pipeline, requests: samples.some, maxPointMs: limits.maxPointMs, terms }
    const { paths } = samples
    return measureOverhead({ version: 1, pipeline: pipeline.name, ...measured, paths }, whole)
  }

  async #contention(
    stages: Readonly<Record<string, StageProfile>>,
  ): Promise<readonly ContentionPoint[]> {
    const heaviest = heaviestOf(stages, (tier) => !isAccelerator(tier))
    if (heaviest === undefined) return []
    const counts = threadCounts(this.#parts.cores)
    return toContention(await this.#busy(heaviest, { tier: oneThread, counts }))
  }

  /** Where replicas are threads: of pipelines without any, it does not matter. */
  async #timeSharing(
    contention: readonly ContentionPoint[],
  ): Promise<TimeSharingProfile | undefined> {
    if (contention.length === 0) return undefined
    const { cores, terms } = this.#parts
    throwIfCancelled(terms)
    return measureTimeSharing(cores)
  }

  /** The same of each accelerator: its replicas have one device together. */
  async #sharing(stages: Readonly<Record<string, StageProfile>>) {
    const found: [string, readonly SharingPoint[]][] = []
    for (const tier of this.#parts.tiers.filter(isAccelerator)) {
      const heaviest = heaviestOf(stages, (one) => one === tier)
      if (heaviest === undefined) continue
      const points = toContention(await this.#busy(heaviest, { tier, counts: replicaCounts }))
      const shared = points.map(({ busyThreads, slowdown }) => {
        return { busyReplicas: busyThreads, slowdown }
      })
      found.push([tier, shared])
    }
    return Object.fromEntries(found)
  }

  #busy(
    { name, batch, serviceMs }: { name: string; batch: number; serviceMs: number },
    { tier, counts }: { tier: string; counts: readonly number[] },
  ): Promise<readonly BusyService[]> {
    const { limits, terms, pipeline } = this.#parts
    const [variant] = variantsOf(pipeline.stages[name] as Stage)
    return withBench(this.#bench({ name, variant }, tier), terms, (bench) =>
      measureContention(bench, { batch, serviceMs, counts, maxPointMs: limits.maxPointMs }),
    )
  }
}

function stepsOn(tier: string, limits: MeasureLimits): number {
  return batchSizes(largestOn(tier, limits)).length * blocksPerBatch
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
