import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import {
  Engine,
  type LastingChange,
  type Plan,
  Trace,
  Tuner,
  type TunerTime,
} from '../../src/index.ts'
import { even, tuned } from '../unit/tuner-engine.ts'
import { planOf } from '../unit/tuner-plans.ts'
import { cascade, imagesOf, readDigits } from './pipelines.ts'

const request = imagesOf(readDigits().slice(0, 1))

/** Half of the requests go to the accurate model, too, by this plan; what matters here are arrivals alone. */
const plan: Plan = planOf({
  stages: {
    fast: { replicaRatePerS: 200, scaleFactor: 1, load: 0.5, replicas: 1 },
    accurate: { replicaRatePerS: 50, scaleFactor: 0.5, load: 0.5, replicas: 2 },
  },
})
const configuration = { fast: { replicas: 1 }, accurate: { replicas: 2 } }

/** A time that the test sets, whose ticks come when it says so. */
function handTime() {
  let tick = () => {}
  const hand = { nowMs: 0, tick: () => tick() }
  const time: TunerTime = {
    now: () => hand.nowMs,
    every: (_, callback) => {
      tick = callback
      return { stop: () => {} }
    },
  }
  return { hand, time }
}

describe('a tuner of a live engine', () => {
  it('decides the same as that of a simulated one for the same arrivals', async () => {
    const spike = Trace.ofRates({
      points: [
        { atMs: 0, ratePerS: 100 },
        { atMs: 3000, ratePerS: 100 },
        { atMs: 3000, ratePerS: 400 },
        { atMs: 6000, ratePerS: 400 },
        { atMs: 6000, ratePerS: 30 },
        { atMs: 16_000, ratePerS: 30 },
      ],
      cv2: 2,
    })
    const arrivalsMs = [...spike.arrivalsMs]
    for (const method of ['level', 'inferline'] as const) {
      const options = { plan, method, quietMs: 2000, historyMs: 5000, limits: { maxReplicas: 6 } }
      const simulated = await tuned({ arrivalsMs, ...options })
      await using engine = await Engine.start(cascade, { configuration })
      const { hand, time } = handTime()
      const tuner = new Tuner(engine, { ...options, time })
      const events: unknown[] = []
      tuner.on('scale', (event) => events.push(event)).start()
      const answers: Promise<unknown>[] = []
      for (const [at, atMs] of arrivalsMs.entries()) {
        hand.nowMs = atMs
        // Its timer is late, or does not come at all, as live ones do.
        if (at % 7 === 0) hand.tick()
        answers.push(engine.infer(request))
        if (at % 50 === 0) await Promise.all(answers)
      }
      await Promise.all(answers)
      await tuner.stop()
      expect(events.length).toBeGreaterThan(2)
      expect(events).toEqual(simulated.events)
      expect(engine.stats().stages.fast.replicas).toBe(simulated.stats.replicas['fast'])
    }
  })

  it('adds replicas that serve, and tells of each as the engine does', async () => {
    await using engine = await Engine.start(cascade, { configuration })
    await using tuner = new Tuner(engine, { plan, limits: { maxReplicas: 4 } }).start()
    const scaled = new Map<string, number>()
    engine.on('scale', ({ stage, after }) => scaled.set(stage, after))
    const answers = await engine.inferMany(Array(200).fill(request))
    expect(answers).toHaveLength(200)
    const most = { fast: 4, accurate: 4 }
    await expect.poll(() => Object.fromEntries(scaled)).toEqual(most)
    expect(tuner.stats()).toMatchObject({ arrivals: 200, replicas: most })
    expect(engine.stats().requests).toMatchObject({ completed: 200, failed: 0 })
  })

  it('stops by itself when the engine is closed', async () => {
    const engine = await Engine.start(cascade, { configuration })
    const tuner = new Tuner(engine, { plan }).start()
    const errors: unknown[] = []
    tuner.on('error', (error) => errors.push(error))
    await engine.infer(request)
    const burst = Array.from({ length: 100 }, () => engine.infer(request))
    const closing = engine.close()
    await Promise.all(burst)
    await closing
    await tuner.stop()
    expect(tuner.stats().running).toBe(false)
    expect(errors).toEqual([])
    expect(() => tuner.start()).toThrow(expect.objectContaining({ code: 'MILLRACE_CLOSED' }))
  })
})

