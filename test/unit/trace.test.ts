import { describe, expect, it } from 'vitest'
import { Trace } from '../../src/workload/trace.ts'
import { errorOf } from './thrown.ts'

const bad = (arrivalsMs: unknown) =>
  errorOf(() => new Trace({ arrivalsMs: arrivalsMs as number[] }))

describe('a trace', () => {
  it('holds arrivals and what is known of them, and lasts to the last one', () => {
    const trace = new Trace({ arrivalsMs: [0, 1.5, 1.5, 20] })
    expect(trace.arrivalsMs).toEqual(Float64Array.of(0, 1.5, 1.5, 20))
    expect(trace.meta).toEqual({})
    expect(trace.durationMs).toBe(20)
  })

  it('lasts as long as its meta says', () => {
    expect(new Trace({ arrivalsMs: [5], meta: { durationMs: 60 } }).durationMs).toBe(60)
  })

  it('keeps copies', () => {
    const arrivalsMs = Float64Array.of(1, 2)
    const meta = { from: { file: 'a' } }
    const trace = new Trace({ arrivalsMs, meta })
    arrivalsMs[0] = 9
    meta.from.file = 'b'
    expect(trace.arrivalsMs[0]).toBe(1)
    expect(trace.meta).toEqual({ from: { file: 'a' } })
  })

  it.each([
    [
      [1, 3, 2],
      'arrivalsMs[2]: expected at least 3, the arrival before it, got the number 2; sort',
    ],
    [[-1], 'arrivalsMs[0]: expected at least 0, got the number -1'],
    [
      [0, Number.NaN],
      'arrivalsMs[1]: expected a finite number of milliseconds, got the number NaN',
    ],
    [[Number.POSITIVE_INFINITY], 'arrivalsMs[0]: expected a finite number'],
    [[0, null], 'arrivalsMs[1]: expected a finite number of milliseconds, got null'],
    [[0, '1'], 'arrivalsMs[1]: expected a finite number of milliseconds, got the string "1"'],
    [[0, 1n], 'arrivalsMs[1]: expected a finite number of milliseconds, got the bigint 1n'],
    [new Array(2), 'arrivalsMs[0]: expected a finite number of milliseconds, got undefined'],
    [Float64Array.of(2, 1), 'arrivalsMs[1]: expected at least 2'],
    [[], 'arrivalsMs: expected an array of at least one number, got an array of 0'],
    [new Float64Array(0), 'arrivalsMs: expected an array of at least one number'],
    [undefined, 'arrivalsMs: expected an array of at least one number, got undefined'],
    ['12', 'arrivalsMs: expected an array of at least one number, got the string "12"'],
    [{ length: 1, 0: 1 }, 'arrivalsMs: expected an array of at least one number'],
    [new DataView(new ArrayBuffer(8)), 'arrivalsMs: expected an array of at least one number'],
  ])('refuses arrivals %s', (arrivalsMs, message) => {
    const error = bad(arrivalsMs)
    expect(error.code).toBe('MILLRACE_INVALID_OPTION')
    expect(error.message).toContain(message)
  })

  it.each([
    [null, 'meta: expected a plain object, got null'],
    [[1], 'meta: expected a plain object, got an array of 1'],
    [{ big: 1n }, 'meta: expected what JSON can hold'],
    [
      { durationMs: 4 },
      'meta.durationMs: expected a finite number of at least 5, the last arrival',
    ],
    [{ durationMs: '9' }, 'meta.durationMs: expected a finite number'],
  ])('refuses the meta %o', (meta, message) => {
    const given = { arrivalsMs: [5], meta: meta as unknown as Record<string, unknown> }
    expect(errorOf(() => new Trace(given)).message).toContain(message)
  })

  it('refuses options it does not know', () => {
    const options = { arrivalMs: [1] } as unknown as { arrivalsMs: number[] }
    expect(errorOf(() => new Trace(options)).message).toContain('did you mean "arrivalsMs"?')
  })
})

describe('a slice of a trace', () => {
  const trace = new Trace({ arrivalsMs: [0, 10.1, 20.2, 30.3], meta: { durationMs: 40, seed: 1 } })

  it('holds the arrivals from one time on and before another, counted from there', () => {
    const slice = trace.slice(10.1, 30.3)
    expect([...slice.arrivalsMs]).toEqual([0, 10.1])
    expect(slice.durationMs).toBe(20.2)
  })

  it('goes to the end by default, and never beyond', () => {
    expect([...trace.slice(20.2).arrivalsMs]).toEqual([0, 10.1])
    expect(trace.slice(20.2).durationMs).toBe(19.8)
    expect(trace.slice(20.2, 1000).durationMs).toBe(19.8)
    expect([...new Trace({ arrivalsMs: [1, 2] }).slice(1).arrivalsMs]).toEqual([0, 1])
  })

  it('says what it was cut from', () => {
    expect(trace.slice(5, 35).slice(1).meta).toEqual({
      seed: 1,
      durationMs: 29,
      changes: [{ slice: { fromMs: 5, toMs: 35 } }, { slice: { fromMs: 1, toMs: 30 } }],
    })
  })

  it('puts together again what it took apart', () => {
    const whole = Trace.gamma({ ratePerS: 50, cv2: 4, durationMs: 10_000 })
    const parts = [whole.slice(0, 2_500), whole.slice(2_500)]
    expect(parts.map((part) => part.durationMs)).toEqual([2_500, 7_500])
    const counts = parts.map((part) => part.arrivalsMs.length)
    expect((counts[0] as number) + (counts[1] as number)).toBe(whole.arrivalsMs.length)
  })

  it.each([
    [-1, 10, 'fromMs: expected a finite number at least 0'],
    [10, 10, 'toMs: expected a finite number above 10'],
    [40, undefined, 'toMs: expected a finite number above 40'],
    [Number.NaN, 10, 'fromMs: expected'],
    [1, 5, 'slice: expected at least one arrival from 1 to 5 ms, got none'],
  ])('from %s to %s is refused', (fromMs, toMs, message) => {
    expect(errorOf(() => trace.slice(fromMs, toMs)).message).toContain(message)
  })
})

describe('a trace brought to a rate', () => {
  it('has that rate, as many requests and the same burstiness', () => {
    const trace = Trace.gamma({ ratePerS: 50, cv2: 4, durationMs: 60_000 })
    const faster = trace.atRate(200)
    expect(faster.arrivalsMs.length).toBe(trace.arrivalsMs.length)
    expect(faster.stats().ratePerS).toBeCloseTo(200, 6)
    expect(faster.stats().cv2).toBeCloseTo(trace.stats().cv2 as number, 3)
    expect(faster.meta['changes']).toEqual([{ atRate: { ratePerS: 200 } }])
  })

  it('has its times stretched alike', () => {
    const trace = new Trace({ arrivalsMs: [0, 100, 250, 1000] }).atRate(2)
    expect([...trace.arrivalsMs]).toEqual([0, 200, 500, 2000])
    expect(trace.durationMs).toBe(2000)
  })

  it.each([0, -1, Number.NaN, '5'])('is refused at the rate %s', (ratePerS) => {
    const trace = new Trace({ arrivalsMs: [1] })
    const message = errorOf(() => trace.atRate(ratePerS as number)).message
    expect(message).toContain('ratePerS: expected a finite number above 0')
  })

  it('is refused where all arrive at time 0', () => {
    const trace = new Trace({ arrivalsMs: [0, 0] })
    expect(errorOf(() => trace.atRate(5)).message).toContain('got one of 0 ms')
  })
})
