/**
 * What cuda() stages cost and gain on a real GPU. Where there is none each says so and measures nothing; no machine that we
 * could reach so far had one, so that no figure of these is known.
 */
import { cuda, definePipeline, devices, Engine, onnx } from '../../dist/index.js'
import { closedLoop } from '../load/closed-loop.ts'
import { buildLoadModel } from '../models/index.ts'
import { loadBenchAddon } from './bench-addon.ts'
import { alternate, median } from './rounds.ts'
import type { Comparison, Trial, TrialOptions } from './trial.ts'

const batch = 32
/** 600 KB a row: a photograph. */
const width = 150_000
const { MILLRACE_CUDA_DRIVER: driver = '', MILLRACE_NVRTC: compiler = '' } = process.env
const libraries = { driver, compiler }

/** About as much work as copying takes: each float is read and written some times over. */
const busyKernel = busyRows(width)
const emptyKernel = '__global__ void empty(const float* x, float* y, unsigned rows) {}'

const common = { ratio: 'ours/reference' } as const

export const gpuPinned: Trial = {
  ...common,
  name: 'gpu-pinned',
  measures: `host to device and back, pinned against pageable, 600 KB rows, batch ${batch}`,
  unit: 'ms',
  target: { figure: 'ratio', atLeast: 1.5 },
  ratio: 'reference/ours',
  run: (options) => onGpu(options, pinned),
}

export const gpuOverlap: Trial = {
  ...common,
  name: 'gpu-overlap',
  measures: 'a copy-heavy kernel, two batches in flight against one',
  unit: 'rows/s',
  target: { figure: 'ratio', atLeast: 1.3 },
  run: (options) => onGpu(options, overlap),
}

export const gpuHandoff: Trial = {
  ...common,
  name: 'gpu-handoff',
  measures:
    'cuda() preprocessing into a model (or a kernel), on the device against through the host',
  unit: 'rows/s',
  target: { figure: 'ratio', atLeast: 1.5 },
  run: (options) => onGpu(options, handoff),
}

export const gpuSaturation: Trial = {
  ...common,
  name: 'gpu-saturation',
  measures: 'best sustained rate of an engine against a bare loop on one stream',
  unit: 'rows/s',
  target: { figure: 'ratio', atLeast: 0.95 },
  run: (options) => onGpu(options, saturation),
}

export const gpuDispatch: Trial = {
  ...common,
  name: 'gpu-dispatch',
  measures: 'added latency of an empty kernel stage over launching it bare, p50',
  unit: 'us',
  target: { figure: 'ours', atMost: 30 },
  run: (options) => onGpu(options, dispatch),
}

async function onGpu(
  options: TrialOptions,
  measure: (options: TrialOptions, hasProvider: boolean) => Promise<Comparison>,
): Promise<Comparison[]> {
  const { devices: found, providers } = await devices()
  const { cuda } = providers
  if (found.some(({ kind }) => kind === 'cuda')) return [await measure(options, cuda.usable)]
  const why = cuda.usable ? '' : `: ${cuda.message}`
  return [missing(`no GPU${why}`)]
}

function busyRows(elements: number): string {
  return `
__global__ void busy(const float* x, float* y, unsigned rows) {
  const unsigned long long at = blockIdx.x * ${elements}ull;
  for (int i = threadIdx.x; i < ${elements}; i += blockDim.x) {
    float value = x[at + i];
    for (int turn = 0; turn < 64; ++turn) value = value * 0.999f + 1.0f;
    y[at + i] = value;
  }
}`
}

function missing(reason: string): Comparison {
  return { ours: null, reference: null, referenceName: null, missing: reason }
}

async function pinned({ quick }: TrialOptions): Promise<Comparison> {
  const addon = loadBenchAddon()
  const terms = { driver, bytes: batch * width * 4, rounds: quick ? 10 : 50 }
  const figures = await alternate(
    {
      ours: () => addon.gpuCopies({ ...terms, pinned: true }),
      pageable: () => addon.gpuCopies({ ...terms, pinned: false }),
    },
    { rounds: quick ? 3 : 7, label: 'gpu-pinned, ms' },
  )
  return {
    ours: median(figures.ours),
    reference: median(figures.pageable),
    referenceName: 'pageable memory',
    details: { bytes: terms.bytes, rounds: figures },
  }
}

/** The kernel in a bare loop. */
function bareRowsPerS(quick: boolean, flights: 1 | 2): Promise<number> {
  const batches = quick ? 50 : 400
  const kernel = { source: busyKernel, kernel: 'busy', width, rows: batch }
  return loadBenchAddon().gpuBatches({ ...libraries, ...kernel, batches, flights })
}

async function overlap({ quick }: TrialOptions): Promise<Comparison> {
  const figures = await alternate(
    { ours: () => bareRowsPerS(quick, 2), one: () => bareRowsPerS(quick, 1) },
    { rounds: quick ? 3 : 7, label: 'gpu-overlap, rows/s' },
  )
  return {
    ours: median(figures.ours),
    reference: median(figures.one),
    referenceName: 'one batch in flight',
    details: { rounds: figures },
  }
}

/** 600 KB a row as well: what the model takes. */
const photograph = [3, 224, 224] as const
const pixels = 3 * 224 * 224
/** Of a replica on a device: see native/cuda/cuda_runner.h. Each has room for inputs and outputs. */
const slots = 2

