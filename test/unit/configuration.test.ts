import { describe, expect, it } from 'vitest'
import { definePipeline, inline, js, onnx } from '../../src/index.ts'
import { checkReplicas, resolveConfiguration } from '../../src/pipeline/configuration.ts'
import { errorOf } from './thrown.ts'

const stage = onnx('model.onnx', { inputs: { x: 'request.x' } })
const pipeline = definePipeline({
  name: 'pair',
  stages: { one: stage, two: stage },
  outputs: { y: 'one.y', z: 'two.y' },
})
const outputs = { y: { type: 'float32', dims: [] } } as const
const resolve = (configuration: unknown, cores = 8) =>
  resolveConfiguration(pipeline, { configuration, cores })

describe('a configuration', () => {
  it('that says nothing shares the cores out', () => {
    const one = { tier: 'cpu-1', threads: 1, maxBatch: 16, replicas: 4, maxDelayMs: 0 }
    expect([...resolve({})]).toEqual([
      ['one', one],
      ['two', one],
    ])
    expect(resolve({}, 1).get('two')?.replicas).toBe(1)
    expect(resolve({ one: undefined }).get('one')).toEqual(one)
  })

  it('counts the threads of a replica when it shares the cores out', () => {
    const given = { one: { tier: 'cpu-2' }, two: { tier: 'cpu-16' } }
    expect(resolve(given).get('one')).toMatchObject({ threads: 2, replicas: 2 })
    expect(resolve(given).get('two')).toMatchObject({ threads: 16, replicas: 1 })
  })

  it('is taken as it is where it says something', () => {
    const one = { tier: 'cpu-3', maxBatch: 65536, replicas: 0, maxDelayMs: 1.5 }
    expect(resolve({ one }).get('one')).toEqual({ ...one, threads: 3 })
  })

  const mixed = definePipeline({
    name: 'mixed',
    stages: {
      model: onnx('model.onnx', { inputs: { x: 'request.x' } }),
      worker: js(new URL('file:///worker.js'), { inputs: { x: 'model.y' }, outputs }),
      host: inline(() => ({ y: 0 }), { inputs: { x: 'worker.y' }, outputs, concurrency: 5 }),
      late: inline(() => ({ y: 0 }), {
        inputs: { x: 'worker.y' },
        outputs,
        when: { output: 'host.y', test: () => true },
      }),
    },
    outputs: { y: ['late.y', 'host.y'] },
  })
  const resolveMixed = (configuration: unknown) =>
    resolveConfiguration(mixed, { configuration, cores: 8 })

  it('shares the cores out among models and workers, and leaves the host its concurrency', () => {
    const replicas = [...resolveMixed({})].map(([name, stage]) => [name, stage.replicas])
    expect(replicas).toEqual([
      ['model', 4],
      ['worker', 4],
      ['host', 5],
      ['late:when', 1],
      ['late', 8],
    ])
    expect(resolveMixed({ host: { replicas: 2 } }).get('host')?.replicas).toBe(2)
  })

  it.each(['worker', 'host'])('has one thread for the function of %s', (name) => {
    expect(resolveMixed({ [name]: { tier: 'cpu-1' } }).get(name)?.threads).toBe(1)
    expect(errorOf(() => resolveMixed({ [name]: { tier: 'cpu-2' } })).message).toMatch(
      /^configuration\.\w+\.tier: expected "cpu-1", since \w+\(\) runs on one thread, got the string "cpu-2"; give it more replicas$/,
    )
  })

  const wrong: [configuration: unknown, message: string][] = [
    [null, 'configuration: expected a plain object, got null'],
    [[], 'configuration: expected a plain object, got an array of 0'],
    [{ onee: {} }, 'pipeline "pair" has no stage "onee"; did you mean "one"?'],
    [{ one: null }, 'configuration.one: expected a plain object, got null'],
    [{ one: 3 }, 'configuration.one: expected a plain object, got the number 3'],
    [{ one: { maxBatc: 1 } }, 'unknown key "maxBatc"; did you mean "maxBatch"?'],
    [{ one: { maxBatch: 0 } }, 'configuration.one.maxBatch: expected an integer from 1 to 65536'],
    [{ one: { maxBatch: 1.5 } }, 'got the number 1.5'],
    [{ one: { maxBatch: null } }, 'got null'],
    [{ one: { replicas: -1 } }, 'configuration.one.replicas: expected an integer from 0 to 1024'],
    [{ one: { replicas: 1025 } }, 'got the number 1025'],
    [
      { one: { maxDelayMs: -0.1 } },
      'configuration.one.maxDelayMs: expected a finite number from 0',
    ],
    [{ one: { maxDelayMs: Number.NaN } }, 'got the number NaN'],
    [{ one: { tier: 'k80' } }, 'configuration.one.tier: expected "cpu-N"'],
    [{ one: { tier: 'cpu-0' } }, 'got the string "cpu-0"'],
    [{ one: { tier: 'cpu-257' } }, 'from 1 to 256'],
    [{ one: { tier: 2 } }, 'got the number 2'],
  ]
  it.each(wrong)('is refused by name: %j', (configuration, message) => {
    const error = errorOf(() => resolve(configuration))
    expect(error.code).toBe('MILLRACE_INVALID_OPTION')
    expect(error.message).toContain(message)
  })

  it('does not take for a stage what every object has', () => {
    const odd = definePipeline({ stages: { constructor: stage }, outputs: { y: 'constructor.y' } })
    expect(resolveConfiguration(odd, { configuration: {}, cores: 2 }).get('constructor')).toEqual(
      expect.objectContaining({ replicas: 2 }),
    )
  })
})

describe('a number of replicas', () => {
  it('is an integer from 0 to 1024', () => {
    expect([0, 1, 1024].map((count) => checkReplicas(count, 'replicas'))).toEqual([0, 1, 1024])
    for (const value of [-1, 1025, 0.5, Number.NaN, '1', null, undefined]) {
      expect(errorOf(() => checkReplicas(value, 'replicas')).message).toContain(
        'replicas: expected',
      )
    }
  })
})
