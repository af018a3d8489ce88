// Ten thousand requests that nobody would send: each is answered, none with 500, and in the protocol's form.
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Engine,
  type HttpHandler,
  type HttpRequest,
  type HttpResponse,
  openInference,
} from '../../src/index.ts'
import { Random } from '../../src/workload/random.ts'
import { closeAll, elementTypes, startModels } from './served-models.ts'
import { type TypeCase, typeCases } from './type-cases.ts'

const names = [
  ...elementTypes,
  'digits',
  'team%2Fdigits',
  'pair',
  'none',
  '__proto__',
  '%',
  '%00',
  '',
]
const actions = [
  'infer',
  'infer',
  'infer',
  'ready',
  'stats',
  'config',
  '',
  'versions/1',
  'versions/x/infer',
]
const pieces = [
  '/v2',
  '/models',
  '/health/live',
  '/repository/index',
  '/stats',
  '//',
  '/..',
  '/%2e%2e',
  '/%ff',
  '/a'.repeat(2000),
  '\u0000',
]
const lengths = ['0', '1', '17', '100', '-1', 'NaN', '1e9', '999999999999999', '']
const values: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1,
  2 ** 53,
  1e308,
  0.5,
  '',
  'x',
  'FP32',
  'BYTES',
  'NaN',
  '1',
  [],
  [[]],
  [1, 4],
  [[1, 2, 3, 4]],
  {},
  { name: 'x' },
  { __proto__: null, constructor: 1 },
  { binary_data_size: 4 },
  { binary_data_size: -1 },
  { binary_data: true },
  { priority: 1, timeout: 10 ** 7 },
]

class Fuzzer {
  readonly #random: Random

  constructor(seed: number) {
    this.#random = new Random({ seed })
  }

  below(limit: number): number {
    return this.#random.bits() % limit
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item
  }

  request(): HttpRequest {
    const one = this.pick(typeCases)
    const body = this.#body(one)
    const headers: Record<string, string> = {}
    if (this.below(3) > 0)
      headers['content-length'] = String(body.bytes.length + (this.below(20) === 0 ? 3 : 0))
    if (this.below(8) === 0)
      headers['content-type'] = this.pick(['application/json', 'text/x', '', ';;'])
    const length = this.below(12) === 0 ? this.pick(lengths) : body.jsonLength
    if (length !== undefined) headers['inference-header-content-length'] = length
    return {
      method: this.below(10) === 0 ? this.pick(['GET', 'PUT', 'HEAD', '', 'POST']) : 'POST',
      // Every other one with a model that takes such values.
      path: this.below(2) === 0 ? `/v2/models/${one.type}/infer` : this.#path(),
      query: '',
      headers,
      body: Readable.from(this.#chunks(body.bytes)),
      signal: new AbortController().signal,
    }
  }

  #path(): string {
    const usual = `/v2/models/${this.pick(names)}/${this.pick(actions)}`
    if (this.below(4) > 0) return usual
    return `/v2${Array.from({ length: this.below(4) }, () => this.pick(pieces)).join('')}`
  }

