// `request.millrace.infer` in both frameworks: what reaches the engine, and what comes back.
import { describe, expect, it, onTestFinished } from 'vitest'
import { definePipeline, Engine, inline, MillraceError } from '../../src/index.ts'
import { numbers, x } from '../engine/functions.ts'
import { endless, gather, identityOf, oneByOne, slow } from '../engine/pipelines.ts'
import { frameworks, get, post, type Route, startApp } from './apps.ts'

const identity = identityOf('float32')

const echo: Route = async (engines, body) => {
  const { y } = await engines.infer({ x: Float32Array.from(body as number[]) })
  return Array.from((y as { data: Float32Array }).data)
}

/** Tells with which deadline a request reached its stage. */
const deadlines = definePipeline({
  stages: {
    left: inline(({ x }, { signal }) => ({ y: x.data.map(() => (signal.aborted ? 1 : 0)) }), {
      inputs: { x },
      outputs: { y: { type: 'float32', dims: [] } },
    }),
  },
  outputs: { y: 'left.y' },
})

async function started<E extends { close(): Promise<void> }>(starting: Promise<E>): Promise<E> {
  const engine = await starting
  onTestFinished(() => engine.close())
  return engine
}

describe.each(frameworks)('infer in %s', (framework) => {
  it('answers from the engine', async () => {
    const engine = await Engine.start(identity)
    const { url } = await startApp(framework, { engine, routes: { '/echo': echo } })
    expect(await post(`${url}/echo`, [1, 2, 3, 4])).toMatchObject({
      status: 200,
      body: [1, 2, 3, 4],
    })
    expect(engine.stats().requests.completed).toBe(1)
  })

  it('chooses one of several engines by name', async () => {
    const engines = { same: await Engine.start(identity), square: await Engine.start(gather) }
    const { url } = await startApp(framework, {
      engines,
      routes: {
        '/same': async (served) => {
          const { y } = await served.infer({ x: new Float32Array(4).fill(7) }, { engine: 'same' })
          return Array.from(y?.data as Float32Array)
        },
        '/square': async (served) => {
          const { square } = await served.infer(
            { index: BigInt64Array.of(3n) },
            { engine: 'square' },
          )
          return Number(square?.data[0])
        },
        '/none': (served) => served.infer({}),
        '/unknown': (served) => served.infer({}, { engine: 'sqare' }),
      },
    })
    expect((await post(`${url}/same`, {})).body).toEqual([7, 7, 7, 7])
    expect((await post(`${url}/square`, {})).body).toBe(9)
    expect(await post(`${url}/none`, {})).toMatchObject({
      status: 500,
      body: {
        code: 'MILLRACE_INVALID_OPTION',
        message: expect.stringContaining('"same", "square"'),
      },
    })
    expect(await post(`${url}/unknown`, {})).toMatchObject({
      status: 500,
      body: { message: expect.stringContaining('did you mean "square"') },
    })
  })

  it('answers an error with its status and code', async () => {
    const engine = await Engine.start(identity)
    const { url } = await startApp(framework, { engine, routes: { '/echo': echo } })
    const { status, body, headers } = await post(`${url}/echo`, [1, 2, 3])
    expect(status).toBe(400)
    expect(headers.get('content-type')).toMatch(/^application\/json/)
    expect(body).toMatchObject({
      statusCode: 400,
      code: 'MILLRACE_INVALID_INPUT',
      error: 'Bad Request',
      message: expect.stringContaining('Float32Array of 3'),
    })
  })

  it('says when to retry what was shed, in whole seconds, also of errors that a route makes itself', async () => {
    const engine = await Engine.start(slow, { configuration: oneByOne, maxPendingRows: 1 })
    const { url } = await startApp(framework, {
      engine,
      timeoutMs: 0,
      routes: {
        '/full': (served) => served.infer(endless),
        '/thrown': () => {
          throw new MillraceError({ code: 'MILLRACE_QUEUE_FULL', message: 'm', retryAfterMs: 1200 })
        },
      },
    })
    const aborter = new AbortController()
    const first = post(`${url}/full`, {}, { signal: aborter.signal }).catch(() => 'left')
    await expect.poll(() => engine.stats().pendingRequests).toBe(1)
    const refused = await post(`${url}/full`, {})
    expect(refused).toMatchObject({ status: 503, body: { code: 'MILLRACE_QUEUE_FULL' } })
    const thrown = await post(`${url}/thrown`, {})
    expect(thrown.status).toBe(503)
    expect(thrown.headers.get('retry-after')).toBe('2')
    aborter.abort()
    expect(await first).toBe('left')
  })

  it('leaves errors of others to the framework', async () => {
    const engine = await Engine.start(identity)
    const boom: Route = () => {
      throw Object.assign(new Error('boom'), { status: 418 })
    }
    const { url } = await startApp(framework, { engine, routes: { '/boom': boom } })
    expect((await post(`${url}/boom`, {})).status).toBe(418)
  })

  it('refuses options that it does not know', async () => {
    const engine = await Engine.start(identity)
    const route: Route = (served) =>
      served.infer({ x: new Float32Array(4) }, { deadlineMS: 1 } as never)
    const { url } = await startApp(framework, { engine, routes: { '/': route } })
    expect(await post(url, {})).toMatchObject({
      status: 500,
      body: { message: expect.stringContaining('did you mean "deadlineMs"') },
    })
  })
})

