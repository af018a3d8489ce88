// A route of the application's own that speaks JSON with an engine, in real Fastify and Express.
import express from 'express'
import Fastify from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import * as inExpress from '../../src/http/express.ts'
import { millrace } from '../../src/http/fastify.ts'
import { definePipeline, Engine, jsonRoute, onnx } from '../../src/index.ts'
import { modelFile } from '../engine/pipelines.ts'

const identityOf = (type: string) =>
  definePipeline({
    stages: { same: onnx(modelFile(`identity-${type}`), { inputs: { x: 'request.x' } }) },
    outputs: { y: 'same.y' },
  })

async function engineOf(type: string) {
  const engine = await Engine.start(identityOf(type))
  onTestFinished(() => engine.close())
  return engine
}

async function fastifyRoute(type: string) {
  const engine = await engineOf(type)
  const json = jsonRoute(engine)
  const app = Fastify()
  await app.register(millrace, { engine })
  app.post('/same', { schema: json.schema }, async (request) =>
    json.outputs(await request.millrace.infer(json.inputs(request.body))),
  )
  onTestFinished(() => app.close())
  return (payload: unknown) =>
    app.inject({ method: 'POST', url: '/same', payload: payload as object })
}

describe('a JSON route', () => {
  it.each([
    ['float32', [[1, 2.5, -3, 'NaN']]],
    ['float64', [[0.1, 1e300, 'Infinity', '-Infinity']]],
    [
      'int32',
      [
        [1, -2, 3, 4],
        [5, 6, 7, 8],
      ],
    ],
    ['int64', [[1, -2, '9007199254740993', 4]]],
    ['bool', [[true, false, true, true]]],
    ['string', [['a', '', 'ä', '<b>']]],
  ])('answers with what came: %s', async (type, x) => {
    const engine = await engineOf(type)
    const json = jsonRoute(engine)
    const width = engine.inputs.x.dims[1] ?? -1
    const rows = width < 0 ? x : x.map((row) => row.slice(0, width))
    expect(json.outputs(await engine.infer(json.inputs({ x: rows })))).toEqual({ y: rows })
  })

  it('is described by schemas from which Fastify refuses what does not fit', async () => {
    const send = await fastifyRoute('float32')
    const good = await send({ x: [[1, 2, 3, 4]] })
    expect([good.statusCode, good.json()]).toEqual([200, { y: [[1, 2, 3, 4]] }])
    for (const body of [{}, { x: [[1, 2, 3]] }, { x: [[1, 2, 3, {}]] }, { x: 'no' }]) {
      expect((await send(body)).statusCode, JSON.stringify(body)).toBe(400)
    }
  })

  it('says itself what does not fit, where nobody looked before', async () => {
    const engine = await engineOf('float32')
    const json = jsonRoute(engine)
    const app = express()
    app.use(inExpress.millrace({ engine, closeEngines: false }))
    app.post('/same', express.json({ strict: false }), async (request, response) => {
      response.json(json.outputs(await request.millrace.infer(json.inputs(request.body))))
    })
    app.use(inExpress.millraceErrors())
    const server = app.listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    const send = async (body: unknown) => {
      const answer = await fetch(`http://127.0.0.1:${port}/same`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      return [answer.status, ((await answer.json()) as { message?: string }).message]
    }
    expect((await send({ x: [[1, 2, 3, 4]] }))[0]).toBe(200)
    expect(await send([])).toEqual([400, 'the body: expected an object with x, got an array of 0'])
    expect(await send({})).toEqual([400, 'the body: expected "x", and it is not there'])
    expect(await send({ x: [[1, 2, 3, 4]], z: 1 })).toEqual([
      400,
      'the body: expected x, got "z" besides',
    ])
    expect((await send({ x: [[1, 2], [3]] }))[0]).toBe(400)
    expect((await send({ x: [[1, 2, 3, 'four']] }))[1]).toContain('element 3: expected a number')
  })

  it('is refused for what JSON cannot hold', async () => {
    const engine = await engineOf('float16')
    expect(() => jsonRoute(engine)).toThrow('"x" of inputs is float16, which has no form in JSON')
  })
})
