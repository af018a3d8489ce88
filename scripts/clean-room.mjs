// What somebody meets who never heard of us: the packed packages, installed by npm, pnpm and yarn into an empty project outside
// this checkout, with Node and a shell on the PATH and nothing else, and the digits example run from ECMAScript modules,
// CommonJS, TypeScript and a bundle. Needs a registry for what we depend on.
//   node scripts/clean-room.mjs [--only npm,pnpm,yarn]
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { clients } from './clean-room/clients.mjs'
import { makeProject } from './clean-room/project.mjs'
import { visits } from './clean-room/visits.mjs'
import { buildPackages } from './package/build-packages.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values } = parseArgs({ options: { only: { type: 'string' } } })
const only = values.only?.split(',') ?? Object.keys(clients)
const maxBytes = { millrace: 1e6, platform: 2e6 }

const packed = await buildPackages({ root })
for (const { name, packedBytes, unpackedBytes, files } of packed) {
  const limit = name === 'millrace' ? maxBytes.millrace : maxBytes.platform
  const [kb, unpackedKb] = [packedBytes, unpackedBytes].map((bytes) => Math.round(bytes / 1000))
  console.log(`${name}: ${kb} kB packed, ${unpackedKb} kB unpacked, ${files.length} files`)
  if (packedBytes > limit) throw new Error(`${name}: expected at most ${limit} bytes packed`)
}

for (const name of only) {
  const client = clients[name]
  if (client === undefined) throw new Error(`expected npm, pnpm or yarn, got ${name}`)
  const project = makeProject({ root, packed, client })
  try {
    const installS = timed(() => client.install({ root, project }))
    console.log(`${name}: installed in ${installS} s`)
    for (const [visit, go] of Object.entries(visits).slice(0, client.visits)) {
      console.log(`${name}: ${visit} in ${timed(() => go({ root, project }))} s`)
    }
  } finally {
    rmSync(join(project.folder, '..'), { recursive: true, force: true })
  }
}

/** Seconds that something took. @param {() => void} work */
function timed(work) {
  const beganMs = performance.now()
  work()
  return ((performance.now() - beganMs) / 1000).toFixed(1)
}
