// Clients that hang up, dawdle, send too much, or are many: nothing is left behind in either framework.
import { Agent as UndiciAgent, request as undiciRequest } from 'undici'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Engine } from '../../src/index.ts'
import { endless, identityOf, oneByOne, slow } from '../engine/pipelines.ts'
import { frameworks, post, type Route, startApp } from './apps.ts'
import { RawClient } from './raw-client.ts'

const forever: Route = (engines) => engines.infer(endless)

describe.each(frameworks)('a client of %s that hangs up', (framework) => {
  it('before its body has come, starts no work', async () => {
    const engine = await Engine.start(slow, { configuration: oneByOne })
    const { port } = await startApp(framework, { engine, routes: { '/': forever } })
    const client = await RawClient.connect(port)
    client.post('/', { body: '{"half":', length: 100 })
    // Something else is served meanwhile, so what was written has been read.
    const other = await RawClient.connect(port)
    other.post('/unknown')
    await expect.poll(() => other.received).toContain('404')
    client.hangUp()
    other.hangUp()
    await settled(engine)
    expect(engine.stats()).toMatchObject({ pendingRows: 0, requests: { cancelled: 0 } })
    expect(engine.stats().stages.slow.batches).toBe(0)
  })

  it('while its request waits, takes it out of the queue', async () => {
    const engine = await Engine.start(slow, { configuration: { slow: { replicas: 0 } } })
    const { port } = await startApp(framework, { engine, routes: { '/': forever } })
    const client = await RawClient.connect(port)
    client.post('/')
    await expect.poll(() => engine.stats().pendingRequests).toBe(1)
    client.hangUp()
    await expect.poll(() => engine.stats().requests.cancelled).toBe(1)
    expect(engine.stats().pendingRequests).toBe(0)
    await engine.scale('slow', 1)
    await settled(engine)
    expect(engine.stats().stages.slow).toMatchObject({ rows: 0, batches: 0 })
  })

  it('while its request runs, ends the run', async () => {
    const engine = await Engine.start(slow, { configuration: oneByOne })
    const { port } = await startApp(framework, { engine, routes: { '/': forever } })
    const client = await RawClient.connect(port)
    client.post('/')
    await expect.poll(() => engine.stats().pendingRequests).toBe(1)
    // It has left the queue.
    await expect.poll(() => engine.stats().stages.slow.waitingRows).toBe(0)
    client.hangUp()
    await expect.poll(() => engine.stats().requests.cancelled).toBe(1)
    await expect.poll(() => engine.stats().pendingRows).toBe(0)
    await expect.poll(() => engine.stats().stages.slow.interruptedBatches).toBe(1)
  })

  it('after its answer, cancels nothing; nor does one that asks again on its connection', async () => {
    const engine = await Engine.start(identityOf('float32'))
    const { port } = await startApp(framework, { engine, routes: { '/': same } })
    const client = await RawClient.connect(port)
    for (const asked of [1, 2, 3]) {
      client.post('/', { body: '[1,2,3,4]' })
      await expect.poll(() => client.received.split('[1,2,3,4]')).toHaveLength(asked + 1)
    }
    client.hangUp()
    await settled(engine)
    expect(engine.stats()).toMatchObject({
      pendingRows: 0,
      requests: { completed: 3, cancelled: 0 },
    })
  })

  it('cancels its own request and no other, also where the route has a signal as well', async () => {
    const engine = await Engine.start(slow, { configuration: { slow: { replicas: 0 } } })
    const own = new AbortController()
    const withSignal: Route = (engines) => engines.infer(endless, { signal: own.signal })
    const { port } = await startApp(framework, {
      engine,
      timeoutMs: 0,
      routes: { '/': forever, '/signal': withSignal },
    })
    const clients = await Promise.all([0, 1, 2].map(() => RawClient.connect(port)))
    for (const [index, client] of clients.entries()) client.post(index === 0 ? '/' : '/signal')
    await expect.poll(() => engine.stats().pendingRequests).toBe(3)
    clients[1]?.hangUp()
    await expect.poll(() => engine.stats().requests.cancelled).toBe(1)
    expect(engine.stats().pendingRequests).toBe(2)
    own.abort()
    await expect.poll(() => clients[2]?.received).toContain('MILLRACE_CANCELLED')
    expect(engine.stats()).toMatchObject({ pendingRequests: 1, requests: { cancelled: 2 } })
    clients[0]?.hangUp()
    await expect.poll(() => engine.stats().pendingRequests).toBe(0)
    await engine.scale('slow', 1)
    await expect.poll(() => engine.stats().pendingRows).toBe(0)
    expect(engine.stats().stages.slow.batches).toBe(0)
  })
})

describe.each(frameworks)('%s is not held up by', (framework) => {
  it('bodies that come slowly', async () => {
    const engine = await Engine.start(identityOf('float32'))
    const { url, port } = await startApp(framework, { engine, routes: { '/': same } })
    const slowOnes = await Promise.all(Array.from({ length: 20 }, () => RawClient.connect(port)))
    for (const client of slowOnes) client.post('/', { body: '[1,2', length: 9 })
    expect(await post(url, [5, 6, 7, 8])).toMatchObject({ status: 200, body: [5, 6, 7, 8] })
    for (const client of slowOnes) client.write(',3,4]')
    for (const client of slowOnes) await expect.poll(() => client.received).toContain('[1,2,3,4]')
    for (const client of slowOnes) client.hangUp()
    expect(engine.stats().requests).toMatchObject({ completed: 21, cancelled: 0 })
  })

  it('bodies over the limit', async () => {
    const engine = await Engine.start(identityOf('float32'))
    const { url } = await startApp(framework, { engine, routes: { '/': same } })
    const answer = await post(url, 'x'.repeat(1_100_000))
    expect(answer.status).toBe(413)
    expect(await post(url, [5, 6, 7, 8])).toMatchObject({ status: 200 })
    expect(engine.stats().requests).toMatchObject({ completed: 1 })
  })

  it('a thousand connections', async () => {
    const engine = await Engine.start(identityOf('float32'))
    const { url } = await startApp(framework, { engine, leaveMs: 0, routes: { '/': same } })
    const agent = new UndiciAgent({ connections: 1000, pipelining: 1 })
    onTestFinished(() => agent.destroy())
    const answers = await Promise.all(
      Array.from({ length: 2000 }, async (_, index) => {
        const { statusCode, body } = await undiciRequest(url, {
          dispatcher: agent,
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify([index, 0, 0, 1]),
        })
        return { statusCode, row: await body.json() }
      }),
    )
    expect(answers).toEqual(answers.map((_, index) => ({ statusCode: 200, row: [index, 0, 0, 1] })))
    expect(engine.stats()).toMatchObject({
      pendingRows: 0,
      requests: { completed: 2000, cancelled: 0 },
    })
  })
})

const same: Route = async (engines, body) => {
  const { y } = await engines.infer({ x: Float32Array.from(body as number[]) })
  return Array.from(y?.data as Float32Array)
}

/** Nothing is pending, and what was on its way through the event loop has arrived. */
async function settled(engine: Engine<typeof slow> | Engine<ReturnType<typeof identityOf>>) {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  await expect.poll(() => engine.stats().pendingRequests).toBe(0)
}
