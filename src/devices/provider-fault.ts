import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { NativeCudaReport, NativeVulkanReport } from '../native/addon.ts'
import { loadAddon } from '../native/load.ts'
import { findOnnxRuntime, onnxRuntimeVersion } from '../native/onnx-runtime.ts'
import type { TierPlace } from '../pipeline/tier.ts'

/** Why models, or kernels, cannot run in a place. */
export interface ProviderFault {
  /** Which kind of fault it is, for programs. */
  readonly reason: FaultReason
  /** What was looked for, and what was found. */
  readonly message: string
  /** What to do. */
  readonly remedy: string
}

/**
 * Kinds of faults: the driver of the device is not installed, or is older than is needed; it works and has no such device;
 * ONNX Runtime's library for it is not installed; the compiler of kernels is not; all is there, and ONNX Runtime refuses.
 */
export type FaultReason =
  | 'driver-missing'
  | 'driver-too-old'
  | 'no-device'
  | 'provider-library-missing'
  | 'compiler-missing'
  | 'refused'

/** What the drivers say. */
export interface DriverReports {
  readonly cuda: NativeCudaReport
  /** Undefined where WebGPU does not go through Vulkan. */
  readonly vulkan: NativeVulkanReport | undefined
}

/** ONNX Runtime's CUDA libraries of this version are built for CUDA 12, and so need its driver. */
const oldestCuda = 12000

/**
 * What the drivers know, and nothing else: no device is opened. Undecided (undefined) where nothing speaks against it. Pure
 * but for the look at which files there are.
 */
export function driverFault(place: TierPlace, reports: DriverReports): ProviderFault | undefined {
  if (place.provider === 'cpu') return undefined
  return place.provider === 'webgpu'
    ? vulkanFault(reports.vulkan)
    : (cudaFault(reports.cuda, place.device) ?? libraryFault(place.provider))
}

/** All that can be said of a place, by trying it where the drivers do not speak against it. */
export async function providerFault(place: TierPlace): Promise<ProviderFault | undefined> {
  if (place.provider === 'cpu') return undefined
  return driverFault(place, await driverReports(place.provider)) ?? (await refusal(place))
}

/** Where nobody asks for CUDA. */
const nothing: NativeCudaReport = { cudaVersion: 0, driverVersion: undefined, devices: [] }

/** The system's, or what the environment names in their place. */
export function cudaLibraries() {
  const { MILLRACE_CUDA_DRIVER: driver = '', MILLRACE_NVML: nvml = '' } = process.env
  const { MILLRACE_NVRTC: compiler = '' } = process.env
  return { driver, nvml, compiler }
}

/** The reports of what one provider needs, or of all. */
export async function driverReports(of?: TierPlace['provider']): Promise<DriverReports> {
  const addon = loadAddon()
  const cuda = of === 'webgpu' ? nothing : await addon.cudaDevices(cudaLibraries())
  const vulkan =
    process.platform === 'linux' && (of === 'webgpu' || of === undefined)
      ? await addon.vulkanDevices()
      : undefined
  return { cuda, vulkan }
}

/** Whether ONNX Runtime itself refuses it. Loads its library for the provider, and opens the device of WebGPU. */
export async function refusal(place: TierPlace): Promise<ProviderFault | undefined> {
  const libraryPath = findOnnxRuntime()
  const provider = { kind: place.provider, device: place.device, options: {} }
  try {
    await loadAddon().probeProvider({ libraryPath, libraryVersion: onnxRuntimeVersion, provider })
    return undefined
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const remedy = 'see what it says, and whether the driver is up to date'
    return { reason: 'refused', message, remedy }
  }
}

/** The same as an error, where somebody asked for it. */
export function faultText({ message, remedy }: ProviderFault): string {
  return `${message}; ${remedy}`
}

function vulkanFault(report: NativeVulkanReport | undefined): ProviderFault | undefined {
  if (report === undefined) return undefined
  const { fault, devices } = report
  if (fault !== undefined) {
    const remedy =
      'install it (Debian: apt-get install libvulkan1) and the Vulkan driver of the GPU'
    return { reason: 'driver-missing', message: `WebGPU needs Vulkan: ${fault}`, remedy }
  }
  if (devices.length > 0) return undefined
  const message = 'WebGPU needs a Vulkan device, and the Vulkan loader found none'
  const remedy = 'install the Vulkan driver of the GPU, or name its file in VK_DRIVER_FILES'
  return { reason: 'no-device', message, remedy }
}

/** What the driver says against a device. Pure. */
export function cudaFault(
  { fault, devices, cudaVersion }: NativeCudaReport,
  device: number,
): ProviderFault | undefined {
  const remedy = 'install the NVIDIA driver for CUDA 12 or later (525 or later)'
  if (fault !== undefined) {
    const message = `CUDA needs the NVIDIA driver: ${fault}`
    return { reason: 'driver-missing', message, remedy }
  }
  if (cudaVersion < oldestCuda) {
    const message = `expected a driver for CUDA 12 or later, found one for ${cudaText(cudaVersion)}`
    return { reason: 'driver-too-old', message, remedy }
  }
  if (device < devices.length) return undefined
  const have = devices.length === 0 ? 'none' : `${devices.length}, from 0 on`
  const message = `expected CUDA device ${device}, the driver has ${have}`
  const fix = 'take another tier, or look at CUDA_VISIBLE_DEVICES'
  return { reason: 'no-device', message, remedy: fix }
}

/** 12040 is CUDA 12.4. */
export function cudaText(version: number): string {
  return `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`
}

const prefix: Readonly<Record<string, string>> = { linux: 'lib', win32: '' }
const suffix: Readonly<Record<string, string>> = { linux: '.so', win32: '.dll' }

/** Looked at first because ONNX Runtime prints what it does not find. */
function libraryFault(provider: 'cuda' | 'tensorrt'): ProviderFault | undefined {
  const { platform } = process
  const start = prefix[platform]
  if (start === undefined) {
    const message = `ONNX Runtime has no provider "${provider}" for ${platform}`
    return { reason: 'provider-library-missing', message, remedy: 'take another provider' }
  }
  const folder = dirname(findOnnxRuntime())
  const files = ['shared', 'cuda', ...(provider === 'tensorrt' ? ['tensorrt'] : [])]
    .map((name) => `${start}onnxruntime_providers_${name}${suffix[platform]}`)
    .filter((file) => !existsSync(join(folder, file)))
  if (files.length === 0) return undefined
  return {
    reason: 'provider-library-missing',
    message: `the provider "${provider}" needs ${files.join(' and ')} in ${folder}`,
    remedy:
      `let onnxruntime-node fetch them: npm install onnxruntime-node@${onnxRuntimeVersion} --foreground-scripts, ` +
      'without --onnxruntime-node-install=skip',
  }
}
