import type { ReadText } from './container-limits.ts'

export interface Processor {
  readonly model: string
  /** As the operating system counts them, each thread of a core by itself. */
  readonly logicalCores: number
  /** Undefined where the system does not say. */
  readonly physicalCores: number | undefined
  /** Of those that decide how fast models run, those it has. Empty where the system does not say. */
  readonly features: readonly string[]
  /** How Linux chooses the clock, such as `powersave`. */
  readonly governor: string | undefined
}

const telling = [
  'avx2',
  'fma',
  'avx512f',
  'avx512_vnni',
  'avx_vnni',
  'avx512_bf16',
  'amx_int8',
  'amx_bf16',
  'asimd',
  'asimddp',
  'i8mm',
  'bf16',
  'sve',
]

/** From /proc/cpuinfo, and what Node knows where there is none. */
export function processor(
  read: ReadText,
  { model, logicalCores }: { readonly model: string; readonly logicalCores: number },
): Processor {
  const text = read('/proc/cpuinfo') ?? ''
  const flags = new Set(/^(?:flags|Features)\s*:\s*(.*)$/m.exec(text)?.[1]?.split(' '))
  return {
    model,
    logicalCores,
    physicalCores: physicalCores(text),
    features: telling.filter((feature) => flags.has(feature)),
    governor: read('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor')?.trim() || undefined,
  }
}

function physicalCores(text: string): number | undefined {
  const cores = text.split('\n\n').map((block) => {
    const [, socket] = /^physical id\s*:\s*(\d+)$/m.exec(block) ?? []
    const [, core] = /^core id\s*:\s*(\d+)$/m.exec(block) ?? []
    return socket === undefined || core === undefined ? undefined : `${socket}/${core}`
  })
  const known = new Set(cores.filter((core) => core !== undefined))
  return known.size === 0 ? undefined : known.size
}
