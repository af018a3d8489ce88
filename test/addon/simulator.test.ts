// The simulator as the addon gives it: times to the nanosecond, many configurations at once, and what ends it early.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { loadAddon } from '../../src/native/load.ts'
import type {
  NativeService,
  NativeSimulator,
  NativeSimulatorSpec,
} from '../../src/native/simulator.ts'

const addon = loadAddon()
const oneStage: Pick<NativeSimulatorSpec, 'stages' | 'paths'> = {
  stages: [{ predecessors: [], fanOut: false, gather: -1 }],
  paths: [{ share: 1, visits: [[0, 1]], items: [] }],
}
const plain: NativeService = {
  latency: [1, 1],
  spread: [],
  hopMs: 0,
  wakeMs: 0,
  threads: 0,
  device: 0,
  maxBatch: 1,
  maxDelayMs: 0,
}

function simulatorOf(
  arrivalsMs: ArrayLike<number>,
  more: Partial<NativeSimulatorSpec> = {},
): NativeSimulator {
  return addon.createSimulator({
    ...oneStage,
    requestMs: 0,
    loopMs: 0,
    answerMs: 0,
    cores: 0,
    sliceMs: 0,
    slowdown: [],
    deviceSlowdowns: [],
    numbers: new Uint32Array(),
    seed: 1,
    ...more,
    arrivalsMs: Float64Array.from(arrivalsMs),
  })
}

async function reportOf(simulator: NativeSimulator, service: NativeService, replicas = 1) {
  const configurations = Float64Array.of(simulator.addService(service), replicas)
  const options = { configurations, latencyMs: 10, threads: 1, drawn: false, run: 0 }
  const [report] = await simulator.estimate(options)
  return report
}

describe('times', () => {
  it.each([1e-6, 0.1, 1.000001, 12.345678, 1234567.654321])(
    'are exact to the nanosecond there and back: %d ms',
    async (ms) => {
      const simulator = simulatorOf([0])
      expect((await reportOf(simulator, { ...plain, latency: [1, ms] }))?.maxMs).toBe(ms)
    },
  )

  it('are exact for arrivals a month after the first', async () => {
    const lateMs = 30 * 24 * 3600e3 + 0.000001
    const report = await reportOf(simulatorOf([0, lateMs]), { ...plain, latency: [1, 0.000002] })
    expect(report?.maxMs).toBe(0.000002)
    expect(report?.nowMs).toBe(lateMs + 0.000002)
  })

  it('of requests and batches are added', async () => {
    const simulator = simulatorOf([0], { requestMs: 0.25, loopMs: 2 })
    expect((await reportOf(simulator, { ...plain, hopMs: 0.5 }))?.maxMs).toBe(3.75)
  })
})

describe('many configurations', () => {
  const simulator = simulatorOf(Float64Array.from({ length: 1000 }, (_, at) => at / 2))
  const service = simulator.addService(plain)
  const replicas = Array.from({ length: 40 }, (_, at) => 1 + (at % 4))
  const configurations = Float64Array.from(replicas.flatMap((count) => [service, count]))

  it('are counted in their order, on however many threads', async () => {
    const options = { configurations, latencyMs: 1, enough: 1e9, batches: false, run: 0 }
    const alone = await simulator.countLate({ ...options, threads: 1 })
    const together = await simulator.countLate({ ...options, threads: 8 })
    expect(together).toEqual(alone)
    // One replica serves one of two arrivals in time; two serve all.
    expect([...alone.slice(0, 4)]).toEqual([999, 0, 0, 0])
  })

  it('are counted up to the first beyond enough', async () => {
    const options = { configurations, latencyMs: 1, enough: 20, batches: false, threads: 2, run: 0 }
    expect((await simulator.countLate(options)).slice(0, 2)).toEqual(Float64Array.of(21, 0))
  })

  it('are none', async () => {
    const none = { configurations: new Float64Array(), latencyMs: 1, threads: 2, run: 0 }
    expect(await simulator.countLate({ ...none, enough: 1, batches: false })).toEqual(
      new Float64Array(),
    )
    expect(await simulator.estimate({ ...none, drawn: false })).toEqual([])
  })

  it('are estimated in their order', async () => {
    const options = { configurations, latencyMs: 1, threads: 3, drawn: false, run: 0 }
    const reports = await simulator.estimate(options)
    expect(reports.map(({ stages }) => stages[0]?.replicas)).toEqual(replicas)
    expect(reports[1]).toEqual(reports[5])
  })
})