describe.each(frameworks)('the deadline of a request in %s', (framework) => {
  const run: Route = async (served) => {
    const { y } = await served.infer(numbers(1))
    return Number(y?.data[0])
  }

  it.each([
    ['x-request-timeout', '0', 504],
    ['x-request-timeout', '0.5', 504],
    ['grpc-timeout', '100u', 504],
    ['grpc-timeout', '0S', 504],
    ['x-request-timeout', '60000', 200],
    ['grpc-timeout', '1H', 200],
  ])('is what its header says: %s: %s', async (name, value, status) => {
    // Nothing runs, so that what has a deadline meets it, and what has none would wait.
    const engine = await Engine.start(slow, {
      configuration: { slow: { replicas: status === 200 ? 1 : 0 } },
    })
    const route: Route = async (served) => {
      await served.infer({ iterations: BigInt64Array.of(1n) })
      return 'done'
    }
    const { url } = await startApp(framework, { engine, routes: { '/': route } })
    const answer = await post(url, {}, { headers: { [name]: value } })
    expect(answer.status).toBe(status)
    if (status === 504) expect(answer.body).toMatchObject({ code: 'MILLRACE_DEADLINE_EXCEEDED' })
  })

  it('counts from when the request came', async () => {
    const engine = await started(Engine.start(deadlines))
    const left: number[] = []
    const route: Route = async (served) => {
      left.push(served.leftMs)
      await new Promise((resolve) => setTimeout(resolve, 20))
      left.push(served.leftMs)
      return run(served, {})
    }
    const { url } = await startApp(framework, { engine, routes: { '/': route } })
    expect((await post(url, {}, { headers: { 'x-request-timeout': '60000' } })).status).toBe(200)
    const [first = 0, second = 0] = left
    expect(first).toBeLessThanOrEqual(60_000)
    // Timers may come up to a millisecond early.
    expect(second).toBeLessThanOrEqual(first - 18)
  })

  it('is the nearest of what client, route and application ask for', async () => {
    const engine = await Engine.start(slow, { configuration: { slow: { replicas: 0 } } })
    const answers = { '/': (served) => served.infer(endless) } satisfies Record<string, Route>
    const { url } = await startApp(framework, { engine, deadlineMs: 5, routes: answers })
    expect((await post(url, {})).status).toBe(504)
    expect((await post(url, {}, { headers: { 'x-request-timeout': '60000' } })).status).toBe(504)
    const other = await startApp(framework, {
      engine,
      routes: { '/': (served) => served.infer(endless, { deadlineMs: 5 }) },
    })
    const headers = { 'x-request-timeout': '60000' }
    expect((await post(other.url, {}, { headers })).status).toBe(504)
    expect((await post(other.url, {})).status).toBe(504)
  })

  it.each([
    ['x-request-timeout', '-1'],
    ['x-request-timeout', 'soon'],
    ['x-request-timeout', '1e3'],
    ['x-request-timeout', 'Infinity'],
    ['grpc-timeout', '100'],
    ['grpc-timeout', '123456789S'],
  ])('that cannot be read is told to the client: %s: %s', async (name, value) => {
    const engine = await started(Engine.start(deadlines))
    const { url } = await startApp(framework, { engine, routes: { '/': run } })
    expect(await post(url, {}, { headers: { [name]: value } })).toMatchObject({
      status: 400,
      body: {
        code: 'MILLRACE_INVALID_INPUT',
        message: expect.stringMatching(`^header ${name}: expected .*"${value}"`),
      },
    })
  })

  it('may come in another header, or in none', async () => {
    const engine = await started(Engine.start(deadlines))
    const named = await startApp(framework, {
      engine,
      closeEngines: false,
      deadlineHeader: 'X-Envoy-Expected-Rq-Timeout-Ms',
      routes: { '/': run },
    })
    const over = { 'x-envoy-expected-rq-timeout-ms': '0' }
    expect((await post(named.url, {}, { headers: over })).status).toBe(504)
    const headers = { 'x-request-timeout': '0', 'grpc-timeout': '0S' }
    const deaf = await startApp(framework, { engine, deadlineHeader: false, routes: { '/': run } })
    expect((await post(deaf.url, {}, { headers })).status).toBe(200)
  })
})

