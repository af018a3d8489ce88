// Fastify by other ways than HTTP/1 over TCP, and more than one registration.
import { once } from 'node:events'
import { connect } from 'node:http2'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import Fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { millrace } from '../../src/http/fastify.ts'
import { Engine } from '../../src/index.ts'
import { endless, gather, identityOf, slow } from '../engine/pipelines.ts'

// Agreed on beforehand, so that no certificate is needed. TLS 1.2 has ciphers for that alone.
const psk = Buffer.from('0123456789abcdef')
const agreed = { ciphers: 'PSK', maxVersion: 'TLSv1.2' } as const

/** Whichever server it has. Returns its port. */
async function serve(app: unknown, engine: unknown): Promise<number> {
  const server = app as FastifyInstance
  await server.register(millrace, { engine: engine as Engine, leaveMs: 0 })
  server.post('/echo', async (request) => {
    const { y } = await request.millrace.infer({ x: Float32Array.from(request.body as number[]) })
    return Array.from(y?.data as Float32Array)
  })
  server.post('/endless', (request) => request.millrace.infer(endless))
  onTestFinished(() => server.close())
  await server.listen({ port: 0, host: '127.0.0.1' })
  return (server.server.address() as AddressInfo).port
}

describe('an injected request', () => {
  it('is answered, and may have a deadline', async () => {
    const app = Fastify()
    await app.register(millrace, { engine: Engine.start(identityOf('float32')) })
    onTestFinished(() => app.close())
    app.post('/', async (request) => {
      const { y } = await request.millrace.infer({ x: new Float32Array(4).fill(3) })
      return Array.from(y?.data as Float32Array)
    })
    await app.millrace.started()
    const inject = (timeout: string) =>
      app.inject({ method: 'POST', url: '/', headers: { 'x-request-timeout': timeout } })
    expect((await inject('60000')).json()).toEqual([3, 3, 3, 3])
    expect((await inject('0')).statusCode).toBe(504)
  })
})

describe('HTTP/2', () => {
  const headers = { ':method': 'POST', 'content-type': 'application/json' }

  it('has each stream of a connection answered by itself', async () => {
    const port = await serve(Fastify({ http2: true }), await Engine.start(identityOf('float32')))
    const session = connect(`http://127.0.0.1:${port}`)
    onTestFinished(() => session.close())
    const answers = [1, 2, 3].map(async (value) => {
      const stream = session.request({ ...headers, ':path': '/echo' })
      stream.end(JSON.stringify([value, value, value, value]))
      let text = ''
      for await (const chunk of stream) text += chunk
      return JSON.parse(text)
    })
    expect(await Promise.all(answers)).toEqual([1, 2, 3].map((value) => Array(4).fill(value)))
  })

  it('frees the work of a stream that is given up, and of no other', async () => {
    const engine = await Engine.start(slow, { configuration: { slow: { replicas: 0 } } })
    const port = await serve(Fastify({ http2: true }), engine)
    const session = connect(`http://127.0.0.1:${port}`)
    const open = () => {
      const stream = session.request({ ...headers, ':path': '/endless' })
      stream.on('error', () => {})
      stream.end('{}')
      return stream
    }
    const [gone, stays] = [open(), open()]
    await expect.poll(() => engine.stats().pendingRows).toBe(2)
    gone.close()
    await expect.poll(() => engine.stats().requests.cancelled).toBe(1)
    stays.close()
    await expect.poll(() => engine.stats().requests.cancelled).toBe(2)
    session.destroy()
  })
})

describe('TLS', () => {
  const https = { ...agreed, pskCallback: () => psk }
  const ask = (port: number, path: string) => {
    // Types of Node know `pskCallback` of `tls.connect` only.
    const options: RequestOptions & Pick<ConnectionOptions, 'pskCallback'> = {
      ...agreed,
      port,
      path,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      agent: false,
      checkServerIdentity: () => undefined,
      pskCallback: () => ({ psk, identity: 'test' }),
    }
    return httpsRequest(options)
  }

  it('is answered', async () => {
    const port = await serve(Fastify({ https }), await Engine.start(identityOf('float32')))
    const request = ask(port, '/echo')
    request.end('[1,2,3,4]')
    const [response] = await once(request, 'response')
    let text = ''
    for await (const chunk of response) text += chunk
    expect(JSON.parse(text)).toEqual([1, 2, 3, 4])
  })

  it('frees the work of a client that hangs up', async () => {
    const engine = await Engine.start(slow, { configuration: { slow: { replicas: 0 } } })
    const port = await serve(Fastify({ https }), engine)
    const request = ask(port, '/endless')
    request.on('error', () => {})
    request.end('{}')
    await expect.poll(() => engine.stats().pendingRows).toBe(1)
    request.destroy()
    await expect.poll(() => engine.stats().requests.cancelled).toBe(1)
  })
})

describe('registering twice', () => {
  it('is refused in one scope', async () => {
    const engine = await Engine.start(identityOf('float32'))
    const app = Fastify()
    onTestFinished(() => app.close())
    await app.register(millrace, { engine })
    await expect(app.register(millrace, { engine })).rejects.toMatchObject({
      code: 'MILLRACE_INVALID_OPTION',
      message: expect.stringContaining('registered once in a scope'),
    })
    await engine.close()
  })

  it('has a scope within use its own engines', async () => {
    const app = Fastify()
    onTestFinished(() => app.close())
    await app.register(millrace, { engine: Engine.start(identityOf('float32')) })
    const inputsOf = (request: { millrace: unknown }) => {
      const { millrace: engines } = request as {
        millrace: { infer(inputs: object): Promise<object> }
      }
      return engines
    }
    app.get('/', async (request) => {
      return Object.keys(await inputsOf(request).infer({ x: new Float32Array(4) }))
    })
    await app.register((scope, _options, done) => {
      scope.register(millrace, { engine: Engine.start(gather) })
      scope.get('/within', async (request) => {
        return Object.keys(await inputsOf(request).infer({ index: BigInt64Array.of(3n) }))
      })
      done()
    })
    await app.ready()
    await app.millrace.started()
    expect((await app.inject('/')).json()).toEqual(['y'])
    await expect.poll(async () => (await app.inject('/within')).json()).toContain('square')
  })
})
