/**
 * What may run a model: the CPU, or an accelerator by way of one of ONNX Runtime's execution providers.
 *
 * @useDeclaredType
 */
export type ProviderName = (typeof providerNames)[number]

/** What a tier means to the engine. */
export interface TierPlace {
  readonly provider: ProviderName
  /** Threads inside one operator, per replica; 1 on an accelerator. */
  readonly threads: number
  /** Which device of the provider. */
  readonly device: number
}

export const providerNames = ['cpu', 'cuda', 'tensorrt', 'webgpu'] as const

const mostThreads = 256

/** How tiers are named, for messages. */
export const tierForms = `"cpu-N" with N threads from 1 to ${mostThreads}, "cuda", "tensorrt" (both also with "-N" for device N) or "webgpu"`

/**
 * What a tier that an engine serves means: `cpu-N` is N threads, `cuda` and `tensorrt` are device 0, `cuda-N` and
 * `tensorrt-N` device N, `webgpu` the adapter that the system prefers. Undefined for anything else. Pure.
 */
export function readTier(tier: unknown): TierPlace | undefined {
  if (typeof tier !== 'string') return undefined
  if (tier === 'webgpu') return { provider: 'webgpu', threads: 1, device: 0 }
  const threads = Number(/^cpu-([1-9]\d{0,2})$/.exec(tier)?.[1])
  if (threads <= mostThreads) return { provider: 'cpu', threads, device: 0 }
  const [, provider, device = '0'] = /^(cuda|tensorrt)(?:-(0|[1-9]\d?))?$/.exec(tier) ?? []
  if (provider !== 'cuda' && provider !== 'tensorrt') return undefined
  return { provider, threads: 1, device: Number(device) }
}

/** The tier of a provider where nothing else is said. */
export function defaultTier(provider: ProviderName): string {
  return provider === 'cpu' ? 'cpu-1' : provider
}

/** Whether a tier is an accelerator. False for what is no tier. */
export function isAccelerator(tier: string): boolean {
  return (readTier(tier)?.provider ?? 'cpu') !== 'cpu'
}