describe.each(frameworks)('readiness in %s', (framework) => {
  it('comes when every engine has started', async () => {
    let start = (): void => {}
    const gate = new Promise<void>((resolve) => {
      start = resolve
    })
    const engines = { now: Engine.start(identity), later: gate.then(() => Engine.start(gather)) }
    const app = await startApp(framework, {
      engines,
      health: '/health',
      routes: {
        '/': (served) => served.infer({ index: BigInt64Array.of(1n) }, { engine: 'later' }),
      },
    })
    await engines.now
    expect(await get(`${app.url}/health/live`)).toMatchObject({ status: 200, body: { live: true } })
    expect(await get(`${app.url}/health/ready`)).toMatchObject({
      status: 503,
      body: { ready: false, engines: { now: 'serving', later: 'starting' } },
    })
    const early = await post(app.url, {})
    expect(early).toMatchObject({ status: 503, body: { code: 'MILLRACE_NOT_READY' } })
    expect(early.headers.get('retry-after')).toBe('1')
    expect(app.ready).toBe(false)
    start()
    await engines.later
    expect(await get(`${app.url}/health/ready`)).toMatchObject({
      status: 200,
      body: { ready: true, engines: { now: 'serving', later: 'serving' } },
    })
    expect(app.ready).toBe(true)
  })

  it('never comes for an engine that could not start, and requests are told why', async () => {
    const engine = Promise.reject(
      new MillraceError({ code: 'MILLRACE_MODEL_LOAD', message: 'no such model' }),
    )
    const app = await startApp(framework, {
      engine,
      health: '/health',
      routes: { '/': (served) => served.infer({}) },
    })
    expect(await post(app.url, {})).toMatchObject({
      status: 503,
      body: {
        code: 'MILLRACE_NOT_READY',
        message: 'the engine did not start: no such model',
      },
    })
    expect(await get(`${app.url}/health/ready`)).toMatchObject({
      status: 503,
      body: { ready: false, engines: { default: 'failed' } },
    })
    expect((await get(`${app.url}/health/live`)).status).toBe(200)
    expect((await get(`${app.url}/health/other`)).status).toBe(404)
    expect((await post(`${app.url}/health/live`, {})).status).toBe(405)
  })

  it('goes with an engine that is closed while it is mounted', async () => {
    const engine = await Engine.start(identity)
    const app = await startApp(framework, { engine, health: '/h', routes: { '/echo': echo } })
    expect((await post(`${app.url}/echo`, [1, 2, 3, 4])).status).toBe(200)
    await engine.close()
    expect(await post(`${app.url}/echo`, [1, 2, 3, 4])).toMatchObject({
      status: 503,
      body: { code: 'MILLRACE_CLOSED' },
    })
    expect(await get(`${app.url}/h/ready`)).toMatchObject({
      status: 503,
      body: { engines: { default: 'closed' } },
    })
  })
})
