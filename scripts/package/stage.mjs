// Lays out what is published, below build/package: `millrace/` the package itself, and `millrace/npm/PLATFORM/` one package for
// each addon given. A checkout cannot be published as it is: only what is laid out here names the platform packages as optional
// dependencies, since npm could not install a checkout that asks for packages of a version not yet published.
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { runLogged } from '../run-logged.mjs'
import { bundle } from './bundle.mjs'
import { copyDeclarations } from './declarations.mjs'
import { compareVersions, elfNeeds, newestVersion } from './elf-versions.mjs'
import { glibcFloor } from './glibc-floor.mjs'
import { licencesDocument, runtimeLicences } from './licences.mjs'
import { doorsOf, publishedManifest } from './manifest.mjs'

const copied = ['profiles', 'LICENSE', 'README.md', 'CHANGELOG.md']

/**
 * @param {object} options
 * @param {string} options.root of the checkout, with dist built
 * @param {string} options.out replaced
 * @param {Record<string, string>} options.addons by target, such as x86_64-unknown-linux-gnu, the built files. All targets of
 *   package.json for a release; fewer for a test, and the package then asks for no more.
 * @returns {Promise<{ main: string, platforms: string[] }>} the folders to pack
 */
export async function stage({ root, out, addons }) {
  rmSync(out, { recursive: true, force: true })
  const main = join(out, 'millrace')
  const manifest = await stageMain({ root, main })
  return { main, platforms: stagePlatforms({ root, main, manifest, addons }) }
}

/**
 * The package itself, without a word of platform packages: what an import costs can be measured with it.
 * @param {{ root: string, main: string }} options main: the folder, replaced
 * @returns {Promise<import('./manifest.mjs').Manifest>} of the checkout
 */
export async function stageMain({ root, main }) {
  rmSync(main, { recursive: true, force: true })
  mkdirSync(main, { recursive: true })
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  writeJson(join(main, 'package.json'), publishedManifest(manifest))
  await bundle({ root, outdir: join(main, 'dist'), doors: doorsOf(manifest, 'js') })
  copyDeclarations({
    from: join(root, 'dist'),
    to: join(main, 'dist'),
    doors: doorsOf(manifest, 'd.ts').map((door) => door.replace(/^\.\/dist\//, '')),
  })
  // For browsers: compiled and laid out in dist already.
  const page = join('dist', 'http', 'live-page')
  cpSync(join(root, page), join(main, page), {
    recursive: true,
    filter: (file) => !/\.(d\.ts|map)$/.test(file),
  })
  for (const path of copied) {
    if (existsSync(join(root, path)))
      cpSync(join(root, path), join(main, path), { recursive: true })
  }
  writeFileSync(join(main, 'THIRD-PARTY-LICENSES.md'), licencesDocument(runtimeLicences(root)))
  return manifest
}

/**
 * @param {{ root: string, main: string, manifest: import('./manifest.mjs').Manifest, addons: Record<string, string> }} options
 */
function stagePlatforms({ root, main, manifest, addons }) {
  const targets = Object.keys(addons)
  writeJson(join(main, 'napi.json'), { ...manifest.napi, targets })
  napi({ root, main, args: ['create-npm-dirs'] })
  const platforms = Object.entries(addons).map(([target, file]) => {
    const platform = platformOf(target)
    if (platform.startsWith('linux')) checkFloor(file)
    const folder = join(main, 'artifacts', platform)
    mkdirSync(folder, { recursive: true })
    copyFileSync(file, join(folder, `${manifest.napi.binaryName}.${platform}.node`))
    copyFileSync(join(root, 'LICENSE'), join(main, 'npm', platform, 'LICENSE'))
    return join(main, 'npm', platform)
  })
  napi({ root, main, args: ['artifacts', '--output-dir', 'artifacts'] })
  const publish = ['pre-publish', '-t', 'npm', '--no-gh-release', '--skip-optional-publish']
  napi({ root, main, args: publish })
  // What only the command line of napi needed.
  for (const path of [
    'napi.json',
    'artifacts',
    ...readdirSync(main).filter((name) => name.endsWith('.node')),
  ]) {
    rmSync(join(main, path), { recursive: true })
  }
  return platforms
}

/** As @napi-rs/cli names it. @param {string} target */
function platformOf(target) {
  const known = {
    'x86_64-unknown-linux-gnu': 'linux-x64-gnu',
    'aarch64-unknown-linux-gnu': 'linux-arm64-gnu',
    'aarch64-apple-darwin': 'darwin-arm64',
    'x86_64-pc-windows-msvc': 'win32-x64-msvc',
  }[target]
  if (known === undefined) throw new Error(`expected a target of package.json, got ${target}`)
  return known
}

/** @param {string} file */
function checkFloor(file) {
  const needs = elfNeeds(file)
  const glibc = newestVersion(needs, 'GLIBC')
  if (newestVersion(needs, 'GLIBCXX') !== undefined) {
    throw new Error(`${file} needs libstdc++ of the system: build it with a static one`)
  }
  if (glibc !== undefined && compareVersions(glibc, glibcFloor) > 0) {
    throw new Error(`${file} needs glibc ${glibc.join('.')}, over ${glibcFloor.join('.')}`)
  }
}

/** @param {{ root: string, main: string, args: string[] }} options */
function napi({ root, main, args }) {
  const { ok, output } = runLogged({
    command: process.execPath,
    args: [join(root, 'node_modules/@napi-rs/cli/dist/cli.js'), ...args, '-c', 'napi.json'],
    cwd: main,
    logPath: join(root, 'build', 'napi.log'),
  })
  if (!ok) throw new Error(`napi ${args[0]} failed:\n${output}`)
}

/** @param {string} path @param {unknown} value */
function writeJson(path, value) {
  writeFileSync(path, `${JSON.stringify(value, undefined, 2)}\n`)
}
