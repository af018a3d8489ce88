import { loadAddon } from '../native/load.ts'
import type { KernelLanguage } from '../pipeline/cuda.ts'
import { cudaFault, cudaLibraries, driverReports, type ProviderFault } from './provider-fault.ts'

/**
 * Why kernels cannot run on a CUDA device: the driver, the device, and for C++ the compiler. ONNX Runtime has no part in it.
 * Loads the driver, and the compiler where it is asked for; opens no device.
 */
export async function kernelFault(place: {
  readonly device: number
  readonly language: KernelLanguage
}): Promise<ProviderFault | undefined> {
  const { cuda } = await driverReports('cuda')
  const fault = cudaFault(cuda, place.device)
  if (fault !== undefined || place.language === 'ptx') return fault
  const message = await loadAddon().kernelCompiler(cudaLibraries().compiler)
  if (message === undefined) return undefined
  const remedy =
    'install the CUDA toolkit, name the file of libnvrtc in MILLRACE_NVRTC, or give cuda() PTX'
  return { reason: 'compiler-missing', message, remedy }
}
