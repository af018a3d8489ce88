import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { Histogram } from '../../src/engine/histograms.ts'
import { layOut } from '../../src/http/live-page/lay-out.ts'
import { liveGraph } from '../../src/observe/live-graph.ts'
import { LiveLog } from '../../src/observe/live-log.ts'
import type { LiveEngineSource, LiveTunerSource } from '../../src/observe/live-source.ts'
import { recentBounds, recentOf } from '../../src/observe/recent.ts'
import { digits } from '../http/tuned-digits.ts'

function histogramOf(values: readonly number[]): Histogram {
  const upTo = recentBounds.latencyMs.map((bound) => values.filter((each) => each <= bound).length)
  return { upTo, count: values.length, sum: values.reduce((sum, value) => sum + value, 0) }
}

describe('what is recent', () => {
  it('is what was counted between two readings', () => {
    const before = Array.from({ length: 1000 }, () => 500)
    const added = Array.from({ length: 1000 }, (_, index) => (index + 1) / 10)
    const recent = recentOf(histogramOf(before), histogramOf([...before, ...added]))
    expect(recent?.count).toBe(1000)
    expect(recent?.meanMs).toBeCloseTo(50.05)
    for (const [found, wanted] of [
      [recent?.p50Ms, 50],
      [recent?.p95Ms, 95],
      [recent?.p99Ms, 99],
    ] as const) {
      expect(Math.abs((found ?? 0) / wanted - 1)).toBeLessThan(0.05)
    }
  })

  it('is nothing where nothing was counted', () => {
    expect(recentOf(histogramOf([1]), histogramOf([1]))).toBeUndefined()
  })
})

describe('the log of the live page', () => {
  function logged() {
    const [engine, tuner] = [new EventEmitter(), new EventEmitter()]
    let atMs = 0
    const log = new LiveLog({
      engine: engine as unknown as LiveEngineSource,
      tuner: tuner as unknown as LiveTunerSource,
      wallClock: () => atMs,
    })
    const pass = (durationMs: number) => {
      atMs += durationMs
    }
    return { engine, tuner, log, pass }
  }

  it('tells a change that the tuner asked for once, with its reason', () => {
    const { engine, tuner, log } = logged()
    const change = { stage: 'fast', before: 1, after: 3 }
    const reason = 'window 1 s: 9/s over 3/s planned -> fast 1 to 3, limited by 3 cores'
    tuner.emit('scale', { direction: 'up', changes: [change], reason })
    engine.emit('scale', change)
    engine.emit('scale', { stage: 'fast', before: 3, after: 2 })
    expect(log.events.map(({ kind, text }) => `${kind} ${text}`)).toEqual([
      'scale fast 3 to 2',
      'up fast 1 to 3',
    ])
    expect(log.events[1]?.reason).toBe('window 1 s: 9/s over 3/s planned, limited by 3 cores')
  })

  it('tells of a stage that runs on its fallback, with the reason', () => {
    const { engine, log } = logged()
    const reason = 'CUDA device 0 is lost'
    engine.emit('fallback', { stage: 'fast', before: 'cuda', after: 'cpu-1', reason })
    expect(log.events).toMatchObject([{ kind: 'fallback', text: 'fast cuda to cpu-1', reason }])
  })

  it('makes one event of an overload that lasts', () => {
    const { engine, log, pass } = logged()
    for (let second = 0; second < 100; second++) {
      engine.emit('shed', { requests: 3, stages: { fast: 1 } })
      pass(1000)
    }
    expect(log.events.map(({ text }) => text)).toEqual([
      '200 requests refused, 100 requests dropped by a stage',
    ])
    pass(60_000)
    engine.emit('shed', { requests: 1, stages: {} })
    expect(log.events).toHaveLength(2)
  })

  it('keeps the last 50 of either kind, and listens no more once it is stopped', () => {
    const { engine, tuner, log } = logged()
    const scale = { stage: 'fast', before: 1, after: 2 }
    for (let time = 0; time < 200; time++) {
      engine.emit('scale', scale)
      tuner.emit('clock', { jumpMs: 5 })
    }
    expect(log.events).toHaveLength(100)
    log.stop()
    for (const source of [engine, tuner]) expect(source.eventNames()).toEqual([])
  })
})

describe('the graph of a pipeline', () => {
  it('has its stages by level, and conditions on the edges that they are asked of', () => {
    const { stages, edges } = liveGraph(digits)
    expect(stages.map(({ name, level }) => `${name} ${level}`)).toEqual(['fast 1', 'accurate 2'])
    expect(edges).toContainEqual({
      from: 'fast',
      to: 'accurate',
      condition: 'confidence below 0.8',
    })
    expect(edges.filter(({ to }) => to === 'result')).toHaveLength(2)
  })

  it.each(['right', 'down'] as const)(
    'is laid out to the %s without cards upon cards',
    (direction) => {
      const { nodes, edges, width, height } = layOut(liveGraph(digits), { direction })
      expect(nodes).toHaveLength(4)
      expect(edges).toHaveLength(5)
      for (const one of nodes) {
        expect(one.x >= 0 && one.x + one.width <= width).toBe(true)
        expect(one.y >= 0 && one.y + one.height <= height).toBe(true)
        for (const other of nodes) {
          const apart =
            one.x + one.width <= other.x ||
            other.x + other.width <= one.x ||
            one.y + one.height <= other.y ||
            other.y + other.height <= one.y
          expect(one === other || apart).toBe(true)
        }
      }
    },
  )
})