async function handoff({ quick }: TrialOptions, hasProvider: boolean): Promise<Comparison> {
  const start = hasProvider ? startIntoModel : startIntoKernel
  const onDevice = await start({ overHost: false })
  const overHost = await start({ overHost: true })
  const x = new Float32Array(pixels)
  const rate = (engine: typeof onDevice) => async () => {
    const durationMs = quick ? 1000 : 5000
    const send = () => engine.infer({ x })
    return (await closedLoop({ inFlight: 4 * batch, durationMs, send })).throughputPerS
  }
  const figures = await alternate(
    { ours: rate(onDevice), host: rate(overHost) },
    { rounds: quick ? 3 : 7, label: 'gpu-handoff, rows/s' },
  )
  const handedOn = [onDevice, overHost].map((one) => one.stats().stages.before.handedOnRows)
  await Promise.all([onDevice.close(), overHost.close()])
  return {
    case: hasProvider ? 'into resnet18' : 'into a kernel: ONNX Runtime has no CUDA provider here',
    ours: median(figures.ours),
    reference: median(figures.host),
    referenceName: 'through the host',
    details: { handedOnRows: handedOn, rounds: figures },
  }
}

/**
 * With memory for so many kernels and not a byte for rows that stay, they go through the host. A warm-up of the first would
 * take some of it before the second is made.
 */
const handoffTerms = ({ overHost, kernels }: { overHost: boolean; kernels: number }) => ({
  configuration: { before: { maxBatch: batch }, after: { maxBatch: batch } },
  warmUp: false,
  ...(overHost && { gpuMemoryBytes: { cuda: kernels * slots * 2 * batch * pixels * 4 } }),
})

const pixelsToPixels = { type: 'float32', dims: [...photograph] } as const

async function startIntoModel({ overHost }: { overHost: boolean }) {
  const pipeline = definePipeline({
    name: 'gpu-into-model',
    stages: {
      before: cuda(busyRows(pixels), {
        kernel: 'busy',
        inputs: { x: { from: 'request.x', ...pixelsToPixels } },
        outputs: { y: pixelsToPixels },
      }),
      after: onnx(await buildLoadModel('resnet18'), {
        inputs: { image: 'before.y' },
        providers: ['cuda'],
      }),
    },
    outputs: { y: 'after.logits' },
  })
  return Engine.start(pipeline, handoffTerms({ overHost, kernels: 1 }))
}

async function startIntoKernel({ overHost }: { overHost: boolean }) {
  const pipeline = definePipeline({
    name: 'gpu-into-kernel',
    stages: {
      before: cuda(busyRows(pixels), {
        kernel: 'busy',
        inputs: { x: { from: 'request.x', ...pixelsToPixels } },
        outputs: { y: pixelsToPixels },
      }),
      after: cuda(busyRows(pixels), {
        kernel: 'busy',
        inputs: { x: { from: 'before.y', ...pixelsToPixels } },
        outputs: { y: pixelsToPixels },
      }),
    },
    outputs: { y: 'after.y' },
  })
  return Engine.start(pipeline, handoffTerms({ overHost, kernels: 2 }))
}

async function saturation({ quick }: TrialOptions): Promise<Comparison> {
  const engine = await startEngine(busyKernel, { kernel: 'busy', elements: width, maxBatch: batch })
  const x = new Float32Array(width)
  const ours = async () => {
    const durationMs = quick ? 1000 : 5000
    const report = await closedLoop({
      inFlight: 4 * batch,
      durationMs,
      send: () => engine.infer({ x }),
    })
    return report.throughputPerS
  }
  const figures = await alternate(
    { ours, bare: () => bareRowsPerS(quick, 1) },
    { rounds: quick ? 3 : 7, label: 'gpu-saturation, rows/s' },
  )
  const { batchRows } = engine.stats().stages.kernel
  await engine.close()
  return {
    ours: median(figures.ours),
    reference: median(figures.bare),
    referenceName: 'a bare loop on one stream',
    details: { meanBatch: batchRows.mean, rounds: figures },
  }
}

async function dispatch({ quick }: TrialOptions): Promise<Comparison> {
  const requests = quick ? 500 : 5000
  const stage = { kernel: 'empty', elements: 1, maxBatch: 1 }
  const engine = await startEngine(emptyKernel, stage)
  const withGraphs = await startEngine(emptyKernel, { ...stage, graphs: true })
  const x = new Float32Array(1)
  const latencyUs = async (of: typeof engine) => {
    const takenUs: number[] = []
    for (let request = 0; request < requests; request++) {
      const startMs = performance.now()
      await of.infer({ x })
      takenUs.push((performance.now() - startMs) * 1000)
    }
    return median(takenUs)
  }
  const kernel = { source: emptyKernel, kernel: 'empty', width: 1, rows: 1 }
  const bare = async () => {
    const terms = { ...libraries, ...kernel, batches: requests, flights: 1 } as const
    return 1e6 / (await loadBenchAddon().gpuBatches(terms))
  }
  const figures = await alternate(
    { stage: () => latencyUs(engine), graphs: () => latencyUs(withGraphs), bare },
    { rounds: quick ? 3 : 7, label: 'gpu-dispatch, us' },
  )
  await Promise.all([engine.close(), withGraphs.close()])
  return {
    ours: median(figures.stage) - median(figures.bare),
    reference: null,
    referenceName: 'the same kernel, launched bare',
    details: { withGraphs: median(figures.graphs) - median(figures.bare), rounds: figures },
  }
}

function startEngine(
  source: string,
  {
    kernel,
    elements,
    maxBatch,
    graphs = false,
  }: { kernel: string; elements: number; maxBatch: number; graphs?: boolean },
) {
  const pipeline = definePipeline({
    name: 'gpu',
    stages: {
      kernel: cuda(source, {
        kernel,
        graphs,
        inputs: { x: { from: 'request.x', type: 'float32', dims: [elements] } },
        outputs: { y: { type: 'float32', dims: [elements] } },
      }),
    },
    outputs: { y: 'kernel.y' },
  })
  return Engine.start(pipeline, { configuration: { kernel: { maxBatch } } })
}
