// Writes profiles/ of the four pipelines of InferLine (SoCC 2020, arXiv 1812.01776) from the throughput it measured.
//   npx tsx scripts/paper-profiles.mjs
// profiles/README.md says what is measured there and what is assumed here; a test holds the files against this.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { formatJson } from '../src/json/format-json.ts'

/** @typedef {import('../src/profile/profile.ts').Profile} Profile */
/** @typedef {readonly (readonly [batch: number, ratePerS: number])[]} Rates rows a second at mean batch sizes */

/**
 * Throughput of one replica on one CPU or GPU, by the mean batch that was formed.
 * @type {Readonly<Record<string, Rates>>}
 */
// biome-ignore format: a row of the published table a line
const measured = {
  resnet152Gpu: [[1, 29.4], [2, 47.1], [4, 55.0], [6, 56.7], [8, 60.2], [10, 63.7]],
  resnet152Cpu: [[1, 1.4], [2, 1.48], [4, 1.58], [6, 1.61], [8, 1.63], [10, 1.65]],
  resnet50Gpu: [[1, 60.4], [2, 84.5], [4, 94.5], [6, 96.4], [8, 100.5], [10, 105.5]],
  resnet50Cpu: [[1, 3.62], [2, 3.74], [4, 3.89], [6, 3.99], [8, 4.0], [10, 4.03]],
  alexnetGpu: [[1, 99.0], [2, 114], [4, 142], [6, 154], [8, 158], [10, 159]],
  alexnetCpu: [[1, 17.1], [2, 18.6], [4, 20.9], [6, 22.3], [8, 22.7], [10, 23.4]],
  languageCpu: [[1, 75], [1.8, 79], [3.9, 81], [6, 81], [7.5, 81.5], [9.6, 81.8]],
  translationGpu: [
    [1, 2.5], [2, 4.2], [4, 7.0], [6, 9.4], [9.5, 9.4], [11.5, 10.6],
    [15.3, 12.4], [22.6, 14.4], [31.8, 15.8], [43.5, 16.7], [63.3, 17.8],
  ],
  inceptionGpu: [
    [1, 21.4], [2, 32.7], [4, 49.0], [6, 56.2], [8, 60.6], [10, 63.7], [16, 69], [32, 73], [64, 74.5],
  ],
  inceptionV100: [[8, 146.4], [12, 173.6], [16, 201.8]],
  logisticCpu: [[1, 438.8], [4, 883.2]],
}

/** How much faster a V100 is than a K80: Inception at batch 8, the smallest measured on both. */
const v100Speedup = 146.4 / 60.6
/** The translation model as measured needs 400 ms alone, beyond any objective of the paper. */
const translationFactor = 0.15

/** What a stage takes its numbers from, by tier. */
const models = {
  resnet152: onGpuAndCpu('resnet152Gpu', 'resnet152Cpu'),
  resnet50: onGpuAndCpu('resnet50Gpu', 'resnet50Cpu'),
  alexnet: onGpuAndCpu('alexnetGpu', 'alexnetCpu'),
  language: { 'cpu-1': points('languageCpu') },
  translation: {
    k80: points('translationGpu', { times: translationFactor }),
    v100: points('translationGpu', { times: translationFactor / v100Speedup }),
  },
  inception: {
    k80: points('inceptionGpu'),
    v100: [
      ...points('inceptionGpu', { times: 1 / v100Speedup }).filter(({ batch }) => batch < 8),
      ...points('inceptionV100'),
    ],
  },
  logistic: { 'cpu-1': points('logisticCpu') },
  // Gains nothing from batches or a GPU; its time is that of a row of language detection.
  preprocess: { 'cpu-1': points('languageCpu').slice(0, 1) },
}

const origin =
  'Throughput of one replica as published with InferLine (arXiv 1812.01776): service time is batch over throughput, the ' +
  '99th percentile is taken to be the mean. Assumed: V100 times are those of the K80 over 2.416 (Inception at batch 8 on ' +
  'both); which branches requests take. '

