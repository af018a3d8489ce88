/**
 * How long a plan takes: four stages, one of which every third request needs, three tiers, batches up to 64, up to 20
 * replicas, and five minutes of Poisson arrivals. Each round has another trace and another objective, since how much of
 * the search is cut off hangs on both.
 */
import { type Plan, Planner, readHardware, type Strategy, Trace } from '../../dist/index.js'
import { median, rounded } from './rounds.ts'
import type { Comparison, Trial, TrialOptions } from './trial.ts'

const strategies = ['optimal', 'inferline'] as const
const objectivesMs = [300, 250, 400, 200, 350]
const maxReplicas = 20

/** A row on one core: milliseconds before the first row of a batch, and for each row. */
const stages = {
  decode: { fixedMs: 4, rowMs: 6, scaleFactor: 1 },
  detect: { fixedMs: 15, rowMs: 30, scaleFactor: 1 },
  read: { fixedMs: 20, rowMs: 45, scaleFactor: 0.3 },
  rank: { fixedMs: 6, rowMs: 10, scaleFactor: 1 },
}

/** How many times faster than one core: before the first row, and for each row. */
const speeds = {
  'cpu-1': { fixed: 1, row: 1 },
  k80: { fixed: 1.5, row: 12 },
  v100: { fixed: 3, row: 36 },
}

type Timed = Pick<Plan, 'costPerHour' | 'search' | 'configuration'> & {
  strategy: Strategy
  latencyMs: number
  seconds: number
}

export const plannerSpeed: Trial = {
  name: 'planner-speed',
  measures:
    'seconds that optimal takes: 4 stages, 3 tiers, batches to 64, 20 replicas, 90,000 arrivals',
  unit: 's',
  target: { figure: 'ours', atMost: 2 },
  ratio: 'reference/ours',
  run,
}

async function run({ quick }: TrialOptions): Promise<Comparison[]> {
  const hardware = await readHardware('profiles/hardware.json')
  const plans: Timed[] = []
  for (const [index, latencyMs] of objectivesMs.slice(0, quick ? 2 : 5).entries()) {
    const trace = Trace.gamma({ ratePerS: 300, durationMs: 300_000, cv2: 1, seed: index + 1 })
    for (const strategy of strategies) {
      const planner = new Planner({ profile: profile(), hardware, strategy })
      const startMs = performance.now()
      const plan = await planner.plan(trace, { objective: { latencyMs }, limits: { maxReplicas } })
      const seconds = (performance.now() - startMs) / 1000
      const { costPerHour, search, configuration } = plan
      plans.push({ strategy, latencyMs, seconds, costPerHour, search, configuration })
      console.error(
        `  ${latencyMs} ms, ${strategy}: ${rounded(seconds)} s, ${rounded(costPerHour)} an hour, ${search.simulated} simulated`,
      )
    }
  }
  const secondsOf = (name: string) =>
    median(plans.filter(({ strategy }) => strategy === name).map(({ seconds }) => seconds))
  return [
    {
      ours: secondsOf('optimal'),
      reference: secondsOf('inferline'),
      referenceName: 'inferline, the same questions',
      details: { maxReplicas, plans },
    },
  ]
}

function profile() {
  const batches = [1, 2, 4, 8, 16, 32, 64]
  const stageProfile = ({ fixedMs, rowMs, scaleFactor }: (typeof stages)['decode']) => ({
    scaleFactor,
    tiers: Object.fromEntries(
      Object.entries(speeds).map(([tier, { fixed, row }]) => {
        const points = batches.map((batch) => {
          const meanMs = fixedMs / fixed + (rowMs * batch) / row
          return { batch, meanMs, p99Ms: meanMs }
        })
        return [tier, { points }]
      }),
    ),
  })
  return {
    version: 1 as const,
    pipeline: 'four-stages',
    stages: Object.fromEntries(
      Object.entries(stages).map(([name, stage]) => [name, stageProfile(stage)]),
    ),
    edges: [
      ['decode', 'detect'],
      ['detect', 'read'],
      ['detect', 'rank'],
      ['read', 'rank'],
    ] as const,
  }
}
