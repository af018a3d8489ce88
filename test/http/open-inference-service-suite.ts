// Whether models serve, deadlines, overload, clients that are slow or gone: the same suite for every adapter.

import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { Engine, type HttpHandler, openInference } from '../../src/index.ts'
import { cascade } from '../engine/pipelines.ts'
import { binaryBody, jsonBody, send } from './send.ts'
import type { Serve } from './serve-node.ts'
import { echo } from './served-models.ts'

const x = { name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }
const path = '/v2/models/echo/infer'

/** A connection on which bytes are written by hand. */
async function dial(url: string) {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  socket.on('error', () => undefined)
  return { socket, answer: () => Buffer.concat(chunks).toString() }
}

function head(length: number | 'chunked', type = 'application/json'): string {
  const size = length === 'chunked' ? 'transfer-encoding: chunked' : `content-length: ${length}`
  return `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\n${size}\r\n`
}

/** The suite, over servers that `serve` makes of a handler. */
export function openInferenceServiceSuite(name: string, serve: Serve): void {
  async function withServer(handler: HttpHandler, run: (url: string) => Promise<void>) {
    const { url, close } = await serve(handler)
    try {
      await run(url)
    } finally {
      await close()
    }
  }

  describe(`models served over ${name}`, () => {
    it('are not ready before their engine has started, and not after it drains or is closed', async () => {
      let start = (_engine: Engine) => {}
      const starting = new Promise<Engine>((resolve) => {
        start = resolve
      })
      await withServer(openInference({ models: { echo: starting } }), async (url) => {
        const stateNow = async () => {
          const [server, model, infer, live, stats] = await Promise.all([
            send(url, '/v2/health/ready'),
            send(url, '/v2/models/echo/ready'),
            send(url, path, jsonBody({ inputs: [x] })),
            send(url, '/v2/health/live'),
            send(url, '/v2/models/stats'),
          ])
          expect([live.status, stats.status]).toEqual([200, 200])
          const index = await send(url, '/v2/repository/index', jsonBody({}))
          const [{ state, reason }] = JSON.parse(index.text)
          expect(reason).toBe(JSON.parse(model.text).error ?? '')
          return [server.status, model.status, infer.status, state]
        }
        expect(await stateNow()).toEqual([503, 503, 503, 'LOADING'])
        expect((await send(url, '/v2/models/echo')).headers['retry-after']).toBe('1')
        const engine = await Engine.start(echo)
        start(engine)
        await starting
        expect(await stateNow()).toEqual([200, 200, 200, 'READY'])
        await engine.drain()
        expect(await stateNow()).toEqual([503, 503, 503, 'UNLOADING'])
        await engine.close()
        expect(await stateNow()).toEqual([503, 503, 503, 'UNAVAILABLE'])
      })
    })

    it('say why they did not start, and onError is told', async () => {
      const errors: unknown[] = []
      const broken = Engine.start(cascade, { maxPendingRows: 0 })
      const models = { broken, odd: Promise.resolve({} as Engine) }
      const handler = openInference({ models, onError: (error) => errors.push(error) })
      await withServer(handler, async (url) => {
        const reply = await send(url, '/v2/models/broken/ready')
        expect(reply.status).toBe(503)
        expect(JSON.parse(reply.text)).toMatchObject({
          ready: false,
          error: expect.stringContaining('model "broken" did not start: maxPendingRows: expected'),
        })
        expect((await send(url, '/v2/models/odd')).status).toBe(503)
        expect(errors).toHaveLength(2)
      })
    })
  })

  describe(`requests over ${name}`, () => {
    it('whose time is over are answered with 503', async () => {
      await using engine = await Engine.start(echo)
      await engine.scale('echo', 0)
      await withServer(openInference({ models: { echo: engine } }), async (url) => {
        const reply = await send(
          url,
          path,
          jsonBody({ inputs: [x], parameters: { timeout: 1000 } }),
        )
        expect(reply.status).toBe(503)
        expect(JSON.parse(reply.text).error).toContain('deadline')
        expect(reply.headers['retry-after']).toBeUndefined()
      })
    })

    it.each([
      [{ 'x-request-timeout': '0' }, 0],
      [{ 'grpc-timeout': '100u' }, 0],
      [{ 'x-request-timeout': '1' }, 60_000_000],
    ])('whose headers say that their time is over, too: %j', async (headers, timeout) => {
      await using engine = await Engine.start(echo)
      await engine.scale('echo', 0)
      await withServer(openInference({ models: { echo: engine } }), async (url) => {
        const body = jsonBody({ inputs: [x], parameters: { timeout } })
        const reply = await send(url, path, { ...body, headers: { ...body.headers, ...headers } })
        expect(reply.status).toBe(503)
        expect(JSON.parse(reply.text).error).toContain('deadline')
      })
    })

    it('whose headers cannot be read are told, unless they are not looked at', async () => {
      await using engine = await Engine.start(echo)
      const body = jsonBody({ inputs: [x] })
      const odd = { ...body, headers: { ...body.headers, 'x-request-timeout': 'soon' } }
      await withServer(openInference({ models: { echo: engine } }), async (url) => {
        const reply = await send(url, path, odd)
        expect(reply.status).toBe(400)
        expect(JSON.parse(reply.text).error).toContain('header x-request-timeout: expected')
      })
      const deaf = openInference({ models: { echo: engine }, deadlineHeader: false })
      await withServer(deaf, async (url) => {
        expect((await send(url, path, odd)).status).toBe(200)
      })
    })

    it('that find no room are told when to come again', async () => {
      await using engine = await Engine.start(echo, { maxPendingRows: 1 })
      await engine.scale('echo', 0)
      await withServer(openInference({ models: { echo: engine } }), async (url) => {
        const first = send(url, path, jsonBody({ inputs: [x] }))
        await expect.poll(() => engine.stats().pendingRows).toBe(1)
        const reply = await send(url, path, jsonBody({ inputs: [x] }))
        expect(reply.status).toBe(503)
        expect(Number(reply.headers['retry-after'])).toBeGreaterThanOrEqual(1)
        await engine.scale('echo', 1)
        expect((await first).status).toBe(200)
      })
    })

    it('are cancelled when the client hangs up', async () => {
      await using engine = await Engine.start(echo)
      await engine.scale('echo', 0)
      await withServer(openInference({ models: { echo: engine } }), async (url) => {
        const { socket } = await dial(url)
        const body = JSON.stringify({ inputs: [x] })
        socket.write(`${head(body.length)}\r\n${body}`)
        await expect.poll(() => engine.stats().pendingRequests).toBe(1)
        socket.destroy()
        await expect.poll(() => engine.stats().requests.cancelled).toBe(1)
        expect(engine.stats().pendingRequests).toBe(0)
      })
    })

    it('that end in the middle of their body leave nothing behind', async () => {
      await using engine = await Engine.start(echo)
      await withServer(openInference({ models: { echo: engine } }), async (url) => {
        for (const part of ['', '{"inputs":[', 'x'.repeat(300_000)]) {
          const { socket } = await dial(url)
          socket.write(`${head(1_000_000)}\r\n${part}`)
          socket.destroy()
        }
        const bytes = `${head('chunked', 'application/octet-stream')}inference-header-content-length: 500\r\n\r\n3\r\n{"i\r\n`
        const { socket } = await dial(url)
        socket.end(bytes)
        expect((await send(url, path, jsonBody({ inputs: [x] }))).status).toBe(200)
        expect(engine.stats().requests.completed).toBe(1)
      })
    })

    it('that are slow are answered with 408, and the connection is closed', async () => {
      await using engine = await Engine.start(echo)
      const handler = openInference({ models: { echo: engine }, bodyTimeoutMs: 50 })
      await withServer(handler, async (url) => {
        const { socket, answer } = await dial(url)
        socket.write(`${head(1000)}\r\n{"inputs":`)
        await once(socket, 'close')
        expect(answer()).toContain('408')
        expect(answer()).toContain('did not arrive within 50 ms, 10 bytes did')
      })
    })

    it('of no announced length are stopped at the limit', async () => {
      await using engine = await Engine.start(echo)
      const handler = openInference({ models: { echo: engine }, maxBodyBytes: 1000 })
      await withServer(handler, async (url) => {
        const { socket, answer } = await dial(url)
        socket.write(`${head('chunked')}\r\n`)
        for (let part = 0; part < 11; part++) socket.write(`64\r\n${' '.repeat(100)}\r\n`)
        socket.write('0\r\n\r\n')
        await expect.poll(answer).toContain('413')
        expect(answer()).toContain('more than the 1000 bytes taken here')
        socket.destroy()
        const long = await send(url, path, jsonBody({ id: 'x'.repeat(1000), inputs: [x] }))
        expect(long.status).toBe(413)
      })
    })

    it('of bytes may come in any pieces', async () => {
      await using engine = await Engine.start(echo)
      await withServer(openInference({ models: { echo: engine } }), async (url) => {
        const parameters = { binary_data_size: 8 }
        const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 2], parameters }]
        const { body, headers } = binaryBody({ inputs }, [
          new Uint8Array(Float32Array.of(3, 4).buffer),
        ])
        const { socket, answer } = await dial(url)
        const length = headers?.['inference-header-content-length']
        socket.write(
          `${head('chunked', 'application/octet-stream')}inference-header-content-length: ${length}\r\n\r\n`,
        )
        socket.setNoDelay(true)
        for (const byte of body as Buffer) {
          socket.write('1\r\n')
          socket.write(Buffer.of(byte))
          socket.write('\r\n')
        }
        socket.write('0\r\n\r\n')
        await expect.poll(answer).toContain('"data":[3,4]')
        socket.destroy()
      })
    })

    it("of another path are not the handler's", async () => {
      await using engine = await Engine.start(echo)
      const handler = openInference({ models: { echo: engine } })
      for (const other of ['/', '/v1', '/v22', '/V2/health/live']) {
        expect(handler({ path: other, method: 'GET' } as never)).toBeUndefined()
      }
    })
  })
}
