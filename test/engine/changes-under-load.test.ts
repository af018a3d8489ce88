import { describe, expect, it } from 'vitest'
import { definePipeline, Engine, type InputsOf, inline, onnx } from '../../src/index.ts'
import { join } from './fixtures/items-worker.js'
import { numbers } from './functions.ts'
import { doubling, expectedOf, itemsPipeline, joining, splits } from './items.ts'
import { modelFile } from './pipelines.ts'

/** Every other stage is a worker's, of one row or of a batch. */
const pipeline = itemsPipeline('js batched', 'js row')
const rows = [2, 0, 5] as const

/** Sends requests, some at a time, until the change is made; all must be answered as they should be. */
async function under(
  engine: Engine<typeof pipeline>,
  change: () => Promise<void>,
): Promise<number> {
  let going = true
  let answered = 0
  const client = async () => {
    for (; going; answered++)
      expect(await engine.infer(numbers(...rows))).toEqual(expectedOf(...rows))
  }
  const clients = Array.from({ length: 8 }, client)
  try {
    await change()
  } finally {
    going = false
    await Promise.all(clients)
  }
  return answered
}

describe('under load', () => {
  it('workers are added and sent away, of all stages at once', async () => {
    await using engine = await Engine.start(pipeline)
    const sizes = [1, 3, 2, 0, 1, 4, 1]
    const answered = await under(engine, async () => {
      for (const replicas of sizes) {
        const work = { replicas, maxBatch: 1 + replicas }
        const inlined = { replicas: 1 + replicas, maxDelayMs: replicas % 2 }
        await engine.apply({ split: { replicas }, work, join: inlined })
      }
    })
    expect(answered).toBeGreaterThan(0)
    expect(engine.configuration).toMatchObject({ split: { replicas: 1 }, work: { replicas: 1 } })
    const { stages, requests } = engine.stats()
    expect(stages.work.replicas).toBe(1)
    expect(requests.failed).toBe(0)
    expect(stages.work.failedRows + stages.split.failedRows).toBe(0)
  })

  it('one stage is scaled while another one is applied to, in the order of the calls', async () => {
    await using engine = await Engine.start(pipeline)
    await under(engine, async () => {
      await Promise.all([
        engine.scale('work', 0),
        engine.apply({ work: { replicas: 2 }, split: { maxBatch: 2 } }),
        engine.scale('split', 2),
        engine.apply({ join: { replicas: 1 } }),
      ])
    })
    expect(engine.configuration).toMatchObject({
      split: { replicas: 2, maxBatch: 2 },
      work: { replicas: 2 },
      join: { replicas: 1 },
    })
  })

  it('a padded model with a cache that items go through is swapped', async () => {
    const padded = definePipeline({
      stages: {
        split: splits['inline batched'],
        ramp: inline(({ x }) => ({ ramp: ones((x.data[0] as number) % 100) }), {
          inputs: { x: 'split.value' },
          outputs: { ramp: { type: 'float32', dims: [-1] } },
          batched: false,
        }),
        work: onnx(modelFile('dynamic-sequence'), {
          inputs: { tokens: 'ramp.ramp' },
          pad: { tokens: 0 },
          cache: { maxBytes: 4096, ttlMs: 5 },
        }),
        join: inline(join, { ...joining, inputs: { values: 'work.total' } }),
      },
      outputs: { sum: 'join.sum' },
    })
    await using engine = await Engine.start(padded)
    let going = true
    const client = async () => {
      while (going) {
        const { sum } = await engine.infer(numbers(6, 0, 3))
        expect(sum).toEqual(numbers(15, 0, 3).x)
      }
    }
    const clients = Array.from({ length: 4 }, client)
    for (let swap = 0; swap < 10; swap++) {
      await engine.swap('work', modelFile('dynamic-sequence'))
    }
    going = false
    await Promise.all(clients)
    expect(engine.stats().requests.failed).toBe(0)
    // A row is counted as gone shortly after its answer is there.
    await expect.poll(() => engine.stats().pendingRows).toBe(0)
  })

  it('closing ends everything: every request is answered or refused', async () => {
    const engine = await Engine.start(pipeline)
    const sent = Array.from({ length: 200 }, () => engine.infer(numbers(...rows)))
    const settling = Promise.allSettled(sent)
    const change = engine.apply({ work: { replicas: 3 } }).catch(({ code }) => code)
    await engine.close({ timeoutMs: 5 })
    expect([undefined, 'MILLRACE_CLOSED']).toContain(await change)
    for (const settled of await settling) {
      if (settled.status === 'fulfilled') expect(settled.value).toEqual(expectedOf(...rows))
      else expect(settled.reason).toMatchObject({ code: 'MILLRACE_CLOSED' })
    }
  })
})

