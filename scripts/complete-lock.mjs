// Adds to package-lock.json the platform packages that npm left out. npm forgets an optional package when the registry it
// asked does not serve it (a partial mirror), and then refuses its own lock: `npm ci` says "Missing: NAME from lock file".
// Run after `npm install` when test/architecture.test.ts asks for it.
//   node scripts/complete-lock.mjs [FILE]
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const path = process.argv[2] ?? fileURLToPath(new URL('../package-lock.json', import.meta.url))
const lock = JSON.parse(readFileSync(path, 'utf8'))

/** Platform packages are named for their platform, as in cli-linux-x64-musl. @param {string} name */
function platformOf(name) {
  const [, os = '', cpu = '', musl] = /-([a-z]+\d*)-([a-z0-9]+)(-musl)?$/.exec(name) ?? []
  const libc = os === 'linux' ? { libc: [musl ? 'musl' : 'glibc'] } : {}
  return { os: [os], cpu: [cpu], ...libc }
}

for (const { optionalDependencies = {}, dev, license } of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    // Only exact versions can be written down without asking the registry.
    if (lock.packages[`node_modules/${name}`] || !/^\d/.test(version)) continue
    lock.packages[`node_modules/${name}`] = {
      version,
      ...(dev ? { dev } : {}),
      license,
      optional: true,
      ...platformOf(name),
    }
    console.log(`added ${name}@${version}`)
  }
}

const sorted = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1))
writeFileSync(
  path,
  `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`,
)
