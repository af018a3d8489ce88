import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Trace } from '../../src/index.ts'
import { SteadyClock } from '../../src/tuner/steady-clock.ts'
import type { TunedEngine } from '../../src/tuner/tuned-engine.ts'
import { Tuner } from '../../src/tuner/tuner.ts'
import type { TunerTime } from '../../src/tuner/tuner-time.ts'
import { errorOf } from './thrown.ts'
import { even, tuned } from './tuner-engine.ts'
import { planOf } from './tuner-plans.ts'

const planned = { a: 2, b: 5 }
const minuteMs = 60_000

/** An engine of the test, and a clock that stands still until the test says otherwise. */
class HandEngine implements TunedEngine {
  readonly replicas: Record<string, number> = { ...planned }
  readonly asked: string[] = []
  nowMs = 1000
  fail: Error | undefined
  #listener: (() => void) | undefined
  #tick: (() => void) | undefined
  readonly time: TunerTime = {
    now: () => this.nowMs,
    every: (_, callback) => {
      this.#tick = callback
      return { stop: () => (this.#tick = undefined) }
    },
  }

  get isWatched(): boolean {
    return this.#listener !== undefined || this.#tick !== undefined
  }

  stats() {
    const entries = Object.entries(this.replicas)
    return { stages: Object.fromEntries(entries.map(([name, replicas]) => [name, { replicas }])) }
  }

  async scale(stage: string, replicas: number) {
    if (this.fail !== undefined) throw this.fail
    this.asked.push(`${stage} ${replicas}`)
    this.replicas[stage] = replicas
  }

  watchArrivals(listener: () => void) {
    this.#listener = listener
    return { stop: () => (this.#listener = undefined) }
  }

  arrive(count: number) {
    for (let at = 0; at < count; at++) this.#listener?.()
  }

  /** The timer fires each second, as it does. */
  pass(seconds: number, { each = () => {} }: { each?: () => void } = {}) {
    for (let second = 0; second < seconds; second++) {
      this.nowMs += 1000
      each()
      this.#tick?.()
    }
  }

  tick() {
    this.#tick?.()
  }
}

const tuner = (engine: HandEngine, options: object = {}) =>
  new Tuner(engine, { plan: planOf(), time: engine.time, ...options })

describe('a tuner', () => {
  it('adds replicas with the first arrival that is too many, and says why', async () => {
    const engine = new HandEngine()
    const one = tuner(engine, { method: 'inferline' }).start()
    const reasons: string[] = []
    one.on('scale', ({ reason }) => reasons.push(reason))
    engine.arrive(20)
    expect(engine.asked).toEqual([])
    engine.arrive(1)
    expect(engine.asked).toEqual(['a 5', 'b 11'])
    // Never from within a request.
    expect(reasons).toEqual([])
    await turn()
    expect(reasons).toEqual(['window 0.1 s: 210/s over 200/s planned -> a 2 to 5, b 5 to 11'])
    expect(one.stats()).toMatchObject({
      running: true,
      plannedRatePerS: 100,
      arrivals: 21,
      replicas: { a: 5, b: 11 },
      scaleUps: 1,
      scaleDowns: 0,
      lastReason: reasons[0],
      decideMs: { count: 1 },
    })
    expect(one.stats().windows[0]).toEqual({
      windowMs: 100,
      ratePerS: 210,
      highestPerS: 210,
      plannedPerS: 200,
    })
    await one.stop()
  })

  it('looks at the clock once a moment, and still sees which arrival is too many', async () => {
    const engine = new HandEngine()
    let looks = 0
    let end = () => {}
    const time: TunerTime = {
      ...engine.time,
      now: () => {
        looks++
        return engine.nowMs
      },
      whenMomentEnds: (callback) => {
        end = callback
      },
    }
    await using one = tuner(engine, { method: 'inferline', time }).start()
    const looksBefore = looks
    engine.arrive(12)
    expect(looks - looksBefore).toBe(1)
    expect(one.stats().arrivals).toBe(12)
    engine.arrive(5)
    end()
    // 100 ms and more: those before are gone from the shortest window.
    engine.nowMs += 110
    engine.arrive(20)
    expect(engine.asked).toEqual([])
    engine.arrive(1)
    expect(engine.asked).toEqual(['a 5', 'b 11'])
    end()
    expect(one.stats()).toMatchObject({ arrivals: 38, scaleUps: 1 })
  })

  it('brings the replicas back after the load returned, to the plan and below', async () => {
    for (const method of ['level', 'inferline'] as const) {
      for (const factor of [1.5, 2, 4, 10]) {
        const spike = even(100 * factor, minuteMs, 1.5 * minuteMs)
        const arrivalsMs = [
          ...even(100, 0, minuteMs),
          ...spike,
          ...even(100, 1.5 * minuteMs, 5 * minuteMs),
        ]
        const { events, stats } = await tuned({ arrivalsMs, method })
        expect(events[0]).toMatchObject({ direction: 'up' })
        expect(events[0]?.atMs).toBeGreaterThanOrEqual(minuteMs)
        expect(events[0]?.atMs).toBeLessThan(minuteMs + (factor < 2 ? 5000 : 1000))
        expect(stats.replicas).toEqual(planned)
        // In a few steps, where it is not for the rate of each burst.
        if (method === 'level') expect(stats.scaleUps).toBeLessThanOrEqual(3)
        if (method === 'level') expect(stats.scaleDowns).toBeLessThanOrEqual(3)
      }
    }
    const idle = await tuned({ arrivalsMs: even(100, 0, minuteMs), untilMs: 3 * minuteMs })
    expect(idle.stats.replicas).toEqual({ a: 1, b: 1 })
  })

  it('has enough replicas for the load while it lasts', async () => {
    const arrivalsMs = [...even(100, 0, minuteMs), ...even(400, minuteMs, 3 * minuteMs)]
    const { stats } = await tuned({ arrivalsMs })
    // Four times the plan's: 8 and 20.
    expect(stats.replicas['a']).toBeGreaterThanOrEqual(8)
    expect(stats.replicas['b']).toBeGreaterThanOrEqual(20)
    expect(stats.level).toBeGreaterThan(2.5)
  })

  it.each([1, 2, 3, 4])(
    'changes nothing under a steady load like the plan’s: seed %i',
    async (seed) => {
      const traceOf = (given: { durationMs: number; seed: number }) =>
        Trace.gamma({ ratePerS: 100, cv2: 1, ...given })
      const envelope = traceOf({ durationMs: minuteMs, seed }).envelope()
      const { arrivalsMs } = traceOf({ durationMs: 20 * minuteMs, seed: seed + 100 })
      const { events } = await tuned({ arrivalsMs, plan: planOf({ envelope }) })
      expect(events).toEqual([])
    },
  )

  it('goes up and down less and less often, however often the load does', async () => {
    const cycles = Array.from({ length: 60 }, (_, at) => at * minuteMs)
    const arrivalsMs = cycles.flatMap((atMs) => [
      ...even(300, atMs, atMs + 5000),
      ...even(50, atMs + 5000, atMs + minuteMs),
    ])
    const { stats, events } = await tuned({ arrivalsMs })
    expect(stats.scaleUps + stats.scaleDowns).toBeLessThan(40)
    const late = events.filter(({ atMs }) => atMs > 30 * minuteMs)
    expect(late.length).toBeLessThan(events.length / 2)
    expect(stats.quietMs).toBeGreaterThan(minuteMs)
  })

  it('notices replicas that somebody else changed', () => {
    const engine = new HandEngine()
    const one = tuner(engine).start()
    engine.replicas['a'] = 9
    engine.arrive(1)
    expect(one.stats().replicas).toEqual(planned)
    engine.pass(1)
    expect(one.stats().replicas).toEqual({ a: 9, b: 5 })
  })

  it('goes on after a change that failed, with what there is', async () => {
    const engine = new HandEngine()
    const one = tuner(engine, { method: 'inferline' }).start()
    const errors: string[] = []
    one.on('error', ({ message }) => errors.push(message))
    engine.fail = new Error('no thread left')
    engine.arrive(21)
    await turn()
    expect(errors).toEqual(Array(2).fill('a change by the tuner failed: no thread left'))
    engine.fail = undefined
    // It is not asked for the same again before the step has ended.
    engine.arrive(1)
    expect(engine.asked).toEqual([])
    engine.pass(1, { each: () => engine.arrive(21) })
    expect(engine.asked).toEqual(['a 5', 'b 11'])
    expect(one.stats()).toMatchObject({ errors: 2, scaleUps: 2 })
    await one.stop()
  })

  it('stops, with nothing left behind, and begins anew', async () => {
    const engine = new HandEngine()
    const one = tuner(engine)
    expect(one.stats()).toMatchObject({ running: false, arrivals: 0 })
    expect(one.start().start()).toBe(one)
    engine.arrive(3)
    await one.stop()
    await one.stop()
    expect(engine.isWatched).toBe(false)
    expect(one.stats()).toMatchObject({ running: false, arrivals: 3 })
    one.start()
    expect(one.stats()).toMatchObject({ running: true, arrivals: 0 })
    {
      await using other = tuner(engine).start()
      expect(other.stats().running).toBe(true)
    }
    expect(engine.isWatched).toBe(false)
  })
})

describe('a clock that jumps', () => {
  it('lets no time pass', () => {
    const raw = { nowMs: 50_000 }
    const jumps: number[] = []
    const clock = new SteadyClock({
      clock: () => raw.nowMs,
      longestGapMs: 5000,
      onJump: (jumpMs) => jumps.push(jumpMs),
    })
    const times = [50_010, 55_010, 1e9, 1e9 + 5, -7, -2, Number.NaN, Number.POSITIVE_INFINITY, 3]
    const readings = times.map((nowMs) => {
      raw.nowMs = nowMs
      return clock.now()
    })
    expect(readings).toEqual([10, 5010, 5010, 5015, 5015, 5020, 5020, 5020, 5025])
    expect(jumps).toEqual([1e9 - 55_010, -7 - 1e9 - 5])
  })

  it.each([
    ['forward', 3_600_000],
    ['back', -3_600_000],
  ])('%s does nothing, with an arrival or without', async (_, jumpMs) => {
    const engine = new HandEngine()
    const one = tuner(engine).start()
    const jumps: number[] = []
    one.on('clock', (event) => jumps.push(event.jumpMs))
    engine.pass(40, { each: () => engine.arrive(15) })
    const before = one.stats()
    const asked = [...engine.asked]
    for (const act of [() => engine.arrive(1), () => engine.tick()]) {
      engine.nowMs += jumpMs
      act()
      engine.pass(2, { each: () => engine.arrive(15) })
    }
    await turn()
    expect(jumps).toEqual([jumpMs, jumpMs])
    expect(engine.asked).toEqual(asked)
    expect(one.stats()).toMatchObject({
      clockJumps: 2,
      scaleUps: before.scaleUps,
      scaleDowns: before.scaleDowns,
    })
    await one.stop()
  })

  it('does not end the work: traffic is seen afterwards as before', async () => {
    const engine = new HandEngine()
    await using one = tuner(engine, { method: 'inferline' }).start()
    engine.nowMs -= 1e6
    engine.arrive(21)
    expect(one.stats().scaleUps).toBe(1)
  })
})

describe('options of a tuner', () => {
  const given = (options: object) => () => tuner(new HandEngine(), options)

  it.each([
    [{ plan: undefined }, /^plan: expected/],
    [{ plan: { ...planOf(), tuning: undefined } }, /plan\.tuning: expected what a planner writes/],
    [
      {
        plan: planOf({
          stages: { c: { replicaRatePerS: 1, scaleFactor: 1, load: 0.5, replicas: 1 } },
        }),
      },
      /expected stages of the engine, got "c"/,
    ],
    [{ method: 'paper' }, /method: expected one of "level", "inferline"/],
    [{ tolerance: -1 }, /tolerance: expected a finite number at least 0/],
    [{ backoff: 0.5 }, /backoff: expected a finite number at least 1/],
    [{ quietMs: Number.NaN }, /quietMs: expected/],
    [{ rateWindowMs: 10 }, /rateWindowMs: expected a finite number at least 1000/],
    [{ historyMs: 10 }, /historyMs: expected a finite number at least 5000/],
    [{ longestGapMs: 10 }, /longestGapMs: expected a finite number at least 2000/],
    [{ limits: { replicas: 3 } }, /limits: unknown key "replicas"/],
    [{ limits: { maxReplicas: 0 } }, /limits\.maxReplicas: expected an integer from 1 to 1024/],
    [{ limits: { minReplicas: 65 } }, /limits\.minReplicas: expected an integer from 1 to 64/],
    [{ limits: { budgetPerHour: 1 } }, /give hardware as well/],
    [{ hardware: {} }, /hardware/],
    [{ replan: 3 }, /replan: expected a function, got the number 3/],
    [{ replan: async () => undefined }, /expected an engine with apply and recordArrivals/],
    [{ time: { now: 3 } }, /time: expected the functions now and every/],
    [{ speed: 3 }, /tuner options: unknown key "speed"/],
  ])('are refused: %j', (options, message) => {
    expect(errorOf(given(options)).message).toMatch(message)
  })
})
