/**
 * A small model behind Fastify: through an engine, and as one would write it by hand with onnxruntime-node. How far any
 * engine could come is beside: the same route with no model at all.
 */
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { millrace } from '../../dist/http/fastify.js'
import { definePipeline, Engine, onnx } from '../../dist/index.js'
import { smallModel as digits } from '../peers/onnxruntime.ts'
import {
  floatsOf,
  onnxruntimeRoute,
  routeSettings,
  takingBytes,
} from '../peers/onnxruntime-route.ts'
import { compareServers, type HttpSide } from './http-sides.ts'
import type { Comparison, Trial, TrialOptions } from './trial.ts'

const connections = 256
const configuration = { digits: { replicas: 1, maxBatch: 256 } }

export const httpVsDirect: Trial = {
  name: 'http-vs-direct',
  measures: `digits-accurate behind Fastify, 256 bytes in, JSON out, ${connections} connections`,
  unit: 'requests/s',
  target: { figure: 'ratio', atLeast: 3 },
  ratio: 'ours/reference',
  run,
}

async function run({ quick }: TrialOptions): Promise<Comparison[]> {
  const apps = {
    ours: await ourRoute(),
    defaults: await onnxruntimeRoute(routeSettings.defaults),
    tuned: await onnxruntimeRoute(routeSettings.tuned),
    none: routeWithoutModel(),
  }
  const sides = {
    ours: await side(apps.ours),
    defaults: await side(apps.defaults),
    tuned: await side(apps.tuned),
    none: await side(apps.none),
  }
  const figures = await compareServers(sides, {
    rounds: quick ? 2 : 7,
    durationMs: quick ? 500 : 3000,
  })
  await Promise.all(Object.values(apps).map((app) => app.close()))
  const { defaults, tuned } = figures
  const best = defaults.requestsPerS > tuned.requestsPerS ? 'defaults' : 'tuned'
  const referenceName = `a route with session.run of onnxruntime-node, ${best === 'tuned' ? 'one thread, no spinning' : 'default options'}`
  return [
    {
      case: 'throughput',
      ours: figures.ours.requestsPerS,
      reference: figures[best].requestsPerS,
      referenceName,
      details: { connections, configuration, rounds: figures },
    },
    {
      case: 'p99',
      unit: 'ms',
      ours: figures.ours.p99Ms,
      reference: figures[best].p99Ms,
      referenceName,
      target: { figure: 'ratio', atMost: 1 },
    },
    {
      case: 'the most there could be',
      ours: figures.none.requestsPerS,
      reference: figures[best].requestsPerS,
      referenceName: `the route of ours without a model, over ${referenceName}`,
      target: { figure: 'ratio', atLeast: 0 },
    },
  ]
}

async function ourRoute(): Promise<FastifyInstance> {
  const pipeline = definePipeline({
    name: 'digits',
    stages: { digits: onnx(digits.modelPath, { inputs: { image: 'request.image' } }) },
    outputs: { label: 'digits.label', confidence: 'digits.confidence' },
  })
  const app = takingBytes()
  await app.register(millrace, { engine: Engine.start(pipeline, { configuration }), leaveMs: 0 })
  app.post('/', async (request) => {
    const { label, confidence } = await request.millrace.infer({
      image: floatsOf(request.body as Buffer),
    })
    return { label: Number(label?.data[0]), confidence: Number(confidence?.data[0]) }
  })
  await app.millrace.started()
  return app
}

function routeWithoutModel(): FastifyInstance {
  const app = takingBytes()
  app.post('/', async (request) => {
    const pixels = floatsOf(request.body as Buffer)
    return { label: 7, confidence: Number(pixels[0]) }
  })
  return app
}

async function side(app: FastifyInstance): Promise<HttpSide> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  return {
    port: (app.server.address() as AddressInfo).port,
    path: '/',
    headers: { 'content-type': 'application/octet-stream' },
    body: new Uint8Array(digits.inputs.image.data.buffer),
    connections,
  }
}
