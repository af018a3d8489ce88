import { existsSync, readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { packageFile } from '../package-file.ts'
import { definePipeline } from '../pipeline/define-pipeline.ts'
import { onnx } from '../pipeline/onnx.ts'
import type { InputsOf, Pipeline } from '../pipeline/pipeline.ts'

/** The pipeline of the first example, which is run live: a checkout has its models, an installed package has not. */
export interface DigitsCascade {
  readonly pipeline: Pipeline
  /** Requests of so many images each, `count` of them, which differ. */
  requests(options: {
    readonly images: number
    readonly count: number
  }): readonly InputsOf<Pipeline>[]
}

/** Undefined where its models are not here. */
export function digitsCascade(): DigitsCascade | undefined {
  const example = pathToFileURL(packageFile('examples/01-digits-cascade/'))
  const at = (file: string) => new URL(file, example)
  if (!existsSync(at('models/digits-accurate.onnx')) || !existsSync(at('data/test.csv'))) {
    return undefined
  }
  const pipeline = definePipeline({
    name: 'digits',
    objective: { latencyMs: 20, percentile: 99 },
    stages: {
      fast: onnx(at('models/digits-fast.onnx'), { inputs: { image: 'request.image' } }),
      accurate: onnx(at('models/digits-accurate.onnx'), {
        inputs: { image: 'request.image' },
        when: { output: 'fast.confidence', below: 0.8 },
      }),
    },
    outputs: {
      label: ['accurate.label', 'fast.label'],
      confidence: ['accurate.confidence', 'fast.confidence'],
    },
  })
  const scans = readScans(at('data/test.csv'))
  return {
    pipeline: pipeline as unknown as Pipeline,
    requests: ({ images, count }) =>
      Array.from({ length: count }, (_, request) => sheetOf(scans, { images, request })),
  }
}

const pixels = 64
/** So that no two requests begin with the same image. */
const stride = 53

function sheetOf(
  scans: readonly Float32Array[],
  { images, request }: { readonly images: number; readonly request: number },
): InputsOf<Pipeline> {
  const data = new Float32Array(images * pixels)
  for (let at = 0; at < images; at++) {
    data.set(scans[(request * stride + at) % scans.length] ?? [], at * pixels)
  }
  return { image: { type: 'float32', dims: [images, 1, 8, 8], data } } as InputsOf<Pipeline>
}

function readScans(file: URL): readonly Float32Array[] {
  const [, ...lines] = readFileSync(file, 'utf8').trim().split('\n')
  return lines.map((line) => Float32Array.from(line.split(',').slice(1).map(Number)))
}
