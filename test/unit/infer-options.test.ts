import { describe, expect, it } from 'vitest'
import { defaultTerms, readInferOptions } from '../../src/engine/infer-options.ts'
import { errorOf } from './thrown.ts'

describe('the options of a request', () => {
  it('have defaults: no deadline, no signal, normal priority', () => {
    expect(defaultTerms).toEqual({ leftMs: Infinity, signal: undefined, priority: 1 })
    expect(readInferOptions({})).toEqual(defaultTerms)
    expect(
      readInferOptions({ deadlineMs: undefined, signal: undefined, priority: undefined }),
    ).toEqual(defaultTerms)
  })

  it('may put the deadline anywhere, in the past too', () => {
    for (const deadlineMs of [-5, 0, 0.25, 1e300, Number.POSITIVE_INFINITY]) {
      expect(readInferOptions({ deadlineMs }).leftMs).toBe(deadlineMs)
    }
  })

  it('number the priorities, the first served first', () => {
    const classes = (['high', 'normal', 'low'] as const).map((priority) => {
      return readInferOptions({ priority }).priority
    })
    expect(classes).toEqual([0, 1, 2])
  })

  it('take an AbortSignal of any kind', () => {
    const { signal } = new AbortController()
    for (const one of [signal, AbortSignal.any([signal]), AbortSignal.timeout(1e6)]) {
      expect(readInferOptions({ signal: one }).signal).toBe(one)
    }
  })

  it('are refused by name when they do not fit', () => {
    const wrong: [unknown, string][] = [
      [{ deadlineMs: Number.NaN }, 'deadlineMs: expected a finite number'],
      [
        { signal: new AbortController() },
        'signal: expected an AbortSignal, got an AbortController',
      ],
      [{ priority: 'hihg' }, 'did you mean "high"?'],
      [{ timeout: 1 }, 'infer options: unknown key "timeout"'],
      ['fast', 'infer options: expected a plain object'],
    ]
    for (const [options, message] of wrong) {
      const error = errorOf(() => readInferOptions(options as never))
      expect(error.code).toBe('MILLRACE_INVALID_OPTION')
      expect(error.message).toContain(message)
    }
  })
})
