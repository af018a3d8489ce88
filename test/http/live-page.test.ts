import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { Engine } from '../../src/engine/engine.ts'
import { livePage } from '../../src/http/live-page.ts'
import type { HttpRequest, HttpResponse } from '../../src/http/message.ts'
import type { LiveSnapshot } from '../../src/observe/live-snapshot.ts'
import { digits, images } from './tuned-digits.ts'

let engine: Engine<typeof digits>
beforeAll(async () => {
  engine = await Engine.start(digits)
  await engine.inferMany(images.slice(0, 40))
})
afterAll(() => engine.close())

function requestFor(path: string, given: Partial<HttpRequest> = {}): HttpRequest {
  const body = Readable.from([])
  const { signal } = new AbortController()
  return { method: 'GET', path, query: '', headers: {}, body, signal, ...given }
}

function pageOf(options: { readonly intervalMs?: number } = {}) {
  const page = livePage({ engines: { digits: engine }, ...options })
  return {
    ask: (path: string, given?: Partial<HttpRequest>) =>
      page(requestFor(path, given)) as HttpResponse,
    [Symbol.dispose]: () => page.close(),
  }
}

/** The events of a stream, one by one. */
function eventsOf({ body }: HttpResponse) {
  const chunks = (body as AsyncIterable<string>)[Symbol.asyncIterator]()
  return {
    next: async () => {
      const { value, done } = await chunks.next()
      return done ? undefined : (value as string)
    },
    leave: () => chunks.return?.(),
  }
}

function snapshotIn(event: string | undefined): LiveSnapshot {
  return JSON.parse(/^data: (.*)$/m.exec(event ?? '')?.[1] ?? '') as LiveSnapshot
}

