/**
 * How soon an added replica serves: from the arrival that is too many for the plan to the first batch of the new replica. The
 * only other one is busy with a large batch all the while, so that rows stop waiting only when the new one takes them.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { type InputsOf, type Pipeline, Tuner } from '../../dist/index.js'
import { buildLoadModel } from '../models/index.ts'
import { startLoadEngine } from './load-engine.ts'
import { median, rounded } from './rounds.ts'
import type { Comparison, Trial, TrialOptions } from './trial.ts'
import { tunerPlan } from './tuner-plan.ts'

const maxBatch = 32
const plan = tunerPlan({
  stage: 'model',
  maxBatch,
  replicaRatePerS: 30,
  ratePerS: 3,
  firstWindowMs: 100,
})

export const tunerReaction: Trial = {
  name: 'tuner-reaction',
  measures: '`resnet18`: from the arrival that is too many to the first batch of the added replica',
  unit: 'ms',
  target: { figure: 'ours', atMost: 100 },
  ratio: 'reference/ours',
  run,
}

type Reaction = { reactionMs: number; decideMs: number }
type LoadEngine = Awaited<ReturnType<typeof startLoadEngine>>

async function run({ quick }: TrialOptions): Promise<Comparison[]> {
  const modelPath = await buildLoadModel('resnet18')
  const loaded = await startLoadEngine({ model: 'resnet18', modelPath, replicas: 1, maxBatch })
  const reactions: Reaction[] = []
  const rounds = quick ? 5 : 25
  for (let round = 0; round < rounds; round++) {
    const one = await react(loaded)
    reactions.push(one)
    const { reactionMs, decideMs } = one
    console.error(
      `  round ${round + 1} of ${rounds}: ${rounded(reactionMs)} ms, of which ${rounded(decideMs)} to decide`,
    )
  }
  await loaded.engine.close()
  const none = { reference: null, referenceName: null }
  const decisions = reactions.map(({ decideMs }) => decideMs)
  return [
    {
      case: 'to the first batch',
      ours: median(reactions.map(({ reactionMs }) => reactionMs)),
      ...none,
      details: { reactions },
    },
    { case: 'to decide', ours: median(decisions), ...none, target: { figure: 'ours', atMost: 1 } },
  ]
}

async function react({ engine, inputs }: LoadEngine): Promise<Reaction> {
  const waitingRows = () => engine.stats().stages.model.waitingRows
  const answers = [engine.infer(rowsOf(inputs, maxBatch))]
  while (waitingRows() > 0) await turn()
  const tuner = new Tuner(engine, { plan }).start()
  let beganMs = 0
  while (tuner.stats().scaleUps === 0) {
    beganMs = performance.now()
    answers.push(engine.infer(rowsOf(inputs, 1)))
  }
  while (waitingRows() > 0) await turn()
  const reactionMs = performance.now() - beganMs
  const { max: decideMs } = tuner.stats().decideMs
  await tuner.stop()
  await Promise.all(answers)
  await engine.scale('model', 1)
  return { reactionMs, decideMs }
}

function rowsOf(inputs: LoadEngine['inputs'], rows: number): InputsOf<Pipeline> {
  const entries = Object.entries(inputs).map(([name, { type, dims, data }]) => {
    const all = new Float32Array(rows * data.length)
    for (let row = 0; row < rows; row++) all.set(data as Float32Array, row * data.length)
    return [name, { type, dims: [rows, ...dims.slice(1)], data: all }] as const
  })
  return Object.fromEntries(entries) as InputsOf<Pipeline>
}
