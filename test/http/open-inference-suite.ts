// What the protocol's routes answer, over whatever serves the handler: the same suite for every adapter.
import { deflateSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Engine } from '../../src/index.ts'
import { openInference } from '../../src/index.ts'
import { readDigits } from '../engine/pipelines.ts'
import { binaryBody, jsonBody, type Reply, readReply, type Sent, send } from './send.ts'
import type { Serve, Served } from './serve-node.ts'
import { closeAll, startModels } from './served-models.ts'
import { bytesOf, half, type TypeCase, typeCases } from './type-cases.ts'

/** A request for a row of four elements, in the text of JSON. */
function textRequest({ datatype, json }: Pick<TypeCase, 'datatype' | 'json'>, rest = ''): Sent {
  return jsonBody(
    `{"inputs":[{"name":"x","datatype":"${datatype}","shape":[1,4],"data":[${json}]}]${rest}}`,
  )
}

function binaryRequest({ datatype, bytes }: Pick<TypeCase, 'datatype' | 'bytes'>, rest = {}): Sent {
  const parameters = { binary_data_size: bytes.length }
  return binaryBody({ inputs: [{ name: 'x', datatype, shape: [1, 4], parameters }], ...rest }, [
    bytes,
  ])
}

/** The suite, over a server that `serve` makes of a handler. */
export function openInferenceSuite(name: string, serve: Serve): void {
  describe(`the Open Inference Protocol over ${name}`, () => {
    let engines: Record<string, Engine>
    let served: Served
    const get = (path: string, sent?: Sent): Promise<Reply> => send(served.url, path, sent)
    const infer = (model: string, sent: Sent) => get(`/v2/models/${model}/infer`, sent)
    const errorOf = (reply: Reply): string => JSON.parse(reply.text).error

    beforeAll(async () => {
      engines = await startModels()
      served = await serve(openInference({ models: engines, version: '7', maxBodyBytes: 1 << 22 }))
    })
    afterAll(async () => {
      await served.close()
      await closeAll(engines)
    })

    describe('routes', () => {
      const model = { name: 'int8', ready: true }
      it.each<[string, object]>([
        ['/v2', { name: 'millrace', version: '7' }],
        ['/v2/', { extensions: ['binary_tensor_data', 'statistics', 'model_repository'] }],
        ['/v2?x=1', { name: 'millrace' }],
        ['/v2/health/live', { live: true }],
        ['/v2/health/ready', { ready: true }],
        ['/v2/models', { models: expect.arrayContaining(['digits', 'team/digits']) }],
        ['/v2/models/int8/ready', model],
        ['/v2/models/int8/versions/1/ready', model],
        ['/v2/models/int%38/ready', model],
        ['/v2/models/team%2Fdigits/ready', { name: 'team/digits', ready: true }],
        ['/v2/models/team/digits/versions/1/ready', { name: 'team/digits', ready: true }],
        ['/v2/models/int8/stats', { model_stats: [{ name: 'int8', version: '1' }] }],
        ['/v2/models/stats', { model_stats: expect.arrayContaining([]) }],
      ])('GET %s answers', async (path, expected) => {
        const reply = await get(path)
        expect(reply.status).toBe(200)
        expect(reply.headers['content-type']).toBe('application/json')
        expect(JSON.parse(reply.text)).toMatchObject(expected)
      })

      it('describes a model, with -1 for what is open', async () => {
        for (const path of ['/v2/models/digits', '/v2/models/digits/versions/1']) {
          expect(JSON.parse((await get(path)).text)).toEqual({
            name: 'digits',
            versions: ['1'],
            platform: 'millrace_pipeline',
            inputs: [{ name: 'image', datatype: 'FP32', shape: [-1, 1, 8, 8] }],
            outputs: [
              { name: 'label', datatype: 'INT64', shape: [-1] },
              { name: 'confidence', datatype: 'FP32', shape: [-1] },
            ],
          })
        }
      })

      it('answers HEAD as GET, without a body', async () => {
        expect(await get('/v2/health/ready', { method: 'HEAD' })).toMatchObject({
          status: 200,
          text: '',
        })
      })

      it("gives Triton's index of the repository", async () => {
        for (const sent of [jsonBody({ ready: true }), { method: 'POST' }]) {
          const index = JSON.parse((await get('/v2/repository/index', sent)).text)
          expect(index).toContainEqual({ name: 'digits', version: '1', state: 'READY', reason: '' })
        }
      })

      const row = textRequest({ datatype: 'INT8', json: '1,2,3,4' })
      it.each<[string, number, string, Sent?]>([
        ['/v2/nothing', 404, 'there is nothing at "/v2/nothing"'],
        ['/v2/health', 404, 'there is nothing at'],
        ['/v2/models/digts', 404, 'there is no model "digts"; did you mean "digits"?'],
        ['/v2/models/constructor', 404, 'there is no model "constructor"'],
        ['/v2/models/__proto__/ready', 404, 'there is no model "__proto__"'],
        ['/v2/models/int8/versions/2', 404, 'has version 1 alone, not "2"'],
        ['/v2/models/int8/versions/2/infer', 404, 'has version 1 alone', row],
        ['/v2/models/none/infer', 404, 'there is no model "none"', row],
        ['/v2/models/%ff/ready', 400, 'is not percent-encoded UTF-8'],
        ['/v2/models/int8/config', 501, 'does not have model configurations'],
        ['/v2/repository/models/int8/load', 501, 'does not have loading', jsonBody({})],
        ['/v2/systemsharedmemory/status', 501, 'does not have shared memory'],
        ['/v2/logging', 501, 'does not have changes of the log'],
      ])('%s is %i', async (path, status, message, sent) => {
        const reply = await get(path, sent)
        expect(reply.status).toBe(status)
        expect(Object.keys(JSON.parse(reply.text))).toEqual(['error'])
        expect(errorOf(reply)).toContain(message)
      })

      it.each([
        ['POST', '/v2/health/live', 'GET, HEAD'],
        ['DELETE', '/v2/models/int8', 'GET, HEAD'],
        ['GET', '/v2/models/int8/infer', 'POST'],
        ['PUT', '/v2/models/int8/infer', 'POST'],
        ['GET', '/v2/repository/index', 'POST'],
      ])('%s %s is not allowed', async (method, path, allow) => {
        const reply = await get(path, { method })
        expect(reply.status).toBe(405)
        expect(reply.headers['allow']).toBe(allow)
        expect(errorOf(reply)).toContain(`${method} is not a method of this path`)
      })
    })

    describe('values', () => {
      describe.each(typeCases)('of $datatype', (one) => {
        const written = `[${one.written ?? one.json}]`
        it('come and go in JSON', async () => {
          const reply = await infer(one.type, textRequest(one))
          expect(reply.text).toBe(
            `{"model_name":"${one.type}","model_version":"1","outputs":[{"name":"y","datatype":"${one.datatype}","shape":[1,4],"data":${written}}]}`,
          )
          expect(reply.headers['content-type']).toBe('application/json')
        })

        it('come nested as the shape is', async () => {
          const nested = await infer(one.type, textRequest({ ...one, json: `[${one.json}]` }))
          expect(nested.text).toContain(`"data":${written}`)
        })

        it('come in JSON and go as bytes', async () => {
          const reply = await infer(
            one.type,
            textRequest(one, ',"parameters":{"binary_data_output":true}'),
          )
          const { binary, rest } = readReply(reply)
          expect(binary['y']).toEqual(Buffer.from(one.bytes))
          expect(rest).toBe(0)
          expect(reply.headers['content-type']).toBe('application/octet-stream')
        })

        it('come as bytes and go in JSON', async () => {
          const reply = await infer(one.type, binaryRequest(one))
          expect(reply.text).toContain(`"data":${written}`)
          expect(reply.headers['inference-header-content-length']).toBeUndefined()
        })

        it('come and go as bytes', async () => {
          const outputs = [{ name: 'y', parameters: { binary_data: true } }]
          const { binary, document } = readReply(
            await infer(one.type, binaryRequest(one, { outputs })),
          )
          expect(binary['y']).toEqual(Buffer.from(one.bytes))
          expect(document.outputs).toEqual([
            {
              name: 'y',
              datatype: one.datatype,
              shape: [1, 4],
              parameters: { binary_data_size: one.bytes.length },
            },
          ])
        })
      })

      it('of FP16 come and go as bytes alone', async () => {
        const asked = { datatype: 'FP16', bytes: half }
        const parameters = { binary_data_output: true }
        const { binary } = readReply(await infer('float16', binaryRequest(asked, { parameters })))
        expect(binary['y']).toEqual(Buffer.from(half))
        for (const sent of [
          binaryRequest(asked),
          textRequest({ datatype: 'FP16', json: '1,2,3,4' }),
        ]) {
          const reply = await infer('float16', sent)
          expect([reply.status, errorOf(reply)]).toEqual([
            400,
            expect.stringContaining('FP16 has no form in JSON'),
          ])
        }
      })

      it('may be the whole body, as one row', async () => {
        const headers = { 'inference-header-content-length': '0' }
        const body = bytesOf(Float32Array.of(1, 2, 3, 4))
        const { binary, document } = readReply(
          await infer('float32', { method: 'POST', headers, body }),
        )
        expect(document.outputs[0].shape).toEqual([1, 4])
        expect(binary['y']).toEqual(Buffer.from(body))
        const open = await infer('echo', { method: 'POST', headers, body })
        expect([open.status, errorOf(open)]).toEqual([
          400,
          expect.stringContaining('one input of a fixed shape'),
        ])
      })

      it('that Python writes as bare words are read', async () => {
        const reply = await infer(
          'float32',
          textRequest({ datatype: 'FP32', json: 'NaN,Infinity, -Infinity ,1' }),
        )
        expect(reply.text).toContain('"data":["NaN","Infinity","-Infinity",1]')
      })

      it('of several inputs come as bytes and in JSON, and go in the order asked for', async () => {
        const a = bytesOf(Float32Array.of(1, 2, 3, 4))
        const request = {
          id: 'a "b"',
          inputs: [
            { name: 'constructor', datatype: 'INT64', shape: [2], data: [5, 6] },
            { name: 'a', datatype: 'FP32', shape: [2, 2], parameters: { binary_data_size: 16 } },
          ],
          outputs: [{ name: 'd' }, { name: 'c', parameters: { binary_data: true } }],
        }
        const { document, binary } = readReply(await infer('pair', binaryBody(request, [a])))
        expect(document).toMatchObject({
          id: 'a "b"',
          outputs: [{ name: 'd', data: [5, 6] }, { name: 'c' }],
        })
        expect(binary['c']).toEqual(Buffer.from(a))
      })

      it('of large bodies are read as they come and written in parts', async () => {
        const data = Array.from({ length: 100_000 }, (_, at) => at / 7)
        const nested = [data.slice(0, 50_000), data.slice(50_000)]
        for (const sent of [data, nested]) {
          const inputs = [{ data: sent, name: 'x', shape: [2, 50_000], datatype: 'FP32' }]
          const reply = await infer('echo', jsonBody({ id: 'ü'.repeat(70_000), inputs }))
          expect(reply.status, reply.text.slice(0, 200)).toBe(200)
          const { outputs, id } = JSON.parse(reply.text)
          expect(id).toHaveLength(70_000)
          expect(Float32Array.from(outputs[0].data)).toEqual(Float32Array.from(data))
        }
      })

      it('of digits are recognised, whichever way they come', async () => {
        const digits = readDigits().slice(0, 8)
        const pixels = new Float32Array(digits.flatMap((digit) => [...digit.pixels]))
        const input = { name: 'image', datatype: 'FP32', shape: [8, 1, 8, 8] }
        const parameters = { binary_data_size: pixels.byteLength }
        const text = await infer(
          'team%2Fdigits',
          jsonBody({ inputs: [{ ...input, data: [...pixels] }] }),
        )
        const bytes = await infer(
          'team/digits',
          binaryBody({ inputs: [{ ...input, parameters }] }, [bytesOf(pixels)]),
        )
        expect(text.text).toBe(bytes.text)
        const right = JSON.parse(text.text).outputs[0].data.filter(
          (label: number, at: number) => label === digits[at]?.label,
        )
        expect(right.length).toBeGreaterThan(5)
      })
    })

    describe('requests that are wrong', () => {
      const x = { name: 'x', datatype: 'INT8', shape: [1, 4], data: [1, 2, 3, 4] }
      const wide = { name: 'x', datatype: 'INT64', shape: [1, 4] }
      it.each<[string, unknown, string]>([
        ['int8', '{"inputs":', 'JSON ends early'],
        ['int8', '{"inputs":[}', 'JSON is malformed: unexpected "}" at byte 11'],
        ['int8', '[]', 'expected an object with inputs, got an array of 0'],
        ['int8', 'null', 'expected an object with inputs'],
        ['int8', '', 'JSON ends early, after 0 bytes'],
        ['int8', {}, 'inputs: expected a list of tensors'],
        ['int8', { inputs: [] }, 'input "x" is missing: expected INT8[-1, 4]'],
        ['int8', { inputs: [3] }, 'inputs, 0: expected a tensor as an object, got the number 3'],
        ['int8', { inputs: [{ ...x, name: 'y' }] }, 'has no input the string "y"'],
        ['int8', { inputs: [{ ...x, name: 5 }] }, 'name: expected a string, got the number 5'],
        ['int8', { inputs: [x, x] }, 'input "x": it comes twice'],
        [
          'int8',
          { inputs: [{ ...x, datatype: 'FP32' }] },
          'expected INT8[-1, 4], got datatype FP32',
        ],
        ['int8', { inputs: [{ ...x, datatype: undefined }] }, 'got datatype undefined'],
        ['int8', { inputs: [{ ...x, shape: [1, 3] }] }, 'expected INT8[-1, 4], got shape [1, 3]'],
        ['int8', { inputs: [{ ...x, shape: [4] }] }, 'got shape [4]'],
        ['int8', { inputs: [{ ...x, shape: ['1', 4] }] }, 'expected a list of sizes'],
        ['int8', { inputs: [{ ...x, shape: [-1, 4] }] }, 'expected a list of sizes'],
        ['int8', { inputs: [{ ...x, shape: [2 ** 52, 4] }] }, 'got shape'],
        ['int8', { inputs: [{ ...x, shape: [2 ** 40, 4] }] }, 'got 4 elements'],
        ['int8', { inputs: [{ ...x, shape: [0, 4], data: [] }] }, 'got no rows'],
        ['int8', { inputs: [{ ...x, data: [1, 2, 3] }] }, 'a list of 4 elements, flat or nested'],
        ['int8', { inputs: [{ ...x, data: [[1, 2, 3]] }] }, 'got a list of 3 where it has 4'],
        ['int8', { inputs: [{ ...x, data: [[1, 2, 3, [4]]] }] }, 'element 3: expected an integer'],
        ['int8', { inputs: [{ ...x, data: undefined }] }, 'got undefined'],
        [
          'int8',
          { inputs: [{ ...x, data: [1, '2', 3, 4] }] },
          'element 1: expected an integer from -128 to 127, got the string "2"',
        ],
        ['int8', { inputs: [{ ...x, data: [1, 2.5, 3, 4] }] }, 'got the number 2.5'],
        ['int8', { inputs: [{ ...x, data: [1, 200, 3, 4] }] }, 'got the number 200'],
        ['int8', { inputs: [{ ...x, data: [null, 2, 3, 4] }] }, 'element 0: expected an integer'],
        ['int8', { inputs: [x], outputs: [{ name: 'z' }] }, 'has no output the string "z"'],
        ['int8', { inputs: [x], outputs: [{ name: 'y' }, { name: 'y' }] }, 'asked for twice'],
        ['int8', { inputs: [x], outputs: ['y'] }, 'outputs: expected objects'],
        ['int8', { inputs: [x], outputs: {} }, 'outputs: expected a list'],
        ['int8', { inputs: [x], id: 5 }, 'id: expected a string, got the number 5'],
        ['int8', { inputs: [x], parameters: [] }, 'parameters: expected an object'],
        [
          'int8',
          { inputs: [x], parameters: { priority: '1' } },
          'priority: expected a whole number',
        ],
        ['int8', { inputs: [x], parameters: { timeout: -1 } }, 'timeout: expected a whole number'],
        ['int8', { inputs: [x], parameters: { binary_data_output: 1 } }, 'expected true or false'],
        [
          'int8',
          { inputs: [{ ...x, parameters: { binary_data_size: 4 } }] },
          'it has both data and',
        ],
        [
          'int8',
          { inputs: [{ ...x, data: undefined, parameters: { binary_data_size: 4 } }] },
          'needs the header',
        ],
        [
          'int64',
          { inputs: [{ ...wide, data: [1, 2, 3, '9223372036854775808'] }] },
          'element 3: expected',
        ],
        ['int64', { inputs: [{ ...wide, data: [1, 2, 3, '0x1'] }] }, 'element 3: expected'],
        [
          'uint64',
          { inputs: [{ ...wide, datatype: 'UINT64', data: [1, 2, 3, -1] }] },
          'element 3: expected',
        ],
        [
          'float32',
          { inputs: [{ ...wide, datatype: 'FP32', data: [1, 2, 1e39, 0] }] },
          'that FP32 can hold',
        ],
        [
          'float32',
          { inputs: [{ ...wide, datatype: 'FP32', data: [1, 2, '3', 0] }] },
          'element 2: expected a number',
        ],
        [
          'bool',
          { inputs: [{ ...wide, datatype: 'BOOL', data: [true, 2, 0, 1] }] },
          'element 1: expected true or false',
        ],
        [
          'string',
          { inputs: [{ ...wide, datatype: 'BYTES', data: ['a', 2, 'b', ''] }] },
          'element 1: expected a string',
        ],
      ])('%s is not given %j', async (model, document, message) => {
        const reply = await infer(model, jsonBody(document))
        expect(errorOf(reply)).toContain(message)
        expect(reply.status).toBe(400)
      })

      it.each<[string, object, Uint8Array, string]>([
        [
          'the size of another shape',
          { size: 3 },
          new Uint8Array(3),
          '1, 4] has 4 bytes, but binary_data_size is 3',
        ],
        [
          'more bytes than there are',
          { size: 4 },
          new Uint8Array(3),
          'are 1 bytes more than follow',
        ],
        [
          'bytes left over',
          { size: 4 },
          new Uint8Array(5),
          'goes on after the bytes of all inputs',
        ],
        [
          'a size that is no number',
          { size: '4' },
          new Uint8Array(4),
          'expected a number of bytes',
        ],
        ['a size below zero', { size: -4 }, new Uint8Array(4), 'expected a number of bytes'],
      ])(
        'bytes are not taken with %s',
        async (_what, { size }: { size?: unknown }, bytes, message) => {
          const parameters = { binary_data_size: size }
          const inputs = [{ name: 'x', datatype: 'INT8', shape: [1, 4], parameters }]
          const reply = await infer('int8', binaryBody({ inputs }, [bytes]))
          expect(errorOf(reply)).toContain(message)
          expect(reply.status).toBe(400)
        },
      )

      it.each([
        ['bool', 'BOOL', Uint8Array.of(0, 1, 2, 0), 'element 2: expected a byte of 0 or 1, got 2'],
        ['string', 'BYTES', Uint8Array.of(9, 0, 0, 0, 65), 'ends within element 0, of 9 bytes'],
        ['string', 'BYTES', Uint8Array.of(1, 0), 'ends within a length at byte 0'],
        [
          'string',
          'BYTES',
          Uint8Array.of(1, 0, 0, 0, 65),
          'holds 1 elements where the shape has 4',
        ],
        ['string', 'BYTES', Uint8Array.of(1, 0, 0, 0, 255), 'is not UTF-8 in element 0'],
      ])('bytes of %s that are none are refused: %s', async (model, datatype, bytes, message) => {
        const reply = await infer(model, binaryRequest({ datatype, bytes }))
        expect([reply.status, errorOf(reply)]).toEqual([400, expect.stringContaining(message)])
      })

      it.each(['-1', '1.5', 'x', '99999999', '1e3'])(
        'the header of binary data cannot be %s',
        async (length) => {
          const headers = { 'inference-header-content-length': length }
          const reply = await infer('int8', { ...jsonBody({ inputs: [x] }), headers })
          expect([reply.status, errorOf(reply)]).toEqual([400, expect.stringContaining('expected')])
        },
      )

      it.each([
        { 'content-type': 'multipart/form-data; boundary=x' },
        { 'content-type': 'application/json; charset=utf-16' },
        { 'content-type': 'text/html' },
        { 'content-type': 'application/json', 'content-encoding': 'br' },
      ])('%j is not read', async (headers) => {
        const reply = await infer('int8', { ...jsonBody({ inputs: [x] }), headers })
        expect([reply.status, errorOf(reply)]).toEqual([
          415,
          expect.stringContaining('is not read here'),
        ])
      })

      it.each([
        ['gzip', gzipSync],
        ['deflate', deflateSync],
      ])('bodies are read in %s, JSON and binary', async (encoding, compress) => {
        const compressed = ({ headers, body = '', ...sent }: Sent): Sent => {
          const encoded = { ...headers, 'content-encoding': encoding }
          return { ...sent, headers: encoded, body: compress(body) }
        }
        const json = jsonBody({ inputs: [x] })
        expect((await infer('int8', compressed(json))).text).toBe((await infer('int8', json)).text)
        const { data: _data, ...bare } = x
        const parameters = { binary_data_size: x.data.length }
        const binary = binaryBody({ inputs: [{ ...bare, parameters }] }, [Uint8Array.from(x.data)])
        const reply = await infer('int8', compressed(binary))
        expect([reply.status, reply.text]).toEqual([200, (await infer('int8', binary)).text])
      })

      it('a body that is not in its encoding, or ends early in it, is refused', async () => {
        const json = jsonBody({ inputs: [x] })
        const headers = { ...json.headers, 'content-encoding': 'gzip' }
        const plain = await infer('int8', { ...json, headers })
        expect([plain.status, errorOf(plain)]).toEqual([
          400,
          expect.stringContaining('not in its content-encoding'),
        ])
        const half = gzipSync(json.body ?? '').subarray(0, 20)
        const short = await infer('int8', { ...json, headers, body: half })
        expect([short.status, errorOf(short)]).toEqual([
          400,
          expect.stringContaining('ended before all of it was there'),
        ])
      })

      it('a body that is small only while it is compressed is too large', async () => {
        const bomb = gzipSync(Buffer.alloc(1 << 23, 0x20))
        const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
        const reply = await infer('int8', { method: 'POST', headers, body: bomb })
        expect([reply.status, errorOf(reply)]).toEqual([413, expect.stringContaining('4194304')])
      })

      it.each([
        'application/x-www-form-urlencoded',
        'application/json; charset=UTF-8',
        'application/problem+json',
        'application/octet-stream',
      ])('%s is read as JSON', async (type) => {
        const reply = await infer('int8', {
          ...jsonBody({ inputs: [x] }),
          headers: { 'content-type': type },
        })
        expect(reply.status).toBe(200)
      })

      it.each([
        { parameters: { sequence_id: 3 } },
        { parameters: { sequence_start: true } },
        { outputs: [{ name: 'y', parameters: { classification: 2 } }] },
        { outputs: [{ name: 'y', parameters: { shared_memory_region: 'a' } }] },
      ])('%j asks for what there is not', async (rest) => {
        const reply = await infer('int8', jsonBody({ inputs: [x], ...rest }))
        expect([reply.status, errorOf(reply)]).toEqual([
          501,
          expect.stringContaining('does not have'),
        ])
      })

      it('leave no trace in the prototypes of objects', async () => {
        const text = `{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},
          "inputs":[{"name":"x","datatype":"INT8","shape":[1,4],"data":[1,2,3,4],"__proto__":{"polluted":1}}],
          "parameters":{"__proto__":{"priority":1,"polluted":1}}}`
        for (const filler of ['', ' '.repeat(200_000)]) {
          expect((await infer('int8', jsonBody(text + filler))).status).toBe(200)
        }
        expect({}).not.toHaveProperty('polluted')
      })

      it('are refused where they are not UTF-8, or nested without end', async () => {
        const body = Buffer.from('{"id":"\xff","inputs":[]}', 'latin1')
        expect(errorOf(await infer('int8', { method: 'POST', body }))).toContain('is not UTF-8')
        for (const filler of ['', ' '.repeat(200_000)]) {
          const nested = `{"inputs":[{"name":"x","datatype":"INT8","shape":[1,4],"data":${'['.repeat(100_000)}`
          const reply = await infer('int8', jsonBody(filler + nested))
          expect(reply.status).toBe(400)
        }
      })

      it('fail alone where a stage fails', async () => {
        const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [-1, 2] }]
        const reply = await infer('echo', jsonBody({ inputs }))
        expect([reply.status, errorOf(reply)]).toEqual([
          500,
          expect.stringContaining('it began with -1'),
        ])
      })
    })

    it('refuses a body over the limit, announced or not', async () => {
      const body = ' '.repeat((1 << 22) + 1)
      expect((await infer('int8', { method: 'POST', body })).status).toBe(413)
    })

    it('counts what was run', async () => {
      const before = JSON.parse((await get('/v2/models/pair/stats')).text).model_stats[0]
      const inputs = [
        { name: 'a', datatype: 'FP32', shape: [3, 2], data: [1, 2, 3, 4, 5, 6] },
        { name: 'constructor', datatype: 'INT64', shape: [3], data: [1, 2, 3] },
      ]
      const reply = await infer(
        'pair',
        jsonBody({ inputs, parameters: { priority: 1, timeout: 20_000_000, other: {} } }),
      )
      expect(reply.status, reply.text).toBe(200)
      const after = JSON.parse((await get('/v2/models/pair/stats')).text).model_stats[0]
      expect(after.inference_count - before.inference_count).toBe(3)
      expect(after.inference_stats.success.count - before.inference_stats.success.count).toBe(1)
    })
  })
}
