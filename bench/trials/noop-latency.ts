/** What one request takes from the call to the continuation of its await, with nothing else going on. */
import { Floor } from './floor.ts'
import { row, startIdentityEngine } from './identity-engine.ts'
import { alternate, median } from './rounds.ts'
import type { Comparison, Trial, TrialOptions } from './trial.ts'

export const noopLatency: Trial = {
  name: 'noop-latency',
  measures: 'infer of 32 floats through an identity stage, one in flight, p50',
  unit: 'us',
  target: { figure: 'ours', atMost: 12 },
  ratio: 'reference/ours',
  run,
}

async function run({ quick }: TrialOptions): Promise<Comparison[]> {
  const engine = await startIdentityEngine({ maxBatch: 16 })
  const floor = new Floor()
  const requests = quick ? 5_000 : 50_000
  const tails: number[] = []
  const sides = {
    ours: async () => {
      const latency = await latencyUs(() => engine.infer({ x: row }), requests)
      tails.push(latency.p99)
      return latency.p50
    },
    floor: async () => (await latencyUs(() => floor.infer(row), requests)).p50,
  }
  await alternate(sides, { rounds: 1, label: 'warming up' })
  const figures = await alternate(sides, { rounds: quick ? 3 : 7, label: 'p50 us' })
  await engine.close()
  floor.close()
  return [
    {
      ours: median(figures.ours),
      reference: median(figures.floor),
      referenceName: 'bare floor, which never leaves its thread',
      details: { p99Us: median(tails), rounds: figures },
    },
  ]
}

async function latencyUs(send: () => Promise<unknown>, requests: number) {
  const taken = new Float64Array(requests)
  for (let request = 0; request < requests; request++) {
    const startMs = performance.now()
    await send()
    taken[request] = (performance.now() - startMs) * 1000
  }
  taken.sort()
  const at = (share: number) => taken[Math.floor(requests * share)] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99) }
}
