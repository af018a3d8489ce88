// Lays out and packs what is published, and says how large it is:
//   node scripts/package.mjs                     with the addon built here, for this platform alone
//   node scripts/package.mjs --addons FOLDER     a release: FOLDER holds TARGET/millrace.node for all of them
// Everything lies below build/package; npm publishes build/package/millrace/npm/* first, build/package/millrace last.
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildPackages } from './package/build-packages.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values } = parseArgs({ options: { addons: { type: 'string' } } })

console.log(JSON.stringify(await buildPackages({ root, ...values }), undefined, 2))
