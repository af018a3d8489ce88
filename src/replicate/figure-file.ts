import { readFile } from 'node:fs/promises'
import { availableParallelism, cpus } from 'node:os'
import { writeJsonFile } from '../json-file.ts'
import { packageManifest } from '../package-manifest.ts'
import { codeFingerprint } from './code-fingerprint.ts'
import type { Figure } from './figure.ts'

/** What the data of a figure follow from, all of it, unless they are measured. */
export interface FigureSettings {
  readonly seed: number
  readonly quick: boolean
  /** Of what computed them: the code, the addon and the profiles. */
  readonly code: string
  /** Version of this package. */
  readonly millrace: string
}

/** Where data were measured that do not follow from their settings. */
export interface MeasuredHere {
  readonly cpu: string
  readonly cores: number
  readonly node: string
  /** ISO 8601, without the time of day. */
  readonly date: string
}

/** The data of a figure, and what they are of: `figN.json`. */
export interface FigureFile {
  readonly version: 1
  readonly figure: string
  readonly settings: FigureSettings
  readonly measured?: MeasuredHere | undefined
  readonly data: unknown
}

export function settingsOf(
  { name }: Figure,
  { seed, quick }: { readonly seed: number; readonly quick: boolean },
): FigureSettings {
  return { seed, quick, code: codeFingerprint(name), millrace: packageManifest().version }
}

/**
 * What is there: the file of these settings; `stale` where it is of others, of other code, or none that can be read, so that
 * it has to be made anew; or nothing.
 */
export async function readFigureFile(
  path: string,
  { figure, settings }: Pick<FigureFile, 'figure' | 'settings'>,
): Promise<FigureFile | 'stale' | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    const file = JSON.parse(text) as FigureFile
    const isThis = file.version === 1 && file.figure === figure && file.data !== undefined
    return isThis && sameSettings(file.settings, settings) ? file : 'stale'
  } catch {
    return 'stale'
  }
}

/** Writes it, and returns what the file then holds. @throws {MillraceError} MILLRACE_INVALID_FILE */
export async function writeFigureFile(
  path: string,
  { figure, settings, data }: { figure: Figure; settings: FigureSettings; data: unknown },
): Promise<FigureFile> {
  const file: FigureFile = {
    version: 1,
    figure: figure.name,
    settings,
    ...(figure.isMeasured && { measured: measuredHere() }),
    data,
  }
  await writeJsonFile(path, file)
  // As a report that is resumed will find it.
  return JSON.parse(JSON.stringify(file)) as FigureFile
}

function sameSettings(one: FigureSettings, other: FigureSettings): boolean {
  const keys = ['seed', 'quick', 'code', 'millrace'] as const
  return keys.every((key) => one[key] === other[key])
}

function measuredHere(): MeasuredHere {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
  }
}
