// Servers that are shut down while clients keep their connections: whoever was promised an answer gets it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Engine } from '../../src/index.ts'
import { endless, identityOf, oneByOne, slow } from '../engine/pipelines.ts'
import { frameworks, get, type Route, startApp } from './apps.ts'
import { hammer } from './hammer.ts'
import { RawClient } from './raw-client.ts'

const same: Route = async (engines, body) => {
  const { y } = await engines.infer({ x: Float32Array.from(body as number[]) })
  return Array.from(y?.data as Float32Array)
}

/** Long enough that a test which waits for it fails. */
const longMs = 60_000

describe.each(frameworks)('shutting down %s', (framework) => {
  it('loses nothing of clients that keep their connections busy, and waits no longer than for them', async () => {
    const engine = await Engine.start(identityOf('float32'))
    const app = await startApp(framework, { engine, leaveMs: longMs, routes: { '/': same } })
    const { outcomes, done } = hammer(app.url, 20)
    await expect.poll(() => outcomes['answered'] ?? 0).toBeGreaterThan(100)
    await app.close()
    await done
    expect(outcomes).toEqual({ answered: engine.stats().requests.completed })
    expect(engine.state).toBe('closed')
  })

  it('answers what runs, and tells its client to leave', async () => {
    const engine = await Engine.start(identityOf('float32'), {
      configuration: { same: { replicas: 0 } },
    })
    const app = await startApp(framework, { engine, leaveMs: longMs, routes: { '/': same } })
    const client = await RawClient.connect(app.port)
    client.post('/', { body: '[1,2,3,4]' })
    await expect.poll(() => engine.stats().pendingRequests).toBe(1)
    const closing = app.close()
    await expect.poll(() => app.ready).toBe(false)
    await engine.scale('same', 1)
    await closing
    expect(client.received).toMatch(/^HTTP\/1.1 200[\s\S]*connection: close[\s\S]*\[1,2,3,4]$/i)
  })

  it('closes idle connections, and those on which nothing was ever asked', async () => {
    const engine = await Engine.start(identityOf('float32'))
    const app = await startApp(framework, { engine, leaveMs: 20, routes: { '/': same } })
    const [idle, silent] = [await RawClient.connect(app.port), await RawClient.connect(app.port)]
    idle.post('/', { body: '[1,2,3,4]' })
    await expect.poll(() => idle.received).toContain('[1,2,3,4]')
    await app.close()
    await expect.poll(() => [idle.closed, silent.closed]).toEqual([true, true])
  })

  it('says that it is not ready, and is alive, while clients leave', async () => {
    const engine = await Engine.start(identityOf('float32'))
    const app = await startApp(framework, {
      engine,
      leaveMs: longMs,
      health: '/health',
      routes: { '/': same },
    })
    const idle = await RawClient.connect(app.port)
    idle.post('/', { body: '[1,2,3,4]' })
    await expect.poll(() => idle.received).toContain('[1,2,3,4]')
    const closing = app.close()
    expect(await get(`${app.url}/health/ready`)).toMatchObject({
      status: 503,
      body: { ready: false, engines: { default: 'serving' } },
    })
    expect((await get(`${app.url}/health/live`)).status).toBe(200)
    idle.hangUp()
    await closing
  })

  it('ends what takes too long', async () => {
    const engine = await Engine.start(slow, { configuration: oneByOne })
    const app = await startApp(framework, {
      engine,
      leaveMs: 10,
      timeoutMs: 10,
      routes: { '/': (engines) => engines.infer(endless) },
    })
    const client = await RawClient.connect(app.port)
    client.post('/')
    await expect.poll(() => engine.stats().pendingRequests).toBe(1)
    await app.close()
    await expect.poll(() => client.closed).toBe(true)
    expect(engine.stats()).toMatchObject({ pendingRequests: 0, requests: { cancelled: 1 } })
    expect(engine.state).toBe('closed')
  })

  it('leaves engines to their owner where it is told so', async () => {
    const engine = await Engine.start(identityOf('float32'))
    onTestFinished(() => engine.close())
    const app = await startApp(framework, { engine, closeEngines: false })
    await app.close()
    expect(engine.state).toBe('serving')
  })

  it('closes an engine that is still starting as soon as it has started', async () => {
    const engine = Engine.start(identityOf('float32'))
    const app = await startApp(framework, { engine, leaveMs: 0 })
    await app.close()
    expect((await engine).state).toBe('closed')
  })

  it('happens once, however often it is asked for', async () => {
    const engine = await Engine.start(identityOf('float32'))
    const app = await startApp(framework, { engine, leaveMs: 0 })
    await Promise.all([app.close(), app.close()])
    await app.close()
  })

  it('loses nothing at SIGTERM, with close-with-grace', async () => {
    const { child, url } = await spawnServer(framework)
    const { outcomes, done } = hammer(url, 8)
    await expect.poll(() => outcomes['answered'] ?? 0).toBeGreaterThan(50)
    child.kill('SIGTERM')
    await done
    const [code] = await once(child, 'exit')
    expect(code).toBe(0)
    expect(Object.keys(outcomes)).toEqual(['answered'])
  })
})

describe('shutting down fastify', () => {
  it('refuses what comes meanwhile, unless return503OnClosing is false, and loses nothing else', async () => {
    const engine = await Engine.start(identityOf('float32'))
    const app = await startApp('fastify', {
      engine,
      leaveMs: longMs,
      routes: { '/': same },
      server: { return503OnClosing: true },
    })
    const { outcomes, done } = hammer(app.url, 20)
    await expect.poll(() => outcomes['answered'] ?? 0).toBeGreaterThan(100)
    await app.close()
    await done
    const others = Object.keys(outcomes).filter((outcome) => outcome !== 'answered')
    for (const outcome of others) expect(outcome).toMatch(/^503: .*Service Unavailable/)
    expect(outcomes['answered']).toBe(engine.stats().requests.completed)
  })
})

/** A server in a process of its own, which ends by close-with-grace. */
async function spawnServer(framework: string): Promise<{ child: ChildProcess; url: string }> {
  const script = fileURLToPath(new URL(`./fixtures/${framework}-server.mjs`, import.meta.url))
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  const [url] = await once(createInterface(child.stdout as NodeJS.ReadableStream), 'line')
  return { child, url: url as string }
}
