// What is installed with the package, or linked into the addon, and under which licence.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** @typedef {{ name: string, version: string, licence: string, text: string | undefined }} Licensed */

/** Parts of the addon itself: in no lock file. */
const linkedIn = `## Linked into the addon

- node-addon-api, MIT, Copyright (c) 2017 the Node.js API collaborators
- libstdc++ and libgcc (in the Linux packages), GPL-3.0 with the GCC Runtime Library Exception 3.1, which allows it
`

/**
 * Every package that an installation brings along, from the lock: neither development nor optional peers.
 * @param {string} root
 * @returns {Licensed[]} by name
 */
export function runtimeLicences(root) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  return Object.entries(packages)
    .filter(([path, { dev, devOptional, peer }]) => path !== '' && !dev && !devOptional && !peer)
    .map(([path, { version, license }]) => ({
      name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version,
      licence: license ?? 'unknown',
      text: licenceText(join(root, path)),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The document that is published. @param {Licensed[]} packages */
export function licencesDocument(packages) {
  const rows = packages.map(({ name, version, licence }) => `| ${name} | ${version} | ${licence} |`)
  const texts = packages
    .filter(({ text }) => text !== undefined)
    .map(({ name, text }) => `## ${name}\n\n${text}\n`)
  return [
    '# Licences of what comes with millrace\n',
    'Packages that npm installs beside it; their versions are those it was tested with.\n',
    '| package | version | licence |\n| --- | --- | --- |',
    ...rows,
    `\n${linkedIn}`,
    ...texts,
  ].join('\n')
}

/** @param {string} folder */
function licenceText(folder) {
  if (!existsSync(folder)) return undefined
  const file = readdirSync(folder).find((name) => /^licen[cs]e(\.(md|txt))?$/i.test(name))
  return file === undefined ? undefined : readFileSync(join(folder, file), 'utf8').trim()
}
