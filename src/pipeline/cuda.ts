import {
  checkBoolean,
  checkInteger,
  checkObject,
  checkRecord,
  checkString,
  describe,
} from '../check.ts'
import { definitionError } from './definition-error.ts'
import {
  checkFunctionOptions,
  type DeclaredInputs,
  type DeclaredOutputs,
  type FunctionBase,
  type ReferencesIn,
  type TensorsFor,
  type ValueShape,
} from './function-options.ts'
import type { StageFunction } from './stage-function.ts'
import { type StageOptions, sealStage, stageKeys } from './stage-options.ts'

/** How a CUDA kernel is wired into its pipeline, and launched. */
export interface CudaOptions<
  Inputs extends DeclaredInputs = DeclaredInputs,
  Outputs extends DeclaredOutputs = DeclaredOutputs,
  Decider extends string = never,
> extends Omit<StageOptions<Decider>, 'fanOut' | 'gather'> {
  /** Name of the kernel: as C++ names it, such as 'resize' or 'ns::top_k<5>', or that of the entry in PTX. */
  readonly kernel: string
  /**
   * The value that feeds each input: 'request.NAME', 'STAGE.OUTPUT', a list of these of which the first whose stage ran
   * is taken, or `{ from, type, dims }`. Its rows must be numbers, all of one size. In this order they are the kernel's
   * first parameters.
   */
  readonly inputs: Inputs
  /** Type and shape of each output, at least one: numbers, no open dimension. The parameters after the inputs. */
  readonly outputs: Outputs
  /**
   * Blocks of each row: a number, or two. The grid of a batch is `[rows, ...grid]`, so that `blockIdx.x` is the row; each
   * from 1 to 65,535. Default 1.
   */
  readonly grid?: number | readonly [y: number, z: number] | undefined
  /** Threads of a block: a number or three, 1 to 1024 in all, at most 64 of the third. Default 256. */
  readonly block?: number | readonly [x: number, y: number, z: number] | undefined
  /** Bytes of dynamic shared memory of a block, from 0 to 49,152. Default 0. */
  readonly sharedBytes?: number | undefined
  /**
   * Launches batches as CUDA graphs: what a batch of some size asks of the driver is recorded when the first one comes, and
   * asked for with one call from then on. Of use where kernels and rows are small, so that calls take as long as the work.
   * For batches of 1, 2, 4, 8, … rows and of the most that the stage takes; others, and those whose values stay on the
   * device between stages, are launched as without it. Takes memory of the device for each size, beside `gpuMemoryBytes`.
   * `graphBatches` of a stage's statistics counts them. Default false.
   */
  readonly graphs?: boolean | undefined
  /** Macros for the compiler, such as `{ WIDTH: 224, SCALE: '0.5f' }`; not with PTX. Default: none. */
  readonly defines?: Readonly<Record<string, string | number>> | undefined
  /**
   * Does the same where there is no GPU, and from then on where the device is lost: a function on the event loop as that of
   * `inline()`, given whole batches. Default: none, and the engine does not start without a GPU.
   */
  readonly fallback?:
    | StageFunction<TensorsFor<NoInfer<Inputs>>, Extract<keyof NoInfer<Outputs>, string>>
    | undefined
}

/** A stage that runs a CUDA kernel: frozen, and made by {@link cuda} only. */
export interface CudaStage<Input extends string = string, Decider extends string = string>
  extends FunctionBase<Input, Decider, never> {
  readonly kind: 'cuda'
  /** The text of the kernel. */
  readonly source: string
  /** What it is written in, as its beginning says. */
  readonly language: KernelLanguage
  /** Name of the kernel in it. */
  readonly kernel: string
  /** Blocks of each row; a batch has `[rows, ...grid]`. */
  readonly grid: readonly [y: number, z: number]
  /** Threads of a block. */
  readonly block: readonly [x: number, y: number, z: number]
  /** Bytes of dynamic shared memory of a block. */
  readonly sharedBytes: number
  /** Whether batches are launched as CUDA graphs where they can be. */
  readonly graphs: boolean
  /** Macros for the compiler, by name. */
  readonly defines: Readonly<Record<string, string>>
  /** What takes its place where it cannot run; undefined: nothing. */
  readonly fallback: StageFunction | undefined
}

/** What a kernel may be written in: CUDA C++, compiled when an engine starts, or PTX. */
export type KernelLanguage = 'c++' | 'ptx'

const code = 'MILLRACE_INVALID_PIPELINE'
const ownKeys = ['kernel', 'grid', 'block', 'sharedBytes', 'graphs', 'defines', 'fallback'] as const
const keys = [
  ...stageKeys.filter((key) => key !== 'fanOut' && key !== 'gather'),
  'outputs',
  ...ownKeys,
] as const
const mostBlocks = 65_535
const mostThreads = 1024
const deepestBlock = 64
const mostSharedBytes = 48 * 1024

/**
 * A stage that runs a CUDA kernel of your own on an NVIDIA GPU. The kernel is launched once for each batch, with
 * `[rows, ...grid]` blocks, as
 *
 *     kernel(const T* input, …, U* output, …, unsigned rows)
 *
 * where each pointer leads to a tensor of all rows, row-major, in the memory of the device. It must write all of every
 * output, and nothing of an input, which other stages may read there: between `cuda()` stages, and `onnx()` stages of
 * tier `cuda`, on one device values stay on it, unless somebody on the host reads them as well. C++ is compiled when an engine starts, by NVIDIA's run-time
 * compiler (NVRTC, part of the CUDA toolkit); PTX needs the driver alone.
 *
 * @param source Text of CUDA C++ or of PTX (which begins with `.version`).
 * @throws {MillraceError} MILLRACE_INVALID_PIPELINE where an option has the wrong form. The kernel is not looked at until
 * an engine starts: MILLRACE_DEVICE_UNAVAILABLE where there is no device, driver or compiler and no fallback,
 * MILLRACE_MODEL_LOAD, with the compiler's log, where it does not compile, or where the driver has no `graphs`.
 */
