// Everything at once, for STRESS_MINUTES (20): workers that throw, exit and hang, requests that are
// cancelled or expire, replicas that come and go, a model that is swapped under load, an overload now
// and then. Every answer is right, every request settles once, and the memory stays flat.
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { definePipeline, Engine, inline, js, MillraceError, onnx } from '../../src/index.ts'
import { readDigits } from '../engine/pipelines.ts'
import { codes } from './chaos-stages.js'
import { knownLabels, randomFrom } from './requests.ts'

const minutes = Number(process.env['STRESS_MINUTES'] ?? 20)
const stages = new URL('./chaos-stages.js', import.meta.url)
const fastModel = new URL(
  '../../examples/01-digits-cascade/models/digits-fast.onnx',
  import.meta.url,
)
const accurateModel = new URL(
  '../../examples/01-digits-cascade/models/digits-accurate.onnx',
  import.meta.url,
)
const digits = readDigits()
const images = digits.map(({ pixels }) => pixels)
const mostInFlight = 500

const pipeline = definePipeline({
  name: 'chaos',
  stages: {
    spread: js(stages, {
      export: 'spread',
      data: { images },
      fanOut: true,
      timeoutMs: 1000,
      inputs: { indices: { from: 'request.indices', type: 'int32', dims: [-1] } },
      outputs: { image: { type: 'float32', dims: [-1, 1, 8, 8] } },
    }),
    fast: onnx(fastModel, { inputs: { image: 'spread.image' } }),
    accurate: onnx(accurateModel, {
      inputs: { image: 'spread.image' },
      when: { output: 'fast.confidence', below: 0.8 },
      cache: { maxBytes: 1 << 16, ttlMs: 1000 },
    }),
    join: js(stages, {
      export: 'join',
      data: { images: [] },
      gather: 'spread',
      inputs: { labels: ['accurate.label', 'fast.label'] },
      outputs: { text: { type: 'string', dims: [] } },
    }),
    length: inline(
      async ({ indices }) => {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 4))
        return { length: indices.data.length }
      },
      {
        batched: false,
        inputs: { indices: { from: 'request.indices', type: 'int32', dims: [-1] } },
        outputs: { length: { type: 'int32', dims: [] } },
      },
    ),
  },
  outputs: { text: 'join.text', length: 'length.length' },
})

type ChaosEngine = Engine<typeof pipeline>
type Tally = Record<string, number>

describe('a pipeline of every kind of stage, through everything that can happen', () => {
  it(
    `serves for ${minutes} minutes: right answers, all settled, flat memory`,
    async () => {
      const labels = await knownLabels()
      const engine = await Engine.start(pipeline, {
        maxPendingRows: 2000,
        configuration: { spread: { replicas: 2 }, join: { replicas: 1 } },
      })
      const random = randomFrom(11)
      const untilMs = performance.now() + minutes * 60_000
      const disturbing = disturb(engine, { random: randomFrom(12), untilMs })
      disturbing.catch(() => undefined) // told below
      const residentMiB: number[] = []
      const tally: Tally = {}
      for (let round = 0; round < 20; round++) {
        const roundEndsMs = performance.now() + (minutes * 60_000) / 20
        await storm(engine, { random, labels, tally, untilMs: roundEndsMs })
        residentMiB.push(Math.round(process.memoryUsage.rss() / 2 ** 20))
        console.log(`round ${round + 1}: ${JSON.stringify(tally)}, ${residentMiB.at(-1)} MiB`)
      }
      await disturbing
      const stats = engine.stats()
      expect(stats.pendingRequests).toBe(0)
      expect(stats.pendingRows).toBe(0)
      await engine.close()
      expect(tally['answered']).toBeGreaterThan(0)
      const early = Math.max(...residentMiB.slice(2, 6))
      expect(Math.max(...residentMiB.slice(6))).toBeLessThan(early * 1.2 + 20)
    },
    (minutes + 10) * 60_000,
  )
})

/** Keeps requests in flight until the time has come, and then until all are settled. */
async function storm(
  engine: ChaosEngine,
  given: { random: () => number; labels: readonly unknown[]; tally: Tally; untilMs: number },
): Promise<void> {
  const lanes = Array.from({ length: mostInFlight }, async () => {
    while (performance.now() < given.untilMs) await sendOne(engine, given)
  })
  await Promise.all(lanes)
}

async function sendOne(
  engine: ChaosEngine,
  { random, labels, tally }: { random: () => number; labels: readonly unknown[]; tally: Tally },
): Promise<void> {
  const indices = Array.from({ length: Math.floor(random() * 6) }, () => {
    return Math.floor(random() * digits.length)
  })
  const code = random() < 0.01 ? randomCode(random) : undefined
  if (code !== undefined) indices.unshift(code)
  const data = Int32Array.from(indices)
  const options = randomOptions(random)
  let outcome = 'answered'
  try {
    const { text, length } = await engine.infer(
      { indices: { type: 'int32', dims: [1, data.length], data } },
      options,
    )
    expect(code).toBeUndefined()
    expect(text.data[0]).toBe(indices.map((index) => labels[index]).join(''))
    expect(length.data[0]).toBe(indices.length)
  } catch (error) {
    if (!MillraceError.is(error)) throw error
    outcome = error.code
    // As a client should: otherwise refusals alone would keep the event loop busy.
    await new Promise((resolve) => setTimeout(resolve, error.retryAfterMs ?? 1))
  }
  tally[outcome] = (tally[outcome] ?? 0) + 1
}

function randomCode(random: () => number): number {
  const all = Object.values(codes)
  const code = all[Math.floor(random() * all.length)] ?? codes.fail
  // A hang costs a second of a worker.
  return code === codes.hang && random() < 0.9 ? codes.fail : code
}

function randomOptions(random: () => number) {
  const kind = random()
  if (kind < 0.6) return {}
  if (kind < 0.8) return { deadlineMs: 1 + random() * 200 }
  if (kind < 0.9) return { priority: random() < 0.5 ? 'high' : 'low' } as const
  const controller = new AbortController()
  setTimeout(() => controller.abort(), random() * 50)
  return { signal: controller.signal }
}

/** Scales and swaps at random. */
async function disturb(
  engine: ChaosEngine,
  { random, untilMs }: { random: () => number; untilMs: number },
): Promise<void> {
  const names = ['spread', 'fast', 'accurate', 'join', 'length'] as const
  while (performance.now() < untilMs) {
    const stage = names[Math.floor(random() * names.length)] ?? 'fast'
    if (stage === 'fast' && random() < 0.5) await engine.swap('fast', fileURLToPath(fastModel))
    else await engine.scale(stage, Math.floor(random() * 4))
    await new Promise((resolve) => setTimeout(resolve, random() * 200))
    if (random() < 0.2) for (const name of names) await engine.scale(name, 1)
  }
  for (const name of names) await engine.scale(name, 1)
}
