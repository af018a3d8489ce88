import { readFile } from 'node:fs/promises'
import { availableParallelism, cpus } from 'node:os'
import { writeJsonFile } from '../json-file.ts'
import { packageManifest } from '../package-manifest.ts'
import type { Figure } from './figure.ts'

/** What the data of a figure follow from, all of it, unless they are measured. */
export interface FigureSettings {
  readonly seed: number
  readonly quick: boolean
  readonly revision: number
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
  { revision }: Figure,
  { seed, quick }: { readonly seed: number; readonly quick: boolean },
): FigureSettings {
  return { seed, quick, revision, millrace: packageManifest().version }
}

/** Undefined where there is no file, or one of other settings, or none that can be read: it is then made anew. */
export async function readFigureFile(
  path: string,
  { figure, settings }: Pick<FigureFile, 'figure' | 'settings'>,
): Promise<FigureFile | undefined> {
  try {
    const file = JSON.parse(await readFile(path, 'utf8')) as FigureFile
    const isThis = file.version === 1 && file.figure === figure && file.data !== undefined
    return isThis && sameSettings(file.settings, settings) ? file : undefined
  } catch {
    return undefined
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
  const keys = ['seed', 'quick', 'revision', 'millrace'] as const
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
