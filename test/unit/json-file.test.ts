import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkJson } from '../../src/json/check-json.ts'
import { formatJson } from '../../src/json/format-json.ts'
import { jsonFault } from '../../src/json/json-fault.ts'
import { readJsonFile, writeJsonFile, writeTextFile } from '../../src/json-file.ts'
import { errorOf, rejectionOf } from './thrown.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-json-'))
const fix = 'correct the file, or ask for another'
let files = 0

/** A new file that holds the text. */
function fileOf(text: string | Uint8Array): string {
  const path = join(folder, `${++files}.json`)
  writeFileSync(path, text)
  return path
}

const read = (path: string) => readJsonFile(path, { schema: 'hardware', fix })
const check = (value: unknown) => checkJson(value, { schema: 'hardware', where: 'hardware', fix })
const cpu = { kind: 'cpu', pricePerHour: 1 }
const hardware = (tiers: unknown) => ({ version: 1, tiers })

async function messageFor(text: string): Promise<string> {
  const path = fileOf(text)
  const error = await rejectionOf(() => read(path))
  expect(error.code).toBe('MILLRACE_INVALID_FILE')
  expect(error.message.startsWith(`${path}: `)).toBe(true)
  return error.message.slice(path.length + 2)
}

describe('a JSON file', () => {
  it('is read when it is as its schema says', async () => {
    const value = hardware({ 'cpu-1': cpu })
    expect(await read(fileOf(JSON.stringify(value)))).toEqual(value)
  })

  it('may begin with a byte order mark', async () => {
    expect(await read(fileOf(`\ufeff${JSON.stringify(hardware({ a: cpu }))}`))).toBeDefined()
  })

  it('that is missing is told from a directory and from a file in place of a directory', async () => {
    const missing = await rejectionOf(() => read(join(folder, 'none.json')))
    expect(missing.message).toBe(
      `${join(folder, 'none.json')}: there is no such file; correct the path, or ask for another`,
    )
    expect((await rejectionOf(() => read(folder))).message).toBe(
      `${folder}: expected a file, but it is a directory; name a file in it`,
    )
    const inside = join(fileOf('{}'), 'x.json')
    expect((await rejectionOf(() => read(inside))).message).toContain('there is no such file')
  })

  it.each([
    ['', 'expected JSON, but it is empty'],
    [' \n', 'expected JSON, but it is empty'],
    [
      '{\n  "version": 1,\n',
      'it ends too early, at line 3, column 1, where a key was to come: it is cut off',
    ],
    [
      '{"version": 1, "tie',
      'it ends too early, at line 1, column 16, where a key was to come: it is cut off',
    ],
    [
      '{"version": tru',
      'it ends too early, at line 1, column 13, where a value was to come: it is cut off',
    ],
    [
      '{"version": 1',
      'it ends too early, at line 1, column 14, where "," or "}" was to come: it is cut off',
    ],
    ['version: 1', 'it is not JSON: expected a value at line 1, column 1'],
    ['{\n  "version": 1,\n}', 'it is not JSON: expected a key at line 3, column 1'],
    ['[1 2]', 'it is not JSON: expected "," or "]" at line 1, column 4'],
    ['{} {}', 'it is not JSON: expected nothing more at line 1, column 4'],
    ["{'version': 1}", 'it is not JSON: expected a key or "}" at line 1, column 2'],
    ['{"version" 1}', 'it is not JSON: expected ":" at line 1, column 12'],
    ['{"version": NaN}', 'it is not JSON: expected a value at line 1, column 13'],
  ])('that holds %j is refused with the place', async (text, problem) => {
    expect(await messageFor(text)).toBe(`${problem}; ${fix}`)
  })
})

