import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, describe, expect, it } from 'vitest'
import { Engine, type EventMessage, type InferMessage } from '../../src/index.ts'
import { inlineOf, numbers } from './functions.ts'
import { cascade } from './pipelines.ts'
import { rejectionOf } from './rejection.ts'

const image = { image: new Float32Array(64) }
const channel = tracingChannel<InferMessage>('millrace:infer')
let undo: (() => void)[] = []
afterEach(() => {
  for (const one of undo) one()
  undo = []
})

/** Writes down what is published, in its order. */
function listen({ recordVisits = false } = {}) {
  const seen: { event: string; message: InferMessage }[] = []
  const note = (event: string) => (published: unknown) => {
    const message = published as InferMessage
    if (event === 'start' && recordVisits) message.recordVisits = true
    seen.push({ event, message })
  }
  for (const event of ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const) {
    const listener = note(event)
    channel[event].subscribe(listener)
    undo.push(() => channel[event].unsubscribe(listener))
  }
  return seen
}

describe('tracing:millrace:infer', () => {
  it('tells of a request from its start to its result, in one message', async () => {
    const seen = listen()
    await using engine = await Engine.start(cascade)
    const options = { priority: 'high' } as const
    const result = await engine.infer(image, options)
    expect(seen.map(({ event }) => event)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd'])
    expect(new Set(seen.map(({ message }) => message)).size).toBe(1)
    expect(seen[0]?.message).toMatchObject({ pipeline: 'digits', options, recordVisits: false })
    expect(seen[0]?.message.engine).toBe(engine)
    expect(seen[0]?.message.result).toBe(result)
    expect(seen[0]?.message.visits).toBeUndefined()
  })

  it('tells what the request was through where that is asked for, on the clock of process.hrtime', async () => {
    const seen = listen({ recordVisits: true })
    await using engine = await Engine.start(inlineOf(({ x }) => ({ y: x.data })))
    const before = process.hrtime()
    await engine.infer(numbers(1, 2, 3))
    const after = process.hrtime()
    const visits = seen[0]?.message.visits
    expect(visits).toMatchObject({ rows: 3, leftOut: 0 })
    expect(visits?.visits.map(({ stage, row, item, state }) => [stage, row, item, state])).toEqual([
      ['work', 0, undefined, 'ran'],
      ['work', 1, undefined, 'ran'],
      ['work', 2, undefined, 'ran'],
    ])
    const [seconds = 0, nanoseconds = 0] = visits?.submittedAt ?? []
    const nanos = (time: readonly number[]) =>
      BigInt(time[0] ?? 0) * 10n ** 9n + BigInt(time[1] ?? 0)
    expect(nanos([seconds, nanoseconds])).toBeGreaterThanOrEqual(nanos(before))
    expect(nanos([seconds, nanoseconds]) + BigInt(visits?.settledNs ?? 0)).toBeLessThanOrEqual(
      nanos(after),
    )
  })

  it('tells of a request that is wrong, and rejects all the same', async () => {
    const seen = listen({ recordVisits: true })
    await using engine = await Engine.start(cascade)
    const error = await rejectionOf(engine.infer({} as never))
    expect(seen.map(({ event }) => event)).toEqual([
      'start',
      'end',
      'error',
      'asyncStart',
      'asyncEnd',
    ])
    expect(seen[0]?.message.error).toBe(error)
  })

  it('tells nobody of requests that were sent before they listened', async () => {
    await using engine = await Engine.start(cascade)
    const answer = engine.infer(image)
    const seen = listen()
    await answer
    expect(seen).toEqual([])
  })
})

describe('millrace:scale and others', () => {
  it('tell of the events of all engines, and of their end', async () => {
    const told: [string, EventMessage][] = []
    for (const name of ['scale', 'swap', 'apply', 'shed', 'error', 'close']) {
      const listener = (message: unknown) => void told.push([name, message as EventMessage])
      subscribe(`millrace:${name}`, listener)
      undo.push(() => unsubscribe(`millrace:${name}`, listener))
    }
    const engine = await Engine.start(cascade, { configuration: { fast: { replicas: 1 } } })
    await engine.scale('fast', 2)
    await engine.apply({ fast: { replicas: 1 } })
    await rejectionOf(engine.swap('fast', 'no-such.onnx'))
    await engine.close()
    expect(told.map(([name]) => name)).toEqual(['scale', 'apply', 'error', 'close'])
    expect(told[0]?.[1]).toMatchObject({
      pipeline: 'digits',
      event: { stage: 'fast', before: 1, after: 2 },
    })
    expect(told.every(([, message]) => message.engine === engine)).toBe(true)
  })
})

describe('traceHeaders', () => {
  it('must be an object', async () => {
    await using engine = await Engine.start(cascade)
    const error = await rejectionOf(engine.infer(image, { traceHeaders: 'traceparent' as never }))
    expect(error.code).toBe('MILLRACE_INVALID_OPTION')
    expect(error.message).toContain('traceHeaders: expected an object of headers')
  })
})
