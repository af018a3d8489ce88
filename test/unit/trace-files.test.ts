import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ByteReader } from '../../src/workload/byte-reader.ts'
import { Random } from '../../src/workload/random.ts'
import { Trace } from '../../src/workload/trace.ts'

let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-trace-'))
})
afterAll(() => rm(folder, { recursive: true }))

const file = (name: string): string => join(folder, name)

async function loaded(name: string, content: string | Uint8Array): Promise<Trace> {
  await writeFile(file(name), content)
  return Trace.load(file(name))
}

describe('a saved trace', () => {
  const trace = Trace.gamma({ ratePerS: 200, cv2: 4, durationMs: 60_000, seed: 5 })

  it('is the same when it is loaded, meta and all', async () => {
    await trace.save(file('same.json'))
    const back = await Trace.load(file('same.json'))
    expect(back.arrivalsMs).toEqual(trace.arrivalsMs)
    expect(back.meta).toEqual(trace.meta)
    expect(back.durationMs).toBe(60_000)
  })

  it('is one document, whose meta comes first', async () => {
    await new Trace({ arrivalsMs: [0, 0.5, 12], meta: { note: 'x' } }).save(file('small.json'))
    const text = await readFile(file('small.json'), 'utf8')
    expect(text).toBe('{"version":1,"meta":{"note":"x"},"arrivalsMs":[\n0,0.5,12\n]}\n')
  })

  it.each(['.ndjson', '.jsonl', '.TXT'])(
    'is a number a line in a file named %s',
    async (extension) => {
      await new Trace({ arrivalsMs: [0, 0.5, 12] }).save(file(`lines${extension}`))
      expect(await readFile(file(`lines${extension}`), 'utf8')).toBe('0\n0.5\n12\n')
    },
  )

  it('has the format it is asked for, which loading finds out', async () => {
    await trace.save(file('lines.json'), { format: 'lines' })
    await trace.save(file('document.txt'), { format: 'json' })
    expect((await Trace.load(file('lines.json'))).arrivalsMs).toEqual(trace.arrivalsMs)
    expect(await Trace.load(file('document.txt'))).toEqual(trace)
  })

  it('takes the place of the one before wholly or not at all, and leaves nothing else behind', async () => {
    const inside = await mkdtemp(join(folder, 'inside-'))
    const path = join(inside, 'trace.json')
    await trace.save(path)
    const before = await stat(path)
    const saving = trace.slice(10_000).save(path)
    expect((await Trace.load(path)).durationMs).toBe(60_000)
    await saving
    expect((await Trace.load(path)).durationMs).toBe(50_000)
    expect((await stat(path)).ino).not.toBe(before.ino)
    expect(await readdir(inside)).toEqual(['trace.json'])
  })

  it('is written to where a link leads', async () => {
    await trace.save(file('target.json'))
    await symlink(file('target.json'), file('link.json'))
    await trace.slice(1_000).save(file('link.json'))
    expect((await Trace.load(file('target.json'))).durationMs).toBe(59_000)
  })

  it.runIf(process.platform === 'linux')('goes into a pipe that a link leads to', async () => {
    // As /dev/stdout does: the pipe has no path of its own.
    const pipe = file('pipe')
    execFileSync('mkfifo', [pipe])
    const descriptor = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK)
    await rm(pipe)
    await symlink(`/proc/self/fd/${descriptor}`, file('stdout'))
    await new Trace({ arrivalsMs: [0, 1.5] }).save(file('stdout'), { format: 'lines' })
    const bytes = Buffer.alloc(100)
    expect(bytes.toString('utf8', 0, readSync(descriptor, bytes))).toBe('0\n1.5\n')
    expect((await lstat(file('stdout'))).isSymbolicLink()).toBe(true)
    closeSync(descriptor)
  })

  it('may have any numbers, to the last bit', async () => {
    const random = new Random({ seed: 2 })
    const any = Array.from({ length: 5_000 }, () => 10 ** (40 * random.uniform() - 20))
    any.push(
      0,
      Number.MIN_VALUE,
      2 ** 53 + 2,
      123456789012345.67,
      1e22,
      Number.MAX_VALUE,
      0.1 + 0.2,
    )
    const arrivalsMs = Float64Array.from(any).sort()
    for (const format of ['json', 'lines'] as const) {
      await new Trace({ arrivalsMs }).save(file('any'), { format })
      expect((await Trace.load(file('any'))).arrivalsMs).toEqual(arrivalsMs)
    }
  })

  it('may have two million arrivals', async () => {
    const many = Trace.gamma({ ratePerS: 2_000, durationMs: 1_000_000 })
    for (const name of ['many.json', 'many.ndjson']) {
      await many.save(file(name))
      const back = await Trace.load(file(name))
      expect(back.arrivalsMs.length).toBeGreaterThan(1_990_000)
      expect(Buffer.compare(bytesOf(back), bytesOf(many))).toBe(0)
    }
  })
})

