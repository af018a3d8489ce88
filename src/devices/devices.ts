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

/** Something that could run models; `kind` tells which it is. */
export type Device = CpuDevice | CudaDevice | WebGpuDevice

/** The processor. */
export interface CpuDevice {
  /** Tells it from other devices. */
  readonly kind: 'cpu'
  /** Such as `AMD EPYC 7763`. */
  readonly name: string
  /** Cores that this process may use: what the system offers, or the container's quota where that is less. */
  readonly cores: number
  /** Bytes of memory of the machine. */
  readonly memoryBytes: number
}

/** A GPU that NVIDIA's driver knows. */
export interface CudaDevice {
  /** Tells it from other devices. */
  readonly kind: 'cuda'
  /** The tier `cuda-N` is the device of index N. */
  readonly index: number
  /** Such as `NVIDIA H200`. */
  readonly name: string
  /** Bytes of memory of the device, in use or not. */
  readonly memoryBytes: number
  /** Bytes free when it was looked at, by any process; undefined where it cannot be told without opening the device. */
  readonly freeMemoryBytes: number | undefined
  /** Such as `9.0`. */
  readonly computeCapability: string
  /** The latest CUDA that the driver serves, such as `12.4`. */
  readonly cudaVersion: string
  /** Such as `550.54.15`; undefined where NVIDIA's management library (NVML) is missing. */
  readonly driverVersion: string | undefined
  /** Percent of the last moment in which kernels ran, from NVML; undefined where that is missing. */
  readonly utilizationPercent: number | undefined
  /** Degrees Celsius, from NVML; undefined where that is missing. */
  readonly temperatureC: number | undefined
}

/** A device that Vulkan knows, which WebGPU may run on. */
export interface WebGpuDevice {
  /** Tells it from other devices. */
  readonly kind: 'webgpu'
  /** As its driver calls it. */
  readonly name: string
  /** What kind of GPU it is; `cpu` is an emulation: good for tests. */
  readonly type: 'discrete' | 'integrated' | 'virtual' | 'cpu' | 'other'
}

/** Whether a provider can run models in this process, and where it cannot, why. */
export type ProviderState =
  | {
      /** It can. */
      readonly usable: true
    }
  | ({
      /** It cannot. */
      readonly usable: false
    } & ProviderFault)

/**
 * What this process can run models on, and for what it cannot, why. It asks the drivers, and has ONNX Runtime open what they
 * have; nothing of that is loaded before. The first call takes up to a second.
 *
 * Of WebGPU, where it goes through Vulkan (Linux), each Vulkan device is listed; ONNX Runtime takes the one that the
 * system prefers. On other systems none is listed, and `providers.webgpu` alone says whether there is one.
 *
 * @throws {MillraceError} (by rejecting) MILLRACE_NATIVE_LOAD
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
