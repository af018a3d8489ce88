// Kernels of cuda() stages, compiled and loaded off the event loop.
import { cudaLibraries } from '../devices/provider-fault.ts'
import type { NativeModel } from '../native/addon.ts'
import { loadAddon } from '../native/load.ts'
import { fromNative } from '../native/native-error.ts'
import { type CudaStage, checkKernelShape } from '../pipeline/cuda.ts'
import { stageLabel } from '../pipeline/stage.ts'
import type { ModelSignature } from '../pipeline/tensor-spec.ts'

/** One kernel, to be loaded. */
export interface WantedKernel {
  /** The stage. */
  readonly name: string
  readonly stage: CudaStage
  readonly signature: ModelSignature
  readonly device: number
  /** Of it, for all kernels of the process; Infinity for no limit. */
  readonly memoryBytes: number
}

/**
 * Compiles and loads kernels side by side, by stage.
 *
 * @throws {MillraceError} MILLRACE_MODEL_LOAD naming the stage, with the compiler's log, or where the driver has no graphs; MILLRACE_INVALID_PIPELINE where
 * rows of an input are not of one size; MILLRACE_DEVICE_UNAVAILABLE
 */
export async function loadKernels(
  wanted: readonly WantedKernel[],
): Promise<ReadonlyMap<string, NativeModel>> {
  const loads = wanted.map(async (one) => [one.name, await loadKernel(one)] as const)
  // All, before the first error is reported: no load is left running behind the caller's back.
  const settled = await Promise.allSettled(loads)
  const loaded = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const failed = settled.find(({ status }) => status === 'rejected')
  if (failed?.status !== 'rejected') return new Map(loaded)
  for (const [, model] of loaded) model.release()
  throw failed.reason
}

async function loadKernel(wanted: WantedKernel): Promise<NativeModel> {
  const { name, stage, signature, device, memoryBytes } = wanted
  for (const { name: input, type, dims } of signature.inputs) {
    checkKernelShape({ type, dims: dims.slice(1) }, `stage "${name}", input "${input}"`)
  }
  const { driver, compiler } = cudaLibraries()
  try {
    return await loadAddon().loadKernel({
      driver,
      compiler,
      name: stageLabel(stage),
      file: `${name}.cu`,
      text: stage.source,
      ptx: stage.language === 'ptx',
      kernel: stage.kernel,
      defines: stage.defines,
      inputs: signature.inputs,
      outputs: signature.outputs,
      grid: stage.grid,
      block: stage.block,
      sharedBytes: stage.sharedBytes,
      graphs: stage.graphs,
      device,
      memoryBytes,
    })
  } catch (error) {
    throw fromNative(error, name)
  }
}
