import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MillraceError } from '../../src/errors.ts'
import { Trace } from '../../src/workload/trace.ts'

let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-bad-trace-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function rejection(promise: Promise<unknown>): Promise<MillraceError> {
  const error: unknown = await promise.then(
    () => new Error('expected an error, got none'),
    (reason: unknown) => reason,
  )
  if (MillraceError.is(error)) return error
  throw error
}

/** The message of what loading such a file rejects with, without the path that it begins with. */
async function complaint(content: string | Uint8Array): Promise<string> {
  const path = join(folder, 'trace')
  await writeFile(path, content)
  const error = await rejection(Trace.load(path))
  expect(error.code).toBe('MILLRACE_INVALID_FILE')
  expect(error.message.startsWith(`${path}: `)).toBe(true)
  return error.message.slice(path.length + 2)
}

const document = (arrivals: string, rest = '"version":1') => `{${rest},"arrivalsMs":[${arrivals}]}`

describe('a trace document', () => {
  it.each([
    ['3,2', 'arrivalsMs[1]: expected at least 3, the arrival before it, got the number 2; sort'],
    ['-1', 'arrivalsMs[0]: expected a number at least 0, got the number -1'],
    ['1,null,2', 'arrivalsMs[1]: expected a number at least 0, got null'],
    ['1,"2"', 'arrivalsMs[1]: expected a number at least 0, got the string "2"'],
    ['1,[2]', 'arrivalsMs[1]: expected a number at least 0, got an array of 1'],
    ['1,{"a":[2]}', 'arrivalsMs[1]: expected a number at least 0, got an object with a'],
    ['true', 'arrivalsMs[0]: expected a number at least 0, got the boolean true'],
    ['', 'arrivalsMs: expected an array of at least 1, got an array of 0'],
    ['1,1e999', 'arrivalsMs[1]: expected a number at least 0, got the number Infinity'],
    ['1,NaN', 'arrivalsMs[1]: expected a finite number of milliseconds, got "NaN"'],
    ['1,Infinity', 'arrivalsMs[1]: expected a finite number of milliseconds, got "Infinity"'],
    ['1,02', 'arrivalsMs[1]: expected a finite number of milliseconds, got "02"'],
    ['1,2.', 'arrivalsMs[1]: expected a finite number of milliseconds, got "2."'],
    ['1,.5', 'arrivalsMs[1]: expected a finite number of milliseconds, got ".5"'],
    ['1,+2', 'arrivalsMs[1]: expected a finite number of milliseconds, got "+2"'],
    ['1,2.5.5', 'arrivalsMs[1]: expected a finite number of milliseconds, got "2.5.5"'],
    ['1,0x10', 'arrivalsMs[1]: expected a finite number of milliseconds, got "0x10"'],
    ['1,2,', 'arrivalsMs[2]: expected a finite number of milliseconds, got "]"'],
    ['1,,2', 'arrivalsMs[1]: expected a finite number of milliseconds, got ","'],
    ['1 2', 'arrivalsMs[0]: expected "," or "]" after it, got "2"'],
  ])('with the arrivals [%s] is refused', async (arrivals, message) => {
    expect(await complaint(document(arrivals))).toContain(message)
  })

  it.each([
    [
      document('1', '"version":2'),
      'version: expected 1, got 2: it was written by a newer Millrace',
    ],
    [
      document('{}', '"version":2'),
      'version: expected 1, got 2: it was written by a newer Millrace',
    ],
    [document('1', '"version":0'), 'version: expected 1, got the number 0'],
    [document('1', '"version":"1"'), 'version: expected 1, got the string "1"'],
    [document('1', '"meta":{}'), 'version: expected 1, got nothing'],
    [document('1', '"version":1,"metaa":{}'), 'unknown key "metaa"; did you mean "meta"?'],
    [document('1', '"version":1,"meta":5'), 'meta: expected an object, got the number 5'],
    ['{"version":1,"arrivalMs":[1]}', 'arrivalsMs: expected an array of at least 1, got nothing'],
    [
      '{"version":1,"arrivalsMs":5}',
      'arrivalsMs: expected an array of at least 1, got the number 5',
    ],
    [
      '{"version":1,"arrivalsMs":{"0":1}}',
      'arrivalsMs: expected an array of at least 1, got an obj',
    ],
    ['{"version":1,"arrivals\\u004ds":[1]}', 'arrivalsMs: expected the key to be written without'],
    [
      '{"version":1,"arrivalsMs":[1],"arrivalsMs":[2]}',
      'arrivalsMs: expected the key once, got it tw',
    ],
    [
      '{"version":1,"arrivalsMs":[1],"arrivalsMs":2}',
      'arrivalsMs: expected an array of at least 1',
    ],
    ['{}', 'version: expected 1, got nothing'],
    ['[1,2,3]', 'expected an object, got an array of 3'],
    [
      document('5', '"version":1,"meta":{"durationMs":4}'),
      'meta.durationMs: expected a finite number',
    ],
    [
      document('5', '"version":1,"meta":{"durationMs":"9"}'),
      'meta.durationMs: expected a number at',
    ],
  ])('that reads %s is refused', async (content, message) => {
    expect(await complaint(content)).toContain(message)
  })

  it.each([
    [
      '{"version":1,"arrivalsMs":[1,2,',
      'arrivalsMs[2]: expected a finite number of milliseconds, got nothing; the file is cut off',
    ],
    [
      '{"version":1,"arrivalsMs":[1,2',
      'arrivalsMs[1]: expected "," or "]" after it, got nothing; the file is cut off',
    ],
    [
      '{"version":1,"arrivalsMs":[',
      'arrivalsMs[0]: expected a finite number of milliseconds, got nothing; the file is cut off',
    ],
    ['{"version":1,"arrivalsMs":[1,2]', 'where "," or "}" was to come: it is cut off'],
    ['{"version":1,"arrivalsMs"', 'where ":" was to come: it is cut off'],
    ['{"version":1,"meta":{"a":"b', 'it is cut off'],
    ['{', 'it is cut off'],
  ])('that is cut off as in %s is refused', async (content, message) => {
    expect(await complaint(content)).toContain(message)
  })

  it('that is cut off anywhere is refused', async () => {
    const whole = '{"version":1,"meta":{"a":[1,"]"]},"arrivalsMs":[\n0,11.5,\n22]}'
    for (let length = 0; length < whole.length; length++) {
      expect(await complaint(whole.slice(0, length))).toMatch(/cut off|empty file/)
    }
  })

  it('that is no JSON is refused with the place', async () => {
    const broken = '{"version":1,\n"meta":{a:1},"arrivalsMs":[1]}'
    expect(await complaint(broken)).toContain('expected a key or "}" at line 2, column 9')
  })
})

