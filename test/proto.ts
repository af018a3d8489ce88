import { drawArrivalsMs } from '../bench/load/arrivals.ts'
import { SeededRandom } from '../bench/models/seeded-random.ts'
import { StandInSimulator } from './unit/stand-in-simulator.ts'
import { searchSpace } from '../src/planner/search-space.ts'
import { boundedSpace } from '../src/planner/bounds.ts'
import { Judge } from '../src/planner/judge.ts'
import { firstPlan } from '../src/planner/first-plan.ts'
import { raiseAlone } from '../src/planner/alone.ts'
import { counters, searchBoxes } from '../src/planner/boxes.ts'
import { configurationOf, costPerHour } from '../src/planner/choice.ts'

const seed = Number(process.argv[2] ?? 1)
const cv2 = Number(process.argv[3] ?? 1)
const durationMs = Number(process.argv[4] ?? 300) * 1000
const objectiveMs = Number(process.argv[5] ?? 300)
const random = new SeededRandom(seed)
const hardware = { version: 1 as const, tiers: { cpu: { kind: 'cpu' as const, pricePerHour: 0.0665 }, k80: { kind: 'cuda' as const, pricePerHour: 0.634 }, v100: { kind: 'cuda' as const, pricePerHour: 2.528 } } }
function tier(first: number, perRow: number, maxBatch: number) {
  const points = []
  for (let batch = 1; batch <= maxBatch; batch *= 2) { const meanMs = first + perRow * batch; points.push({ batch, meanMs, p99Ms: meanMs }) }
  return { points }
}
function stage() {
  const cpuRow = 8 * 6 ** random.uniform() // 8..48 ms
  const k80 = cpuRow / (5 + 10 * random.uniform())
  const v100 = k80 / (2.5 + 3 * random.uniform())
  return { scaleFactor: 1, tiers: { cpu: tier(cpuRow * 0.2, cpuRow * 0.8, 64), k80: tier(5 + 10 * random.uniform(), k80, 64), v100: tier(3 + 5 * random.uniform(), v100, 64) } }
}
const profile = { version: 1 as const, pipeline: 'p', stages: { a: stage(), b: stage(), c: stage(), d: stage() }, edges: [['a', 'b'], ['a', 'c'], ['b', 'd'], ['c', 'd']] as [string, string][] }
const arrivalsMs = drawArrivalsMs({ ratePerS: 300, durationMs, seed, arrivals: 'poisson', cv2 })
const simulations = new StandInSimulator({ profile, hardware, arrivalsMs })
const space = searchSpace({ profile, hardware, limits: { maxReplicas: 20 } })
const judge = new Judge({ space, simulations, requests: arrivalsMs.length, latencyMs: objectiveMs, percentile: 99 })
const t = (label: string) => console.log(label, (performance.now() - start).toFixed(0), 'ms', judge.simulated)
let start = performance.now()
const bounded = boundedSpace({ space, arrivalsMs, visits: space.options.map(() => arrivalsMs.length), latencyMs: objectiveMs, allowed: judge.allowed })
t('bounds')
console.log(bounded.options.map((o) => o.map((x) => `${x.option.tier}/${x.option.maxBatch}>=${x.least}`).join(' ')).join('\n'))
const search = { space, bounded, judge, ruledOut: new Map(), report: () => {} }
const first = await firstPlan(search)
t('first')
console.log(first && costPerHour(first), first && JSON.stringify(configurationOf(first, space)))
const left = await raiseAlone(search, first ? costPerHour(first) : Infinity)
t('alone')
console.log(left.map((o) => o.map((x) => `${x.option.tier}/${x.option.maxBatch}>=${x.least}`).join(' ')).join('\n'))
console.log('LB', left.reduce((s, o) => s + Math.min(...o.map((e) => e.least * e.option.pricePerHour)), 0))
const best = await searchBoxes(search, { left, best: first })
t('boxes')
console.log(counters, best && costPerHour(best), best && JSON.stringify(configurationOf(best, space)))
