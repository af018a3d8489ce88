import { setTimeout } from 'node:timers/promises'
import { definePipeline } from '../pipeline/define-pipeline.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import { type RunTerms, withEngine } from './measuring-engine.ts'
import { type LoneOverhead, longestWay, type PathOverhead } from './overhead.ts'
import { plainStages } from './plain-stages.ts'
import type { BatchRun, StageBench } from './stage-bench.ts'

const idleRuns = 100
const busyRounds = 5
const busyBatches = 200
const enoughMs = 300
/** Before each request, as they hardly ever come the moment that another was answered: whoever sleeps then, does. */
const pauseMs = 1
const warmRequests = 20
const mostRequests = 300

/** What a stage alone costs beside service. */
export async function measureLoneOverhead(
  bench: StageBench,
  { maxPointMs }: { readonly maxPointMs: number },
): Promise<LoneOverhead> {
  const forMs = Math.min(enoughMs, maxPointMs)
  await bench.setUp(1)
  const idle = await runFor({ most: idleRuns, forMs }, async () => {
    await setTimeout(pauseMs)
    return bench.run()
  })
  const ran = idle.filter((run): run is BatchRun => run !== undefined)
  const meanMs = ran.reduce((sum, { serviceMs }) => sum + serviceMs, 0) / Math.max(1, ran.length)
  const batches = Math.max(4, Math.min(busyBatches, Math.floor(forMs / meanMs)))
  const busy = await runFor({ most: busyRounds, forMs }, () => bench.keepBusy(batches))
  return {
    idleMs: ran.map(({ latencyMs, serviceMs }) => latencyMs - serviceMs),
    busyMs: busy.map((run) => run.tookMs / run.batches - run.meanMs),
  }
}

/** What requests through the whole pipeline cost beside service; of no use where items overlap. */
export async function measurePathOverhead(
  pipeline: Pipeline,
  given: {
    readonly requests: readonly object[]
    readonly edges: readonly (readonly [from: string, to: string])[]
    readonly maxPointMs: number
    readonly terms: RunTerms
  },
): Promise<readonly PathOverhead[]> {
  const { requests, edges, terms } = given
  const forMs = Math.min(enoughMs, given.maxPointMs)
  const { name } = pipeline
  const { stages, outputs, ...plain } = plainStages(pipeline)
  const whole = definePipeline({ name, stages, outputs } as never) as Pipeline
  const configuration = Object.fromEntries(whole.order.map((stage) => [stage, { replicas: 1 }]))
  return withEngine(whole, { configuration, terms }, async (engine) => {
    const serviceMs = (): readonly number[] => {
      const { stages } = engine.stats()
      return pipeline.order.map((name) => {
        const { count, mean } = stages[plain.nameHere(name)]?.serviceMs ?? { count: 0, mean: 0 }
        return count * mean
      })
    }
    let before = serviceMs()
    let sent = 0
    const runs = await runFor({ most: mostRequests, forMs }, async (): Promise<PathOverhead> => {
      const request = requests[sent++ % requests.length] as Parameters<typeof engine.infer>[0]
      await setTimeout(pauseMs)
      const beganMs = performance.now()
      await engine.infer(request)
      const latencyMs = performance.now() - beganMs
      const after = serviceMs()
      const ran = pipeline.order.flatMap((name, at) => {
        const tookMs = (after[at] as number) - (before[at] as number)
        return tookMs > 0 ? [{ name, serviceMs: tookMs }] : []
      })
      before = after
      const way = longestWay(ran, edges)
      return { restMs: latencyMs - way.serviceMs, hops: way.hops }
    })
    return runs.slice(Math.min(warmRequests, runs.length >> 1))
  })
}

/** As often as wanted, unless that takes long; three times in any case. */
async function runFor<Result>(
  { most, forMs }: { readonly most: number; readonly forMs: number },
  run: () => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  const beganMs = performance.now()
  while (results.length < most && (results.length < 3 || performance.now() - beganMs < forMs)) {
    results.push(await run())
  }
  return results
}
