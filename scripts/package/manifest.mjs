// package.json as it is published.

/**
 * @typedef {object} Manifest
 * @property {string} version
 * @property {Record<string, string | Record<string, string>>} exports
 * @property {Record<string, string>} bin
 * @property {string[]} files
 * @property {{ targets: string[], binaryName: string, packageName: string }} napi
 */

/** What only a checkout needs. */
const ours = ['scripts', 'devDependencies', 'private', 'binary', 'napi', 'knip']

/** @param {Manifest} manifest @returns {Manifest} */
export function publishedManifest(manifest) {
  const kept = Object.entries(manifest).filter(([key]) => !ours.includes(key))
  return /** @type {Manifest} */ (Object.fromEntries(kept))
}

/** Every file that package.json opens a door to, of one kind. @param {Manifest} manifest @param {'js' | 'd.ts'} kind */
export function doorsOf({ exports, bin }, kind) {
  const named = [...Object.values(exports), ...Object.values(bin)].flatMap((target) => {
    return typeof target === 'string' ? [target] : Object.values(target)
  })
  const ending = kind === 'js' ? /(?<!\.d)\.js$/ : /\.d\.ts$/
  return [...new Set(named)].filter((file) => ending.test(file))
}