function bytesOf({ arrivalsMs }: Trace): Buffer {
  return Buffer.from(arrivalsMs.buffer, arrivalsMs.byteOffset, arrivalsMs.byteLength)
}

describe('a trace file', () => {
  const times = [1, 2.5, 1000, 1e6]

  it.each([
    ['numbers', '1\n2.5\n1e3\n1000000\n'],
    ['numbers without a last line end', '1\n2.5\n1000\n1E+6'],
    [
      'numbers with blank lines, spaces and carriage returns',
      '\r\n 1\r\n2.5 \r\n\r\n\t1000\r\n1e6\n\n',
    ],
    ['objects', '{"arrivalMs":1}\n{"arrivalMs": 2.5}\n{ "arrivalMs" : 1000 }\n{"arrivalMs":1e6}\n'],
    ['both', '1\n{"arrivalMs":2.5}\n1000.000\n{"arrivalMs":1000000}'],
    ['numbers after a byte order mark', '\ufeff1\n2.5\n1000\n1000000\n'],
  ])('may have a line for each arrival: %s', async (_what, content) => {
    const trace = await loaded('lines', content)
    expect([...trace.arrivalsMs]).toEqual(times)
    expect(trace.meta).toEqual({})
    expect(trace.durationMs).toBe(1e6)
  })

  it.each([
    ['on one line', '{"version":1,"arrivalsMs":[1,2.5,1000,1e6]}'],
    [
      'in any order',
      '{"meta":{"a":[1,{"arrivalsMs":[9]}]},"arrivalsMs":[1,2.5,1e3,1000000],"version":1}',
    ],
    ['over many lines', '\n{\n  "version": 1,\n  "arrivalsMs": [\n 1 ,\r\n2.5,\n1000\n,1e6 ]\n}\n'],
    [
      'with strings that look like more',
      '{"version":1,"meta":{"\\"]}{":"\\\\"},"arrivalsMs":[1,2.5,1000,1e6]}',
    ],
    ['with a schema', '{"$schema":"x","version":1,"arrivalsMs":[1,2.5,1000,1e6]}'],
    ['after a byte order mark', '\ufeff{"version":1,"arrivalsMs":[1,2.5,1000,1e6]}'],
  ])('may be a document: %s', async (_what, content) => {
    expect([...(await loaded('document', content)).arrivalsMs]).toEqual(times)
  })

  it('is read as JSON.parse reads it, digit by digit', () => {
    const random = new Random({ seed: 4 })
    const digits = (count: number) =>
      Array.from({ length: count }, () => Math.floor(10 * random.uniform())).join('')
    for (let round = 0; round < 5_000; round++) {
      const whole = round % 2 === 0 ? '0' : `${1 + (round % 9)}${digits(round % 19)}`
      const decimals = round % 3 === 0 ? '' : `.${digits(1 + (round % 20))}`
      const exponent = round % 7 === 0 ? `e${round % 4 === 0 ? '-' : '+'}${round % 30}` : ''
      const text = `${whole}${decimals}${exponent}`
      const reader = new ByteReader(Buffer.from(`${text},`))
      expect(reader.number(), text).toBe(JSON.parse(text))
      expect(reader.position).toBe(text.length)
    }
  })
})
