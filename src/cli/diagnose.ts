// Looks at everything once and gathers it. Nothing that is missing or broken here stops the rest: that is what it is for.
import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism, cpus, freemem, loadavg, release, totalmem } from 'node:os'
import { addonRemedy } from '../native/addon-failure.ts'
import { findAddon } from '../native/find-addon.ts'
import { findOnnxRuntime, onnxRuntimeVersion } from '../native/onnx-runtime.ts'
import { thisPlatform } from '../native/this-platform.ts'
import { packageFile } from '../package-file.ts'
import { packageManifest } from '../package-manifest.ts'
import { containerLimits } from './container-limits.ts'
import type { Diagnosis } from './diagnosis.ts'
import { firstInference } from './first-inference.ts'
import { processor } from './processor.ts'
import { providers } from './providers.ts'

const bytesPerMb = 2 ** 20

export async function diagnose(): Promise<Diagnosis> {
  const { version, engines } = packageManifest()
  const inference = await inferenceFacts()
  const { libc, ...platform } = thisPlatform()
  const { devices, ...onnxRuntime } = await runtimeFacts()
  const overcommit = read('/proc/sys/vm/overcommit_memory')
  return {
    millrace: { version, folder: packageFile('') },
    node: nodeFacts(engines.node),
    platform: { ...platform, libc: libc ?? null, system: release() },
    addon: addonFacts(version),
    onnxRuntime,
    devices,
    inference,
    processor: processor(read, {
      model: cpus()[0]?.model.trim() ?? 'unknown',
      logicalCores: cpus().length,
    }),
    availableCores: availableParallelism(),
    loadAverage: loadavg()[0] ?? 0,
    container: containerLimits(read),
    memory: { totalMb: totalmem() / bytesPerMb, freeMb: freemem() / bytesPerMb },
    overcommit: overcommit === undefined ? undefined : Number(overcommit),
  }
}

function nodeFacts(required: string): Diagnosis['node'] {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [wantMajor = 0, wantMinor = 0] = required.replace(/^\D+/, '').split('.').map(Number)
  const fits = major > wantMajor || (major === wantMajor && minor >= wantMinor)
  return { version: process.version, required, fits }
}

function addonFacts(version: string): Diagnosis['addon'] {
  const { addon, attempts } = findAddon()
  const checkout = existsSync(packageFile('native'))
  const loaded = addon !== undefined
  return {
    loaded,
    attempts: attempts.map(({ place, target, problem = null }) => ({ place, target, problem })),
    remedy: loaded ? null : addonRemedy({ attempts, platform: thisPlatform(), version, checkout }),
  }
}

async function runtimeFacts(): Promise<Diagnosis['onnxRuntime'] & Pick<Diagnosis, 'devices'>> {
  const version = onnxRuntimeVersion
  let file: string
  try {
    file = findOnnxRuntime()
  } catch (error) {
    return { version, file: null, problem: messageOf(error), providers: [], devices: [] }
  }
  return { version, file, problem: null, ...(await usable()) }
}

async function usable(): Promise<Awaited<ReturnType<typeof providers>>> {
  try {
    return await providers()
  } catch (error) {
    const all = { name: 'all', available: false, reason: messageOf(error) }
    return { providers: [all], devices: [] }
  }
}

async function inferenceFacts(): Promise<Diagnosis['inference']> {
  try {
    return { answeredMs: await firstInference(), problem: null }
  } catch (error) {
    return { answeredMs: null, problem: messageOf(error) }
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
}