describe('the live page', () => {
  it.each([
    ['/', 'text/html; charset=utf-8'],
    ['/page.js', 'text/javascript; charset=utf-8'],
    ['/page.css', 'text/css; charset=utf-8'],
  ])('serves %s, and says that it has not changed', (path, contentType) => {
    using page = pageOf()
    const { status, headers } = page.ask(path)
    expect(status).toBe(200)
    expect(headers).toMatchObject({
      'content-type': contentType,
      'x-content-type-options': 'nosniff',
    })
    const again = page.ask(path, { headers: { 'if-none-match': headers['etag'] } })
    expect([again.status, again.body]).toEqual([304, ''])
  })

  it('allows its own files alone', () => {
    using page = pageOf()
    const { headers, body } = page.ask('/')
    expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'")
    const html = Buffer.from(body as Uint8Array).toString()
    expect(html).not.toMatch(/https?:\/\/(?!www\.w3\.org\/2000\/svg)/)
    expect(html).not.toMatch(/(src|href)="\//)
  })

  it.each([
    ['/live', '', './live/'],
    ['/admin/live', 'a=1', './live/?a=1'],
    ['/a:b', '', './a:b/'],
    ['//evil.example', '', './evil.example/'],
  ])('sends from %s to below it, so that relative addresses work', (fullPath, query, location) => {
    using page = pageOf()
    const { status, headers } = page.ask('/', { fullPath, query })
    expect([status, headers['location']]).toEqual([308, location])
    expect(page.ask('/', { fullPath: `${fullPath}/` }).status).toBe(200)
  })

  it('leaves other paths to others, and other methods to nobody', () => {
    using page = pageOf()
    for (const path of ['/other', '/../package.json', '/page.html', '/constructor', '/__proto__']) {
      expect(page.ask(path)).toBeUndefined()
    }
    expect(page.ask('/', { method: 'POST' })).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    })
    expect(page.ask('/events', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' })
  })

  it('gives a snapshot that agrees with the engine', () => {
    using page = pageOf()
    const snapshot = JSON.parse(page.ask('/snapshot.json').body as string) as LiveSnapshot
    const [shown] = snapshot.engines
    const { withinObjective: _, ...requests } = engine.stats().requests
    expect(snapshot.version).toBe(1)
    expect(shown).toMatchObject({ name: 'digits', pipeline: 'digits', state: 'serving', requests })
    expect(shown?.stages['fast']).toMatchObject({
      rows: 40,
      replicas: engine.stats().stages.fast.replicas,
    })
    expect(shown?.history).toHaveLength(1)
  })

  it('refuses what is no engine, with the name of the option', () => {
    expect(() => livePage({ engines: {} })).toThrow(/engines: expected at least one/)
    expect(() => livePage({ engines: { a: 3 } as never })).toThrow(/engines\["a"\]: expected/)
    expect(() => livePage({ engines: { a: { engine: {} } } as never })).toThrow(
      /expected an engine/,
    )
    const tuner = { stats: () => ({}) }
    expect(() => livePage({ engines: { a: { engine, tuner } } as never })).toThrow(/a Tuner/)
    expect(() =>
      livePage({ engines: { a: { engine, plan: { configuration: 3 } } } as never }),
    ).toThrow(/engines\["a"\]\.plan: expected a plan/)
    expect(() => livePage({ engines: { a: engine }, intervalMs: 1 })).toThrow(/intervalMs/)
    expect(() => livePage({ engines: { a: engine }, title: 'x' } as never)).toThrow(
      /unknown key "title"/,
    )
  })
})

describe('the events of the live page', () => {
  it('are the last minutes first, then one snapshot after the other', async () => {
    using page = pageOf({ intervalMs: 100 })
    const response = page.ask('/events')
    expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8')
    const events = eventsOf(response)
    const first = await events.next()
    expect(first).toMatch(/^retry: \d+\n\nevent: snapshot\ndata: .*\n\n$/)
    expect(snapshotIn(first).engines[0]?.history).toBeDefined()
    const second = await events.next()
    expect(snapshotIn(second).engines[0]).not.toHaveProperty('history')
    expect(snapshotIn(second).atMs).toBeGreaterThan(snapshotIn(first).atMs)
    await events.leave()
    expect(await events.next()).toBeUndefined()
  })

  it('are left out for a client that is slow, but for the first and the newest', async () => {
    vi.useFakeTimers()
    try {
      using page = pageOf({ intervalMs: 1000 })
      const events = eventsOf(page.ask('/events'))
      vi.advanceTimersByTime(5000)
      const first = snapshotIn(await events.next())
      expect(first.engines[0]?.history).toBeDefined()
      vi.advanceTimersByTime(60_000)
      const next = snapshotIn(await events.next())
      expect(next.atMs - first.atMs).toBeGreaterThanOrEqual(60_000)
      const waiting = events.next()
      vi.advanceTimersByTime(1000)
      expect(snapshotIn(await waiting).atMs - next.atMs).toBe(1000)
    } finally {
      vi.useRealTimers()
    }
  })

  it('are comments where there is nothing else for long', async () => {
    vi.useFakeTimers()
    try {
      using page = pageOf({ intervalMs: 60_000 })
      const events = eventsOf(page.ask('/events'))
      await events.next()
      const waiting = events.next()
      vi.advanceTimersByTime(15_000)
      expect(await waiting).toBe(': still here\n\n')
    } finally {
      vi.useRealTimers()
    }
  })

  it('share one timer, which slows down when nobody watches, and readings with it', async () => {
    vi.useFakeTimers()
    const readings = vi.spyOn(engine, 'stats')
    try {
      using page = pageOf({ intervalMs: 1000 })
      const watching = [page.ask('/events'), page.ask('/events'), page.ask('/events')].map(eventsOf)
      readings.mockClear()
      vi.advanceTimersByTime(10_000)
      expect(readings).toHaveBeenCalledTimes(10)
      for (const { leave } of watching) await leave()
      readings.mockClear()
      vi.advanceTimersByTime(60_000)
      expect(readings).toHaveBeenCalledTimes(6)
    } finally {
      readings.mockRestore()
      vi.useRealTimers()
    }
  })

  it('end when the client hangs up, by its signal as well', async () => {
    using page = pageOf({ intervalMs: 60_000 })
    const gone = new AbortController()
    const events = eventsOf(page.ask('/events', { signal: gone.signal }))
    await events.next()
    const waiting = events.next()
    gone.abort()
    expect(await waiting).toBeUndefined()
    expect(await eventsOf(page.ask('/events', { signal: gone.signal })).next()).toBeUndefined()
  })

  it('end with the engine, and say so', async () => {
    const own = await Engine.start(digits)
    const page = livePage({ engines: { own }, intervalMs: 100 })
    const events = eventsOf(page(requestFor('/events')) as HttpResponse)
    await events.next()
    await own.close()
    let last: string | undefined
    for (let event = await events.next(); event !== undefined; event = await events.next())
      last = event
    expect(last).toMatch(/event: end\ndata: \{\}\n\n$/)
    expect(page(requestFor('/events'))).toMatchObject({ status: 503 })
    const snapshot = JSON.parse(
      (page(requestFor('/snapshot.json')) as HttpResponse).body as string,
    ) as LiveSnapshot
    expect(snapshot.engines[0]?.state).toBe('ended')
  })

  it('end when the page is closed', async () => {
    const page = livePage({ engines: { digits: engine } })
    const events = eventsOf(page(requestFor('/events')) as HttpResponse)
    await events.next()
    const waiting = events.next()
    page.close()
    page.close()
    expect(await waiting).toBe('event: end\ndata: {}\n\n')
    expect(await events.next()).toBeUndefined()
  })
})
