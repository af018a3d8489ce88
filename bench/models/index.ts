/**
 * The models that benchmarks and tests put under load: real architectures with random weights, since
 * what a model costs does not depend on what it has learned. `npx tsx bench/models/index.ts [NAME...]`
 * builds them (all when none is named) and prints where they are.
 */
import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encoderModel } from './encoder.ts'
import { identityModel } from './identity.ts'
import { mlpModel } from './mlp.ts'
import { resnet18Model } from './resnet18.ts'
import { resnet50Model } from './resnet50.ts'

const builders = {
  identity: identityModel,
  mlp: mlpModel,
  resnet18: resnet18Model,
  resnet50: resnet50Model,
  encoder: encoderModel,
} satisfies Record<string, (options: { seed: number }) => Uint8Array>

export type LoadModelName = keyof typeof builders
export const loadModelNames = Object.keys(builders) as LoadModelName[]

export type BuildOptions = {
  /** Of the random weights; 1 when absent. */
  seed?: number
  /** Where the file goes; `.cache/models` at the project root when absent. */
  directory?: string
}

const sourceDirectory = fileURLToPath(new URL('.', import.meta.url))
const cacheDirectory = fileURLToPath(new URL('../../.cache/models', import.meta.url))

/**
 * The path of `NAME-HASH.onnx`, built now or before: the hash is of the seed and of the builders' sources,
 * so a changed builder never meets an old file. Safe to call from several processes at once: each writes
 * a file of its own and renames it, and all of them write the same bytes.
 */
export async function buildLoadModel(
  name: LoadModelName,
  options: BuildOptions = {},
): Promise<string> {
  const { seed = 1, directory = cacheDirectory } = options
  const path = join(directory, `${name}-${await sourceHash(seed)}.onnx`)
  if (existsSync(path)) return path
  await mkdir(directory, { recursive: true })
  const temporaryPath = `${path}.${randomUUID()}.tmp`
  await writeFile(temporaryPath, builders[name]({ seed }))
  await rename(temporaryPath, path)
  return path
}

async function sourceHash(seed: number): Promise<string> {
  const hash = createHash('sha256').update(String(seed))
  const files = (await readdir(sourceDirectory)).filter(shapesModels).sort()
  for (const file of files) hash.update(await readFile(join(sourceDirectory, file)))
  return hash.digest('hex').slice(0, 12)
}

function shapesModels(file: string): boolean {
  return file.endsWith('.ts') && file !== 'index.ts' && file !== 'sample-inputs.ts'
}

function requireLoadModelName(name: string): LoadModelName {
  const known = loadModelNames.find((candidate) => candidate === name)
  if (known === undefined) {
    throw new Error(`no load model is called "${name}"; there are ${loadModelNames.join(', ')}`)
  }
  return known
}

async function main(names: string[]): Promise<void> {
  const wanted = names.length === 0 ? loadModelNames : names.map(requireLoadModelName)
  for (const name of wanted) {
    const path = await buildLoadModel(name)
    const sizeMb = (await stat(path)).size / 1e6
    console.log(`${path} ${sizeMb.toFixed(1)} MB`)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2))
