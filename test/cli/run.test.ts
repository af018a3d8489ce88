import { afterAll, describe, expect, it } from 'vitest'
import { documentOf, millrace, root, TemporaryFolder } from './millrace.ts'

const folder = new TemporaryFolder()
afterAll(() => folder[Symbol.dispose]())

const digits = 'examples/01-digits-cascade/pipeline.js'
const short = folder.write('short.json', {
  version: 1,
  arrivalsMs: Array.from({ length: 50 }, (_, index) => index * 4),
  meta: {},
})
const long = folder.write('long.json', { version: 1, arrivalsMs: [0, 1, 60_000], meta: {} })

/** A module of an application, which finds this package by its place. */
function moduleOf(name: string, text: string): string {
  return folder.write(
    name,
    `import { definePipeline, onnx } from ${JSON.stringify(new URL('dist/index.js', `file://${root}`).href)}
    const model = ${JSON.stringify(`${root}test/models/slow.onnx`)}
    const slow = onnx(model, { inputs: { iterations: 'request.iterations' } })
    const pipeline = definePipeline({ name: 'slow', stages: { slow }, outputs: { sum: 'slow.sum' } })
    const request = { iterations: BigInt64Array.of(1000n) }
    ${text}`,
  )
}

describe('run', () => {
  it('replays a trace and reports what was measured', async () => {
    const report = documentOf(
      await millrace(['run', digits, '--trace', short, '--slo', '5000', '--json']),
    )
    expect(report).toMatchObject({
      pipeline: 'digits',
      latencyMs: 5000,
      configuration: { fast: { tier: 'cpu-1' } },
      measured: {
        requests: 50,
        completed: 50,
        failed: {},
        attainment: 1,
        stages: { fast: { visits: 50 } },
      },
    })
    expect(report).not.toHaveProperty('estimate')
    expect(report).not.toHaveProperty('measured.latenciesMs')
  })

  it('serves the configuration it is given', async () => {
    const configuration = { fast: { tier: 'cpu-1', maxBatch: 3, replicas: 2 } }
    const plan = folder.write('plan.json', { version: 1, pipeline: 'digits', configuration })
    const report = documentOf(
      await millrace(['run', digits, '--trace', short, '--plan', plan, '--json']),
    )
    expect(report).toMatchObject({ configuration: { fast: { maxBatch: 3, replicas: 2 } } })
  })

  it('refuses to tune without a plan, or with a part of one', async () => {
    const given = ['run', digits, '--trace', short, '--tune']
    const without = await millrace(given)
    expect(without).toMatchObject({ exitCode: 2, stdout: '' })
    expect(without.stderr).toMatch(/--tune: expected a plan to tune, got none; give --plan FILE/)
    const configuration = { fast: { tier: 'cpu-1', maxBatch: 3, replicas: 2 } }
    const part = folder.write('part.json', { version: 1, pipeline: 'digits', configuration })
    const partly = await millrace([...given, '--plan', part])
    expect(partly).toMatchObject({ exitCode: 2, stdout: '' })
    expect(partly.stderr).toMatch(/part\.json: objective: expected a whole plan/)
  })

  it('prints tables for people to read', async () => {
    const { exitCode, stdout, stderr } = await millrace(['run', digits, '--trace', short])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toMatch(/^digits: 50 requests of .* in 0\.\d+ s, \d+ \/s\n/)
    for (const line of [
      /^p99 +[\d.]+ ms$/m,
      /^within 20 ms +[\d.]+ %$/m,
      /^failed +none$/m,
      /^fast +cpu-1 /m,
    ]) {
      expect(stdout).toMatch(line)
    }
  })

  it('counts failures and goes on', async () => {
    const given = [
      'run',
      digits,
      '--trace',
      short,
      '--max-pending',
      '1',
      '--warm-up',
      '0',
      '--json',
    ]
    const burst = folder.write('burst.json', {
      version: 1,
      arrivalsMs: Array(50).fill(0),
      meta: {},
    })
    const { measured } = documentOf(await millrace([...given, '--trace', burst])) as {
      readonly measured: { readonly completed: number; readonly failed: Record<string, number> }
    }
    expect(measured.completed + (measured.failed['MILLRACE_QUEUE_FULL'] ?? 0)).toBe(50)
    expect(measured.completed).toBeLessThan(50)
  })

  it('ends cleanly at Ctrl-C, with nothing on stdout', async () => {
    const file = moduleOf(
      'talking.mjs',
      "export default pipeline; export function samples() { console.error('ready'); return [request] }",
    )
    const interruptAt = { after: /ready/, signal: 'SIGINT' } as const
    const outcome = await millrace(['run', file, '--trace', long, '--json'], { interruptAt })
    expect(outcome).toEqual({
      exitCode: 130,
      stdout: '',
      stderr: 'ready\nmillrace run: interrupted\n',
    })
  })
})

describe('a pipeline is found', () => {
  const load = (file: string) =>
    millrace(['run', file, '--trace', short, '--warm-up', '0', '--json'])

  it.each([
    ['by default', 'export default pipeline', ''],
    ['by name', 'export { pipeline as one }; export const two = pipeline', '#two'],
    ['where it is the only one', 'export const only = pipeline; export const other = 3', ''],
  ])('%s', async (what, text, name) => {
    const file = moduleOf(
      `${what.replaceAll(' ', '-')}.mjs`,
      `${text}; export const samples = [request]`,
    )
    expect(documentOf(await load(file + name))).toMatchObject({
      pipeline: 'slow',
      measured: { completed: 50 },
    })
  })

  it.each([
    ['an array', 'const samples = [request]'],
    ['a function', 'const samples = () => [request]'],
    ['an async function', 'const samples = async () => [request]'],
    ['an endless generator', 'function* samples() { for (;;) yield request }'],
    ['an async generator', 'async function* samples() { yield request; yield request }'],
  ])('and its requests, from %s', async (what, text) => {
    const file = moduleOf(
      `${what.replaceAll(' ', '-')}.mjs`,
      `export default pipeline; export ${text}`,
    )
    expect(documentOf(await load(file))).toMatchObject({ measured: { completed: 50 } })
  })

  it.each([
    [
      'no pipeline',
      'export const x = 3',
      '',
      2,
      /exports no pipeline; write `export default definePipeline/,
    ],
    [
      'several',
      'export { pipeline as a, pipeline as b }',
      '',
      2,
      /several pipelines \(a, b\).*\.mjs#a\n$/,
    ],
    [
      'another name',
      'export { pipeline as first }',
      '#frist',
      2,
      /no export "frist"; did you mean "first"/,
    ],
    [
      'a name of something else',
      'export const x = 3; export { pipeline }',
      '#x',
      2,
      /no pipeline as "x"/,
    ],
    [
      'no requests',
      'export default pipeline',
      '',
      2,
      /no sample requests; write `export function samples/,
    ],
    [
      'requests that are none',
      'export default pipeline; export const samples = 3',
      '',
      2,
      /samples: expected an array of requests, got the number 3/,
    ],
    [
      'empty requests',
      'export default pipeline; export const samples = []',
      '',
      2,
      /expected at least one request/,
    ],
    [
      'a request that is none',
      'export default pipeline; export const samples = [3]',
      '',
      2,
      /sample 0: expected the inputs/,
    ],
    [
      'requests that do not fit',
      'export default pipeline; export const samples = [{ n: 3 }]',
      '',
      2,
      /no input "n"; there is: "iterations"/,
    ],
    [
      'a pipeline of its own making',
      'export default { ...pipeline }',
      '',
      2,
      /another copy of millrace.*npx millrace/,
    ],
    ['a module that throws', "throw new Error('not today')", '', 1, /^millrace run: not today\n$/],
    [
      'requests that throw',
      "export default pipeline; export function samples() { throw new Error('none left') }",
      '',
      1,
      /none left/,
    ],
    [
      'a model that is missing',
      "export default definePipeline({ stages: { s: onnx('no.onnx', { inputs: { x: 'request.x' } }) }, outputs: { y: 's.y' } }); export const samples = [{ x: [] }]",
      '',
      1,
      /no\.onnx/,
    ],
  ])('refused: %s', async (what, text, name, expected, message) => {
    const file = moduleOf(`refused-${what.replaceAll(' ', '-')}.mjs`, text)
    const { exitCode, stdout, stderr } = await millrace(['run', file + name, '--trace', short])
    expect(stderr).toMatch(message)
    expect(stderr).toMatch(/^millrace run: [^\n]*\n$/)
    expect({ exitCode, stdout }).toEqual({ exitCode: expected, stdout: '' })
  })

  it('refused: a file that is not there', async () => {
    const { exitCode, stderr } = await load('nowhere/pipeline.js')
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr:
        'millrace run: nowhere/pipeline.js: no such file; give a module that exports a pipeline\n',
    })
  })
})