  /** A good request for some type, with up to three things changed. */
  #body(one: TypeCase): { bytes: Buffer; jsonLength: string | undefined } {
    const binary = this.below(2) === 0
    const tensor = binary
      ? { parameters: { binary_data_size: one.bytes.length } }
      : { data: JSON.parse(`[${one.json}]`) }
    const document: Record<string, unknown> = {
      id: 'fuzz',
      inputs: [{ name: 'x', datatype: one.datatype, shape: [1, 4], ...tensor }],
      outputs: [{ name: 'y', parameters: { binary_data: this.below(2) === 0 } }],
    }
    for (let changes = this.below(4); changes > 0; changes--) this.#change(document)
    let json: Buffer = Buffer.from(JSON.stringify(document))
    if (this.below(4) === 0) json = this.#scramble(json)
    if (this.below(50) === 0) json = Buffer.concat([json, Buffer.alloc(200_000, ' ')])
    const tail = binary ? this.#scrambled(one.bytes) : Buffer.alloc(0)
    return {
      bytes: Buffer.concat([json, tail]),
      jsonLength: binary ? String(json.length) : undefined,
    }
  }

  #change(document: Record<string, unknown>): void {
    const inputs = document['inputs']
    const input: unknown = Array.isArray(inputs) ? inputs[0] : undefined
    const inside = this.below(2) === 0 && typeof input === 'object' && input !== null
    const target = inside ? (input as Record<string, unknown>) : document
    const keys = inside
      ? ['name', 'datatype', 'shape', 'data', 'parameters']
      : ['id', 'inputs', 'outputs', 'parameters']
    const key = this.pick([...keys, '__proto__', 'constructor'])
    if (this.below(4) === 0) delete target[key]
    else
      Object.defineProperty(target, key, {
        value: this.pick(values),
        enumerable: true,
        writable: true,
        configurable: true,
      })
  }

  #scrambled(bytes: Uint8Array): Buffer {
    return this.below(3) === 0 ? this.#scramble(Buffer.from(bytes)) : Buffer.from(bytes)
  }

  #scramble(bytes: Buffer): Buffer {
    const at = this.below(bytes.length + 1)
    switch (this.below(4)) {
      case 0:
        return bytes.subarray(0, at)
      case 1:
        return Buffer.concat([
          bytes.subarray(0, at),
          Buffer.of(this.below(256)),
          bytes.subarray(at),
        ])
      case 2:
        return Buffer.concat([bytes, bytes.subarray(at)])
      default:
        bytes[Math.min(at, bytes.length - 1)] = this.below(256)
        return bytes
    }
  }

  #chunks(bytes: Buffer): readonly Buffer[] {
    if (this.below(2) === 0) return bytes.length === 0 ? [] : [bytes]
    const at = this.below(bytes.length + 1)
    return [bytes.subarray(0, at), bytes.subarray(at)].filter(({ length }) => length > 0)
  }
}

async function readAll(body: HttpResponse['body']): Promise<string> {
  if (typeof body === 'string') return body
  const parts: Uint8Array[] = []
  const list = body instanceof Uint8Array ? [body] : (body as AsyncIterable<string | Uint8Array>)
  for await (const part of list) parts.push(Buffer.from(part as Uint8Array))
  return Buffer.concat(parts).toString('latin1')
}

describe('requests that nobody would send', () => {
  let engines: Record<string, Engine>
  let handler: HttpHandler
  const errors: unknown[] = []
  beforeAll(async () => {
    engines = await startModels()
    handler = openInference({
      models: engines,
      maxBodyBytes: 150_000,
      bodyTimeoutMs: 5_000,
      onError: (error) => errors.push(error),
    })
  })
  afterAll(() => closeAll(engines))

  it.each([1, 2, 3, 4])(
    'are all answered, and never with 500 (seed %i)',
    async (seed) => {
      const fuzzer = new Fuzzer(seed)
      const statuses = new Map<number | undefined, number>()
      for (let round = 0; round < 2500; round++) {
        const request = fuzzer.request()
        const { method, path, headers } = request
        const response = await handler(request)
        const text = response === undefined ? '' : await readAll(response.body)
        const status = response?.status
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
        const what = `round ${round}: ${method} ${path.slice(0, 100)} ${JSON.stringify(headers)} -> ${text.slice(0, 300)}`
        expect(status, what).not.toBe(500)
        if (status !== undefined && status >= 400) {
          expect(Object.keys(JSON.parse(text)), what).toContain('error')
        }
      }
      expect(errors).toEqual([])
      // It is of no use where nothing gets through, or everything does.
      expect(statuses.get(200)).toBeGreaterThan(150)
      expect(statuses.get(400)).toBeGreaterThan(500)
      const { pendingRequests } = (engines['float32'] as Engine).stats()
      expect(pendingRequests).toBe(0)
    },
    60_000,
  )
})
