/** A tensor of 600 KB through the Open Inference Protocol, as JSON and in its binary form. */
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import { millrace } from '../../dist/http/fastify.js'
import { definePipeline, Engine, inline, openInference } from '../../dist/index.js'
import { compareServers, type HttpSide } from './http-sides.ts'
import type { Comparison, Trial, TrialOptions } from './trial.ts'

const connections = 8
/** 3 x 224 x 224 floats: an image as most vision models take it. */
const dims = [3, 224, 224] as const
const elements = dims[0] * dims[1] * dims[2]

export const httpBinary: Trial = {
  name: 'http-binary',
  measures: `a tensor of ${Math.round((elements * 4) / 1000)} KB in and one number out by the Open Inference Protocol, ${connections} connections`,
  unit: 'requests/s',
  target: { figure: 'ratio', atLeast: 10 },
  ratio: 'ours/reference',
  run,
}

async function run({ quick }: TrialOptions): Promise<Comparison[]> {
  const engine = await startEngine()
  const app = Fastify()
  const handler = openInference({ models: { image: engine } })
  await app.register(millrace, { engine, leaveMs: 0, mount: { '/inference': handler } })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const server: Pick<HttpSide, 'port' | 'path' | 'connections'> = {
    port: (app.server.address() as AddressInfo).port,
    path: '/inference/v2/models/image/infer',
    connections,
  }
  const figures = await compareServers(
    { binary: { ...server, ...binaryRequest() }, json: { ...server, ...jsonRequest() } },
    { rounds: quick ? 1 : 5, durationMs: quick ? 1000 : 3000 },
  )
  await app.close()
  return [
    {
      ours: figures.binary.requestsPerS,
      reference: figures.json.requestsPerS,
      referenceName: 'the same tensor as JSON',
      details: { connections, dims, rounds: figures },
    },
  ]
}

/** Does next to nothing with its input, so that what is measured is the way there. */
function startEngine() {
  const pipeline = definePipeline({
    name: 'image',
    stages: {
      first: inline(({ x }) => ({ y: x.data.slice(0, 1) }), {
        inputs: { x: { from: 'request.x', type: 'float32', dims } },
        outputs: { y: { type: 'float32', dims: [] } },
        batched: false,
      }),
    },
    outputs: { y: 'first.y' },
  })
  return Engine.start(pipeline)
}

/** Values of 7 digits and an exponent now and then, as JSON writes floats of images that were normalised. */
function tensor(): Float32Array {
  return Float32Array.from({ length: elements }, (_, index) => Math.sin(index) * 2.5)
}

function jsonRequest(): Pick<HttpSide, 'headers' | 'body'> {
  const input = { name: 'x', shape: [1, ...dims], datatype: 'FP32', data: Array.from(tensor()) }
  return {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ inputs: [input] }),
  }
}

function binaryRequest(): Pick<HttpSide, 'headers' | 'body'> {
  const bytes = Buffer.from(tensor().buffer)
  const input = {
    name: 'x',
    shape: [1, ...dims],
    datatype: 'FP32',
    parameters: { binary_data_size: bytes.length },
  }
  const head = Buffer.from(
    JSON.stringify({ inputs: [input], parameters: { binary_data_output: true } }),
  )
  return {
    headers: {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(head.length),
    },
    body: Buffer.concat([head, bytes]),
  }
}
