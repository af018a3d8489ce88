// A slow and simple simulator of what the planner asks: stages that take what waits, up to their
// largest batch, at once. It stands in where tests of the planner should not depend on the native one.
import type { Estimate, PlannedConfiguration } from '../../src/estimator/estimate.ts'
import type { Hardware } from '../../src/profile/hardware.ts'
import type { Profile, ProfilePoint } from '../../src/profile/profile.ts'

interface Running {
  readonly atMs: number
  readonly sequence: number
  readonly stage: number
  readonly requests: readonly number[]
}

interface StandInOptions {
  readonly profile: Profile
  readonly hardware: Hardware
  readonly arrivalsMs: ArrayLike<number>
}

/** Has every request visit the stages of the path it draws (round robin by share), or all. */
export class StandInSimulator {
  readonly #profile: Profile
  readonly #hardware: Hardware
  readonly #arrivalsMs: ArrayLike<number>
  readonly #names: readonly string[]
  readonly #before: readonly (readonly number[])[]
  simulated = 0

  constructor({ profile, hardware, arrivalsMs }: StandInOptions) {
    this.#profile = profile
    this.#hardware = hardware
    this.#arrivalsMs = arrivalsMs
    this.#names = inOrder(profile)
    this.#before = this.#names.map((name) =>
      profile.edges.filter(([, to]) => to === name).map(([from]) => this.#names.indexOf(from)),
    )
  }

  async countLate(
    configurations: readonly PlannedConfiguration[],
    options: { latencyMs: number; enough: number; signal?: AbortSignal | undefined },
  ): Promise<number[]> {
    return configurations.map((configuration) => {
      this.simulated++
      const { latenciesMs } = this.#run(configuration, options)
      const late = latenciesMs.filter((latencyMs) => latencyMs > options.latencyMs).length
      return Math.min(late, options.enough + 1)
    })
  }

  async estimate(
    configurations: readonly PlannedConfiguration[],
    { latencyMs }: { latencyMs: number },
  ): Promise<Estimate[]> {
    return configurations.map((configuration) => {
      const { latenciesMs, stages } = this.#run(configuration, { latencyMs, enough: Infinity })
      const sorted = latenciesMs.toSorted((a, b) => a - b)
      const rank = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] as number
      const late = sorted.filter((each) => each > latencyMs).length
      const prices = Object.values(configuration).map(
        ({ tier, replicas }) => (this.#hardware.tiers[tier]?.pricePerHour as number) * replicas,
      )
      return {
        requests: sorted.length,
        p50Ms: rank(0.5),
        p95Ms: rank(0.95),
        p99Ms: rank(0.99),
        maxMs: rank(1),
        attainment: 1 - late / sorted.length,
        costPerHour: prices.reduce((sum, price) => sum + price, 0),
        stages: Object.fromEntries(this.#names.map((name, stage) => [name, stages[stage]])),
      } as Estimate
    })
  }

  #visits(request: number): readonly boolean[] {
    const { paths } = this.#profile
    if (paths === undefined) return this.#names.map(() => true)
    const total = paths.reduce((sum, path) => sum + path.share, 0)
    let rest = (request * 0.6180339887498949 * total) % total
    const path = paths.find((each) => {
      rest -= each.share
      return rest < 0
    })
    return this.#names.map((name) => (path ?? paths[0])?.visits?.includes(name) ?? false)
  }