export function cuda<
  const Inputs extends DeclaredInputs,
  const Outputs extends DeclaredOutputs,
  const Decider extends string = never,
>(
  source: string,
  options: CudaOptions<Inputs, Outputs, Decider>,
): CudaStage<ReferencesIn<Inputs>, NoInfer<Decider>> {
  const fix = 'give the text of the kernel, such as readFileSync(file, "utf8")'
  const text = checkString(source, { name: 'cuda(), source', code, fix })
  const given = checkObject(options, { name: 'cuda()', keys, code })
  const kernel = checkString(given.kernel, { name: 'cuda(), kernel', code })
  const where = `cuda(${kernel})`
  const language = languageOf(text)
  const { grid = 1, block = 256, sharedBytes = 0, graphs = false, defines, fallback } = given
  const base = checkFunctionOptions(given, { where, batched: true })
  checkSizes(base, where)
  const stage: CudaStage = {
    ...base,
    kind: 'cuda',
    gather: undefined,
    source: text,
    language,
    kernel,
    grid: checkGrid(grid, `${where}, grid`),
    block: checkBlock(block, `${where}, block`),
    sharedBytes: checkInteger(sharedBytes, {
      name: `${where}, sharedBytes`,
      min: 0,
      max: mostSharedBytes,
      code,
    }),
    graphs: checkBoolean(graphs, { name: `${where}, graphs`, code }),
    defines: checkDefines(defines, { language, where: `${where}, defines` }),
    fallback: checkFallback(fallback, `${where}, fallback`),
  }
  return sealStage(stage) as CudaStage<ReferencesIn<Inputs>, Decider>
}

/** PTX begins with the directive `.version`, after comments; nothing in C++ begins with a point. */
function languageOf(text: string): KernelLanguage {
  const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
  return /^\s*\.version\b/.test(code) ? 'ptx' : 'c++'
}

/** A kernel is given memory, and told the number of rows: all else must be known before. */
function checkSizes({ inputShapes, outputs }: Omit<FunctionBase, 'kind'>, where: string): void {
  for (const [name, shape] of Object.entries(inputShapes)) {
    if (shape !== undefined) checkKernelShape(shape, `${where}, input "${name}"`)
  }
  for (const [name, shape] of Object.entries(outputs)) {
    checkKernelShape(shape, `${where}, output "${name}"`)
  }
}

/** @throws {MillraceError} MILLRACE_INVALID_PIPELINE unless rows of this shape are numbers of one size. */
export function checkKernelShape({ type, dims }: ValueShape, where: string): void {
  if (type !== 'string' && !dims.includes(-1)) return
  const found = type === 'string' ? 'strings' : `[${dims.join(', ')}]`
  const expected = 'expected numbers without an open dimension, since a kernel is given memory only'
  throw definitionError(where, `${expected}, got ${found}; make them so in a stage before it`)
}

function checkGrid(value: unknown, where: string): CudaStage['grid'] {
  const [y, z, ...more] = typeof value === 'number' ? [value, 1] : listOf(value)
  if (more.length > 0 || z === undefined) {
    throw shapeError(where, value, 'blocks of a row: a number, or two')
  }
  return Object.freeze([y, z].map((size) => checkSize(size, where, mostBlocks))) as [number, number]
}

function checkBlock(value: unknown, where: string): CudaStage['block'] {
  const [x, y, z, ...more] = typeof value === 'number' ? [value, 1, 1] : listOf(value)
  if (more.length > 0 || z === undefined) {
    throw shapeError(where, value, 'threads of a block: a number, or three')
  }
  const sizes = [x, y].map((size) => checkSize(size, where, mostThreads))
  const block = [...sizes, checkSize(z, where, deepestBlock)] as [number, number, number]
  const threads = block.reduce((product, size) => product * size, 1)
  if (threads <= mostThreads) return Object.freeze(block)
  const expected = `expected at most ${mostThreads} threads in a block`
  throw definitionError(where, `${expected}, got ${threads}; take more blocks (grid)`)
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function checkSize(value: unknown, where: string, max: number): number {
  return checkInteger(value, { name: where, min: 1, max, code })
}

function shapeError(where: string, value: unknown, expected: string) {
  return definitionError(where, `expected ${expected}, got ${describe(value)}; give one of these`)
}

function checkDefines(
  value: unknown,
  { language, where }: { language: KernelLanguage; where: string },
): CudaStage['defines'] {
  if (value === undefined) return Object.freeze({})
  if (language === 'ptx') {
    throw definitionError(where, 'PTX has no macros; remove them, or give CUDA C++')
  }
  const entries = Object.entries(checkRecord(value, { name: where, code })).map(([name, given]) => {
    if (!/^[A-Za-z_]\w*$/.test(name)) {
      throw definitionError(where, `expected names of macros, got ${describe(name)}; rename it`)
    }
    if (typeof given === 'string' || Number.isFinite(given)) return [name, String(given)] as const
    const expected = 'expected a string or a finite number'
    throw definitionError(`${where}, ${name}`, `${expected}, got ${describe(given)}; give one`)
  })
  return Object.freeze(Object.fromEntries(entries))
}

function checkFallback(value: unknown, where: string): StageFunction | undefined {
  if (value === undefined || typeof value === 'function') return value as StageFunction | undefined
  throw definitionError(where, `expected a function, got ${describe(value)}; give one, or none`)
}