describe('a trace of lines', () => {
  it.each([
    ['3\n2\n', 'line 2: expected at least 3, the arrival before it, got the number 2; sort'],
    ['1\n\n\n0.5', 'line 4: expected at least 1, the arrival before it'],
    ['-1\n', 'line 1: expected at least 0, got the number -1'],
    ['1\nnull\n', 'line 2: expected a finite number of milliseconds, got null'],
    ['1\n"2"\n', 'line 2: expected a finite number of milliseconds, got the string "2"'],
    ['1\n1e999\n', 'line 2: expected a finite number of milliseconds, got the number Infinity'],
    ['1\nNaN\n', 'line 2: expected a number or {"arrivalMs": number} on each line'],
    ['1\n2,3\n', 'got "2,3"; correct it'],
    ['1\n2 3\n', 'got "2 3"; correct it'],
    ['1\n[2]\n', 'line 2: expected a number or {"arrivalMs": number} on each line'],
    ['{"arrivalMs":1}\n{"arrivalMs":null}\n', 'line 2: expected a finite number of milliseconds'],
    ['{"arrivalMs":1}\n{"arrivalMs":"2"}\n', 'line 2: expected a finite number of milliseconds'],
    ['{"arrivalMs":1}\n{}\n', 'line 2: expected a finite number of milliseconds, got undefined'],
    [
      '{"arivalMs":1}\n{"arivalMs":2}\n',
      'line 1: unknown key "arivalMs"; did you mean "arrivalMs"?',
    ],
    ['{"arrivalMs":1}\n{"arrivalMs":2,"x":1}\n', 'line 2: unknown key "x"'],
    ['{"arrivalMs":1}\n{"arrivalMs":2', 'got "{\\"arrivalMs\\":2"; the file was cut off there'],
    ['arrival,size\n1,2\n', 'got "arrival,size"; correct it'],
    ['<!DOCTYPE html>\n', 'got "<!DOCTYPE html>"; correct it'],
    [
      'hello',
      'line 1: expected a number or {"arrivalMs": number} on each line (or a JSON document',
    ],
    ['', 'expected at least one arrival, got an empty file'],
    [' \n\n', 'expected at least one arrival, got an empty file'],
  ])('that reads %j is refused', async (content, message) => {
    expect(await complaint(content)).toContain(message)
  })

  it('of bytes that are no text is refused, in a message that is not long', async () => {
    const bytes = Uint8Array.from({ length: 10_000 }, (_, index) => (index * 37 + 131) % 256)
    expect((await complaint(bytes)).length).toBeLessThan(300)
    expect((await complaint('x'.repeat(1_000_000))).length).toBeLessThan(300)
    expect(
      (await complaint(`{"version":1,"arrivalsMs":[${'9'.repeat(5_000)}]}`)).length,
    ).toBeLessThan(300)
  })
})

describe('the path of a trace', () => {
  it('is refused where there is no file, or a directory', async () => {
    const missing = join(folder, 'missing.json')
    expect((await rejection(Trace.load(missing))).message).toBe(
      `${missing}: there is no such file; correct the path, or write one with \`millrace trace\``,
    )
    expect((await rejection(Trace.load(folder))).message).toContain('it is a directory')
    expect((await rejection(Trace.load(folder))).code).toBe('MILLRACE_INVALID_FILE')
  })

  it.each([undefined, '', 5, null])('is refused where it is %s', async (path) => {
    const trace = new Trace({ arrivalsMs: [1] })
    for (const promise of [Trace.load(path as string), trace.save(path as string)]) {
      expect((await rejection(promise)).code).toBe('MILLRACE_INVALID_OPTION')
    }
  })

  it('is refused where nothing can be written, and nothing is left behind', async () => {
    const trace = new Trace({ arrivalsMs: [1] })
    const inside = join(folder, 'inside')
    await mkdir(join(inside, 'taken.json'), { recursive: true })
    const missing = await rejection(trace.save(join(folder, 'nowhere', 'trace.json')))
    expect(missing.code).toBe('MILLRACE_INVALID_FILE')
    expect(missing.message).toContain('there is no directory')
    const taken = await rejection(trace.save(join(inside, 'taken.json')))
    expect(taken.code).toBe('MILLRACE_INVALID_FILE')
    expect(await readdir(inside)).toEqual(['taken.json'])
  })

  it('is refused with a format that there is not', async () => {
    const trace = new Trace({ arrivalsMs: [1] })
    const options = { format: 'jason' } as unknown as { format: 'json' }
    const { message } = await rejection(trace.save(join(folder, 'a'), options))
    expect(message).toContain('format: expected one of "json", "lines"')
    expect(message).toContain('did you mean "json"?')
  })
})
