// The reader of large bodies, held against JSON.parse.
import { describe, expect, it } from 'vitest'
import { StreamingJson } from '../../src/http/open-inference/streaming-json.ts'
import { Random } from '../../src/workload/random.ts'

/** What it makes of a text that comes in pieces of the sizes given, the last one again and again. */
function read(text: string | Uint8Array, sizes: readonly number[] = [Number.POSITIVE_INFINITY]) {
  const json = new StreamingJson()
  const bytes = Buffer.from(text as string)
  for (let at = 0, piece = 0; at < bytes.length; piece++) {
    const size = sizes[Math.min(piece, sizes.length - 1)] as number
    json.write(bytes.subarray(at, at + size))
    at += size
  }
  return json.end()
}

/** With the prototypes and the precision that JSON.parse gives. */
const plain = (value: unknown): unknown => {
  return JSON.parse(
    JSON.stringify(value, (_key, one) => (typeof one === 'bigint' ? Number(one) : one)),
  )
}

function randomValue(random: Random, depth: number): unknown {
  const kind = random.bits() % (depth > 4 ? 5 : 8)
  switch (kind) {
    case 0:
      return [true, false, null][random.bits() % 3]
    case 1:
      return random.bits() % 100_000
    case 2:
      return (random.bits() - 2 ** 31) / 2 ** (random.bits() % 40)
    case 3:
      return 1e-300 * random.bits()
    case 4:
      return ['', 'x', 'ünï "\\" \n \u0001', '€'.repeat(random.bits() % 9), '__proto__'][
        random.bits() % 5
      ]
    case 5:
      return Array.from({ length: random.bits() % 6 }, () => randomValue(random, depth + 1))
    case 6:
      return Array.from({ length: random.bits() % 40 }, () => random.bits() / 8)
    default:
      return Object.fromEntries(
        Array.from({ length: random.bits() % 5 }, (_, at) => [
          `k${at}"é`,
          randomValue(random, depth + 1),
        ]),
      )
  }
}

describe('JSON that comes in pieces', () => {
  it('is read as JSON.parse reads it, whatever the pieces', () => {
    const random = new Random({ seed: 7 })
    for (let round = 0; round < 2000; round++) {
      const value = randomValue(random, 0)
      const text = JSON.stringify(value, undefined, random.bits() % 3)
      const sizes = Array.from({ length: 8 }, () => 1 + (random.bits() % 12))
      expect(plain(read(text, sizes))).toEqual(JSON.parse(text))
    }
  })

  it('is refused where JSON.parse refuses it', () => {
    const random = new Random({ seed: 11 })
    const characters = '{}[]",:0123-+.eE tfn\\u\n'
    for (let round = 0; round < 5000; round++) {
      const text = JSON.stringify(randomValue(random, 2)).split('')
      const at = random.bits() % (text.length + 1)
      text.splice(at, random.bits() % 2, characters[random.bits() % characters.length] as string)
      const mutated = text.join('')
      let expected: unknown
      try {
        expected = [JSON.parse(mutated)]
      } catch {
        expected = undefined
      }
      let found: unknown
      try {
        found = [plain(read(mutated, [1 + (random.bits() % 20)]))]
      } catch {
        found = undefined
      }
      expect(found, mutated).toEqual(expected === undefined ? undefined : plain(expected))
    }
  })

  it('keeps integers exact, and knows the words of Python', () => {
    const text =
      '[9007199254740993,-9223372036854775808,1,12345678901234567890e3,NaN,-Infinity,Infinity]'
    for (const size of [1, 7, 1000]) {
      expect(read(text, [size])).toEqual([
        9007199254740993n,
        -9223372036854775808n,
        1,
        Number('12345678901234567890e3'),
        Number.NaN,
        Number.NEGATIVE_INFINITY,
        Number.POSITIVE_INFINITY,
      ])
    }
    expect(read('{"a":9007199254740993}')).toEqual({ a: 9007199254740993n })
  })

  it('gives objects without a prototype, to which any key is one like others', () => {
    const value = read('{"__proto__":{"a":1},"constructor":2}') as object
    expect(Object.getPrototypeOf(value)).toBeNull()
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor'])
  })

  it.each<[text: string, message: string]>([
    ['', 'ends early, after 0 bytes'],
    ['{"a":[1,2', 'ends early, after 9 bytes'],
    ['[1 2]', 'a list of numbers from byte 1 is none'],
    ['[1,,2]', 'a list of numbers'],
    ['[01]', 'a list of numbers'],
    ['[1,]', 'unexpected "]" at byte 3'],
    ['{"a" 1}', 'unexpected "1" at byte 5'],
    ['{"a":1,}', 'unexpected "}" at byte 7'],
    ['{1:2}', 'unexpected "1" at byte 1'],
    ['[1]]', 'unexpected "]" at byte 3'],
    ['[1}', 'unexpected "}" at byte 2'],
    ['nul', '"nul" at byte 0 is no value'],
    ['{"a":+1}', '"+1" at byte 5 is no value'],
    ['"\\x"', 'a wrong escape'],
    ['"\u0001"', 'a control character'],
    [`${'['.repeat(70)}`, 'nested more than 64 deep'],
    [`[${'1'.repeat(2000)}x]`, 'a literal of more than 1024 characters'],
  ])('is refused with the place: %#', (text, message) => {
    expect(() => read(text)).toThrow(message)
    expect(() => read(text, [3])).toThrow(/JSON/)
  })

  it('is refused where a string is not UTF-8', () => {
    expect(() => read(Buffer.from('"\xff"', 'latin1'))).toThrow('not UTF-8')
  })
})
