import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import {
  checkBoolean,
  checkInteger,
  checkNumber,
  checkObject,
  checkOneOf,
  checkRecord,
  checkString,
  describe as describeValue,
  nearest,
  suggest,
} from '../../src/check.ts'
import { MillraceError } from '../../src/errors.ts'
import { errorOf } from './thrown.ts'

const notNumbers = [undefined, null, '', '1', true, 1n, [], {}, [1], Symbol('s'), () => 1]

describe('an integer option', () => {
  it.each([1, 5, 10])('takes %s of 1 to 10', (value) => {
    expect(checkInteger(value, { name: 'x', min: 1, max: 10 })).toBe(value)
  })

  it.each([0, 11, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, ...notNumbers])(
    'refuses %s of 1 to 10',
    (value) => {
      expect(() => checkInteger(value, { name: 'x', min: 1, max: 10 })).toThrow(MillraceError)
    },
  )

  it('refuses what is too large to be exact, also without bounds', () => {
    expect(() => checkInteger(2 ** 53, { name: 'x' })).toThrow('expected an integer, got')
  })
})

describe('a number option', () => {
  it.each([
    [0.1, { above: 0 }],
    [0, { min: 0 }],
    [99.9, { above: 0, below: 100 }],
    [-3, {}],
    [7, { min: 7, max: 7 }],
  ])('takes %s of %o', (value, range) => {
    expect(checkNumber(value, { name: 'x', ...range })).toBe(value)
  })

  it.each([
    [0, { above: 0 }, 'above 0'],
    [-0.1, { min: 0 }, 'at least 0'],
    [100, { above: 0, below: 100 }, 'above 0 and below 100'],
    [8, { min: 6, max: 7 }, 'from 6 to 7'],
    [8, { max: 7 }, 'at most 7'],
    [Number.NaN, {}, 'a finite number'],
    [Number.POSITIVE_INFINITY, { min: 0 }, 'a finite number at least 0'],
  ])('refuses %s of %o', (value, range, expected) => {
    expect(() => checkNumber(value, { name: 'x', ...range })).toThrow(expected)
  })

  it.each(notNumbers)('refuses %s', (value) => {
    expect(() => checkNumber(value, { name: 'x' })).toThrow('x: expected a finite number, got')
  })
})

describe('a string option', () => {
  it('takes text', () => {
    expect(checkString('a', { name: 'x' })).toBe('a')
  })

  it.each(['', undefined, null, 1, ['a']])('refuses %o', (value) => {
    expect(() => checkString(value, { name: 'x' })).toThrow('x: expected a string')
  })
})

describe('a boolean option', () => {
  it.each([true, false])('takes %s', (value) => {
    expect(checkBoolean(value, { name: 'x' })).toBe(value)
  })

  it.each([undefined, null, 0, 1, 'true'])('refuses %o', (value) => {
    expect(() => checkBoolean(value, { name: 'x' })).toThrow('x: expected true or false')
  })
})

describe('a choice', () => {
  const choices = ['optimal', 'inferline'] as const

  it('takes one of its names', () => {
    expect(checkOneOf('optimal', { name: 'strategy', choices })).toBe('optimal')
  })

  it('refuses another and suggests the nearest', () => {
    expect(() => checkOneOf('optimum', { name: 'strategy', choices })).toThrow(
      'strategy: expected one of "optimal", "inferline", got the string "optimum"; did you mean "optimal"?',
    )
  })

  it('suggests nothing where nothing is near', () => {
    expect(() => checkOneOf(3, { name: 'strategy', choices })).toThrow('give one of these')
  })
})

