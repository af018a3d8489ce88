import { cpus, totalmem } from 'node:os'
import type { NativeCudaDevice, NativeVulkanDevice } from '../native/addon.ts'
import { type ProviderName, providerNames } from '../pipeline/tier.ts'
import { availableCores } from './available-cores.ts'
import {
  cudaText,
  type DriverReports,
  driverFault,
  driverReports,
  type ProviderFault,
  refusal,
} from './provider-fault.ts'

/** What {@link devices} found. */
export interface DeviceReport {
  /** What the drivers of this machine have. */
  readonly devices: readonly Device[]
  /** What onnx() stages can run on in this process, and why not on the others. */
  readonly providers: Readonly<Record<ProviderName, ProviderState>>
}

export type Device = CpuDevice | CudaDevice | WebGpuDevice

export interface CpuDevice {
  readonly kind: 'cpu'
  /** Such as `AMD EPYC 7763`. */
  readonly name: string
  /** Cores that this process may use: what the system offers, or the container's quota where that is less. */
  readonly cores: number
  /** Bytes of memory of the machine. */
  readonly memoryBytes: number
}

export interface CudaDevice {
  readonly kind: 'cuda'
  /** The tier `cuda-N` is the device of index N. */
  readonly index: number
  readonly name: string
  readonly memoryBytes: number
  /** Bytes free when it was looked at, by any process; undefined where it cannot be told without opening the device. */
  readonly freeMemoryBytes: number | undefined
  /** Such as `9.0`. */
  readonly computeCapability: string
  /** The latest CUDA that the driver serves, such as `12.4`. */
  readonly cudaVersion: string
  /** Such as `550.54.15`; undefined where NVIDIA's management library (NVML) is missing. */
  readonly driverVersion: string | undefined
  /** Percent of the last moment in which kernels ran, from NVML. */
  readonly utilizationPercent: number | undefined
  /** Degrees Celsius, from NVML. */
  readonly temperatureC: number | undefined
}

export interface WebGpuDevice {
  readonly kind: 'webgpu'
  readonly name: string
  /** `cpu` is an emulation: good for tests. */
  readonly type: 'discrete' | 'integrated' | 'virtual' | 'cpu' | 'other'
}

export type ProviderState = { readonly usable: true } | ({ readonly usable: false } & ProviderFault)

/**
 * What this process can run models on, and for what it cannot, why. It asks the drivers, and has ONNX Runtime open what they
 * have; nothing of that is loaded before. The first call takes up to a second.
 *
 * Of WebGPU, where it goes through Vulkan (Linux), each Vulkan device is listed; ONNX Runtime takes the one that the
 * system prefers. On other systems none is listed, and `providers.webgpu` alone says whether there is one.
 *
 * @throws {MillraceError} MILLRACE_NATIVE_LOAD
 */
export async function devices(): Promise<DeviceReport> {
  const reports = await driverReports()
  const states = new Map<ProviderName, ProviderState>()
  for (const provider of providerNames) states.set(provider, await stateOf(provider, reports))
  return {
    devices: [
      cpuDevice(),
      ...reports.cuda.devices.map((device) => cudaDevice(device, reports)),
      ...(reports.vulkan?.devices ?? []).map(webGpuDevice),
    ],
    providers: Object.fromEntries(states) as DeviceReport['providers'],
  }
}

async function stateOf(provider: ProviderName, reports: DriverReports): Promise<ProviderState> {
  const place = { provider, threads: 1, device: 0 }
  if (provider === 'cpu') return { usable: true }
  const fault = driverFault(place, reports) ?? (await refusal(place))
  return fault === undefined ? { usable: true } : { usable: false, ...fault }
}

function cpuDevice(): CpuDevice {
  const name = cpus()[0]?.model.trim() || 'unknown'
  return { kind: 'cpu', name, cores: availableCores(), memoryBytes: totalmem() }
}

function cudaDevice(device: NativeCudaDevice, { cuda }: DriverReports): CudaDevice {
  const cudaVersion = cudaText(cuda.cudaVersion)
  return { kind: 'cuda', ...device, cudaVersion, driverVersion: cuda.driverVersion }
}

function webGpuDevice({ name, type }: NativeVulkanDevice): WebGpuDevice {
  return { kind: 'webgpu', name, type }
}
