/** The pipelines on which estimates are held against the live engine, each with requests to send and how it is run. */
import {
  definePipeline,
  type InputsOf,
  onnx,
  type Pipeline,
  type PlannedConfiguration,
} from '../../dist/index.js'
import { readDigits } from '../../examples/01-digits-cascade/digits.js'
import { cascade } from '../../examples/01-digits-cascade/pipeline.js'
import { writePages } from '../../examples/02-page-of-digits/page.js'
import { pageReader } from '../../examples/02-page-of-digits/pipeline.js'
import { buildLoadModel } from '../models/index.ts'
import { sampleInputs } from '../models/sample-inputs.ts'

export type ServedPipeline = {
  pipeline: Pipeline
  requests: readonly InputsOf<Pipeline>[]
  configuration: PlannedConfiguration
  /** Requests of one run, at least. */
  requestsPerRun: number
  maxPendingRows: number
}

/** The generator needs a core, too: so no more replicas than leave it one, most of the time. */
const one = { tier: 'cpu-1', replicas: 1 }

/** A request is a sheet of scans: one alone takes five microseconds, a hundredth of what a thread may take to wake up. */
const scansPerSheet = 1000

export async function servedPipelines(): Promise<readonly ServedPipeline[]> {
  return [digitsCascade(), await pages(), await resnet()]
}

function digitsCascade(): ServedPipeline {
  const scans = readDigits().map(({ image }) => image.data)
  const sheets = Array.from({ length: 16 }, (_, sheet) => {
    const data = new Float32Array(scansPerSheet * 64)
    for (let at = 0; at < scansPerSheet; at++) {
      data.set(scans[(sheet * 53 + at) % scans.length] ?? [], at * 64)
    }
    return { image: { type: 'float32' as const, dims: [scansPerSheet, 1, 8, 8], data } }
  })
  return {
    pipeline: cascade,
    requests: sheets,
    configuration: { fast: { ...one, maxBatch: 64 }, accurate: { ...one, maxBatch: 64 } },
    requestsPerRun: 8000,
    // Not more than is needed: the rows of a ring are written one after the other, and 256 MB are in no cache.
    maxPendingRows: 1 << 18,
  }
}

async function pages(): Promise<ServedPipeline> {
  const drawn = await writePages({ digits: readDigits(), repeats: 5, seed: 1 })
  return {
    pipeline: pageReader,
    requests: drawn.map(({ png }) => {
      return { page: { type: 'uint8', dims: [1, png.length], data: png } }
    }),
    configuration: {
      // A batch of pages is answered as a whole, and read one page after the other.
      segment: { ...one, maxBatch: 1 },
      fast: { ...one, maxBatch: 64 },
      accurate: { ...one, maxBatch: 64 },
      transcribe: { ...one, maxBatch: 1 },
    },
    requestsPerRun: 1500,
    maxPendingRows: 1 << 18,
  }
}

async function resnet(): Promise<ServedPipeline> {
  const path = await buildLoadModel('resnet18')
  const image = (seed: number) => sampleInputs('resnet18', { seed })['image']
  return {
    pipeline: definePipeline({
      name: 'resnet18',
      objective: { latencyMs: 300, percentile: 99 },
      stages: { model: onnx(path, { inputs: { image: 'request.image' } }) },
      outputs: { logits: 'model.logits' },
    }),
    requests: [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => ({ image: image(seed) }) as never),
    configuration: { model: { ...one, maxBatch: 4 } },
    requestsPerRun: 350,
    maxPendingRows: 4096,
  }
}
