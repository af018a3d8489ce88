import { setTimeout } from 'node:timers/promises'
import { definePipeline } from '../pipeline/define-pipeline.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import { EstimatedTimes } from './estimated-times.ts'
import { fitContention } from './fit-contention.ts'
import { fitHops } from './fit-hops.ts'
import { burstSize, type MeasuredBurst, measureBurst } from './measure-burst.ts'
import { type MeasuringEngine, type RunTerms, withEngine } from './measuring-engine.ts'
import { asItRan, requestTime, type StageRuns, type WholeRuns, withHops } from './overhead.ts'
import { plainStages } from './plain-stages.ts'
import type { Profile, StageProfile } from './profile.ts'

const warmRounds = 1
const mostRounds = 7
const fewestRequests = 10
/** The least pause before a request: when it comes, most threads sleep, as they do on a machine that is not full. */
const pauseMs = 1
const loopForMs = 400
const loopRounds = 5

interface Whole {
  readonly pipeline: Pipeline
  readonly requests: readonly object[]
  readonly maxPointMs: number
  readonly terms: RunTerms
}

/**
 * The stages of a profile without overhead, with what batches cost beside their service; what requests do; and contention
 * as it is among the stages.
 */
export async function measureOverhead(
  profile: Profile,
  whole: Whole,
): Promise<Pick<Profile, 'stages' | 'overhead' | 'contention'>> {
  const { stages, outputs, nameHere } = plainStages(whole.pipeline)
  const plain = definePipeline({ name: profile.pipeline, stages, outputs } as never) as Pipeline
  const planned = Object.entries(profile.stages).map(([name, stage]) => {
    return [name, oneReplica(stage)] as const
  })
  const configuration = Object.fromEntries(
    planned.map(([name, stage]) => [nameHere(name), stage] as const),
  )
  const times = new EstimatedTimes(Object.fromEntries(planned))
  const burst = burstSize(profile, await times.loneMs(profile))
  const { terms } = whole
  const room = { configuration, maxPendingRows: burst.rows, terms }
  const runs = await withEngine(plain, room, async (engine) => {
    const loop = await loopTimes(engine, whole)
    const before = runsOf(engine)
    const { latenciesMs, requests } = await loneLatencies(engine, whole)
    const after = runsOf(engine)
    const ran = planned.flatMap(([name]) => {
      const here = nameHere(name)
      const runs = less(after[here] ?? none, before[here] ?? none)
      return runs.batches === 0 ? [] : [[name, runs] as const]
    })
    const measured = await measureBurst(engine, { ...whole, requestsAtOnce: burst.requests })
    return { ...loop, latenciesMs, requests, ran: Object.fromEntries(ran), measured }
  })
  const hopping = withHops(profile, runs)
  const known = await asInBurst(hopping, { times, burst: runs.measured })
  const otherwiseMs = await times.loneMs(asItRan(known, runs))
  const requestMs = requestTime(runs, otherwiseMs)
  const overhead = { hopMs: 0, ...known.overhead, requestMs }
  const { stages: measured, contention } = known
  return { stages: measured, overhead, ...(contention === undefined ? {} : { contention }) }
}

/** With contention, and hops, as they are where batch follows batch. */
async function asInBurst(
  profile: Profile,
  { times, burst }: { times: EstimatedTimes; burst: MeasuredBurst | undefined },
): Promise<Profile> {
  if (profile.contention === undefined || burst === undefined) return profile
  const { burstMs, requests } = burst
  const estimateMs = (other: Profile): Promise<number> => times.burstMs(other, requests)
  const contention = await fitContention(profile.contention, {
    burstMs,
    estimateMs: (contention) => estimateMs({ ...profile, contention }),
  })
  return fitHops({ ...profile, contention }, { burstMs, estimateMs })
}

