/**
 * Sentences of 8 to 128 tokens through the encoder: in batches of like lengths, each padded to its
 * longest, beside what one does without: every sentence padded to the longest there is, which makes
 * full batches of one shape.
 */
import { definePipeline, Engine, onnx } from '../../dist/index.js'
import { closedLoop } from '../load/closed-loop.ts'
import { buildLoadModel } from '../models/index.ts'
import { sampleInputs } from '../models/sample-inputs.ts'
import { SeededRandom } from '../models/seeded-random.ts'
import { alternate, median } from './rounds.ts'
import type { Comparison, Trial, TrialOptions } from './trial.ts'

const shortest = 8
const longest = 128
const sentences = 128
const maxBatch = 8
const replicas = 2
const inFlight = 128
const tolerance = 1e-4
const seed = 20

type Tokens = { input_ids: Int64; attention_mask: Int64 }
type Int64 = { type: 'int64'; dims: number[]; data: BigInt64Array }

export const ragged: Trial = {
  name: 'ragged',
  measures: `encoder, ${shortest} to ${longest} tokens, ${replicas} replicas, batches of ${maxBatch}, bucketed against all padded to ${longest}`,
  unit: 'rows/s',
  target: { figure: 'ratio', atLeast: 1.5 },
  ratio: 'ours/reference',
  run,
}

async function run({ quick }: TrialOptions): Promise<Comparison[]> {
  const modelPath = await buildLoadModel('encoder')
  const requests = drawSentences()
  const padded = requests.map(padToLongest)
  const engine = await start(modelPath, { maxBatch })
  const deviation = await worstDeviation(engine, { modelPath, requests })
  const durationMs = quick ? 1500 : 5000
  const rate = async (inputs: readonly Tokens[]) => {
    const send = (index: number) => engine.infer(inputs[index % sentences] as Tokens)
    const report = await closedLoop({ inFlight, durationMs, send })
    if (Object.keys(report.failed).length > 0) throw new Error(JSON.stringify(report.failed))
    return report.throughputPerS
  }
  const figures = await alternate(
    { bucketed: () => rate(requests), longest: () => rate(padded) },
    { rounds: quick ? 3 : 7, label: 'ragged, rows/s' },
  )
  const { batchRows, ...stage } = engine.stats().stages.encoder
  await engine.close()
  return [
    {
      ours: median(figures.bucketed),
      reference: median(figures.longest),
      referenceName: `the same engine, every sentence padded to ${longest}`,
      details: { deviation, meanBatch: batchRows.mean, stage, rounds: figures },
    },
  ]
}

function start(modelPath: string, stage: { maxBatch: number }) {
  const pipeline = definePipeline({
    name: 'ragged',
    stages: {
      encoder: onnx(modelPath, {
        inputs: { input_ids: 'request.input_ids', attention_mask: 'request.attention_mask' },
        pad: { input_ids: 0, attention_mask: 0 },
      }),
    },
    outputs: { embedding: 'encoder.embedding' },
  })
  return Engine.start(pipeline, { configuration: { encoder: { ...stage, replicas } } })
}

/**
 * The largest difference of an element from the same sentence run alone.
 *
 * @throws {Error} Where it is beyond the tolerance: fast and wrong is no figure.
 */
async function worstDeviation(
  engine: Awaited<ReturnType<typeof start>>,
  { modelPath, requests }: { modelPath: string; requests: readonly Tokens[] },
): Promise<number> {
  const alone = await start(modelPath, { maxBatch: 1 })
  const batched = await engine.inferMany(requests)
  const single = await alone.inferMany(requests)
  await alone.close()
  let worst = 0
  batched.forEach(({ embedding }, index) => {
    const expected = single[index]?.embedding.data as Float32Array
    const found = embedding.data as Float32Array
    for (let at = 0; at < expected.length; at++) {
      worst = Math.max(worst, Math.abs((found[at] ?? Number.NaN) - (expected[at] ?? Number.NaN)))
    }
  })
  if (!(worst <= tolerance)) throw new Error(`outputs differ by ${worst} from those run alone`)
  return worst
}

function drawSentences(): readonly Tokens[] {
  const random = new SeededRandom(seed)
  return Array.from({ length: sentences }, (_, index) => {
    const sequence = shortest + (random.bits() % (longest - shortest + 1))
    return sampleInputs('encoder', { sequence, seed: index + 1 }) as Tokens
  })
}

function padToLongest(tokens: Tokens): Tokens {
  const pad = ({ data }: Int64): Int64 => {
    const wide = new BigInt64Array(longest)
    wide.set(data)
    return { type: 'int64', dims: [1, longest], data: wide }
  }
  return { input_ids: pad(tokens.input_ids), attention_mask: pad(tokens.attention_mask) }
}