describe('overload', () => {
  it.each(['js row', 'inline row'] as const)(
    'of items sheds or answers, and what is answered is right: %s',
    async (work) => {
      const busy = itemsPipeline('js row', work)
      await using engine = await Engine.start(busy, {
        configuration: { split: { replicas: 1 }, work: { replicas: 1, maxBatch: 4 } },
        maxPendingRows: 64,
      })
      await engine.inferMany([numbers(3), numbers(3), numbers(3)])
      const inputs: InputsOf<typeof busy> = numbers(4, 2)
      const sent = Array.from({ length: 400 }, (_, at) =>
        engine.infer(inputs, { deadlineMs: 1 + (at % 40), priority: at % 2 ? 'high' : 'low' }),
      )
      const codes = ['MILLRACE_QUEUE_FULL', 'MILLRACE_DEADLINE_EXCEEDED']
      for (const settled of await Promise.allSettled(sent)) {
        if (settled.status === 'fulfilled') expect(settled.value).toEqual(expectedOf(4, 2))
        else expect(codes).toContain(settled.reason.code)
      }
      while (engine.stats().pendingRows > 0) await new Promise(setImmediate)
      expect(await engine.infer(inputs)).toEqual(expectedOf(4, 2))
      const { completed, withinObjective, queueFull, shed, deadlineExceeded, ...others } =
        engine.stats().requests
      expect(completed + queueFull + shed + deadlineExceeded).toBe(404)
      expect(withinObjective).toBeLessThanOrEqual(completed)
      expect(others).toEqual({ failed: 0, cancelled: 0, closed: 0 })
    },
  )
})

describe('the signal of a call', () => {
  const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

  it('is aborted only once nobody waits for any row of it', async () => {
    const signals: AbortSignal[] = []
    const patient = definePipeline({
      stages: {
        split: splits['inline row'],
        work: inline(async ({ x }, { signal }) => {
          signals.push(signal)
          await pause(60)
          return { y: (x.data as Float32Array).map((value) => 2 * value) }
        }, doubling),
        join: inline(join, joining),
      },
      outputs: { sum: 'join.sum', count: 'join.count', items: 'work.y' },
    })
    const configuration = { work: { replicas: 1, maxBatch: 16, maxDelayMs: 20 } }
    await using engine = await Engine.start(patient, { configuration })
    const controllers = [new AbortController(), new AbortController()]
    const [gone, alone] = controllers
    const first = engine.infer(numbers(2), { signal: gone?.signal }).catch(({ code }) => code)
    const second = engine.infer(numbers(3))
    while (signals.length === 0) await pause(1)
    gone?.abort()
    expect(await first).toBe('MILLRACE_CANCELLED')
    expect(await second).toEqual(expectedOf(3))
    expect(signals.some(({ aborted }) => aborted)).toBe(false)
    const third = engine.infer(numbers(4), { signal: alone?.signal }).catch(({ code }) => code)
    const before = signals.length
    while (signals.length === before) await pause(1)
    alone?.abort()
    expect(await third).toBe('MILLRACE_CANCELLED')
    for (let waited = 0; !signals.at(-1)?.aborted && waited < 50; waited++) await pause(1)
    expect(signals.at(-1)?.aborted).toBe(true)
    expect(await engine.infer(numbers(1))).toEqual(expectedOf(1))
  })
})

function ones(length: number) {
  return { type: 'float32', dims: [length], data: new Float32Array(length).fill(1) } as const
}