describe('the place where a text stops being JSON', () => {
  const right = '{"a": [1, -2.5e+3, {"b": null, "c\\u00e9\\n": [[], {}, true]}], "d": "\\"x"}'

  it('is found wherever JSON.parse refuses, and nowhere else', () => {
    for (let at = 0; at < right.length; at++) {
      for (const damage of ['', ']', '}', ',', ':', '"', '0', 'x', '\\', '\u0001', '\n', '-']) {
        for (const text of [
          right.slice(0, at) + damage,
          right.slice(0, at) + damage + right.slice(at),
          right.slice(0, at) + damage + right.slice(at + 1),
        ]) {
          expect([text, jsonFault(text) === undefined]).toEqual([text, isJson(text)])
        }
      }
    }
  })

  it('is the end of the text wherever it was cut off', () => {
    for (let length = 1; length < right.length; length++) {
      const text = right.slice(0, length)
      expect([text, jsonFault(text)?.truncated]).toEqual([text, true])
    }
  })
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

describe('a value that is not as its schema says', () => {
  it.each([
    [[], 'hardware: expected an object, got an array of 0; '],
    [null, 'hardware: expected an object, got null; '],
    [{ tiers: {} }, 'hardware: version: expected 1, got nothing; '],
    [{ version: 0, tiers: {} }, 'hardware: version: expected 1, got the number 0; '],
    [hardware({}), 'hardware: tiers: expected at least one entry, got none; '],
    [hardware({ a: 'b' }), 'hardware: tiers.a: expected an object, got the string "b"; '],
    [
      hardware({ 'cpu-1': { ...cpu, pricePerHour: 'a' } }),
      'hardware: tiers.cpu-1.pricePerHour: expected a number at least 0, got the string "a"; ',
    ],
    [
      hardware({ a: { ...cpu, pricePerHour: Number.NaN } }),
      'hardware: tiers.a.pricePerHour: expected a number at least 0, got the number NaN; ',
    ],
    [
      hardware({ a: { kind: 'cpu' } }),
      'hardware: tiers.a.pricePerHour: expected a number at least 0, got nothing; ',
    ],
    [
      hardware({ a: { ...cpu, threads: 1.5 } }),
      'hardware: tiers.a.threads: expected an integer from 1 to 256, got the number 1.5; ',
    ],
    [
      hardware({ a: { ...cpu, kind: 'gpu' } }),
      'hardware: tiers.a.kind: expected one of "cpu", "cuda", "tensorrt", "webgpu", got the string "gpu"; ',
    ],
    [
      hardware({ 'a b': cpu }),
      'hardware: tiers: expected a name of letters, digits, _ and - as a key, got "a b"; ',
    ],
  ])('is refused with the place, what was expected and what came (%#)', (value, message) => {
    expect(errorOf(() => check(value)).message).toBe(message + fix)
  })

  it('has its unknown keys named beside the known ones', () => {
    expect(errorOf(() => check(hardware({ a: { ...cpu, thread: 2 } }))).message).toBe(
      'hardware: tiers.a: unknown key "thread"; did you mean "threads"? ' +
        '(there are: "kind", "threads", "pricePerHour", "idleWatts", "busyWatts")',
    )
  })

  it('is told from one of another format', () => {
    expect(errorOf(() => check({ version: 1, configuration: {} })).message).toBe(
      'hardware: expected hardware, got a plan; give a file of that kind',
    )
  })

  it('is said to be of a newer Millrace before its keys are called unknown', () => {
    const error = errorOf(() => check({ version: 2, slots: {} }))
    expect(error.message).toBe(
      'hardware: version: expected 1, got 2: it was written by a newer Millrace; ' +
        'update millrace, or have it written anew with this one',
    )
  })

  it('does no harm with the names of what objects inherit', () => {
    const text = '{"version": 1, "tiers": {"__proto__": {"kind": "cpu", "pricePerHour": 1}}}'
    expect(errorOf(() => check(JSON.parse(text))).message).toContain('got "__proto__"')
    const top = '{"__proto__": {"version": 1}, "tiers": {}}'
    expect(errorOf(() => check(JSON.parse(top))).message).toContain('version: expected 1, got')
    expect(check(hardware({ constructor: cpu, toString: cpu }))).toBeDefined()
    expect(errorOf(() => check(hardware({ constructor: 1 }))).message).toContain(
      'tiers.constructor: expected an object, got the number 1',
    )
  })

  it('may hold undefined for what it leaves out', () => {
    expect(check(hardware({ a: { ...cpu, threads: undefined } }))).toBeDefined()
  })
})

describe('JSON for people', () => {
  it('puts short things on one line and indents the rest, keys in their order', () => {
    const value = {
      b: 1,
      a: { points: [{ batch: 1, meanMs: 2.5 }], none: undefined },
      e: [],
      o: {},
    }
    const long = { ...value, text: 'x'.repeat(90) }
    expect(formatJson(value)).toBe(
      '{ "b": 1, "a": { "points": [{ "batch": 1, "meanMs": 2.5 }] }, "e": [], "o": {} }\n',
    )
    expect(formatJson(long).split('\n')).toEqual([
      '{',
      '  "b": 1,',
      '  "a": { "points": [{ "batch": 1, "meanMs": 2.5 }] },',
      '  "e": [],',
      '  "o": {},',
      `  "text": "${'x'.repeat(90)}"`,
      '}',
      '',
    ])
  })

  it('fills lines with numbers', () => {
    const numbers = Array.from({ length: 500 }, (_, index) => index / 7)
    const text = formatJson({ numbers })
    expect(JSON.parse(text)).toEqual({ numbers })
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100)
    expect(text.split('\n').length).toBeLessThan(150)
  })

  it('refuses numbers that JSON does not have', () => {
    expect(errorOf(() => formatJson({ a: [Number.NaN] })).message).toContain('got NaN')
  })
})

describe('writing a file', () => {
  it('replaces what was there and leaves nothing beside it', async () => {
    const inside = join(folder, 'replaced')
    mkdirSync(inside)
    const path = join(inside, 'a.json')
    await writeJsonFile(path, { old: true })
    await writeJsonFile(path, { a: 1 })
    expect(readFileSync(path, 'utf8')).toBe('{ "a": 1 }\n')
    expect(readdirSync(inside)).toEqual(['a.json'])
  })

  it('leaves what was there when the value cannot be written', async () => {
    const path = fileOf('before')
    await rejectionOf(() => writeJsonFile(path, { a: Number.NaN }))
    expect(readFileSync(path, 'utf8')).toBe('before')
  })

  it('follows links', async () => {
    const path = fileOf('before')
    const link = join(folder, 'link.json')
    symlinkSync(path, link)
    await writeTextFile(link, 'after')
    expect(readFileSync(path, 'utf8')).toBe('after')
  })

  it('writes to devices in place', async () => {
    await writeTextFile('/dev/null', 'x')
  })

  it('says which directory is missing', async () => {
    const path = join(folder, 'no', 'such', 'a.json')
    expect((await rejectionOf(() => writeTextFile(path, ''))).message).toBe(
      `${path}: there is no directory ${join(folder, 'no', 'such')}; make it first`,
    )
  })

  it('says that the path is a directory, or leads through a file', async () => {
    expect((await rejectionOf(() => writeTextFile(folder, ''))).message).toBe(
      `${folder}: expected the path of a file, but it is a directory; name a file in it`,
    )
    const file = fileOf('')
    expect((await rejectionOf(() => writeTextFile(join(file, 'x'), ''))).message).toBe(
      `${join(file, 'x')}: ${file} is not a directory; give another path`,
    )
  })
})
