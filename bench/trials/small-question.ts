/** Questions for the planner, drawn from a seed, small enough that every configuration can be simulated. */
import { type Hardware, type Profile, Trace } from '../../dist/index.js'

export type SmallQuestion = {
  profile: Profile
  hardware: Hardware
  trace: Trace
  objective: { latencyMs: number; percentile: number }
  limits: { maxReplicas: number }
}

/** Two or three stages, in a chain or side by side, on two tiers, in batches of 1, 2 and 4; some with conditions, some with contention. */
export function drawQuestion(seed: number): SmallQuestion {
  const random = randomFrom(seed)
  const between = (low: number, high: number) => low + (high - low) * random()
  const names = ['a', 'b', 'c'].slice(0, random() < 0.5 ? 2 : 3)
  const stages = Object.fromEntries(
    names.map((name, index) => {
      const conditional = index > 0 && random() < 0.4
      const rowMs = between(3, 20)
      const slow = tierOf({ fixedMs: between(1, 15), rowMs })
      const fast = tierOf({ fixedMs: between(1, 6), rowMs: rowMs / between(2, 6) })
      const scaleFactor = conditional ? Math.round(between(2, 8)) / 10 : 1
      return [name, { scaleFactor, tiers: { 'cpu-1': slow, gpu: fast } }]
    }),
  )
  const chain = names.slice(1).map((name, index) => [names[index] as string, name] as const)
  const fork = names.slice(1).map((name) => ['a', name] as const)
  const contention = [
    { busyThreads: 1, slowdown: 1 },
    { busyThreads: 4, slowdown: between(1.2, 2) },
  ]
  const ratePerS = between(30, 150)
  return {
    profile: {
      version: 1,
      pipeline: `small-${seed}`,
      stages,
      edges: random() < 0.5 ? chain : fork,
      ...(random() < 0.35 && { contention }),
    },
    hardware: {
      version: 1,
      tiers: {
        'cpu-1': { kind: 'cpu', threads: 1, pricePerHour: 0.0665 },
        gpu: { kind: 'cuda', pricePerHour: Math.round(between(0.1, 0.6) * 1000) / 1000 },
      },
    },
    trace: Trace.gamma({
      ratePerS,
      durationMs: (between(200, 500) / ratePerS) * 1000,
      cv2: random() < 0.5 ? 1 : 4,
      seed,
    }),
    objective: {
      latencyMs: Math.round(between(30, 200)),
      percentile: [90, 95, 99][Math.floor(random() * 3)] ?? 99,
    },
    limits: { maxReplicas: 3 },
  }
}

function tierOf({ fixedMs, rowMs }: { fixedMs: number; rowMs: number }) {
  const points = [1, 2, 4].map((batch) => {
    const meanMs = fixedMs + rowMs * batch
    return { batch, meanMs, p99Ms: meanMs }
  })
  return { points }
}

/** A small generator of 32 bits (mulberry32). From 0, below 1. */
function randomFrom(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b9)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), state | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
}
