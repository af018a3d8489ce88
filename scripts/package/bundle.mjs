// The JavaScript that is published: some 200 modules as a handful of files. Node takes a quarter of a millisecond to find and
// link a module, so that importing them one by one would cost more than all else that happens at start.
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { filesBelow } from '../setup/fingerprint.mjs'

/**
 * @param {{ root: string, outdir: string, doors: string[] }} options doors: files of dist that package.json names
 */
export async function bundle({ root, outdir, doors }) {
  rmSync(outdir, { recursive: true, force: true })
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [...doors.map(sourceOf), ...workers(root)],
    outbase: 'src',
    outdir,
    // Shared, never doubled: the command line and the library have one copy of each class.
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    // Messages speak of classes by their names.
    keepNames: true,
    logLevel: 'warning',
    metafile: true,
  })
  for (const file of Object.keys(metafile.outputs)) checkPlaces(join(root, file))
}

/** @param {string} door such as ./dist/cli/main.js */
function sourceOf(door) {
  return door.replace(/^\.\/dist\//, 'src/').replace(/\.js$/, '.ts')
}

/** Started by their path, imported by nobody. @param {string} root */
function workers(root) {
  return filesBelow({ root, path: 'src' }).filter((file) => file.endsWith('-worker.ts'))
}

/** @param {string} file */
function checkPlaces(file) {
  if (!/new URL\(\s*["'`]\.\.\//.test(readFileSync(file, 'utf8'))) return
  throw new Error(
    `${file} finds a file by import.meta.url, which a bundle moves: use packageFile()`,
  )
}