describe('a run', () => {
  const busy = () => {
    const simulator = simulatorOf(Float64Array.from({ length: 300_000 }, (_, at) => at))
    const pairs = Array.from({ length: 400 }, () => [simulator.addService(plain), 1])
    return { simulator, configurations: Float64Array.from(pairs.flat()) }
  }
  const endless = { latencyMs: 1e6, enough: 1e9, batches: false, threads: 2 }

  it('is cancelled by its number, and no other', async () => {
    const { simulator, configurations } = busy()
    const first = simulator.countLate({ ...endless, configurations, run: 1 })
    const estimates = { ...endless, configurations, drawn: false, run: 2 }
    const second = simulator.estimate(estimates)
    const few = { ...endless, configurations: configurations.slice(0, 4), run: 3 }
    const third = simulator.countLate(few)
    simulator.cancel(1)
    simulator.cancel(2)
    simulator.cancel(4)
    const reason = expect.objectContaining({ code: 'MILLRACE_CANCELLED' })
    expect(await Promise.allSettled([first, second, third])).toEqual([
      { status: 'rejected', reason },
      { status: 'rejected', reason },
      { status: 'fulfilled', value: Float64Array.of(0, 0) },
    ])
  })

  it('leaves the event loop alone', async () => {
    const { simulator, configurations } = busy()
    let ended = false
    const run = simulator
      .countLate({ ...endless, configurations: configurations.slice(0, 40), run: 1 })
      .finally(() => {
        ended = true
      })
    let turns = 0
    while (!ended) {
      await new Promise((resolve) => setImmediate(resolve))
      turns++
    }
    await run
    expect(turns).toBeGreaterThan(10)
  })
})

describe('a simulation that is stepped through', () => {
  it('happens up to where it is taken', () => {
    const simulator = simulatorOf([0, 0, 0, 10])
    const configuration = Float64Array.of(simulator.addService(plain), 1)
    const simulation = simulator.start({ configuration, drawn: false })
    expect(simulation.advance(1)).toBe(true)
    expect(simulation.report(10)).toMatchObject({ nowMs: 1, arrived: 3, finished: 1 })
    expect(simulation.report(10).stages[0]).toMatchObject({ waitingRows: 1, visits: 1 })
    simulation.setReplicas(0, 0)
    simulation.advance(5)
    expect(simulation.report(10)).toMatchObject({ arrived: 3, finished: 2 })
    expect(simulation.report(4)).toMatchObject({ late: 1 })
    simulation.setService(0, simulator.addService({ ...plain, latency: [1, 2] }), 1)
    expect(simulation.advance(Number.POSITIVE_INFINITY)).toBe(false)
    expect(simulation.report(10)).toMatchObject({ nowMs: 12, finished: 4, maxMs: 7, late: 0 })
  })
})

describe.each(['busy', 'idle'])('an environment with a simulator, %s', (mode) => {
  it('ends as a worker, 10 times', async () => {
    expect(await run(['workers', mode])).toMatchObject({ code: 0, signal: null, stderr: '' })
  })

  it('ends as a process that exits', async () => {
    expect(await run(['exit', mode])).toMatchObject({ code: 7, signal: null, stderr: '' })
  })
})

describe('a process', () => {
  it('lives until an estimate is there, and no longer', async () => {
    const end = await run(['wait'])
    expect(end).toMatchObject({ code: 0, signal: null, stderr: '', stdout: 'estimated 1000\n' })
  })
})

function run(args: readonly string[]): Promise<object> {
  const script = fileURLToPath(new URL('fixtures/simulators.mjs', import.meta.url))
  return new Promise((resolve) => {
    const options = { timeout: 25_000, killSignal: 'SIGKILL' } as const
    execFile(process.execPath, [script, ...args], options, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, signal: error?.signal ?? null, stdout, stderr })
    })
  })
}