describe('an options object', () => {
  const keys = ['maxBatch', 'replicas'] as const

  it('takes a plain object with some of its keys', () => {
    expect(checkObject({ maxBatch: 1 }, { name: 'options', keys })).toEqual({ maxBatch: 1 })
  })

  it('takes an object without a prototype, and one of another realm', () => {
    const bare = Object.assign(Object.create(null), { replicas: 1 })
    expect(checkObject(bare, { name: 'options', keys })).toBe(bare)
    expect(checkRecord(runInNewContext('({ a: 1 })'), { name: 'options' })).toEqual({ a: 1 })
  })

  it.each([undefined, null, 1, 'a', [], new Map(), new Date(), () => 1, Object.create({ a: 1 })])(
    'refuses %o',
    (value) => {
      expect(() => checkObject(value, { name: 'options', keys })).toThrow(
        'options: expected a plain object, got',
      )
    },
  )

  it('refuses an unknown key and suggests the nearest', () => {
    expect(() => checkObject({ maxbatch: 1 }, { name: 'options', keys })).toThrow(
      'options: unknown key "maxbatch"; did you mean "maxBatch"? (there are: "maxBatch", "replicas")',
    )
  })

  it('does not find its keys in the prototype', () => {
    expect(() => checkObject({ constructor: 1 }, { name: 'options', keys })).toThrow('unknown key')
  })
})

describe('a failed check', () => {
  it('is an invalid option unless told otherwise', () => {
    const code = 'MILLRACE_INVALID_PIPELINE'
    expect(errorOf(() => checkBoolean(1, { name: 'x' })).code).toBe('MILLRACE_INVALID_OPTION')
    expect(errorOf(() => checkBoolean(1, { name: 'x', code })).code).toBe(code)
  })

  it('says what to do', () => {
    const { message } = errorOf(() => checkBoolean(1, { name: 'x', fix: 'flip a coin' }))
    expect(message).toBe('x: expected true or false, got the number 1; flip a coin')
  })
})

describe('a value in a message', () => {
  class Engine {}
  class Array2D {}
  const hostile = new Proxy(
    {},
    {
      get: () => {
        throw new Error('no')
      },
      getPrototypeOf: () => {
        throw new Error('no')
      },
    },
  )

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['the number 1.5', 1.5],
    ['the number NaN', Number.NaN],
    ['the bigint 7n', 7n],
    ['a huge bigint', 1n << 1000n],
    ['the boolean true', true],
    ['the string "abc"', 'abc'],
    ['a symbol', Symbol('s')],
    ['a function', () => 1],
    ['an array of 3', [1, 2, 3]],
    ['a Float32Array of 4', new Float32Array(4)],
    ['a Uint8Array of 4', new Uint8Array(4)],
    ['a Map', new Map()],
    ['an Engine', new Engine()],
    ['an Array2D', new Array2D()],
    ['an empty object', {}],
    ['an object with a, b', { a: 1, b: 2 }],
    ['an object', hostile],
    ['an object', Object.create({ constructor: undefined })],
  ])('is %s', (expected, value) => {
    expect(describeValue(value)).toBe(expected)
  })

  it('is short, however large it is', () => {
    const wide = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`${i}`.repeat(99), i]))
    for (const value of ['x'.repeat(1e6), wide]) {
      expect(describeValue(value).length).toBeLessThan(400)
    }
    expect(describeValue('x'.repeat(1e6))).toContain('(1000000 characters)')
  })
})

describe('the nearest name', () => {
  const names = ['fast', 'accurate', 'below', 'request']

  it.each([
    ['fsat', 'fast'],
    ['fas', 'fast'],
    ['FAST', 'fast'],
    ['acurrate', 'accurate'],
    ['bellow', 'below'],
    ['reqest', 'request'],
  ])('of %s is %s', (word, expected) => {
    expect(nearest(word, names)).toBe(expected)
  })

  it.each(['', 'zzzz', 'slow', 'x'.repeat(1e6)])('of %.10s is none', (word) => {
    expect(nearest(word, names)).toBeUndefined()
  })

  it('is part of a suggestion, with the names there are', () => {
    expect(suggest('fsat', ['fast', 'slow'])).toBe(
      'did you mean "fast"? (there are: "fast", "slow")',
    )
    expect(suggest('x', ['fast'])).toBe('there is: "fast"')
    expect(suggest('x', [])).toBe('there are none')
  })

  it('is sought among many names, of which a few are listed', () => {
    const many = Array.from({ length: 20 }, (_, index) => `output${index}`)
    expect(suggest('nothing', many)).toMatch(/"output7" and 12 more$/)
  })
})