  #run(configuration: PlannedConfiguration, { latencyMs, enough }: Limit) {
    const arrivals = this.#arrivalsMs
    const stages = this.#names.map((name) => {
      const { tier, model, maxBatch, replicas } = configuration[
        name
      ] as PlannedConfiguration[string]
      const profile = this.#profile.stages[name]
      const tiers = model === undefined ? profile?.tiers : profile?.models?.[model]?.tiers
      const points = tiers?.[tier]?.points as readonly ProfilePoint[]
      const table = Array.from({ length: maxBatch + 1 }, (_, n) => interpolate(points, n))
      return {
        free: replicas,
        replicas,
        maxBatch,
        table,
        queue: [] as number[],
        head: 0,
        rows: 0,
        batches: 0,
        busyMs: 0,
      }
    })
    const visits = Array.from(arrivals, (_, request) => this.#visits(request))
    const done = visits.map(() => new Uint8Array(stages.length))
    const left = visits.map((each) => each.filter(Boolean).length)
    const latenciesMs: number[] = new Array(arrivals.length).fill(0)
    const running = new Heap()
    let [next, sequence, late, nowMs] = [0, 0, 0, 0]
    const enter = (request: number): void => {
      const mine = visits[request] as readonly boolean[]
      const mineDone = done[request] as Uint8Array
      stages.forEach((stage, index) => {
        if (!mine[index] || mineDone[index] !== 0) return
        const waits = (this.#before[index] as number[]).some((b) => mine[b] && mineDone[b] !== 2)
        if (waits) return
        mineDone[index] = 1
        stage.queue.push(request)
      })
    }
    while (next < arrivals.length || running.size > 0) {
      nowMs = Math.min(arrivals[next] ?? Infinity, running.peek()?.atMs ?? Infinity)
      while (running.peek()?.atMs === nowMs) {
        const batch = running.pop() as Running
        ;(stages[batch.stage] as (typeof stages)[0]).free++
        for (const request of batch.requests) {
          ;(done[request] as Uint8Array)[batch.stage] = 2
          left[request] = (left[request] as number) - 1
          if (left[request] === 0) {
            latenciesMs[request] = nowMs - (arrivals[request] as number)
            if ((latenciesMs[request] as number) > latencyMs && ++late > enough)
              return { latenciesMs, stages: [] }
          } else enter(request)
        }
      }
      while ((arrivals[next] ?? Infinity) === nowMs) enter(next++)
      stages.forEach((stage, index) => {
        while (stage.free > 0 && stage.head < stage.queue.length) {
          const requests = stage.queue.slice(stage.head, stage.head + stage.maxBatch)
          stage.head += requests.length
          stage.free--
          const ms = stage.table[requests.length] as number
          stage.rows += requests.length
          stage.batches++
          stage.busyMs += ms
          running.push({ atMs: nowMs + ms, sequence: sequence++, stage: index, requests })
        }
      })
    }
    return {
      latenciesMs,
      stages: stages.map(({ rows, batches, busyMs, replicas }) => ({
        utilization: busyMs / replicas / (nowMs - (arrivals[0] ?? 0)),
        meanBatch: rows / batches,
        queueP99Ms: 0,
        visits: rows,
      })),
    }
  }
}

type Limit = { latencyMs: number; enough: number }

function interpolate(points: readonly ProfilePoint[], batch: number): number {
  const right = points.findIndex((point) => point.batch >= batch)
  const after = points[right] ?? (points.at(-1) as ProfilePoint)
  const before = points[right - 1]
  if (right <= 0 || before === undefined) return after.meanMs
  const share = (batch - before.batch) / (after.batch - before.batch)
  return before.meanMs + (after.meanMs - before.meanMs) * share
}

function inOrder({ stages, edges }: Profile): readonly string[] {
  const placed: string[] = []
  while (placed.length < Object.keys(stages).length) {
    for (const name of Object.keys(stages)) {
      const ready = edges.every(([from, to]) => to !== name || placed.includes(from))
      if (ready && !placed.includes(name)) placed.push(name)
    }
  }
  return placed
}

class Heap {
  readonly #items: Running[] = []

  get size(): number {
    return this.#items.length
  }

  peek(): Running | undefined {
    return this.#items[0]
  }

  push(item: Running): void {
    this.#items.push(item)
    let at = this.#items.length - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!before(item, this.#items[parent] as Running)) break
      this.#items[at] = this.#items[parent] as Running
      at = parent
    }
    this.#items[at] = item
  }

  pop(): Running | undefined {
    const top = this.#items[0]
    const last = this.#items.pop()
    if (last === undefined || this.#items.length === 0) return top
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      const right = this.#items[child + 1]
      if (right !== undefined && before(right, this.#items[child] as Running)) child++
      const smaller = this.#items[child]
      if (smaller === undefined || !before(smaller, last)) break
      this.#items[at] = smaller
      at = child
    }
    this.#items[at] = last
    return top
  }
}

function before(a: Running, b: Running): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence)
}
