/**
 * What tracing costs each request, where the sampler takes all of them and where it takes none. While it is off, nothing
 * but a look is spent, which `noop-throughput` and `noop-latency` have in them: they run with nobody listening.
 */
import { channel } from 'node:diagnostics_channel'
import { BasicTracerProvider, SamplingDecision } from '@opentelemetry/sdk-trace-base'
import { traceEngine } from '../../dist/index.js'
import { closedLoop } from '../load/closed-loop.ts'
import { row, startIdentityEngine } from './identity-engine.ts'
import { alternate, median } from './rounds.ts'
import type { Comparison, Trial, TrialOptions } from './trial.ts'

const inFlight = 1024

export const tracingCost: Trial = {
  name: 'tracing-cost',
  measures: `noop-throughput while a sampler takes no request, or all of them; ${inFlight} in flight`,
  unit: 'requests/s',
  target: { figure: 'ratio', atLeast: 0.25 },
  ratio: 'ours/reference',
  run,
}

async function run({ quick }: TrialOptions): Promise<Comparison[]> {
  const engine = await startIdentityEngine({ maxBatch: 256 })
  const durationMs = quick ? 300 : 1500
  const measure = async () => {
    const send = () => engine.infer({ x: row })
    return (await closedLoop({ inFlight, durationMs, send })).throughputPerS
  }
  const tracedWith = (decision: SamplingDecision) => async () => {
    const sampler = { shouldSample: () => ({ decision }) }
    const tracerProvider = new BasicTracerProvider({ sampler })
    const tracing = await traceEngine(engine, { tracerProvider })
    const throughputPerS = await measure()
    tracing.stop()
    return throughputPerS
  }
  const sides = {
    off: measure,
    unsampled: tracedWith(SamplingDecision.NOT_RECORD),
    on: tracedWith(SamplingDecision.RECORD_AND_SAMPLED),
  }
  if (channel('tracing:millrace:infer:start').hasSubscribers) throw new Error('somebody listens')
  await alternate(sides, { rounds: 1, label: 'warming up' })
  const figures = await alternate(sides, { rounds: quick ? 3 : 9, label: 'requests/s' })
  await engine.close()
  const against = (side: 'unsampled' | 'on') => ({
    case: side,
    ours: median(figures[side]),
    reference: median(figures.off),
    referenceName: 'the same engine, nobody listening',
    details: { rounds: figures[side], off: figures.off },
  })
  return [against('unsampled'), { ...against('on'), target: { figure: 'ratio', atLeast: 0.04 } }]
}
