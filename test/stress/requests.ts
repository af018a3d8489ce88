// Random requests of every kind at a running engine, each checked against answers known before. Shared by the short
// version in test/engine and the long one beside this file.
import { expect } from 'vitest'
import { Engine, type InferOptions, MillraceError } from '../../src/index.ts'
import { cascade, imagesOf, readDigits } from '../engine/pipelines.ts'

export interface Tally {
  completed: number
  refused: Record<string, number>
}

const digits = readDigits()
const mostInFlight = 2000

/** The label that the cascade gives each digit when it is sent alone. */
export async function knownLabels(): Promise<readonly unknown[]> {
  await using engine = await Engine.start(cascade)
  const results = await engine.inferMany(digits.map((digit) => imagesOf([digit])))
  return results.map(({ label }) => label.data[0])
}

/** Sends so many requests, some thousands at a time, and returns how they ended. */
export async function storm(
  engine: Engine<typeof cascade>,
  given: { requests: number; random: () => number; labels: readonly unknown[] },
): Promise<Tally> {
  const tally: Tally = { completed: 0, refused: {} }
  const wrong: unknown[] = []
  let settled = 0
  let resume = (): void => undefined
  for (let sent = 1; sent <= given.requests; sent++) {
    void sendOne(engine, { ...given, tally })
      .catch((error: unknown) => wrong.push(error))
      .finally(() => {
        settled++
        resume()
      })
    while (sent - settled >= mostInFlight || (sent === given.requests && settled < sent)) {
      await new Promise<void>((resolve) => {
        resume = resolve
      })
    }
  }
  expect(settled).toBe(given.requests)
  if (wrong.length > 0) throw wrong[0]
  return tally
}

async function sendOne(
  engine: Engine<typeof cascade>,
  { random, labels, tally }: { random: () => number; labels: readonly unknown[]; tally: Tally },
): Promise<void> {
  const rows = 1 + Math.floor(random() * 4)
  const picked = Array.from({ length: rows }, () => Math.floor(random() * digits.length))
  const { options, expected } = randomTerms(random)
  try {
    const { label } = await engine.infer(imagesOf(picked.map((at) => digits[at]!)), options)
    if (picked.some((at, row) => label.data[row] !== labels[at])) {
      expect.fail(`expected labels ${picked.map((at) => labels[at])}, got ${label.data.join()}`)
    }
    tally.completed++
  } catch (error) {
    if (!MillraceError.is(error)) throw error
    expect([...expected, 'MILLRACE_CLOSED', 'MILLRACE_QUEUE_FULL']).toContain(error.code)
    tally.refused[error.code] = (tally.refused[error.code] ?? 0) + 1
    // As a client should: otherwise a full pipeline would take in the rest of the storm at once.
    if (error.code === 'MILLRACE_QUEUE_FULL') await new Promise((done) => setTimeout(done, 10))
  }
}

function randomTerms(random: () => number): { options: InferOptions; expected: string[] } {
  const kind = random()
  if (kind < 0.7) return { options: {}, expected: [] }
  if (kind < 0.8) return { options: { priority: random() < 0.5 ? 'high' : 'low' }, expected: [] }
  if (kind < 0.9) {
    const deadlineMs = (random() - 0.3) * 20
    return { options: { deadlineMs }, expected: ['MILLRACE_DEADLINE_EXCEEDED'] }
  }
  const controller = new AbortController()
  const abort = (): void => controller.abort()
  if (random() < 0.3) abort()
  else if (random() < 0.5) setImmediate(abort)
  else queueMicrotask(abort)
  return { options: { signal: controller.signal }, expected: ['MILLRACE_CANCELLED'] }
}

/** Changes the number of replicas at random until it is told to stop. */
export function scaleAtRandom(
  engine: Engine<typeof cascade>,
  random: () => number,
): () => Promise<void> {
  let going = true
  const scaling = (async () => {
    while (going) {
      const stage = random() < 0.5 ? 'fast' : 'accurate'
      await engine.scale(stage, Math.floor(random() * 4))
      await new Promise((resolve) => setTimeout(resolve, random() * 20))
    }
    await Promise.all([engine.scale('fast', 1), engine.scale('accurate', 1)])
  })()
  return async () => {
    going = false
    await scaling
  }
}

/** Numbers from 0 to 1 that follow from a seed (a linear congruential generator). */
export function randomFrom(seed: number): () => number {
  let state = BigInt(seed)
  return () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn
    return Number(state >> 40n) / 2 ** 24
  }
}