/** @type {readonly { pipeline: string, source: string, stages: Readonly<Record<string, keyof typeof models>>, edges: readonly (readonly [string, string])[], paths: readonly (readonly [share: number, ...visits: string[]])[] }[]} */
const pipelines = [
  {
    pipeline: 'image-processing',
    source: 'Preprocessing stands in as 13.3 ms a row of one CPU.',
    stages: { preprocess: 'preprocess', resnet152: 'resnet152' },
    edges: [['preprocess', 'resnet152']],
    paths: [[1, 'preprocess', 'resnet152']],
  },
  {
    pipeline: 'video-monitoring',
    source:
      'Stand-ins: Inception detects, ResNet-152 knows vehicles, ResNet-50 persons, AlexNet reads plates.',
    stages: { detector: 'inception', vehicle: 'resnet152', person: 'resnet50', plate: 'alexnet' },
    edges: [
      ['detector', 'vehicle'],
      ['detector', 'person'],
      ['detector', 'plate'],
    ],
    paths: [
      [0.55, 'detector'],
      [0.15, 'detector', 'vehicle', 'plate'],
      [0.15, 'detector', 'person'],
      [0.1, 'detector', 'vehicle'],
      [0.05, 'detector', 'vehicle', 'person', 'plate'],
    ],
  },
  {
    pipeline: 'social-media',
    source:
      `Translation takes ${translationFactor} times the service times of the published NMT, which alone needs 400 ms. ` +
      'Stand-ins: Inception classifies the image, logistic regression categorises.',
    stages: {
      language: 'language',
      translation: 'translation',
      image: 'inception',
      categorise: 'logistic',
    },
    edges: [
      ['language', 'translation'],
      ['image', 'categorise'],
    ],
    paths: [
      [0.6, 'language', 'image', 'categorise'],
      [0.4, 'language', 'translation', 'image', 'categorise'],
    ],
  },
  {
    pipeline: 'tf-cascade',
    source: 'Stand-ins: AlexNet is the fast model, ResNet-152 the slow one.',
    stages: { fast: 'alexnet', slow: 'resnet152' },
    edges: [['fast', 'slow']],
    paths: [
      [0.7, 'fast'],
      [0.3, 'fast', 'slow'],
    ],
  },
]

/**
 * The profiles, by the name of their file.
 *
 * @returns {ReadonlyMap<string, Profile & { $schema: string }>}
 */
export function paperProfiles() {
  return new Map(pipelines.map((pipeline) => [`${pipeline.pipeline}.json`, profileOf(pipeline)]))
}

/** @param {typeof pipelines[number]} pipeline @returns {Profile & { $schema: string }} */
function profileOf({ pipeline, source, stages, edges, paths }) {
  return {
    $schema: './profile.schema.json',
    version: 1,
    pipeline,
    source: origin + source,
    stages: Object.fromEntries(
      Object.entries(stages).map(([name, model]) => [
        name,
        { scaleFactor: scaleFactor(name, paths), tiers: tiersOf(model) },
      ]),
    ),
    edges,
    paths: paths.map(([share, ...visits]) => ({ share, visits })),
  }
}

/** @param {keyof typeof models} model */
function tiersOf(model) {
  return Object.fromEntries(
    Object.entries(models[model]).map(([tier, points]) => [tier, { points }]),
  )
}

/** @param {string} stage @param {typeof pipelines[number]['paths']} paths */
function scaleFactor(stage, paths) {
  const shares = paths.filter(([, ...visits]) => visits.includes(stage)).map(([share]) => share)
  return round(shares.reduce((sum, share) => sum + share, 0))
}

/** @param {string} gpu @param {string} cpu */
function onGpuAndCpu(gpu, cpu) {
  return { 'cpu-1': points(cpu), k80: points(gpu), v100: points(gpu, { times: 1 / v100Speedup }) }
}

/**
 * Service times from throughput. A batch that is no faster by the row than a smaller one is left out; one that took less
 * time than a smaller one does not occur.
 *
 * @param {string} name
 */
function points(name, { times = 1 } = {}) {
  let best = 0
  return (measured[name] ?? []).flatMap(([meanBatch, ratePerS]) => {
    if (ratePerS <= best) return []
    best = ratePerS
    const batch = Math.round(meanBatch)
    const meanMs = round((batch / ratePerS) * 1000 * times)
    return [{ batch, meanMs, p99Ms: meanMs }]
  })
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 1000) / 1000
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, profile] of paperProfiles()) {
    writeFileSync(new URL(`../profiles/${name}`, import.meta.url), formatJson(profile))
  }
}