describe('planning anew', () => {
  /** Twice the planned load for so long, and what comes of it. */
  async function lasting(replan: (change: LastingChange) => Promise<Plan | undefined>) {
    const engine = await Engine.start(cascade, { configuration })
    const { hand, time } = handTime()
    const options = { replan, replanAfterMs: 4000, limits: { maxReplicas: 4 } }
    const tuner = new Tuner(engine, { plan, time, ...options })
    const told: string[] = []
    tuner.on('replan', () => told.push('replan')).on('error', ({ message }) => told.push(message))
    tuner.start()
    const serve = async (fromMs: number, toMs: number) => {
      for (const atMs of even(300, fromMs, toMs)) {
        hand.nowMs = atMs
        await engine.infer(request)
      }
    }
    await serve(0, 6500)
    await expect.poll(() => told.length).toBeGreaterThan(0)
    return { engine, tuner, told, serve }
  }

  const next: Plan = {
    ...planOf({
      stages: {
        fast: { replicaRatePerS: 200, scaleFactor: 1, load: 0.5, replicas: 3 },
        accurate: { replicaRatePerS: 50, scaleFactor: 0.5, load: 0.5, replicas: 1 },
      },
      envelope: [{ windowMs: 1000, arrivals: 330 }],
    }),
  }

  it('applies a plan for what arrived, whole, and loses no request', async () => {
    const changes: LastingChange[] = []
    const { engine, tuner, told, serve } = await lasting(async (change) => {
      changes.push(change)
      return next
    })
    expect(told).toEqual(['replan'])
    expect(changes).toHaveLength(1)
    expect(changes[0]?.plan).toEqual(plan)
    // Recorded by the engine's own clock, since the change began.
    expect(changes[0]?.trace.arrivalsMs.length).toBeGreaterThan(1000)
    expect(engine.configuration).toMatchObject({
      fast: { replicas: 3, maxBatch: 4 },
      accurate: { replicas: 1, maxBatch: 4 },
    })
    await serve(7000, 9000)
    expect(tuner.stats()).toMatchObject({ replans: 1, replicas: { fast: 3, accurate: 1 } })
    expect(tuner.stats().windows).toHaveLength(1)
    await tuner.stop()
    const { completed, withinObjective: _, ...others } = engine.stats().requests
    expect(completed).toBe(1950 + 600)
    expect(Object.values(others).every((count) => count === 0)).toBe(true)
    await engine.close()
  })

  it.each([
    ['fails', () => Promise.reject(new Error('no plan today')), /no plan today|an error/i],
    [
      'throws',
      () => {
        throw new Error('at once')
      },
      /an Error thrown; the plan before goes on/,
    ],
    ['gives no plan', async () => ({}) as Plan, /^plan: /],
    ['gives the plan of another pipeline', async () => planOf(), /expected stages of the engine/],
  ])('that %s is an event, and the tuner goes on', async (_, replan, message) => {
    const { engine, tuner, told } = await lasting(replan)
    expect(told[0]).toMatch(message)
    expect(tuner.stats()).toMatchObject({ running: true, replans: 0, errors: 1 })
    await tuner.stop()
    await engine.close()
  })

  it('is given up when the tuner stops, whatever it gives later', async () => {
    let signal: AbortSignal | undefined
    let give: (plan: Plan) => void = () => {}
    const engine = await Engine.start(cascade, { configuration })
    const { hand, time } = handTime()
    const replan = (change: LastingChange) => {
      signal = change.signal
      return new Promise<Plan>((resolve) => {
        give = resolve
      })
    }
    const tuner = new Tuner(engine, { plan, time, replan, replanAfterMs: 1000 }).start()
    for (const atMs of even(300, 0, 4000)) {
      hand.nowMs = atMs
      await engine.infer(request)
    }
    expect(signal?.aborted).toBe(false)
    await tuner.stop()
    expect(signal?.aborted).toBe(true)
    const before = engine.configuration
    give(next)
    await pause(5)
    expect(engine.configuration).toEqual(before)
    await engine.close()
  })

  it('is no error where the tuner stops it', async () => {
    const engine = await Engine.start(cascade, { configuration })
    const { hand, time } = handTime()
    let began = false
    const replan = ({ signal }: LastingChange) => {
      began = true
      return new Promise<undefined>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
      })
    }
    const tuner = new Tuner(engine, { plan, time, replan, replanAfterMs: 1000 })
    const errors: unknown[] = []
    tuner.on('error', (error) => errors.push(error)).start()
    for (const atMs of even(300, 0, 4000)) {
      hand.nowMs = atMs
      await engine.infer(request)
    }
    expect(began).toBe(true)
    await tuner.stop()
    await pause(5)
    expect(errors).toEqual([])
    expect(tuner.stats().errors).toBe(0)
    await engine.close()
  })

  it('ends with the engine, where that is closed before the change has lasted', async () => {
    const engine = await Engine.start(cascade, { configuration })
    const { hand, time } = handTime()
    const replan = async () => undefined
    const tuner = new Tuner(engine, { plan, time, replan }).start()
    await engine.scale('fast', 2)
    await engine.close()
    hand.nowMs = 1000
    hand.tick()
    await expect.poll(() => tuner.stats().running).toBe(false)
    expect(tuner.stats().errors).toBe(0)
  })
})

describe('watching the arrivals of an engine', () => {
  it('tells of the same ones that are recorded, until it is stopped', async () => {
    await using engine = await Engine.start(cascade, {
      maxPendingRows: 1,
      configuration: { fast: { replicas: 0 } },
    })
    const recording = engine.recordArrivals()
    let told = 0
    const watch = engine.watchArrivals(() => told++)
    const first = engine.infer(request)
    await expect(engine.infer(request)).rejects.toMatchObject({ code: 'MILLRACE_QUEUE_FULL' })
    await expect(engine.infer({ image: 'none' } as never)).rejects.toThrow('expected')
    await engine.scale('fast', 1)
    await first
    expect(told).toBe(2)
    expect(recording.stop().arrivalsMs).toHaveLength(2)
    watch.stop()
    watch.stop()
    await engine.infer(request)
    expect(told).toBe(2)
    expect(() => engine.watchArrivals(3 as never)).toThrow('expected a function, got the number 3')
  })

  it('a listener may send requests of its own', async () => {
    await using engine = await Engine.start(cascade)
    const [one, other] = readDigits().slice(0, 2)
    const alone = await engine.infer(imagesOf(one === undefined ? [] : [one]))
    const inner: Promise<unknown>[] = []
    const watch = engine.watchArrivals(() => {
      watch.stop()
      inner.push(engine.infer(imagesOf(other === undefined ? [] : [other])))
    })
    expect(await engine.infer(imagesOf(one === undefined ? [] : [one]))).toEqual(alone)
    expect(inner).toHaveLength(1)
    await inner[0]
  })
})
