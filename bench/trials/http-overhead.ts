/** What an engine behind a Fastify route costs beside a route that answers the same JSON by itself. */
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import { millrace } from '../../dist/http/fastify.js'
import { compareServers, type HttpSide } from './http-sides.ts'
import { row, startIdentityEngine } from './identity-engine.ts'
import type { Comparison, Trial, TrialOptions } from './trial.ts'

const connections = 64

export const httpOverhead: Trial = {
  name: 'http-overhead',
  measures: `a Fastify route that answers from an identity pipeline, ${connections} connections, load from another process`,
  unit: 'requests/s',
  target: { figure: 'ratio', atLeast: 0.8 },
  ratio: 'ours/reference',
  run,
}

async function run({ quick }: TrialOptions): Promise<Comparison[]> {
  const engine = await startIdentityEngine({ maxBatch: 64 })
  const bare = Fastify()
  bare.post('/', async (request) => {
    const { x } = request.body as { x: number[] }
    return { y: x }
  })
  const ours = Fastify()
  await ours.register(millrace, { engine, leaveMs: 0 })
  ours.post('/', async (request) => {
    const { x } = request.body as { x: number[] }
    const { y } = await request.millrace.infer({ x: Float32Array.from(x) })
    return { y: Array.from(y?.data as Float32Array) }
  })
  const side = async (app: typeof bare): Promise<HttpSide> => {
    await app.listen({ port: 0, host: '127.0.0.1' })
    return {
      port: (app.server.address() as AddressInfo).port,
      path: '/',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ x: Array.from(row) }),
      connections,
    }
  }
  const sides = { ours: await side(ours), bare: await side(bare) }
  const figures = await compareServers(sides, {
    rounds: quick ? 2 : 7,
    durationMs: quick ? 500 : 3000,
  })
  const answers = [figures.ours, figures.bare].map(({ rounds }) => rounds[0]?.sample)
  if (answers[0] !== answers[1]) throw new Error(`the answers differ: ${answers.join(' and ')}`)
  await Promise.all([ours.close(), bare.close()])
  const referenceName = 'bare Fastify that returns the same JSON'
  return [
    {
      case: 'throughput',
      ours: figures.ours.requestsPerS,
      reference: figures.bare.requestsPerS,
      referenceName,
      details: { connections, rounds: figures },
    },
    {
      case: 'p99',
      unit: 'ms',
      // Ours over the reference may be 1.3; the trial's ratio is that for rates.
      ours: figures.ours.p99Ms,
      reference: figures.bare.p99Ms,
      referenceName,
      target: { figure: 'ratio', atMost: 1.3 },
    },
  ]
}
