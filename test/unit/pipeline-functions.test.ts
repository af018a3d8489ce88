import { describe, expect, it } from 'vitest'
import { inline } from '../../src/pipeline/inline.ts'
import { js } from '../../src/pipeline/js.ts'
import { errorOf } from './thrown.ts'

const label = { type: 'int64', dims: [] } as const
const wired = { inputs: { page: 'request.page' }, outputs: { label } } as const
const module = new URL('file:///stages/segment.js')

// As JavaScript sees it: what the compiler would refuse must be refused when it runs, too.
const makeJs = (url: unknown, options: unknown) => js(url as never, options as never)
const makeInline = (run: unknown, options: unknown) => inline(run as never, options as never)
const run = () => ({ label: 0n })

describe('a js stage', () => {
  it('takes one row at a time, 30 seconds at most, unless told otherwise', () => {
    expect(js(module, wired)).toEqual({
      kind: 'js',
      url: 'file:///stages/segment.js',
      exportName: 'default',
      data: undefined,
      inputs: { page: ['request.page'] },
      inputShapes: { page: undefined },
      outputs: { label: { type: 'int64', dims: [] } },
      batched: false,
      timeoutMs: 30_000,
      when: undefined,
      fanOut: false,
      gather: undefined,
      isolate: true,
      cache: undefined,
    })
  })

  it('keeps what it is told', () => {
    const options = {
      export: 'segment',
      batched: true,
      fanOut: true,
      gather: 'pages',
      isolate: false,
      timeoutMs: Number.POSITIVE_INFINITY,
      data: { threshold: 128 },
      when: { output: 'a.b', above: 0 },
    }
    const { export: exportName, ...kept } = options
    const cache = { maxBytes: 1, ttlMs: 0.5 }
    const made = makeJs(module, { ...wired, ...options })
    expect(made).toMatchObject({ ...kept, exportName })
    expect(makeJs(module, { ...wired, cache })).toMatchObject({ cache })
    expect(makeJs(module, { ...wired, cache: { maxBytes: 1 } }).cache?.ttlMs).toBe(
      Number.POSITIVE_INFINITY,
    )
  })

  it('finds its module by a file URL, its text or an absolute path', () => {
    expect(makeJs(module.href, wired).url).toBe(module.href)
    expect(makeJs('/stages/segment.js', wired).url).toMatch(/^file:.*\/stages\/segment\.js$/)
    expect(makeJs('file:/a.js', wired).url).toBe('file:///a.js')
    expect(makeJs(new URL('file:///a.js?v=2'), wired).url).toBe('file:///a.js?v=2')
  })

  it('declares types and shapes of inputs where it likes', () => {
    const from = ['request.page', 'a.b']
    const made = makeJs(module, {
      ...wired,
      inputs: { page: { from, type: 'uint8', dims: [-1, 3] }, other: 'a.c' },
    })
    expect(made.inputs).toEqual({ page: from, other: ['a.c'] })
    expect(made.inputShapes).toEqual({ page: { type: 'uint8', dims: [-1, 3] }, other: undefined })
  })

  it('is frozen, and keeps its data as it was', () => {
    const data = { words: ['a'] }
    const made = js(module, { ...wired, data })
    data.words.push('b')
    expect(made.data).toEqual({ words: ['a'] })
    const { inputs, inputShapes, outputs } = made
    const parts = [made, inputs, inputs['page'], inputShapes, outputs, outputs['label']]
    for (const part of [...parts, outputs['label']?.dims]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
  })

  it.each<[string, unknown, object, string]>([
    [
      'a relative path',
      './segment.js',
      {},
      "give a file, such as new URL('./stage.js', import.meta.url)",
    ],
    ['a web address', 'https://a.b/segment.js', {}, 'expected a file: URL, got https:'],
    ['data for a module', 'data:text/javascript,1', {}, 'got the string "data:text/javascript,1"'],
    ['another host', 'file://host/segment.js', {}, 'names no file here'],
    ['nothing', undefined, {}, 'js(), url: expected a string'],
    ['the export setup', module, { export: 'setup' }, '"setup" prepares the worker'],
    ['an export without a name', module, { export: '' }, 'export: expected a string'],
    ['data that cannot be copied', module, { data: { run } }, "in the module's setup()"],
    ['concurrency', module, { concurrency: 2 }, 'unknown key "concurrency"'],
  ])('is refused with %s', (_, url, options, message) => {
    const error = errorOf(() => makeJs(url, { ...wired, ...options }))
    expect(error.message).toContain(message)
    expect(error.code).toBe('MILLRACE_INVALID_PIPELINE')
  })
})

describe('an inline stage', () => {
  it('takes batches, eight at once, unless told otherwise', () => {
    const made = inline(run, wired)
    expect(made).toMatchObject({ kind: 'inline', batched: true, concurrency: 8, isolate: true })
    expect(made.run).toBe(run)
    expect(inline(run, { ...wired, concurrency: 1024, batched: false })).toMatchObject({
      batched: false,
      concurrency: 1024,
    })
  })

  it.each<[string, unknown, object, string]>([
    ['without a function', 'run', {}, 'inline(): expected a function, got the string "run"'],
    ['with no concurrency', run, { concurrency: 0 }, 'inline(run), concurrency: expected an int'],
    ['with too much of it', run, { concurrency: 1025 }, 'from 1 to 1024'],
    ['with data', run, { data: 1 }, 'unknown key "data"'],
  ])('is refused %s', (_, given, options, message) => {
    const error = errorOf(() => makeInline(given, { ...wired, ...options }))
    expect(error.message).toContain(message)
    expect(error.code).toBe('MILLRACE_INVALID_PIPELINE')
  })
})

describe('a function', () => {
  const from = 'request.page'
  const dims17 = Array.from({ length: 17 }, () => 1)

  it.each<[string, object, string]>([
    ['no inputs', { inputs: {} }, 'inputs: expected at least one, got none'],
    ['a number for an input', { inputs: { page: 1 } }, 'input "page": expected a reference'],
    ['nothing that feeds', { inputs: { page: { type: 'int8', dims: [] } } }, 'from: expected a'],
    ['a type alone', { inputs: { page: { from, type: 'int8' } } }, 'dims: expected a list of'],
    ['dims alone', { inputs: { page: { from, dims: [] } } }, 'type: expected one of "float32"'],
    ['a misspelt key', { inputs: { page: { form: from } } }, 'did you mean "from"?'],
    ['no outputs', { outputs: {} }, 'outputs: expected at least one, got none; declare each'],
    ['outputs left out', { outputs: undefined }, 'outputs: expected a plain object, got undefined'],
    ['a list of outputs', { outputs: ['label'] }, 'outputs: expected a plain object'],
    ['a type for an output', { outputs: { label: 'int64' } }, 'output "label": expected a plain'],
    ['a nameless output', { outputs: { '': label } }, 'output "": expected a name'],
    ['no such type', { outputs: { y: { type: 'flaot32', dims: [] } } }, 'did you mean "float32"?'],
    ['a dimension of 0', { outputs: { y: { type: 'int8', dims: [0] } } }, 'dims[0]: expected an'],
    [
      'a hole',
      { outputs: { y: { type: 'int8', dims: Array(1) } } },
      'dims[0]: expected an integer',
    ],
    ['half a dimension', { outputs: { y: { type: 'int8', dims: [1, 1.5] } } }, 'dims[1]: expected'],
    ['a dimension of -2', { outputs: { y: { type: 'int8', dims: [-2] } } }, 'at least 1, got the'],
    ['17 dimensions', { outputs: { y: { type: 'int8', dims: dims17 } } }, 'at most 16 sizes'],
    ['a huge row', { outputs: { y: { type: 'int8', dims: [2 ** 31] } } }, 'got 2147483648'],
    ['a batch of rows', { batched: 1 }, 'batched: expected true or false'],
    ['no time', { timeoutMs: 0.5 }, 'timeoutMs: expected milliseconds of at least 1, or Infinity'],
    ['time that is no number', { timeoutMs: Number.NaN }, 'got the number NaN'],
    ['time as text', { timeoutMs: '1s' }, 'got the string "1s"'],
    ['a fan-out of 3', { fanOut: 3 }, 'fanOut: expected true or false'],
    ['a reference to gather', { gather: 'a.b' }, 'gather: expected a name'],
    ['isolation null', { isolate: null }, 'isolate: expected true or false, got null'],
    ['a cache without bytes', { cache: {} }, 'cache, maxBytes: expected an integer at least 1'],
    [
      'a cache of items',
      { cache: { maxBytes: 1 }, fanOut: true },
      'cache: a stage with fanOut makes items, which are not kept; remove cache',
    ],
    ['a cache of nothing', { cache: { maxBytes: 0 } }, 'got the number 0'],
    ['a cache that keeps nothing', { cache: { maxBytes: 1, ttlMs: 0 } }, 'milliseconds above 0'],
    ['a cache for NaN ms', { cache: { maxBytes: 1, ttlMs: Number.NaN } }, 'ttlMs: expected mill'],
    ['padding', { pad: { page: 0 } }, 'unknown key "pad"'],
    ['an unknown key', { out: 1 }, 'unknown key "out"'],
  ])('is refused with %s', (_, options, message) => {
    const error = errorOf(() => makeInline(run, { ...wired, ...options }))
    expect(error.message).toContain(message)
    expect(error.code).toBe('MILLRACE_INVALID_PIPELINE')
  })

  it('may return rows of any open shape, and single elements', () => {
    const dims = [-1, 2 ** 31 - 1, -1]
    const outputs = { y: { type: 'float32', dims }, z: { type: 'string', dims: [] } }
    expect(makeInline(run, { ...wired, outputs }).outputs).toEqual(outputs)
  })
})
