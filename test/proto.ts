import { drawArrivalsMs } from '../bench/load/arrivals.ts'
import { SeededRandom } from '../bench/models/seeded-random.ts'
import { Simulator } from '../src/estimator/simulator.ts'
import { Trace } from '../src/workload/trace.ts'
import { searchSpace } from '../src/planner/search-space.ts'
import { traffic } from '../src/planner/bounds.ts'
import { Judge } from '../src/planner/judge.ts'
import { counters } from '../src/planner/boxes.ts'
import { RuledOut } from '../src/planner/search.ts'
import { debug, layoutCounters, optimal } from '../src/planner/optimal.ts'
import { profileOfStage } from '../src/planner/stage-alone.ts'
import { configurationOf, costPerHour } from '../src/planner/choice.ts'

const seed = Number(process.argv[2] ?? 1)
const cv2 = Number(process.argv[3] ?? 1)
const durationMs = Number(process.argv[4] ?? 300) * 1000
const objectiveMs = Number(process.argv[5] ?? 300)
const verbose = process.argv[6] === 'v'
const random = new SeededRandom(seed)
const hardware = { version: 1 as const, tiers: { cpu: { kind: 'cpu' as const, pricePerHour: 0.0665 }, k80: { kind: 'cuda' as const, pricePerHour: 0.634 }, v100: { kind: 'cuda' as const, pricePerHour: 2.528 } } }
function tier(first: number, perRow: number, maxBatch: number) {
  const points = []
  for (let batch = 1; batch <= maxBatch; batch *= 2) { const meanMs = first + perRow * batch; points.push({ batch, meanMs, p99Ms: meanMs }) }
  return { points }
}
function stage() {
  const cpuRow = (process.argv[7] === 'gpu' ? 60 : 8) * 6 ** random.uniform() // 8..48 ms
  const k80 = cpuRow / (5 + 10 * random.uniform())
  const v100 = k80 / (2.5 + 3 * random.uniform())
  return { scaleFactor: 1, tiers: { cpu: tier(cpuRow * 0.2, cpuRow * 0.8, 64), k80: tier(5 + 10 * random.uniform(), k80, 64), v100: tier(3 + 5 * random.uniform(), v100, 64) } }
}
const profile = { version: 1 as const, pipeline: 'p', stages: { a: stage(), b: stage(), c: stage(), d: stage() }, edges: [['a', 'b'], ['a', 'c'], ['b', 'd'], ['c', 'd']] as [string, string][] }
const arrivalsMs = drawArrivalsMs({ ratePerS: 300, durationMs, seed, arrivals: 'poisson', cv2 })
const trace = new Trace({ arrivalsMs })
let cpu0 = process.cpuUsage(), sims0 = 0
const cpuStart = process.cpuUsage()
const simulations = new Simulator({ profile, hardware, trace })
const space = searchSpace({ profile, hardware, limits: { maxReplicas: 20 } })
const parts = new Map<number, Simulator>()
const judge = new Judge({ space, simulations, requests: arrivalsMs.length, latencyMs: objectiveMs, percentile: 99, stage(stage) {
  let part = parts.get(stage)
  if (part === undefined) { part = new Simulator({ profile: profileOfStage(profile, { graph: space.graph, stage })!, hardware, trace }); parts.set(stage, part) }
  return part
} })
const start = performance.now()
const t = (label: string) => { if (!verbose) return; const c = process.cpuUsage(cpu0); const ms = (c.user + c.system) / 1000; const n = judge.simulated - sims0; console.log((performance.now() - start).toFixed(0), 'ms wall,', ms.toFixed(0), 'ms cpu', n, 'sims', (ms / n).toFixed(2), 'each', label); cpu0 = process.cpuUsage(); sims0 = judge.simulated }
debug.log = t
const tr = traffic({ arrivalsMs, allowed: judge.allowed, latencyMs: objectiveMs })
const search = { space, judge, traffic: tr, ruledOut: new RuledOut(), report: () => {} }
const best = await optimal(search)
const c = process.cpuUsage(cpuStart)
console.log('seed', seed, 'cv2', cv2, 'obj', objectiveMs, 'TOTAL cpu', ((c.user + c.system) / 1000).toFixed(0), 'wall', (performance.now() - start).toFixed(0), 'sims', judge.simulated, best && costPerHour(best).toFixed(4), best && Object.values(configurationOf(best, space)).map((x) => `${x.tier}/${x.maxBatch}x${x.replicas}`).join(' '), JSON.stringify(layoutCounters), JSON.stringify(counters))