/** On the first tier, with the first model, and with the largest batches that were measured. */
function oneReplica({ tiers, models }: StageProfile) {
  const [model, first] = Object.entries(models ?? {})[0] ?? []
  const [tier, measured] = Object.entries(tiers ?? first?.tiers ?? {})[0] ?? []
  const maxBatch = measured?.points.at(-1)?.batch ?? 1
  return { tier: tier as string, maxBatch, replicas: 1, ...(model === undefined ? {} : { model }) }
}

const none: StageRuns = { batches: 0, rows: 0, serviceMs: 0, busyMs: 0 }

function runsOf(engine: MeasuringEngine): Readonly<Record<string, StageRuns>> {
  const each = Object.entries(engine.stats().stages)
  return Object.fromEntries(
    each.map(([name, { rows, serviceMs, busyMs }]) => {
      const { count, mean } = serviceMs
      return [name, { batches: count, rows, serviceMs: count === 0 ? 0 : count * mean, busyMs }]
    }),
  )
}

function less(after: StageRuns, before: StageRuns): StageRuns {
  return {
    batches: after.batches - before.batches,
    rows: after.rows - before.rows,
    serviceMs: after.serviceMs - before.serviceMs,
    busyMs: after.busyMs - before.busyMs,
  }
}

/**
 * Milliseconds of the event loop for each of many requests, and of that what comes after it was sent: one at once, so that
 * it never waits for a core that threads of stages have taken. The round with the median of some.
 */
async function loopTimes(
  engine: MeasuringEngine,
  { requests, maxPointMs }: Whole,
): Promise<Pick<WholeRuns, 'loopMs' | 'answerMs'>> {
  const forMs = Math.min(loopForMs, maxPointMs)
  const sendFor = async (leastMs: number): Promise<{ sent: number; sendingMs: number }> => {
    const beganMs = performance.now()
    let sent = 0
    let sendingMs = 0
    do {
      const sentMs = performance.now()
      const answer = infer(engine, requests[sent++ % requests.length])
      sendingMs += performance.now() - sentMs
      await answer
    } while (performance.now() - beganMs < leastMs)
    return { sent, sendingMs }
  }
  await sendFor(forMs / 4) // until what it calls is compiled
  const rounds: { loopMs: number; answerMs: number }[] = []
  while (rounds.length < loopRounds) {
    const before = performance.eventLoopUtilization()
    const { sent, sendingMs } = await sendFor(forMs / loopRounds)
    const busyMs = performance.eventLoopUtilization(before).active
    rounds.push({ loopMs: busyMs / sent, answerMs: Math.max(0, busyMs - sendingMs) / sent })
  }
  return rounds.toSorted((a, b) => a.loopMs - b.loopMs)[loopRounds >> 1] as (typeof rounds)[number]
}

/** Each request some times, with a pause before it as long as the last one took: an engine that is half idle. */
async function loneLatencies(
  engine: MeasuringEngine,
  { requests, maxPointMs }: Whole,
): Promise<Pick<WholeRuns, 'latenciesMs' | 'requests'>> {
  const latenciesMs = requests.map((): number[] => [])
  const beganMs = performance.now()
  let sent = 0
  let lastMs = 0
  for (let round = 0; round < warmRounds + mostRounds; round++) {
    for (const [at, request] of requests.entries()) {
      const late = performance.now() - beganMs > maxPointMs
      if (late && (round > 1 || (round === 1 && at >= fewestRequests))) {
        return { latenciesMs: latenciesMs.filter(({ length }) => length > 0), requests: sent }
      }
      await setTimeout(Math.max(pauseMs, lastMs))
      const sentMs = performance.now()
      sent++
      await infer(engine, request)
      lastMs = performance.now() - sentMs
      if (round >= warmRounds) latenciesMs[at]?.push(lastMs)
    }
  }
  return { latenciesMs, requests: sent }
}

async function infer(engine: MeasuringEngine, request: object | undefined): Promise<void> {
  await engine.infer(request as Parameters<MeasuringEngine['infer']>[0])
}
